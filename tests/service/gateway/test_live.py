"""`/v1/live` on a real port: snapshot, changes, resumption, and every way in which a stream ends."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.gateway.live.hub import Hub
from tests.service.gateway.conftest import OpenGateway
from tests.service.gateway.gateway_client import problem
from tests.service.gateway.live_gateway import TIMEOUT, LiveGateway, serve


@pytest.fixture(scope="module")
async def live_gateway(open_gateway: OpenGateway) -> AsyncIterator[LiveGateway]:
    async with serve(open_gateway(key_cache_seconds=0, live_ping_seconds=2)) as live_gateway:
        yield live_gateway


@pytest.fixture
async def key(live_gateway: LiveGateway) -> str:
    return await live_gateway.client.key("metrics:read")


async def test_a_snapshot_and_then_each_change(live_gateway: LiveGateway, key: str) -> None:
    async with live_gateway.stream(key, "kpis=nps,csat&window=24h&filter[team]=a") as reader:
        assert reader.response.headers["content-type"].startswith("text/event-stream")
        assert reader.response.headers["cache-control"] == "no-store"
        event, data, _ = await reader.next()
        assert event == "snapshot"
        assert [response["kpi"] for response in data["kpis"]] == ["nps", "csat"]
        assert data["kpis"][0]["query"] == "filter%5Bteam%5D=a&window=24h"
        before = live_gateway.metrics.n["acme", "csat"]
        offset = live_gateway.change("acme", "csat")
        event, data, position = await reader.next()
        assert (event, data["kpi"], data["rows"][0]["n"]) == ("kpi", "csat", before + 1)
        assert position
        assert position.split("-")[0] == str(offset)


async def test_the_upcoming_deadlines_are_streamed_to_keys_that_may_read_records(live_gateway: LiveGateway, key: str) -> None:
    reading = await live_gateway.client.key("metrics:read", "records:read")
    async with live_gateway.stream(reading, "sla=upcoming&within=4h") as reader:
        event, data, _ = await reader.next()
        assert (event, data) == ("snapshot", {"sla": {"rows": [], "query": "within=4h"}})
        live_gateway.change("acme", "sla_breached_open")
        event, data, _ = await reader.next()
        assert (event, data["rows"]) == ("sla", [{"subject": "c1/ticket/0"}])
    for query in ("sla=upcoming", "kpis=nps&sla=upcoming"):
        response = await live_gateway.http.get(f"/v1/live?{query}", headers={"authorization": f"Bearer {key}"})
        assert (response.status_code, "records:read" in problem(response)["detail"]) == (403, True)


async def test_another_tenants_changes_are_not_sent(live_gateway: LiveGateway) -> None:
    mine, theirs = await live_gateway.client.key("metrics:read"), await live_gateway.client.key("metrics:read", tenant="other")
    async with live_gateway.stream(mine) as here, live_gateway.stream(theirs) as there:
        await here.next()
        await there.next()
        live_gateway.change("other", "nps")
        assert (await there.next())[0] == "kpi"
        live_gateway.change("acme", "nps")
        event, data, _ = await here.next()
        assert (event, data["rows"][0]["n"]) == ("kpi", live_gateway.metrics.n["acme", "nps"])


async def test_resuming_at_the_newest_state_sends_no_event(live_gateway: LiveGateway, key: str) -> None:
    async with live_gateway.stream(key) as reader:
        _, _, position = await reader.next()
    async with live_gateway.stream(key, last_id=position) as again:
        assert await again.next() == ("", None, None)
        live_gateway.change("acme", "nps")
        assert (await again.next())[0] == "kpi"


@pytest.mark.parametrize("lost", [None, "12345-feedfeedfeedfeed", "nonsense", "0"])
async def test_resuming_at_an_old_state_sends_the_newest_without_the_steps_between(
    live_gateway: LiveGateway, key: str, lost: str | None
) -> None:
    async with live_gateway.stream(key) as reader:
        _, _, position = await reader.next()
    for _ in range(3):
        live_gateway.change("acme", "nps")
    async with live_gateway.stream(key, last_id=lost or position) as again:
        event, data, _ = await again.next()
        assert (event, data["kpis"][0]["rows"][0]["n"]) == ("snapshot", live_gateway.metrics.n["acme", "nps"])


async def test_a_silent_stream_sends_pings(live_gateway: LiveGateway, key: str) -> None:
    async with live_gateway.stream(key) as reader:
        await reader.next()
        assert await reader.next() == ("", None, None)


async def test_a_client_that_disconnects_frees_its_stream(live_gateway: LiveGateway, key: str) -> None:
    hub = live_gateway.client.app.state.gateway.hub
    async with live_gateway.stream(key) as reader:
        await reader.next()
        assert hub.query_count == 1
    await forgotten(hub)


async def forgotten(hub: Hub) -> None:
    async with asyncio.timeout(TIMEOUT):
        while hub.query_count or hub.stream_count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_client_that_disconnects_before_its_snapshot_frees_its_stream(live_gateway: LiveGateway, key: str) -> None:
    hub, called = live_gateway.client.app.state.gateway.hub, asyncio.Event()

    async def never(request: httpx.Request) -> httpx.Response:
        called.set()
        await asyncio.Event().wait()
        raise AssertionError("it must be cancelled")

    live_gateway.client.upstreams.respond = never
    try:
        client = asyncio.create_task(live_gateway.http.get("/v1/live?kpis=nps,csat", headers={"authorization": f"Bearer {key}"}))
        await asyncio.wait_for(called.wait(), TIMEOUT)
        client.cancel()
        await forgotten(hub)
    finally:
        live_gateway.client.upstreams.respond = live_gateway.metrics.respond


async def test_a_revoked_key_ends_its_stream(live_gateway: LiveGateway) -> None:
    made, secret = await live_gateway.client.admin.create_key("acme", ["metrics:read"])
    async with live_gateway.stream(secret) as reader:
        await reader.next()
        await live_gateway.client.admin.revoke_key("acme", made.id)
        assert await reader.ended()


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("kpis=unknown", 404, "unknown-kpi"),
        ("kpis=nps,unknown", 404, "unknown-kpi"),
        ("kpis=..%2F..%2Finternal", 404, "unknown-kpi"),
        ("kpis=sla%2Fupcoming", 404, "unknown-kpi"),
        ("sla=all", 400, "bad-request"),
        ("", 400, "bad-request"),
        ("kpis=", 400, "bad-request"),
        ("kpis=nps&colour=blue", 400, "bad-request"),
        ("kpis=nps&slow=1", 503, "too-slow"),
    ],
)
async def test_an_invalid_query_is_refused_before_the_stream(
    live_gateway: LiveGateway, key: str, query: str, status: int, kind: str
) -> None:
    response = await live_gateway.http.get(f"/v1/live?{query}", headers={"authorization": f"Bearer {key}"})
    assert response.status_code == status
    assert problem(response)["type"] == f"urn:earshot:problem:{kind}"


async def test_an_unknown_kpi_is_named_with_the_closest_one(live_gateway: LiveGateway, key: str) -> None:
    response = await live_gateway.http.get("/v1/live?kpis=csat,npss", headers={"authorization": f"Bearer {key}"})
    assert problem(response)["detail"] == 'there is no KPI "npss"; did you mean "nps"?'


async def test_a_stream_requires_a_key_in_the_header_with_the_scope(live_gateway: LiveGateway, key: str) -> None:
    assert (await live_gateway.http.get(f"/v1/live?kpis=nps&key={key}&access_token={key}")).status_code == 401
    other = await live_gateway.client.key("records:read")
    assert (await live_gateway.http.get("/v1/live?kpis=nps", headers={"authorization": f"Bearer {other}"})).status_code == 403


async def test_an_outage_of_metrics_is_503_for_a_new_stream_and_a_pause_for_an_open_one(
    live_gateway: LiveGateway, key: str
) -> None:
    async with live_gateway.stream(key) as reader:
        await reader.next()
        live_gateway.client.upstreams.respond = lambda request: httpx.Response(503)
        response = await live_gateway.http.get("/v1/live?kpis=csat", headers={"authorization": f"Bearer {key}"})
        assert response.status_code == 503
        assert response.headers["retry-after"]
        live_gateway.change("acme", "nps")
        live_gateway.client.upstreams.respond = live_gateway.metrics.respond
        while (received := await reader.next())[0] != "kpi":
            pass
        assert received[1]["rows"][0]["n"] == live_gateway.metrics.n["acme", "nps"]


async def test_a_slow_client_receives_the_newest_state_and_nothing_twice(live_gateway: LiveGateway, key: str) -> None:
    padding = "x" * 100_000

    def large(request: httpx.Request) -> httpx.Response:
        response = live_gateway.metrics.respond(request).json()
        return httpx.Response(200, json=response | {"rows": [*response["rows"], {"padding": padding}]})

    live_gateway.client.upstreams.respond = large
    try:
        async with live_gateway.stream(key) as reader:
            await reader.next()
            for _ in range(60):
                live_gateway.change("acme", "nps")
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
            newest = live_gateway.metrics.n["acme", "nps"]
            received: list[int] = []
            while not received or received[-1] < newest:
                event, data, _ = await reader.next()
                received += [data["rows"][0]["n"]] if event == "kpi" else []
        assert received == sorted(set(received))
    finally:
        live_gateway.client.upstreams.respond = live_gateway.metrics.respond


async def test_stopping_ends_the_streams(open_gateway: OpenGateway) -> None:
    async with (
        serve(open_gateway()) as live_gateway,
        live_gateway.stream(await live_gateway.client.key("metrics:read")) as reader,
    ):
        await reader.next()
        live_gateway.server.should_exit = True
        assert await reader.ended()
