"""Models: the shadow report with and without comment texts, and promotion."""

from typing import Any

import httpx
import pytest

from tests.service.gateway.gateway_client import GatewayClient, problem

EXAMPLE = {"subject": "c1/response/1", "text_hash": "ab", "text": "it broke", "promoted": {"label": "neutral", "score": 0.0}}
REPORT: dict[str, Any] = {"model": "linear-1", "n": 2, "examples": [EXAMPLE], "kpis": []}
PATH = "/v1/models/linear-1/shadow"


@pytest.fixture(autouse=True)
def metrics(gateway_client: GatewayClient) -> None:
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, json=REPORT)


async def test_the_texts_in_a_report_require_the_scope_records_read(gateway_client: GatewayClient) -> None:
    whole = await gateway_client.get(PATH, await gateway_client.key("metrics:read", "records:read"))
    assert whole.json() == REPORT
    wordless = (await gateway_client.get(PATH, await gateway_client.key("metrics:read"))).json()
    assert "it broke" not in str(wordless)
    assert whole.headers["cache-control"] == "private, no-store"
    assert wordless == REPORT | {"examples": [{name: value for name, value in EXAMPLE.items() if name != "text"}]}


async def test_a_report_is_requested_for_the_keys_tenant_with_its_window(gateway_client: GatewayClient) -> None:
    for tenant in ("acme", "other"):
        key = await gateway_client.key("metrics:read", tenant=tenant)
        await gateway_client.get(f"{PATH}?window=7d", key, headers={"x-earshot-tenant": "victim"})
        assert gateway_client.upstreams.last_request.headers.get_list("x-earshot-tenant") == [tenant]
        assert gateway_client.upstreams.last_request.url.raw_path.decode() == f"{PATH}?window=7d"


async def test_a_report_requires_its_scope_and_a_valid_model_name(gateway_client: GatewayClient) -> None:
    assert (await gateway_client.get(PATH, await gateway_client.key("records:read"))).status_code == 403
    assert (await gateway_client.http.get(PATH)).status_code == 401
    assert (
        await gateway_client.get("/v1/models/..%2finternal/shadow", await gateway_client.key("metrics:read"))
    ).status_code == 404
    assert gateway_client.upstreams.requests == []


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_an_error_of_metrics_is_passed_through(gateway_client: GatewayClient, status: int) -> None:
    document = {"type": "urn:earshot:problem:x", "title": "X", "status": status, "detail": "3 of 12 comments have no score"}
    headers = {"content-type": "application/problem+json"}
    gateway_client.upstreams.respond = lambda request: httpx.Response(status, json=document, headers=headers)
    key = await gateway_client.key("admin")
    for response in (await gateway_client.get(PATH, key), await gateway_client.call("POST", "/v1/models/linear-1:promote", key)):
        assert (response.status_code, problem(response)) == (status, document)


async def test_only_admins_promote(gateway_client: GatewayClient) -> None:
    response = await gateway_client.call(
        "POST", "/v1/models/linear-1:promote", await gateway_client.key("metrics:read", "records:read", "ingest:write")
    )
    assert response.status_code == 403
    assert gateway_client.upstreams.requests == []
