"""gzip of responses: negotiated, right with entity tags, never of the live stream; and CORS by setting."""

import gzip
import json

import httpx
import pytest

from services.gateway.api.compression import MIN_BYTES
from tests.service.gateway.gateway_client import GatewayClient, problem

ROWS = [{"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z", "dims": {}, "value": float(n), "n": n} for n in range(500)]
RESULT = {"kpi": "nps", "version": 1, "unit": "points", "rows": ROWS}


def serve(gateway_client: GatewayClient, content: object) -> None:
    headers = {"x-earshot-revision": "7", "x-earshot-watermark": "2026-11-28T09:00:00Z"}
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, json=content, headers=headers)


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "application/x-ndjson"])
async def test_a_large_result_is_compressed_for_a_client_that_accepts_it(gateway_client: GatewayClient, accept: str) -> None:
    serve(gateway_client, RESULT)
    key = await gateway_client.key("metrics:read")
    plain = await gateway_client.get("/v1/kpis/nps", key, headers={"accept": accept, "accept-encoding": "identity"})
    packed = await gateway_client.get("/v1/kpis/nps", key, headers={"accept": accept, "accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert packed.content == plain.content
    for response in (plain, packed):
        assert {"accept", "authorization", "accept-encoding"} <= set(response.headers["vary"].lower().split(", "))
        assert response.headers["etag"].startswith("W/")


async def test_small_results_and_problems_are_not_compressed(gateway_client: GatewayClient) -> None:
    serve(gateway_client, RESULT | {"rows": ROWS[:1]})
    key = await gateway_client.key("metrics:read")
    response = await gateway_client.get("/v1/kpis/nps", key, headers={"accept-encoding": "gzip"})
    assert len(response.content) < MIN_BYTES
    assert "content-encoding" not in response.headers
    assert "accept-encoding" in response.headers["vary"].lower()
    refused = await gateway_client.get("/v1/keys", key, headers={"accept-encoding": "gzip"})
    assert refused.status_code == 403
    assert "content-encoding" not in refused.headers


async def test_a_tag_of_a_compressed_response_is_weak_and_valid_for_both_forms(gateway_client: GatewayClient) -> None:
    serve(gateway_client, {"kpis": [{"id": f"k{n}", "formula": "x" * 50} for n in range(50)]})
    key = await gateway_client.key("metrics:read")
    strong = await gateway_client.get("/v1/kpis", key, headers={"accept-encoding": "identity"})
    weak = await gateway_client.get("/v1/kpis", key, headers={"accept-encoding": "gzip"})
    assert weak.headers["content-encoding"] == "gzip"
    assert weak.headers["etag"] == f"W/{strong.headers['etag']}"
    for tag in (strong.headers["etag"], weak.headers["etag"]):
        for encoding, expected in (("identity", strong), ("gzip", weak)):
            again = await gateway_client.get("/v1/kpis", key, headers={"if-none-match": tag, "accept-encoding": encoding})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == expected.headers["etag"]
            assert "content-encoding" not in again.headers
            assert "accept-encoding" in again.headers["vary"].lower()


async def test_each_part_of_a_stream_can_be_read_at_once(gateway_client: GatewayClient) -> None:
    pages = iter([{"rows": [{"n": n} for n in range(100)], "next": "1"}, {"rows": [{"n": 100}], "next": None}])
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, json=next(pages))
    key = await gateway_client.key("records:read")
    headers = {"accept": "application/x-ndjson", "accept-encoding": "gzip"}
    response = await gateway_client.get("/v1/gold", key, headers=headers)
    assert response.headers["content-encoding"] == "gzip"
    assert "content-length" not in response.headers
    assert [json.loads(line)["n"] for line in response.text.splitlines()] == list(range(101))


async def test_the_document_is_compressed_without_a_key(gateway_client: GatewayClient) -> None:
    response = await gateway_client.http.get("/openapi.json", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.json() == gateway_client.app.openapi()


async def test_a_compressed_body_is_passed_on_as_it_is(gateway_client: GatewayClient) -> None:
    packed = gzip.compress(b'{"type": "review"}')
    key = await gateway_client.key("ingest:write")
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    await gateway_client.call("POST", "/v1/feedback", key, content=packed, headers=headers)
    request = gateway_client.upstreams.last_request
    assert (request.content, request.headers["content-encoding"]) == (packed, "gzip")


async def test_the_gateway_s_own_routes_read_compressed_bodies(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("admin")
    packed = gzip.compress(b'{"scopes": ["metrics:read"]}')
    made = await gateway_client.call("POST", "/v1/keys", key, content=packed, headers={"content-encoding": "gzip"})
    assert made.status_code == 201
    refused = await gateway_client.call("POST", "/v1/keys", key, content=packed, headers={"content-encoding": "br"})
    assert (refused.status_code, refused.headers["accept-encoding"]) == (415, "gzip")
    problem(refused)
