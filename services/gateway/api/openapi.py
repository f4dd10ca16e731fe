"""The gateway's OpenAPI document: its own routes, and operations imported from the services that answer them.

`make docs` writes the operations that the gateway exposes, with their schemas, from each service's own document to
`services/gateway/contracts`, so that a field is described once, by the service that reads it. The gateway adds what it does
itself: authentication, scopes, rate limits, other media types and entity tags.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from services.gateway.api.schema_references import closure, reachable, renamed
from shared import openapi
from shared.http import KEY_HEADER, TENANT_HEADER, TIMEOUT_HEADER
from shared.openapi import REF
from shared.routes import TypedRoute, with_subdependencies

DESCRIPTION = """\
Send an API key with every request: `Authorization: Bearer esk_…`. Each operation names the scope that the key needs; `admin`
includes every scope but `pii:read`.

An error is a problem document (RFC 9457, `application/problem+json`). Its `type` is stable, and `invalid_params` names the places
that are wrong. Retry a 429 or a 503 after `Retry-After` seconds; `RateLimit` and `RateLimit-Policy` hold the remaining requests.
An unknown query parameter is a 400. Every response has an `X-Request-Id`; send one to choose it.
"""

SERVERS = [{"url": "/", "description": "The gateway that serves this document"}]

LICENSE = {"name": "Proprietary", "identifier": "LicenseRef-Proprietary"}

SECURITY_SCHEMES = {"key": {"type": "http", "scheme": "bearer", "description": "An API key, `esk_…`"}}
"""The scheme that `require` checks. A dependency of FastAPI for it would run at every request."""

TAGS = {
    "kpis": "Values, breakdowns, series and live streams of KPIs, and the records behind them.",
    "feedback": "Post records of your own apps, and correct how the model judged a comment.",
    "customers": "Find, export and erase everything that is held about a customer.",
    "connections": "Survey tools and help desks whose webhooks Earshot receives.",
    "quarantine": "Deliveries that could not be read, replays of stored events, and the jobs that do both in the background.",
    "imports": "Bring history in from a file, in the background.",
    "retention": "For how long the bodies of deliveries are stored, and when old feedback is compressed.",
    "taxonomy": "The themes that are recognised in your comments.",
    "terms": "Settings that your numbers depend on, and the progress of a change.",
    "verifications": "Whether your numbers equal those that are computed again from the events behind them.",
    "names": "Names of teams and agents, shown beside their ids.",
    "models": "Sentiment models: their coverage, a comparison, and a promotion.",
    "gold": "Humans' judgements of comments.",
    "scoring": "Score texts on request.",
    "keys": "API keys and their scopes.",
}
"""Tag → its description, in the order of the reference."""

HEADERS = {
    "RateLimit": {
        "description": "For each limit, `r`: the requests that remain, and `t`: the seconds until it is full again",
        "schema": {"type": "string"},
        "example": '"key";r=1999;t=1, "tenant";r=7999;t=1',
    },
    "RateLimit-Policy": {
        "description": "For each limit, `q`: the requests at once, and `w`: the seconds in which they are refilled",
        "schema": {"type": "string"},
        "example": '"key";q=2000;w=4, "tenant";q=8000;w=4',
    },
    "Retry-After": {"description": "Seconds to wait before a retry", "schema": {"type": "integer"}, "example": 5},
}
"""Headers of responses, for `components/headers`."""

IMPORT = "x-import"
"""In the `openapi_extra` of a route: which operation or parameters to import. It is not part of the document."""
INTERNAL_HEADERS = {KEY_HEADER, TENANT_HEADER, TIMEOUT_HEADER, "authorization"}
DEFAULT_DESCRIPTION = "Successful Response"
"""FastAPI's description of a response that the route does not describe."""

RESERVED_NAMES = {"Response"}
"""Schemas that are renamed because generated clients have a class of their own with this name."""

Json = dict[str, Any]


