"""The ticket export at the gateway: scope, formats, and links to the next page."""

import io
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from services.gateway.api.parquet import PARQUET
from tests.service.gateway.gateway_client import GatewayClient

PAGE: dict[str, Any] = {
    "columns": [{"name": "subject", "type": "string"}, {"name": "opened", "type": "time"}],
    "tickets": [{"subject": "c1/ticket/1", "opened": "2026-11-01T10:00:00+01:00"}],
    "next": "c/2",
}


@pytest.fixture
async def key(gateway_client: GatewayClient) -> str:
    headers = {"x-earshot-watermark": "2026-11-20T12:00:00+00:00"}
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, json=PAGE, headers=headers)
    return await gateway_client.key("records:read")


async def test_json_is_passed_on_for_the_keys_tenant(gateway_client: GatewayClient, key: str) -> None:
    response = await gateway_client.get("/v1/tickets?window=7d&filter[team]=a%2Cb", key, headers={"x-earshot-tenant": "victim"})
    assert (response.json(), response.headers["x-earshot-watermark"]) == (PAGE, "2026-11-20T12:00:00+00:00")
    request = gateway_client.upstreams.last_request
    assert request.headers.get_list("x-earshot-tenant") == ["acme"]
    assert request.url.raw_path.decode() == "/v1/tickets?window=7d&filter[team]=a%2Cb"
    refused = await gateway_client.get("/v1/tickets", await gateway_client.key("metrics:read"))
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("accept", "content_type", "expected"),
    [
        ("text/csv", "text/csv; charset=utf-8; header=present", b"subject,opened\r\nc1/ticket/1,2026-11-01T09:00:00.000000Z\r\n"),
        ("text/csv; header=absent", "text/csv; charset=utf-8; header=absent", b"c1/ticket/1,2026-11-01T09:00:00.000000Z\r\n"),
        ("application/x-ndjson", "application/x-ndjson", b'{"subject":"c1/ticket/1","opened":"2026-11-01T09:00:00.000000Z"}\n'),
    ],
)
async def test_lines_link_to_the_next_page(
    gateway_client: GatewayClient, key: str, accept: str, content_type: str, expected: bytes
) -> None:
    response = await gateway_client.get("/v1/tickets?window=7d&cursor=c1", key, headers={"accept": accept})
    assert (response.content, response.headers["content-type"]) == (expected, content_type)
    assert response.headers["link"] == '</v1/tickets?window=7d&cursor=c%2F2>; rel="next"'


async def test_parquet_is_a_file_of_the_same_rows(gateway_client: GatewayClient, key: str) -> None:
    response = await gateway_client.get("/v1/tickets", key, headers={"accept": PARQUET})
    assert response.headers["content-type"] == PARQUET
    assert pq.read_table(io.BytesIO(response.content)).column_names == ["subject", "opened"]
    assert "rel=" in response.headers["link"]


async def test_refusals_are_passed_on_and_an_invalid_result_is_an_outage(gateway_client: GatewayClient, key: str) -> None:
    gateway_client.upstreams.respond = lambda request: httpx.Response(400, json={"title": "Bad request"})
    assert (await gateway_client.get("/v1/tickets?limit=9999", key)).status_code == 400
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, json={"tickets": []})
    assert (await gateway_client.get("/v1/tickets", key, headers={"accept": "text/csv"})).status_code == 503
