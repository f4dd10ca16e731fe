"""HEAD on the routes of the API: the head of GET, without its body."""

import json

import httpx
import pytest

from tests.service.gateway.conftest import OpenGateway
from tests.service.gateway.gateway_client import GatewayClient
from tests.service.gateway.live_gateway import serve

RESULT = {"kpi": "nps", "version": 1, "unit": "points", "rows": []}
CHANGING = {"date", "x-request-id", "ratelimit"}


def respond(request: httpx.Request) -> httpx.Response:
    """Plays metrics."""
    if request.url.path == "/internal/revision":
        return httpx.Response(200, json={"revision": "r1"})
    if request.url.path == "/v1/gold":
        return httpx.Response(200, json={"rows": [{"id": 1}], "next": "more"})
    return httpx.Response(200, json=RESULT, headers={"x-earshot-revision": "r1"})


def stable(response: httpx.Response) -> dict[str, str]:
    """The headers that don't change from one request to the next."""
    return {name: value for name, value in response.headers.items() if name not in CHANGING}


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/v1/kpis/nps?from=2026-11-01&to=2026-11-02", "application/json"),
        ("/v1/kpis/nps?from=2026-11-01&to=2026-11-02", "text/csv"),
        ("/v1/kpis", "*/*"),
        ("/v1/connections", "*/*"),
        ("/v1/keys", "*/*"),
        ("/openapi.json", "*/*"),
        ("/v1/kpis/a%20b", "*/*"),
        ("/v1/feedback", "*/*"),
        ("/v1/nowhere", "*/*"),
    ],
)
async def test_head_is_get_without_the_body(gateway_client: GatewayClient, path: str, accept: str) -> None:
    key = await gateway_client.key("admin")
    gateway_client.upstreams.respond = respond
    get = await gateway_client.get(path, key, headers={"accept": accept})
    head = await gateway_client.call("HEAD", path, key, headers={"accept": accept})
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert stable(head) == stable(get)
    assert ("ratelimit" in head.headers) == ("ratelimit" in get.headers)


async def test_head_needs_a_key_with_the_scope(gateway_client: GatewayClient) -> None:
    assert (await gateway_client.http.head("/v1/kpis")).status_code == 401
    assert (await gateway_client.call("HEAD", "/v1/connections", await gateway_client.key("metrics:read"))).status_code == 403


async def test_head_counts_against_the_rate_limit(open_gateway: OpenGateway) -> None:
    async with open_gateway(rate_per_second=0.01, rate_burst=2) as gateway_client:
        key = await gateway_client.key("metrics:read")
        statuses = [(await gateway_client.call("HEAD", "/v1/names", key)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_head_answers_304_to_a_valid_tag(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("metrics:read")
    gateway_client.upstreams.respond = respond
    path = "/v1/kpis/nps?from=2026-11-01&to=2026-11-02"
    etag = (await gateway_client.call("HEAD", path, key)).headers["etag"]
    assert (await gateway_client.call("HEAD", path, key, headers={"if-none-match": etag})).status_code == 304


async def test_head_of_a_stream_of_pages_fetches_one_page(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("records:read")
    gateway_client.upstreams.respond = respond
    gateway_client.upstreams.requests.clear()
    head = await gateway_client.call("HEAD", "/v1/gold", key, headers={"accept": "application/x-ndjson"})
    assert (head.status_code, head.headers["content-type"]) == (200, "application/x-ndjson")
    assert len(gateway_client.upstreams.requests) == 1


async def test_a_live_stream_has_no_head(gateway_client: GatewayClient) -> None:
    response = await gateway_client.call("HEAD", "/v1/live?kpis=nps", await gateway_client.key("metrics:read"))
    assert (response.status_code, response.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/keys", "GET, HEAD, POST"),
        ("DELETE", "/v1/names", "GET, HEAD, PATCH, PUT"),
        ("GET", "/v1/feedback", "POST"),
        ("HEAD", "/v1/feedback", "POST"),
        ("POST", "/v1/live", "GET"),
    ],
)
async def test_allow_names_every_method_of_the_path(gateway_client: GatewayClient, method: str, path: str, allow: str) -> None:
    response = await gateway_client.http.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allow)


async def test_head_is_logged_and_measured_as_head(gateway_client: GatewayClient, capsys: pytest.CaptureFixture[str]) -> None:
    key = await gateway_client.key("metrics:read", tenant="heads")
    gateway_client.upstreams.respond = respond
    capsys.readouterr()
    await gateway_client.call("HEAD", "/v1/kpis/nps", key)
    output = "".join(capsys.readouterr())
    assert "HEAD" in output
    assert "/v1/kpis/{kpi}" in output
    scrape = (await gateway_client.http.get("/metrics")).text
    assert 'earshot_http_request_seconds_count{method="HEAD",route="/v1/kpis/{kpi}",status="2xx"}' in scrape


async def test_a_connection_is_usable_after_head(open_gateway: OpenGateway) -> None:
    """On a real port: a body after the head would be read as the next response."""
    async with serve(open_gateway()) as served:
        key = await served.client.key("metrics:read")
        headers = {"authorization": f"Bearer {key}"}
        for _ in range(2):
            head = await served.http.head("/v1/kpis/nps", headers=headers)
            get = await served.http.get("/v1/kpis/nps", headers=headers)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-length"] == get.headers["content-length"]
            assert json.loads(get.content)["kpi"] == "nps"
