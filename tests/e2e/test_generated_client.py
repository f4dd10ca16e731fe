"""A client generated from the OpenAPI document calls every operation of a running gateway, with the examples of the document."""

import json
import subprocess
import sys
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from services.gateway.domain.keys import SCOPES
from shared.openapi import operations
from tests.e2e.stack import Stack

Json = dict[str, Any]
PACKAGE = "earshot_client"
CONFIG = f"package_name_override: {PACKAGE}\npost_hooks: []\ncontent_type_overrides: {{application/x-ndjson: application/json}}\n"
REFUSALS = {
    "override_comment": 404,
    "get_feedback": 404,
    "get_shadow_report": 404,
    "promote_model": 404,
    "backfill_connection": 422,
}
"""By operation. Its example names a subject or a model that this stack may not hold, or needs a tool's credentials."""
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
async def document(stack: Stack) -> Json:
    content: Json = (await stack.http.get(f"{stack.gateway_url}/openapi.json")).json()
    return content


@pytest.fixture(scope="module")
def package(document: Json, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the generated package, which can be imported."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(with_json_bodies_only(document)))
    (folder / "config.yml").write_text(CONFIG)
    generator = Path(sys.executable).parent / "openapi-python-client"
    files = ("--path", folder / "openapi.json", "--config", folder / "config.yml", "--output-path", folder / PACKAGE)
    options = ("--meta", "none", "--fail-on-warning")
    result = subprocess.run([generator, "generate", *files, *options], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    sys.path.insert(0, str(folder))
    yield PACKAGE
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
async def key(stack: Stack) -> str:
    """A key with every scope, of a tenant of the test's own."""
    tenant, _ = await stack.new_tenant("client")
    made = await stack.earshot("key", "create", tenant, "--scopes", " ".join(SCOPES), "--json")
    return str(json.loads(made)["key"])


def with_json_bodies_only(document: Json) -> Json:
    """A copy without NDJSON bodies: for a list in two forms the generator writes code that fails."""
    copy: Json = json.loads(json.dumps(document))
    for operation in operations(copy):
        operation.get("requestBody", {}).get("content", {}).pop("application/x-ndjson", None)
    return copy


class Example:
    """Values for the parameters and bodies of operations: ids of what earlier calls created, else the document's examples."""

    def __init__(self, document: Json) -> None:
        self._schemas = document["components"]["schemas"]
        self._ids: dict[str, str] = {}

    def remember(self, path: str, content: Any) -> None:
        """Keep the id of what a POST to a collection created, or of the first entry of a collection."""
        entries = [content] if isinstance(content, dict) else []
        entries += [one for value in content.values() if isinstance(value, list) for one in value] if entries else []
        ids = [one["id"] for one in entries if isinstance(one, dict) and isinstance(one.get("id"), str)]
        if ids and "{" not in path:
            self._ids.setdefault(path, ids[0])

    def parameter(self, path: str, parameter: Json) -> Any:
        collection, _, rest = path.partition("/{")
        if rest.startswith(parameter["name"] + "}") and (known := self._ids.get(collection)):
            return known
        if "example" in parameter:
            return parameter["example"]
        if examples := parameter.get("examples"):
            return next(iter(examples.values()))["value"]
        return self.value(parameter["schema"], f"{path}: {parameter['name']}")

    def value(self, schema: Json, where: str) -> Any:
        """The schema's example, or one that is made of those of its parts."""
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].removeprefix("#/components/schemas/")] | {
                name: value for name, value in schema.items() if name != "$ref"
            }
        for key in ("example", "const", "default"):
            if key in schema:
                return schema[key]
        for key in ("examples", "enum"):
            if schema.get(key):
                return schema[key][0]
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                return self.value(schema[key][0], where)
        match schema.get("type"):
            case "object":
                required = schema.get("required", ())
                return {name: self.value(schema["properties"][name], f"{where}.{name}") for name in required}
            case "array":
                return [self.value(schema["items"], f"{where}.0")]
        raise AssertionError(f"{where}: no example")


def ordered(document: Json) -> list[tuple[str, str, Json]]:
    """All operations: those that create before those that read, and those that delete last."""
    order = {"post": 0, "get": 1, "put": 2, "patch": 3, "delete": 5}
    late = {"start": 3, "rotate": 4, "discard": 5}
    listed = [(method, path, item[method]) for path, item in document["paths"].items() for method in METHODS if method in item]
    return sorted(listed, key=lambda one: ("{" in one[1], late.get(one[1].partition("}:")[2], order[one[0]]), one[1]))


