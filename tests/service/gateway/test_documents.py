"""Entity tags of explanations, histories and pages of tickets: they change with the content, and with nothing else."""

from typing import Any

import httpx
import pytest

from services.gateway.api.parquet import PARQUET
from tests.service.gateway.gateway_client import GatewayClient, problem

EXPLAIN, HISTORY, TICKETS = "/v1/kpis/nps/explain?window=24h", "/v1/feedback/c1/ticket/T-9", "/v1/tickets?window=7d"
PATHS = [EXPLAIN, HISTORY, TICKETS]
FORMATS = ["application/json", "text/csv", "text/csv; header=absent", "application/x-ndjson", PARQUET]


class Metrics:
    """Plays metrics: one document, with a watermark."""

    def __init__(self) -> None:
        self.watermark = "2026-11-20T12:00:00+00:00"
        self.document: dict[str, Any] = {
            "window": {"from": "2026-11-13T12:00:00+00:00"},
            "columns": [{"name": "subject", "type": "string"}],
            "tickets": [{"subject": "c1/ticket/T-9"}],
            "next": None,
        }
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        document = self.document | {"watermark": self.watermark}
        return httpx.Response(200, json=document, headers={"x-earshot-watermark": self.watermark})


@pytest.fixture
def metrics(gateway_client: GatewayClient) -> Metrics:
    metrics = Metrics()
    gateway_client.upstreams.respond = metrics
    return metrics


@pytest.fixture
async def key(gateway_client: GatewayClient) -> str:
    return await gateway_client.key("metrics:read", "records:read")


async def get(gateway_client: GatewayClient, path: str, key: str, tag: str, accept: str = "*/*") -> httpx.Response:
    return await gateway_client.get(path, key, headers={"if-none-match": tag, "accept": accept})


@pytest.mark.parametrize("path", PATHS)
async def test_the_same_content_is_304_with_the_current_watermark(
    gateway_client: GatewayClient, metrics: Metrics, key: str, path: str
) -> None:
    first = await gateway_client.get(path, key)
    assert first.headers["etag"].startswith('W/"')
    assert (first.headers["cache-control"], first.json()["watermark"]) == ("private, no-cache", metrics.watermark)
    metrics.watermark = "2026-11-20T12:05:00+00:00"
    again = await get(gateway_client, path, key, f'"other", {first.headers["etag"]}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (again.headers["x-earshot-watermark"], again.headers["cache-control"]) == (metrics.watermark, "private, no-cache")
    assert metrics.requests == 2, "each request computes"


@pytest.mark.parametrize("path", PATHS)
async def test_other_content_is_200_with_another_tag(
    gateway_client: GatewayClient, metrics: Metrics, key: str, path: str
) -> None:
    tag = (await gateway_client.get(path, key)).headers["etag"]
    metrics.document["tickets"] = [{"subject": "c1/ticket/T-9", "reopens": 1}]
    changed = await get(gateway_client, path, key, tag)
    assert (changed.status_code, changed.json()["tickets"]) == (200, metrics.document["tickets"])
    assert changed.headers["etag"] != tag


async def test_the_tag_of_tickets_leaves_out_the_window_and_that_of_an_explanation_does_not(
    gateway_client: GatewayClient, metrics: Metrics, key: str
) -> None:
    tags = {path: (await gateway_client.get(path, key)).headers["etag"] for path in (TICKETS, EXPLAIN)}
    metrics.document["window"] = {"from": "2026-11-13T12:00:01+00:00"}
    statuses = [(await get(gateway_client, path, key, tags[path])).status_code for path in (TICKETS, EXPLAIN)]
    assert statuses == [304, 200]


async def test_each_format_of_tickets_has_a_tag_of_its_own(gateway_client: GatewayClient, metrics: Metrics, key: str) -> None:
    tags = [(await get(gateway_client, TICKETS, key, "", accept)).headers["etag"] for accept in FORMATS]
    assert len(set(tags)) == len(FORMATS)
    for accept, tag in zip(FORMATS, tags, strict=True):
        again = await get(gateway_client, TICKETS, key, ", ".join(tags), accept)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("accept", FORMATS)
async def test_a_next_page_changes_the_tag_of_a_page_with_the_same_tickets(
    gateway_client: GatewayClient, metrics: Metrics, key: str, accept: str
) -> None:
    tag = (await get(gateway_client, TICKETS, key, "", accept)).headers["etag"]
    metrics.document["next"] = "c/2"
    assert (await get(gateway_client, TICKETS, key, tag, accept)).status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_problems_have_no_tag(gateway_client: GatewayClient, key: str, path: str) -> None:
    gateway_client.upstreams.respond = lambda request: httpx.Response(404, json={"title": "Not found"})
    refused = await get(gateway_client, path, key, "*")
    assert (refused.status_code, "etag" in refused.headers) == (404, False)
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, content=b"<html>")
    invalid = await gateway_client.get(path, key)
    assert problem(invalid)["status"] == invalid.status_code == 503


async def test_an_explanation_needs_the_scope_of_metrics_and_an_id(
    gateway_client: GatewayClient, metrics: Metrics, key: str
) -> None:
    assert (await gateway_client.get(EXPLAIN, await gateway_client.key("ingest:write"))).status_code == 403
    assert (await gateway_client.get("/v1/kpis/a%20b/explain", key)).status_code == 404
    assert metrics.requests == 0
