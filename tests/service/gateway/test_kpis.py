"""KPIs: CSV and NDJSON, entity tags, and rate limits."""

import asyncio
import csv
import io
import time
from typing import Any

import httpx
import pytest

from shared.events import DIMENSIONS
from tests.service.gateway.conftest import OpenGateway
from tests.service.gateway.gateway_client import GatewayClient, problem

FROM, TO = "2026-11-01T00:00:00+01:00", "2026-11-02T00:00:00+01:00"
IN_UTC = {"from": "2026-10-31T23:00:00.000000Z", "to": "2026-11-01T23:00:00.000000Z"}
ROW = {"from": FROM, "to": TO, "dims": {"team": "=evil()"}, "value": 41.25, "n": 3, "flags": []}
CLOSED = "/v1/kpis/nps?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z"


class Metrics:
    """Plays metrics: a revision for each KPI, and a watermark."""

    def __init__(self) -> None:
        self.revisions = {"nps": "r1", "csat": "r1"}
        self.watermark = "2026-11-20T12:00:00+00:00"
        self.aggregations = 0
        self.moves = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/internal/revision":
            revision = self.revisions[request.url.params["kpi"]]
            return httpx.Response(200, json={"revision": revision, "watermark": self.watermark})
        self.aggregations += 1
        revision = self.revisions["nps" if "/nps" in request.url.path else "csat"]
        headers = {"x-earshot-revision": revision, "x-earshot-watermark": self.watermark}
        if self.moves:
            headers["x-earshot-moves"] = "maturing"
        if request.url.path.endswith("/records"):
            records = [{"at": FROM, "subject": "s", "value": 9, "text": "+1", "dims": {"team": None}}]
            return httpx.Response(200, json={"records": records, "dimensions": ["plan"], "next": "c/2"}, headers=headers)
        if request.url.params.get("window") == "99y":
            return httpx.Response(400, json={"title": "Bad request"}, headers={"content-type": "application/problem+json"})
        return httpx.Response(200, json={"kpi": "nps", "version": 1, "unit": "points", "rows": [ROW]}, headers=headers)


@pytest.fixture
def metrics(gateway_client: GatewayClient) -> Metrics:
    metrics = Metrics()
    gateway_client.upstreams.respond = metrics
    return metrics


@pytest.fixture
async def key(gateway_client: GatewayClient) -> str:
    return await gateway_client.key("metrics:read", "records:read")


async def conditional(gateway_client: GatewayClient, path: str, key: str, tag: str, **headers: str) -> httpx.Response:
    return await gateway_client.get(path, key, headers={"if-none-match": tag, **headers})


