"""Calls that are answered elsewhere: only what is on the list passes, always in the tenant's name of the key."""

import asyncio
import re

import httpx
import pytest

from services.gateway.api.passing import PASSAGES, Passage
from services.gateway.clients.upstream import TIMEOUT
from shared.http import TIMEOUT_HEADER
from tests.asgi_call import SOON, AsgiCall
from tests.service.gateway.door import TOKEN, Door, problem

KPI_PATHS = ("/v1/kpis", "/v1/kpis/nps", "/v1/kpis/nps/records")


def path_of(passage: Passage) -> str:
    return passage.path.replace("{id}", "abc-1")


@pytest.mark.parametrize("passage", PASSAGES, ids=lambda passage: f"{passage.method} {passage.path}")
async def test_a_call_passes_with_the_keys_tenant_and_its_scope_alone(door: Door, passage: Passage) -> None:
    body = b"" if passage.method in {"GET", "DELETE"} else b'{"a": 1}'
    wrong = "pii:read" if passage.scope != "pii:read" else "admin"
    assert (await door.call(passage.method, path_of(passage), await door.key(wrong), content=body)).status_code == 403
    assert (await door.http.request(passage.method, path_of(passage), content=body)).status_code == 401
    assert door.behind.heard == []
    for tenant in ("acme", "other"):
        key = await door.key(passage.scope, tenant=tenant)
        forged = {"x-earshot-tenant": "victim", "x-request-id": "r-1", "content-type": "application/json", "cookie": "c"}
        answer = await door.call(passage.method, path_of(passage), key, content=body, headers=forged)
        assert answer.status_code == 200
        heard = door.behind.last
        assert (heard.method, heard.url.path, heard.content) == (passage.method, path_of(passage), body)
        assert heard.headers.get_list("x-earshot-tenant") == [tenant]
        assert heard.headers.get_list("authorization") == [f"Bearer {TOKEN}"]
        assert heard.headers["x-request-id"] == "r-1"
        assert "cookie" not in heard.headers
        assert key not in str(heard.headers)


@pytest.mark.parametrize("path", KPI_PATHS)
async def test_kpis_are_asked_in_the_keys_tenant(door: Door, path: str) -> None:
    for tenant in ("acme", "other"):
        key = await door.key("metrics:read", "records:read", tenant=tenant)
        await door.get(f"{path}?window=24h&filter[team]=a%2Cb&group_by=team", key, headers={"x-earshot-tenant": "victim"})
        assert door.behind.last.headers.get_list("x-earshot-tenant") == [tenant]
        assert door.behind.last.url.raw_path.decode() == f"{path}?window=24h&filter[team]=a%2Cb&group_by=team"


async def test_what_another_tenant_owns_is_404_as_upstream_says(door: Door) -> None:
    document = {"type": "urn:earshot:problem:not-found", "title": "Not found", "status": 404}
    door.behind.answer = lambda request: httpx.Response(404, json=document, headers={"content-type": "application/problem+json"})
    answer = await door.get("/v1/connections/theirs", await door.key("admin"))
    assert (answer.status_code, problem(answer)) == (404, document)


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
async def test_nothing_else_passes(door: Door, path: str) -> None:
    answer = await door.get(path, await door.key("admin"))
    assert answer.status_code in {404, 405}
    assert door.behind.heard == []


async def test_a_callers_header_passes_byte_for_byte(door: Door) -> None:
    key, odd = await door.key("ingest:write"), "schlüssel".encode()
    answer = await door.http.post(
        "/v1/feedback", content=b"{}", headers=[(b"authorization", f"Bearer {key}".encode()), (b"idempotency-key", odd)]
    )
    assert answer.status_code == 200
    assert dict(door.behind.last.headers.raw)[b"idempotency-key"] == odd


async def test_ids_of_upstream_pass_as_they_are(door: Door) -> None:
    await door.get("/v1/connections/con_01J-a.b~c", await door.key("admin"))
    assert door.behind.last.url.path == "/v1/connections/con_01J-a.b~c"


