"""The gateway as a whole: keys on every route, outages, logs and metrics, and headers for browsers."""

import json
from typing import Any

import httpx
import pytest

from services.gateway.domain.keys import format_secret
from services.gateway.instruments import FAMILIES
from shared.instruments import registry_of
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


WITHOUT_SCOPE = {("GET", "/v1/keys/self")}
"""Operations that need no scope."""


async def test_every_operation_of_the_document_requires_a_key_and_a_scope(gateway_client: GatewayClient) -> None:
    without_scope = await gateway_client.key()
    operations = await calls(gateway_client)
    assert len(operations) > 15
    for method, path in operations:
        assert (await gateway_client.http.request(method, path)).status_code == 401, path
        assert (await gateway_client.call(method, path, without_scope)).status_code == (
            200 if (method, path) in WITHOUT_SCOPE else 403
        ), path
    assert gateway_client.upstreams.requests == []


async def test_the_document_is_served_without_a_key(gateway_client: GatewayClient) -> None:
    document = (await gateway_client.http.get("/openapi.json")).json()
    assert document == gateway_client.app.openapi()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/v1/keys", 405), ("POST", "/", 405)])
async def test_an_unknown_path_or_method_is_a_problem_document(
    gateway_client: GatewayClient, method: str, path: str, status: int
) -> None:
    response = await gateway_client.http.request(method, path)
    title = {404: "Not found", 405: "Method not allowed"}[status]
    assert (response.status_code, problem(response)["title"]) == (status, title)


async def test_without_its_database_the_gateway_is_live_but_not_ready() -> None:
    async with open_client(NOWHERE, FakeChanges()) as gateway_client:
        assert (await gateway_client.http.get("/livez")).status_code == 200
        ready = await gateway_client.http.get("/readyz")
        assert (ready.status_code, ready.json()["missing"]) == (503, ["database"])
        response = await gateway_client.get("/v1/kpis", format_secret(bytes(32)))
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        problem(response)
        assert (await gateway_client.http.get("/")).status_code == 200


async def test_the_log_of_a_request_holds_no_secret(gateway_client: GatewayClient, capsys: pytest.CaptureFixture[str]) -> None:
    key = await gateway_client.key("metrics:read", tenant="logged")
    capsys.readouterr()
    await gateway_client.get("/v1/kpis/nps?filter[agent]=jane", key, headers={"x-request-id": "r-77"})
    output = "".join(capsys.readouterr())
    assert "/v1/kpis/{kpi}" in output
    assert "r-77" in output
    assert "logged" in output
    assert "jane" not in output
    assert key not in output


def response_count(**labels: str) -> float:
    return registry_of(FAMILIES).get_sample_value("earshot_gateway_answer_seconds_count", labels) or 0.0


async def test_responses_are_counted_by_route_and_unknown_paths_make_no_labels(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("metrics:read")
    routes = (
        {"method": "GET", "route": "/v1/kpis/{kpi}", "status": "200"},
        {"method": "unknown", "route": "unknown", "status": "404"},
    )
    before = [response_count(**labels) for labels in routes]
    await gateway_client.get("/v1/kpis/nps", key)
    await gateway_client.http.request("BREW", "/coffee/7")
    assert [response_count(**labels) for labels in routes] == [count + 1 for count in before]


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
async def test_a_browser_saves_a_response_of_the_api_as_a_file(
    gateway_client: GatewayClient, path: str, accept: str, status: int, name: str
) -> None:
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, json={"kpi": "nps", "rows": []})
    response = await gateway_client.get(path, await gateway_client.key("metrics:read"), headers={"accept": accept})
    assert response.status_code == status
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'


async def test_a_401_is_a_file_too_and_the_page_is_not(gateway_client: GatewayClient) -> None:
    refused = await gateway_client.http.get("/v1/kpis")
    assert (refused.status_code, refused.headers["content-disposition"]) == (401, 'attachment; filename="earshot.json"')
    for path in ("/", "/static/main.js", "/openapi.json", "/livez"):
        page = await gateway_client.http.get(path)
        assert page.headers.get_list("x-content-type-options") == ["nosniff"]
        assert "content-disposition" not in page.headers


async def test_an_unexpected_error_is_503_without_details(gateway_client: GatewayClient) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise RuntimeError("a secret of ours")

    gateway_client.upstreams.respond = broken
    response = await gateway_client.get("/v1/kpis/nps", await gateway_client.key("metrics:read"))
    assert response.status_code == 503
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in json.dumps(problem(response))


async def test_a_slash_at_the_end_redirects_to_a_relative_location_since_a_proxy_may_end_tls(
    gateway_client: GatewayClient,
) -> None:
    redirect = await gateway_client.http.get("/v1/kpis/?a=b")
    assert (redirect.status_code, redirect.headers["location"]) == (307, "/v1/kpis?a=b")
