"""Gold: human labels as pages of JSON or as one NDJSON stream."""

import json
from collections.abc import Callable

import httpx
import pytest

from tests.service.gateway.conftest import OpenGateway
from tests.service.gateway.gateway_client import GatewayClient, problem
from tests.service.gateway.live_gateway import serve

ROWS = [{"text": f"comment {n}", "label": "negative"} for n in range(5)]
NDJSON = {"accept": "application/x-ndjson"}


def gold(fails_at: int | None = None) -> Callable[[httpx.Request], httpx.Response]:
    """Plays metrics with two rows on a page; from the row `fails_at` on it is away."""

    def response(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("cursor", 0))
        if start == fails_at:
            return httpx.Response(503)
        following = str(start + 2) if start + 2 < len(ROWS) else None
        return httpx.Response(200, json={"rows": ROWS[start : start + 2], "next": following})

    return response


@pytest.fixture
async def key(gateway_client: GatewayClient) -> str:
    gateway_client.upstreams.respond = gold()
    return await gateway_client.key("records:read")


async def test_a_page_is_passed_through_for_the_keys_tenant(gateway_client: GatewayClient, key: str) -> None:
    response = await gateway_client.get("/v1/gold?limit=2&cursor=2", key, headers={"x-earshot-tenant": "victim"})
    assert response.json() == {"rows": ROWS[2:4], "next": "4"}
    assert gateway_client.upstreams.last_request.url.raw_path == b"/v1/gold?limit=2&cursor=2"
    assert gateway_client.upstreams.last_request.headers.get_list("x-earshot-tenant") == ["acme"]
    assert response.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(("query", "rows"), [("", ROWS), ("?cursor=2", ROWS[2:])])
async def test_a_stream_has_a_line_for_every_row_after_the_cursor(
    gateway_client: GatewayClient, key: str, query: str, rows: object
) -> None:
    response = await gateway_client.get(f"/v1/gold{query}", key, headers=NDJSON)
    assert response.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in response.text.splitlines()] == rows
    assert {request.headers["x-earshot-tenant"] for request in gateway_client.upstreams.requests} == {"acme"}


async def test_a_stream_fetches_a_page_when_the_one_before_is_sent(gateway_client: GatewayClient, key: str) -> None:
    await gateway_client.get("/v1/gold", key, headers=NDJSON)
    assert [dict(request.url.params) for request in gateway_client.upstreams.requests] == [
        {"limit": "200"},
        {"cursor": "2", "limit": "200"},
        {"cursor": "4", "limit": "200"},
    ]


async def test_an_incomplete_stream_is_aborted(open_gateway: OpenGateway) -> None:
    async with serve(open_gateway()) as live_gateway:
        live_gateway.client.upstreams.respond = gold(fails_at=2)
        headers = {"authorization": f"Bearer {await live_gateway.client.key('records:read')}", **NDJSON}
        async with live_gateway.http.stream("GET", "/v1/gold", headers=headers) as response:
            assert response.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                await response.aread()


async def test_an_outage_of_metrics_before_the_stream_is_503(gateway_client: GatewayClient, key: str) -> None:
    gateway_client.upstreams.respond = gold(fails_at=0)
    problem(response := await gateway_client.get("/v1/gold", key, headers=NDJSON))
    assert response.status_code == 503


async def test_an_error_of_metrics_is_passed_through_and_a_stream_refuses_a_limit(
    gateway_client: GatewayClient, key: str
) -> None:
    refusal = {"status": 400, "title": "Bad request", "invalid_params": [{"name": "cursor", "reason": "is not one"}]}
    kind = {"content-type": "application/problem+json"}
    gateway_client.upstreams.respond = lambda request: httpx.Response(400, json=refusal, headers=kind)
    for headers in ({}, NDJSON):
        response = await gateway_client.get("/v1/gold?cursor=x", key, headers=headers)
        assert (response.status_code, problem(response)) == (400, refusal)
    assert (await gateway_client.get("/v1/gold?limit=5", key, headers=NDJSON)).status_code == 400


async def test_gold_requires_the_scope_records_read(gateway_client: GatewayClient, key: str) -> None:
    assert (await gateway_client.http.get("/v1/gold")).status_code == 401
    assert (await gateway_client.get("/v1/gold", await gateway_client.key("metrics:read", "ingest:write"))).status_code == 403
    assert gateway_client.upstreams.requests == []