@pytest.mark.parametrize("status", [500, 502, 503, 401, 403])
async def test_a_fault_behind_the_door_is_503_and_never_the_callers(door: Door, status: int) -> None:
    door.behind.answer = lambda request: httpx.Response(status, headers={"retry-after": "7"})
    answer = await door.call("POST", "/v1/feedback", await door.key("ingest:write"), json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    problem(answer)


async def test_a_service_that_is_away_is_503_with_retry_after(door: Door) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    door.behind.answer = away
    answer = await door.get("/v1/kpis/nps", await door.key("metrics:read"))
    assert answer.status_code == 503
    assert re.fullmatch(r"\d+", answer.headers["retry-after"])


async def test_a_read_on_a_connection_that_broke_is_tried_again_but_a_write_is_not(door: Door) -> None:
    def broken_once(request: httpx.Request) -> httpx.Response:
        if len(door.behind.heard) == 1:
            raise httpx.RemoteProtocolError("closed", request=request)
        return httpx.Response(200, json={})

    door.behind.answer = broken_once
    assert (await door.get("/v1/kpis/nps", await door.key("metrics:read"))).status_code == 200
    assert len(door.behind.heard) == 2
    door.behind.heard.clear()
    assert (await door.call("POST", "/v1/feedback", await door.key("ingest:write"), json={})).status_code == 503
    assert len(door.behind.heard) == 1


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/v1/feedback", 1 << 20), ("/v1/feedback:batch", 8 << 20), ("/v1/taxonomy", 2 << 20), ("/v1/score", 8 << 20)],
)
async def test_bodies_are_bounded(door: Door, path: str, limit: int) -> None:
    key = await door.key("ingest:write", "admin", "records:read")
    method = "PUT" if path == "/v1/taxonomy" else "POST"
    assert (await door.call(method, path, key, content=b"x" * limit)).status_code == 200
    answer = await door.call(method, path, key, content=b"x" * (limit + 1))
    assert answer.status_code == 413
    problem(answer)
    assert len(door.behind.heard) == 1


async def test_idempotency_and_content_type_pass_and_retry_after_comes_back(door: Door) -> None:
    door.behind.answer = lambda request: httpx.Response(429, headers={"retry-after": "3", "set-cookie": "a=b", "server": "x"})
    headers = {"idempotency-key": "k-1", "content-type": "application/x-ndjson"}
    answer = await door.call("POST", "/v1/feedback:batch?connection=c", await door.key("ingest:write"), headers=headers)
    assert door.behind.last.headers["idempotency-key"] == "k-1"
    assert door.behind.last.headers["content-type"] == "application/x-ndjson"
    assert door.behind.last.url.query == b"connection=c"
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert "set-cookie" not in answer.headers
    assert "server" not in answer.headers


async def test_the_openapi_document_lists_the_calls(door: Door) -> None:
    document = (await door.http.get("/openapi.json")).json()
    for passage in PASSAGES:
        assert passage.method.lower() in document["paths"][passage.path]
    assert {"/v1/kpis", "/v1/kpis/{kpi}", "/v1/kpis/{kpi}/records", "/v1/keys"} <= set(document["paths"])


async def test_the_openapi_document_tells_how_themes_are_set(door: Door) -> None:
    taxonomy = (await door.http.get("/openapi.json")).json()["paths"]["/v1/taxonomy"]
    assert [[told["name"] for told in taxonomy[method].get("parameters", ())] for method in ("get", "put", "delete")] == [
        ["revision"],
        [],
        ["revision"],
    ]
    body = taxonomy["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert (set(body["properties"]), body["required"]) == ({"themes", "revision"}, ["themes"])


async def test_a_service_is_told_how_long_the_gateway_waits(door: Door) -> None:
    headers = {TIMEOUT_HEADER: "9999"}
    await door.call("POST", "/v1/score", await door.key("records:read"), content=b"{}", headers=headers)
    assert door.behind.last.headers.get_list(TIMEOUT_HEADER) == [f"{TIMEOUT:g}"]


async def test_a_call_to_score_is_given_up_when_its_client_leaves(door: Door) -> None:
    given_up = asyncio.Event()

    async def never(request: httpx.Request) -> httpx.Response:
        try:
            await asyncio.sleep(2 * SOON)
        except asyncio.CancelledError:
            given_up.set()
            raise
        return httpx.Response(200)

    door.behind.answer = never
    headers = {"authorization": f"Bearer {await door.key('records:read')}"}
    call = AsgiCall(door.app, "POST", "/v1/score", headers, b"{}")
    async with asyncio.timeout(SOON):
        while not door.behind.heard:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    call.leave()
    await call.answer()
    assert given_up.is_set()
