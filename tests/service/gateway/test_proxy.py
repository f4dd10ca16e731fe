"""Proxied routes: only listed calls are forwarded, always for the tenant of the key."""

import asyncio
import re

import httpx
import pytest

from services.gateway.api.proxy import PROXIED_ROUTES, ProxiedRoute
from services.gateway.clients.upstream import TIMEOUT
from shared.http import TIMEOUT_HEADER
from tests.asgi_call import SOON, AsgiCall
from tests.service.gateway.gateway_client import TOKEN, GatewayClient, problem

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
KPI_PATHS = ("/v1/kpis", "/v1/kpis/nps", "/v1/kpis/nps/records")


def path_of(route: ProxiedRoute) -> str:
    return re.sub(r"\{[a-z]+\}", "abc-1", route.path)


@pytest.mark.parametrize("route", PROXIED_ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_call_is_forwarded_for_the_keys_tenant_and_only_with_its_scope(
    gateway_client: GatewayClient, route: ProxiedRoute
) -> None:
    body = b"" if route.method in {"GET", "DELETE"} else b'{"a": 1}'
    wrong = "pii:read" if route.scope != "pii:read" else "admin"
    assert (
        await gateway_client.call(route.method, path_of(route), await gateway_client.key(wrong), content=body)
    ).status_code == 403
    assert (await gateway_client.http.request(route.method, path_of(route), content=body)).status_code == 401
    assert gateway_client.upstreams.requests == []
    for tenant in ("acme", "other"):
        key = await gateway_client.key(route.scope, tenant=tenant)
        forged = {
            "x-earshot-tenant": "victim",
            "x-earshot-key": "victim",
            "x-request-id": "r-1",
            "content-type": "application/json",
            "cookie": "c",
        }
        response = await gateway_client.call(route.method, path_of(route), key, content=body, headers=forged)
        assert response.status_code == 200
        request = gateway_client.upstreams.last_request
        assert (request.method, request.url.path, request.content) == (route.method, path_of(route), body)
        assert request.headers.get_list("x-earshot-tenant") == [tenant]
        assert request.headers.get_list("authorization") == [f"Bearer {TOKEN}"]
        assert [key_id[:4] for key_id in request.headers.get_list("x-earshot-key")] == ["key_"], "who calls, for records of it"
        assert request.headers["x-request-id"] == "r-1"
        assert "cookie" not in request.headers
        assert key not in str(request.headers)


@pytest.mark.parametrize(("sent", "passed_on"), [(TRACE, TRACE), ("00-trace", None), (None, None)])
async def test_a_valid_trace_is_passed_on(gateway_client: GatewayClient, sent: str | None, passed_on: str | None) -> None:
    headers = {"traceparent": sent} if sent else {}
    response = await gateway_client.get("/v1/connections", await gateway_client.key("admin"), headers=headers)
    request = gateway_client.upstreams.last_request
    assert request.headers.get("traceparent") == passed_on
    assert request.headers["x-request-id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("path", KPI_PATHS)
async def test_kpis_are_requested_for_the_keys_tenant(gateway_client: GatewayClient, path: str) -> None:
    for tenant in ("acme", "other"):
        key = await gateway_client.key("metrics:read", "records:read", tenant=tenant)
        await gateway_client.get(
            f"{path}?window=24h&filter[team]=a%2Cb&group_by=team", key, headers={"x-earshot-tenant": "victim"}
        )
        assert gateway_client.upstreams.last_request.headers.get_list("x-earshot-tenant") == [tenant]
        assert (
            gateway_client.upstreams.last_request.url.raw_path.decode() == f"{path}?window=24h&filter[team]=a%2Cb&group_by=team"
        )


async def test_a_404_of_a_service_is_passed_through(gateway_client: GatewayClient) -> None:
    document = {"type": "urn:earshot:problem:not-found", "title": "Not found", "status": 404}
    gateway_client.upstreams.respond = lambda request: httpx.Response(
        404, json=document, headers={"content-type": "application/problem+json"}
    )
    response = await gateway_client.get("/v1/connections/theirs", await gateway_client.key("admin"))
    assert (response.status_code, problem(response)) == (404, document)


@pytest.mark.parametrize(
    "path",
    [
        "/internal/events",
        "/v1/connections/../../internal/events",
        "/v1/connections/..%2f..%2finternal%2fevents",
        "/v1/connections/%2e%2e",
        "/v1/connections/a%3Fb",
        "/v1/connections/a%00",
        "/v1/connections/abc:unknown",
        "/v1/connections/abc/secret",
        "/v1/kpis/..%2f..%2finternal",
        "/v1/kpis/%2e%2e/records",
        "/v1/hooks/abc",
    ],
)
async def test_no_other_path_is_forwarded(gateway_client: GatewayClient, path: str) -> None:
    response = await gateway_client.get(path, await gateway_client.key("admin"))
    assert response.status_code in {404, 405}
    assert gateway_client.upstreams.requests == []


async def test_a_header_is_forwarded_byte_for_byte(gateway_client: GatewayClient) -> None:
    key, odd = await gateway_client.key("ingest:write"), "schlüssel".encode()
    response = await gateway_client.http.post(
        "/v1/feedback", content=b"{}", headers=[(b"authorization", f"Bearer {key}".encode()), (b"idempotency-key", odd)]
    )
    assert response.status_code == 200
    assert dict(gateway_client.upstreams.last_request.headers.raw)[b"idempotency-key"] == odd


async def test_an_id_is_forwarded_verbatim(gateway_client: GatewayClient) -> None:
    await gateway_client.get("/v1/connections/con_01J-a.b~c", await gateway_client.key("admin"))
    assert gateway_client.upstreams.last_request.url.path == "/v1/connections/con_01J-a.b~c"


@pytest.mark.parametrize("status", [500, 502, 503, 401, 403])
async def test_an_error_of_a_service_is_503(gateway_client: GatewayClient, status: int) -> None:
    gateway_client.upstreams.respond = lambda request: httpx.Response(status, headers={"retry-after": "7"})
    response = await gateway_client.call("POST", "/v1/feedback", await gateway_client.key("ingest:write"), json={})
    assert (response.status_code, response.headers["retry-after"]) == (503, "7")
    problem(response)


async def test_an_unreachable_service_is_503_with_retry_after(gateway_client: GatewayClient) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    gateway_client.upstreams.respond = unreachable
    response = await gateway_client.get("/v1/kpis/nps", await gateway_client.key("metrics:read"))
    assert response.status_code == 503
    assert re.fullmatch(r"\d+", response.headers["retry-after"])


async def test_a_get_on_a_broken_connection_is_retried_and_a_post_is_not(gateway_client: GatewayClient) -> None:
    def broken_once(request: httpx.Request) -> httpx.Response:
        if len(gateway_client.upstreams.requests) == 1:
            raise httpx.RemoteProtocolError("closed", request=request)
        return httpx.Response(200, json={})

    gateway_client.upstreams.respond = broken_once
    assert (await gateway_client.get("/v1/kpis/nps", await gateway_client.key("metrics:read"))).status_code == 200
    assert len(gateway_client.upstreams.requests) == 2
    gateway_client.upstreams.requests.clear()
    assert (
        await gateway_client.call("POST", "/v1/feedback", await gateway_client.key("ingest:write"), json={})
    ).status_code == 503
    assert len(gateway_client.upstreams.requests) == 1


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/v1/feedback", 1 << 20), ("/v1/feedback:batch", 8 << 20), ("/v1/taxonomy", 2 << 20), ("/v1/score", 3 << 20)],
)
async def test_bodies_are_bounded(gateway_client: GatewayClient, path: str, limit: int) -> None:
    key = await gateway_client.key("ingest:write", "admin", "records:read")
    method = "PUT" if path == "/v1/taxonomy" else "POST"
    assert (await gateway_client.call(method, path, key, content=b"x" * limit)).status_code == 200
    response = await gateway_client.call(method, path, key, content=b"x" * (limit + 1))
    assert response.status_code == 413
    problem(response)
    assert len(gateway_client.upstreams.requests) == 1


async def test_idempotency_key_and_content_type_are_forwarded_and_retry_after_is_returned(gateway_client: GatewayClient) -> None:
    gateway_client.upstreams.respond = lambda request: httpx.Response(
        429, headers={"retry-after": "3", "set-cookie": "a=b", "server": "x"}
    )
    headers = {"idempotency-key": "k-1", "content-type": "application/x-ndjson", "ce-specversion": "1.0"}
    response = await gateway_client.call(
        "POST", "/v1/feedback:batch?connection=c", await gateway_client.key("ingest:write"), headers=headers
    )
    assert gateway_client.upstreams.last_request.headers["idempotency-key"] == "k-1"
    assert gateway_client.upstreams.last_request.headers["ce-specversion"] == "1.0"
    assert gateway_client.upstreams.last_request.headers["content-type"] == "application/x-ndjson"
    assert gateway_client.upstreams.last_request.url.query == b"connection=c"
    assert (response.status_code, response.headers["retry-after"]) == (429, "3")
    assert "set-cookie" not in response.headers
    assert "server" not in response.headers


async def test_a_service_receives_the_gateways_timeout(gateway_client: GatewayClient) -> None:
    headers = {TIMEOUT_HEADER: "9999"}
    await gateway_client.call("POST", "/v1/score", await gateway_client.key("records:read"), content=b"{}", headers=headers)
    assert gateway_client.upstreams.last_request.headers.get_list(TIMEOUT_HEADER) == [f"{TIMEOUT:g}"]


async def test_a_call_to_score_is_cancelled_when_its_client_disconnects(gateway_client: GatewayClient) -> None:
    given_up = asyncio.Event()

    async def never(request: httpx.Request) -> httpx.Response:
        try:
            await asyncio.sleep(2 * SOON)
        except asyncio.CancelledError:
            given_up.set()
            raise
        return httpx.Response(200)

    gateway_client.upstreams.respond = never
    headers = {"authorization": f"Bearer {await gateway_client.key('records:read')}"}
    call = AsgiCall(gateway_client.app, "POST", "/v1/score", headers, b"{}")
    async with asyncio.timeout(SOON):
        while not gateway_client.upstreams.requests:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    call.leave()
    await call.answer()
    assert given_up.is_set()