class UpstreamRoute(TypedRoute):
    """A route that another service answers. That service checks the query."""

    open_query = True


def import_operation(
    service: str,
    *,
    row_formats: Sequence[str] = (),
    file_formats: Sequence[str] = (),
    rows: str = "rows",
    headers: Sequence[Json] = (),
) -> Json:
    """The `openapi_extra` of a route that `service` answers under the same method and path.

    `row_formats` are media types with one entry of the JSON response's array `rows` for each line, `file_formats` those of binary
    files. `headers` are the header parameters that the gateway itself reads.
    """
    formats = {"row_formats": list(row_formats), "file_formats": list(file_formats), "rows": rows}
    return {IMPORT: {"service": service, "headers": list(headers), **formats}}


def import_query(service: str, *paths: str) -> Json:
    """The `openapi_extra` of a route that has the query parameters of GET `paths` at `service`, besides its own."""
    return {IMPORT: {"service": service, "query_of": paths}}


def document_of(app: FastAPI) -> Json:
    """The complete OpenAPI 3.1 document."""
    document = openapi.document_of(app, description=DESCRIPTION, servers=SERVERS, license_info=LICENSE)
    components = Components(document["components"]["schemas"])
    own_paths, document["paths"] = document["paths"], {}
    for route in public_routes(app):
        for method in methods_of(route):
            path = str(route.path_format)
            operation = own_paths[path][method]
            if source := operation.pop(IMPORT, None):
                path, operation = imported(operation, source, method, path, components)
            add_security(operation, required_scope(route))
            add_headers(operation)
            document["paths"].setdefault(path, {})[method] = operation
    document["paths"] = dict(sorted(document["paths"].items()))
    document["components"]["headers"] = HEADERS
    document["components"]["securitySchemes"] = SECURITY_SCHEMES
    used = {tag for operation in openapi.operations(document) for tag in operation["tags"]}
    document["tags"] = [{"name": tag, "description": text} for tag, text in TAGS.items() if tag in used]
    return document


def public_routes(app: FastAPI) -> Iterator[RouteContext]:
    """The routes of the document, with the options of the routers that they are included by."""
    return (route for route in iter_route_contexts(app.routes) if isinstance(route.route, APIRoute) and route.include_in_schema)


def methods_of(route: RouteContext) -> list[str]:
    """In lower case, as in a document's paths."""
    return [method.lower() for method in route.methods or ()]


def exposed_operations(app: FastAPI, service: str) -> set[tuple[str, str]]:
    """Methods and paths of `service` that the gateway's document imports."""
    exposed = set()
    for route in public_routes(app):
        source = (route.openapi_extra or {}).get(IMPORT, {})
        if source.get("service") == service and "query_of" not in source:
            exposed |= {(method, unnamed(str(route.path_format))) for method in methods_of(route)}
    return exposed


def unnamed(path: str) -> str:
    """A path template without the names of its parameters, which may differ between the gateway and a service."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def operation_at(contract: Json, method: str, path: str) -> tuple[str, Json]:
    """The contract's own path template and its operation. Raises LookupError if the contract is out of date."""
    for template, item in contract["paths"].items():
        if unnamed(template) == unnamed(path) and method in item:
            return template, item[method]
    raise LookupError(f"no contract of {method} {path}; run: make docs")


@cache
def contract_of(service: str) -> Json:
    """The committed contract of a service: an OpenAPI document of the operations that the gateway exposes."""
    contract: Json = json.loads((files("services.gateway") / "contracts" / f"{service}.json").read_text())
    return contract


