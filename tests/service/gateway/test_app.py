"""The door as a whole: every route asks for a key, outages are told as such, and each call is accounted for."""

import json
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from services.gateway.domain.keys import format_secret
from tests.service.gateway.gateway_client import FakeChanges, GatewayClient, open_client, problem

METHODS = {"get", "post", "put", "patch", "delete"}
NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"


async def calls(gateway_client: GatewayClient) -> list[tuple[str, str]]:
    """Every call of the OpenAPI document."""
    document: dict[str, Any] = (await gateway_client.http.get("/openapi.json")).json()
    return [
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, item in document["paths"].items()
        for method in item
        if method in METHODS
    ]


OF_ANY_KEY = {("GET", "/v1/keys/self")}
"""What a key without any scope may ask: what it may do."""


async def test_every_call_of_the_document_asks_for_a_key_and_a_scope(gateway_client: GatewayClient) -> None:
    powerless = await gateway_client.key()
    found = await calls(gateway_client)
    assert len(found) > 15
    for method, path in found:
        assert (await gateway_client.http.request(method, path)).status_code == 401, path
        assert (await gateway_client.call(method, path, powerless)).status_code == (
            200 if (method, path) in OF_ANY_KEY else 403
        ), path
    assert gateway_client.upstreams.requests == []


async def test_the_document_is_served_without_a_key(gateway_client: GatewayClient) -> None:
    document = (await gateway_client.http.get("/openapi.json")).json()
    assert document == gateway_client.app.openapi()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/v1/keys", 405), ("POST", "/", 405)])
async def test_what_is_not_there_is_a_problem_document(
    gateway_client: GatewayClient, method: str, path: str, status: int
) -> None:
    answer = await gateway_client.http.request(method, path)
    assert answer.status_code == status
    problem(answer)


async def test_without_its_database_the_gateway_lives_and_says_so() -> None:
    async with open_client(NOWHERE, FakeChanges()) as gateway_client:
        assert (await gateway_client.http.get("/livez")).status_code == 200
        ready = await gateway_client.http.get("/readyz")
        assert (ready.status_code, ready.json()["missing"]) == (503, ["database"])
        answer = await gateway_client.get("/v1/kpis", format_secret(bytes(32)))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        problem(answer)
        assert (await gateway_client.http.get("/")).status_code == 200


async def test_a_call_is_told_in_the_log_without_its_secrets(
    gateway_client: GatewayClient, capsys: pytest.CaptureFixture[str]
) -> None:
    key = await gateway_client.key("metrics:read", tenant="told")
    capsys.readouterr()
    await gateway_client.get("/v1/kpis/nps?filter[agent]=jane", key, headers={"x-request-id": "r-77"})
    said = "".join(capsys.readouterr())
    assert "/v1/kpis/{kpi}" in said
    assert "r-77" in said
    assert "told" in said
    assert "jane" not in said
    assert key not in said


def answered(**labels: str) -> float:
    return REGISTRY.get_sample_value("earshot_gateway_answer_seconds_count", labels) or 0.0


async def test_answers_are_counted_by_route_and_inventions_make_no_labels(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("metrics:read")
    routes = (
        {"method": "GET", "route": "/v1/kpis/{kpi}", "status": "200"},
        {"method": "unknown", "route": "unknown", "status": "404"},
    )
    before = [answered(**labels) for labels in routes]
    await gateway_client.get("/v1/kpis/nps", key)
    await gateway_client.http.request("BREW", "/coffee/7")
    assert [answered(**labels) for labels in routes] == [count + 1 for count in before]


@pytest.mark.parametrize(
    ("path", "accept", "status", "name"),
    [
        ("/v1/kpis", "*/*", 200, "earshot.json"),
        ("/v1/kpis/nps", "text/csv", 200, "earshot.csv"),
        ("/v1/kpis/nps", "application/x-ndjson", 200, "earshot.ndjson"),
        ("/v1/keys/self?colour=blue", "*/*", 400, "earshot.json"),
        ("/v1/keys", "*/*", 403, "earshot.json"),
        ("/v1/nowhere", "*/*", 404, "earshot.json"),
        ("/v1/connections/<img>", "*/*", 403, "earshot.json"),
    ],
)
async def test_a_response_of_the_api_is_a_file_to_a_browser(
    gateway_client: GatewayClient, path: str, accept: str, status: int, name: str
) -> None:
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, json={"kpi": "nps", "rows": []})
    answer = await gateway_client.get(path, await gateway_client.key("metrics:read"), headers={"accept": accept})
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


async def test_a_refusal_without_a_key_is_a_file_too_and_the_page_is_none(gateway_client: GatewayClient) -> None:
    refused = await gateway_client.http.get("/v1/kpis")
    assert (refused.status_code, refused.headers["content-disposition"]) == (401, 'attachment; filename="earshot.json"')
    for path in ("/", "/static/main.js", "/openapi.json", "/livez"):
        page = await gateway_client.http.get(path)
        assert page.headers.get_list("x-content-type-options") == ["nosniff"]
        assert "content-disposition" not in page.headers


async def test_a_fault_of_ours_is_503_and_tells_nothing(gateway_client: GatewayClient) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise RuntimeError("a secret of ours")

    gateway_client.upstreams.respond = broken
    answer = await gateway_client.get("/v1/kpis/nps", await gateway_client.key("metrics:read"))
    assert answer.status_code == 503
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in json.dumps(problem(answer))