@pytest.mark.parametrize("path", [CLOSED, "/v1/kpis/nps?window=24h", CLOSED.replace("nps?", "nps/records?")])
async def test_a_valid_tag_is_304_and_costs_no_aggregation(
    gateway_client: GatewayClient, metrics: Metrics, key: str, path: str
) -> None:
    first = await gateway_client.get(path, key)
    assert first.headers["cache-control"] == "private, no-cache"
    again = await conditional(gateway_client, path, key, f'"other", {first.headers["etag"]}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert metrics.aggregations == 1


async def test_a_304_has_the_current_watermark_which_the_weak_tag_does_not_cover(
    gateway_client: GatewayClient, metrics: Metrics, key: str
) -> None:
    first = await gateway_client.get(CLOSED, key)
    assert first.headers["x-earshot-watermark"] == metrics.watermark
    assert first.headers["etag"].startswith('W/"')
    metrics.watermark = "2026-11-20T12:05:00+00:00"
    again = await conditional(gateway_client, CLOSED, key, first.headers["etag"])
    assert (again.status_code, again.headers["x-earshot-watermark"]) == (304, metrics.watermark)


async def test_an_event_that_touches_another_kpi_leaves_the_tag_valid(
    gateway_client: GatewayClient, metrics: Metrics, key: str
) -> None:
    first = await gateway_client.get(CLOSED, key)
    metrics.revisions["csat"] = "r2"
    assert (await conditional(gateway_client, CLOSED, key, first.headers["etag"])).status_code == 304


@pytest.mark.parametrize("path", [CLOSED, "/v1/kpis/nps?window=24h"])
async def test_after_an_event_the_result_is_computed_again(
    gateway_client: GatewayClient, metrics: Metrics, key: str, path: str
) -> None:
    first = await gateway_client.get(path, key)
    metrics.revisions["nps"] = "r2"
    again = await conditional(gateway_client, path, key, first.headers["etag"])
    assert (again.status_code, metrics.aggregations) == (200, 2)
    assert again.headers["etag"] != first.headers["etag"]


async def test_a_maturing_result_of_a_closed_window_has_a_tag_for_a_second(
    gateway_client: GatewayClient, metrics: Metrics, key: str
) -> None:
    closed = (await gateway_client.get(CLOSED, key)).headers["etag"]
    metrics.moves = True
    moving = (await gateway_client.get(CLOSED, key)).headers["etag"]
    assert ("." in closed, "." in moving) == (False, True)


async def test_a_tag_is_valid_only_for_its_query_media_type_and_tenant(
    gateway_client: GatewayClient, metrics: Metrics, key: str
) -> None:
    tag = (await gateway_client.get(CLOSED, key)).headers["etag"]
    other = await gateway_client.key("metrics:read", tenant="other")
    assert (await conditional(gateway_client, CLOSED + "&group_by=team", key, tag)).status_code == 200
    assert (await conditional(gateway_client, CLOSED, key, tag, accept="text/csv")).status_code == 200
    assert (await conditional(gateway_client, CLOSED, other, tag)).status_code == 200
    assert (await conditional(gateway_client, CLOSED, await gateway_client.key("admin"), tag)).status_code == 304


async def test_the_catalogue_has_a_tag_too(gateway_client: GatewayClient, metrics: Metrics, key: str) -> None:
    tag = (await gateway_client.get("/v1/kpis", key)).headers["etag"]
    assert (await conditional(gateway_client, "/v1/kpis", key, tag)).status_code == 304


async def test_json_is_passed_through_byte_for_byte(gateway_client: GatewayClient, key: str) -> None:
    body = b'{"kpi":  "nps", "rows": [1.10]}'
    gateway_client.upstreams.respond = lambda request: httpx.Response(
        200, content=body, headers={"content-type": "application/json"}
    )
    response = await gateway_client.get("/v1/kpis/nps", key, headers={"accept": "application/json, text/csv;q=0.5"})
    assert (response.content, response.headers["content-type"]) == (body, "application/json")
    assert "etag" not in response.headers


async def test_csv_has_the_same_rows_and_no_formulas(gateway_client: GatewayClient, metrics: Metrics, key: str) -> None:
    response = await gateway_client.get("/v1/kpis/nps?group_by=team,region&compare=previous", key, headers={"accept": "text/csv"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["vary"] == "Accept, Authorization, Accept-Encoding"
    [row] = list(csv.DictReader(io.StringIO(response.text)))
    assert (row["kpi"], row["team"], row["region"], row["value"], row["compare_1_to"]) == ("nps", "'=evil()", "", "41.25", "")
    assert {name: row[name] for name in IN_UTC} == IN_UTC


async def test_csv_has_the_selected_columns(gateway_client: GatewayClient, metrics: Metrics, key: str) -> None:
    response = await gateway_client.get("/v1/kpis/nps?group_by=team&fields=value,dims,n", key, headers={"accept": "text/csv"})
    assert response.text.splitlines() == ["team,value,n", "'=evil(),41.25,3"]
    response = await gateway_client.get("/v1/kpis/nps?fields=!distribution", key, headers={"accept": "text/csv"})
    assert "flags" in response.text
    assert "distribution" not in response.text
    response = await gateway_client.get("/v1/kpis/nps/records?fields=at,dims", key, headers={"accept": "text/csv"})
    assert response.text.splitlines()[0] == f"at,{','.join(DIMENSIONS)},plan"


async def test_csv_for_excel_begins_with_a_byte_order_mark(gateway_client: GatewayClient, metrics: Metrics, key: str) -> None:
    plain = await gateway_client.get(CLOSED, key, headers={"accept": "text/csv"})
    marked = await gateway_client.get(CLOSED, key, headers={"accept": "text/csv; charset=utf-8-sig"})
    assert marked.content == b"\xef\xbb\xbf" + plain.content
    assert marked.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert marked.headers["etag"] != plain.headers["etag"]


async def test_csv_can_be_without_a_header(gateway_client: GatewayClient, metrics: Metrics, key: str) -> None:
    response = await gateway_client.get(CLOSED, key, headers={"accept": "text/csv; header=absent"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=absent"
    assert len(response.text.splitlines()) == 1
    assert response.text.startswith("nps,1,points,")


async def test_ndjson_has_a_line_for_each_row(gateway_client: GatewayClient, metrics: Metrics, key: str) -> None:
    response = await gateway_client.get("/v1/kpis/nps", key, headers={"accept": "application/x-ndjson"})
    assert response.headers["content-type"] == "application/x-ndjson"
    assert [httpx.Response(200, content=line).json() for line in response.text.splitlines()] == [ROW | IN_UTC]


@pytest.mark.parametrize("accept", ["text/csv", "application/x-ndjson"])
async def test_records_link_to_their_next_page(gateway_client: GatewayClient, metrics: Metrics, key: str, accept: str) -> None:
    response = await gateway_client.get("/v1/kpis/nps/records?filter[team]=a&cursor=c1", key, headers={"accept": accept})
    assert response.links["next"]["url"] == "/v1/kpis/nps/records?filter%5Bteam%5D=a&cursor=c%2F2"
    assert "'+1" in response.text if accept == "text/csv" else '"+1"' in response.text


async def test_an_error_of_metrics_is_passed_through_for_any_media_type(
    gateway_client: GatewayClient, metrics: Metrics, key: str
) -> None:
    response = await gateway_client.get("/v1/kpis/nps?window=99y", key, headers={"accept": "text/csv"})
    assert response.status_code == 400
    problem(response)


async def test_invalid_json_of_metrics_is_503(gateway_client: GatewayClient, key: str) -> None:
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, content=b"<html>", headers={"x-earshot-revision": "r"})
    assert (await gateway_client.get("/v1/kpis/nps", key, headers={"accept": "text/csv"})).status_code == 503


async def test_a_key_over_its_rate_is_429_with_retry_after(open_gateway: OpenGateway) -> None:
    async with open_gateway(rate_per_second=0.5, rate_burst=2) as gateway_client:
        key, other = await gateway_client.key("metrics:read"), await gateway_client.key("metrics:read")
        first = await gateway_client.get("/v1/kpis", key)
        assert first.headers["ratelimit-policy"] == '"key";q=2;w=4, "tenant";q=8000;w=4'
        assert first.headers["ratelimit"].startswith('"key";r=1;t=2, "tenant";r=')
        assert (await gateway_client.get("/v1/connections", key)).headers["ratelimit"].startswith('"key";r=0;')
        refused = await gateway_client.get("/v1/kpis", key)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        assert refused.headers["ratelimit"].startswith('"key";r=0;')
        assert problem(refused)["status"] == 429
        assert (await gateway_client.get("/v1/kpis", other)).status_code == 200


async def test_every_response_to_a_key_has_rate_limit_headers(gateway_client: GatewayClient, metrics: Metrics, key: str) -> None:
    responses: list[Any] = [await gateway_client.get(path, key) for path in ("/v1/kpis", CLOSED, "/v1/connections", "/v1/keys")]
    assert [response.status_code for response in responses] == [200, 200, 403, 403]
    assert all("ratelimit" in response.headers for response in responses)


@pytest.mark.parametrize("accept", ["text/csv", "application/x-ndjson"])
async def test_rendering_a_large_result_does_not_block_the_event_loop(
    gateway_client: GatewayClient, key: str, accept: str
) -> None:
    """Measures the CPU time between two rounds of the event loop, which other processes don't lengthen."""
    row = ROW | {"distribution": {str(value): value for value in range(20)}, "interval": {"low": 1.5, "high": 2.5}}
    body = httpx.Response(200, json={"kpi": "nps", "version": 1, "unit": "points", "rows": [row] * 10_000}).content
    gateway_client.upstreams.respond = lambda request: httpx.Response(200, content=body)
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now

    await gateway_client.get("/v1/kpis", key)
    ticking = asyncio.create_task(tick())
    response = await gateway_client.get("/v1/kpis/nps?group_by=team", key, headers={"accept": accept})
    await asyncio.sleep(0)
    ticking.cancel()
    assert len(response.content.splitlines()) in {10_000, 10_001}
    assert longest < 0.1


async def test_a_query_that_takes_too_long_is_a_problem_of_its_own(gateway_client: GatewayClient) -> None:
    document = {"type": "urn:earshot:problem:too-slow", "title": "Too slow", "status": 503, "detail": "no result within 20 s"}
    gateway_client.upstreams.respond = lambda request: httpx.Response(503, json=document, headers={"retry-after": "10"})
    response = await gateway_client.get("/v1/kpis/nps", await gateway_client.key("metrics:read"))
    assert (response.status_code, response.headers["retry-after"]) == (503, "10")
    assert problem(response) == document