def imported(own: Json, source: Json, method: str, path: str, components: "Components") -> tuple[str, Json]:
    """The path template and the operation: imported from the contract, with the additions of the gateway's own route."""
    service, contract = source["service"], contract_of(source["service"])
    if query_of := source.get("query_of"):
        for queried_path in query_of:
            queried = components.copy(operation_at(contract, "get", queried_path)[1], service, contract)
            query = [parameter for parameter in queried.get("parameters", ()) if parameter["in"] == "query"]
            own = own | {"parameters": merged_parameters(own, query)}
        return path, own
    template, theirs = operation_at(contract, method, path)
    operation = components.copy(theirs, service, contract)
    operation["tags"] = operation.get("tags") or own.get("tags", [])
    operation["parameters"] = merged_parameters(operation, [*own.get("parameters", ()), *source["headers"]])
    if own.get("description"):
        operation["description"] = "\n\n".join(filter(None, (operation.get("description"), own["description"])))
    for status, response in own["responses"].items():
        if response["description"] != DEFAULT_DESCRIPTION:
            operation["responses"][status] = merged_response(operation["responses"].get(status, {}), response)
    content = operation["responses"].get("200", {}).get("content", {})
    for media_type in source["row_formats"]:
        is_text = media_type == "text/csv"
        row = row_schema(content["application/json"]["schema"], source["rows"], components.schemas)
        content[media_type] = {"schema": {"type": "string"} if is_text else row}
    content |= {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in source["file_formats"]}
    return template, operation


def merged_parameters(operation: Json, more: Sequence[Json]) -> list[Json]:
    """The operation's parameters without internal headers, and those of `more` that it doesn't declare."""
    declared = [parameter for parameter in operation.get("parameters", ()) if parameter["name"].lower() not in INTERNAL_HEADERS]
    names = {parameter["name"].lower() for parameter in declared}
    return [*declared, *(extra for extra in more if extra["name"].lower() not in names)]


def merged_response(response: Json, more: Json) -> Json:
    """The response with the fields of `more`, and with the media types of both."""
    merged = response | more
    if content := more.get("content", {}) | response.get("content", {}):
        merged["content"] = content
    return merged


def row_schema(schema: Json, field: str, schemas: Json) -> Json:
    """The schema of one entry of the array `field` in an object."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].removeprefix(REF)]
    items: Json = schema.get("properties", {}).get(field, {}).get("items", {})
    return items


def required_scope(route: RouteContext) -> str | None:
    """The scope that the route's `require` dependency checks."""
    scopes = (getattr(subdependency.call, "required_scope", None) for subdependency in with_subdependencies(route.dependant))
    return next(filter(None, scopes), None)


def add_security(operation: Json, scope: str | None) -> None:
    """Name the scope in the security requirement, as OpenAPI 3.1 allows for bearer tokens, and in the description."""
    operation["security"] = [{"key": [scope] if scope else []}]
    if scope:
        operation["description"] = "\n\n".join(filter(None, (operation.get("description"), f"Requires the scope `{scope}`.")))


def add_headers(operation: Json) -> None:
    """Add the headers of every response of the gateway that a client should read."""
    for status, response in operation["responses"].items():
        names = ["RateLimit", "RateLimit-Policy"] if status == "429" or status < "400" else []
        names += ["Retry-After"] if status in ("429", "503") else []
        if names:
            response["headers"] = response.get("headers", {}) | {name: {"$ref": f"#/components/headers/{name}"} for name in names}


class Components:
    """The schemas of the document. Copies parts of other documents with their schemas; renames those whose names are taken."""

    def __init__(self, schemas: Json) -> None:
        self.schemas = schemas

    def copy(self, node: Json, service: str, contract: Json) -> Json:
        """A copy of `node`, a part of `contract`, whose references point to schemas of this document."""
        theirs = contract.get("components", {}).get("schemas", {})
        names: dict[str, str] = {}
        for name in sorted(reachable(node, theirs)):
            conflicts = name in RESERVED_NAMES or (name in self.schemas and closure(name, self.schemas) != closure(name, theirs))
            names[name] = f"{service.capitalize()}{name}" if conflicts else name
        for name, new_name in names.items():
            schema = renamed(theirs[name], names)
            self.schemas.setdefault(new_name, schema if new_name == name else schema | {"title": new_name})
        copied: Json = renamed(node, names)
        return copied