def module_of(package: str, operation: Json) -> ModuleType:
    return import_module(f"{package}.api.{operation['tags'][0]}.{operation['operationId']}")


def as_model(hint: Any, value: Any) -> Any:
    """The JSON value as the type of the client's argument."""
    if isinstance(hint, UnionType) or typing.get_origin(hint) is typing.Union:
        for option in typing.get_args(hint):
            try:
                model = as_model(option, value)
            except (AttributeError, KeyError, TypeError, ValueError):
                continue
            if not isinstance(model, dict) or option is dict:
                return model
    if typing.get_origin(hint) is list:
        return [as_model(typing.get_args(hint)[0], one) for one in value]
    if hasattr(hint, "from_dict"):
        model = hint.from_dict(dict(value))
        if model.to_dict() != value:
            raise ValueError("another model")
        return model
    return value


def body_of(hint: Any, example: Example, path: str, content: Json) -> Any:
    """The body as the client's argument: a model, or a file of bytes."""
    if "application/octet-stream" in content:
        return hint(payload=b"{}")  # the asynchronous client sends bytes, no file object
    json_content = content["application/json"]
    body = json_content["example"] if "example" in json_content else example.value(json_content["schema"], f"{path}: body")
    return as_model(hint, body)


def arguments(module: ModuleType, example: Example, path: str, operation: Json) -> Json:
    """The required parameters and the body, named as the client names them."""
    hints = typing.get_type_hints(module.asyncio_detailed)
    values = {}
    for parameter in operation.get("parameters", ()):
        if parameter.get("required"):
            name = parameter["name"].lower().replace("-", "_")
            values[name] = as_model(hints[name], example.parameter(path, parameter))
    if "requestBody" in operation:
        values["body"] = body_of(hints["body"], example, path, operation["requestBody"]["content"])
    return values


def check(document: Json, operation: Json, status: int, media_type: str, content: bytes) -> None:
    """The status is declared, and the content fits the schema declared for it."""
    name = operation["operationId"]
    assert str(status) in operation["responses"], f"{name}: {status} is not declared: {content[:500]!r}"
    declared = operation["responses"][str(status)].get("content", {})
    if not declared:
        assert content == b"", f"{name}: {status} declares no content"
        return
    assert media_type in declared, f"{name}: {media_type} is not declared for {status}"
    schema = {"components": document["components"], "allOf": [declared[media_type].get("schema", {})]}
    if media_type.endswith("json"):
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(content))]
        assert errors == [], name


async def test_the_generated_client_calls_every_operation(stack: Stack, document: Json, package: str, key: str) -> None:
    await quarantine_a_delivery(stack, key)
    client = import_module(package).AuthenticatedClient(base_url=stack.gateway_url, token=key, timeout=httpx.Timeout(30))
    example = Example(document)
    called = 0
    async with client:
        for method, path, operation in ordered(document):
            module = module_of(package, operation)
            values = arguments(module, example, path, operation)
            if "text/event-stream" in operation["responses"].get("200", {}).get("content", {}):
                await read_first_event(stack, key, path, {"kpis": "nps", **values})
            else:
                response = await module.asyncio_detailed(client=client, **values)
                media_type = response.headers.get("content-type", "").partition(";")[0]
                check(document, operation, int(response.status_code), media_type, response.content)
                expected = {200, 201, 202, 204, REFUSALS.get(operation["operationId"], 200)}
                assert response.status_code in expected, f"{method} {path}: {response.content[:500]!r}"
                if response.status_code < 300 and media_type == "application/json":
                    assert response.parsed is not None, path
                    example.remember(path, json.loads(response.content))
            called += 1
    assert called == len(list(operations(document)))


async def read_first_event(stack: Stack, key: str, path: str, values: Json) -> None:
    """Without the generated client, which reads a response to its end."""
    headers = {"authorization": f"Bearer {key}"}
    async with stack.http.stream("GET", stack.gateway_url + path, params=values, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert await anext(response.aiter_lines()) == "event: snapshot"


async def quarantine_a_delivery(stack: Stack, key: str) -> None:
    """So that there is one to get and to retry."""
    new = {"provider": "standard", "name": "Broken app"}
    headers = {"authorization": f"Bearer {key}"}
    connection = (await stack.http.post(f"{stack.gateway_url}/v1/connections", json=new, headers=headers)).json()
    response = await stack.deliver("standard", b'{"type": "record.unknown"}', connection=connection)
    assert response.json()["status"] == "quarantined"
