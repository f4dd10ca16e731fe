"""Generate the OpenAPI document of a service from its typed routes."""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shared.problems import InvalidParam, ProblemDocument

REF = "#/components/schemas/"
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
"""The names that pydantic leaves in the schema of a number with a validator of its own, and those of JSON Schema."""
INTERNAL = "internal"
"""The name of the security scheme of internal routes."""
SECURITY_SCHEMES = {INTERNAL: {"type": "http", "scheme": "bearer", "description": "The token of Earshot's own services"}}
"""The scheme that `shared.http.require_internal` checks. A dependency of FastAPI for it would run at every request."""
UNUSED = ("HTTPValidationError", "ValidationError")
"""FastAPI's own models of errors; ours answer with ProblemDocument."""


def document_of(app: FastAPI, **options: Any) -> dict[str, Any]:
    """The OpenAPI 3.1 document of an app's routes. `options` are those of FastAPI's get_openapi, such as `description`."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes, **options)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (InvalidParam, ProblemDocument):
        schemas[model.__name__] = model.model_json_schema(ref_template=REF + "{model}")
    for operation in operations(document):
        drop_default_422(operation)
    if any({INTERNAL: []} in operation.get("security", ()) for operation in operations(document)):
        document["components"]["securitySchemes"] = SECURITY_SCHEMES
    hoist_definitions(document, schemas)
    rename_bounds(document)
    for name in UNUSED:
        schemas.pop(name, None)
    return document


def install(app: FastAPI, generate: Callable[[FastAPI], dict[str, Any]] = document_of) -> None:
    """Let `app.openapi()`, and so `/openapi.json`, return the document that `generate` makes; it is made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = generate(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All operations of a document."""
    for item in document.get("paths", {}).values():
        for method, operation in item.items():
            if method in ("get", "put", "post", "delete", "options", "head", "patch", "trace"):
                yield operation


def drop_default_422(operation: dict[str, Any]) -> None:
    """Remove the 422 that FastAPI adds to each route with parameters: an invalid parameter is a 400 here."""
    content = operation["responses"].get("422", {}).get("content", {})
    if content.get("application/json", {}).get("schema", {}).get("$ref") == f"{REF}HTTPValidationError":
        del operation["responses"]["422"]


def rename_bounds(node: Any) -> None:
    """Replace the keys of BOUNDS, where they hold a number, by their names in JSON Schema."""
    if isinstance(node, dict):
        for name in BOUNDS.keys() & node.keys():
            if isinstance(node[name], int | float):
                node[BOUNDS[name]] = node.pop(name)
        for value in node.values():
            rename_bounds(value)
    elif isinstance(node, list):
        for value in node:
            rename_bounds(value)


def hoist_definitions(node: Any, schemas: dict[str, Any]) -> None:
    """Move `$defs` that are inside of schemas to `components/schemas`, where their references point.

    Raises ValueError if two different schemas have the same name.
    """
    if isinstance(node, dict):
        for name, schema in node.pop("$defs", {}).items():
            hoist_definitions(schema, schemas)
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"two schemas are named {name}")
        for value in list(node.values()):
            hoist_definitions(value, schemas)
    elif isinstance(node, list):
        for value in node:
            hoist_definitions(value, schemas)
