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
        assert [answer["kpi"] for answer in data["kpis"]] == ["nps", "csat"]
        assert data["kpis"][0]["query"] == "filter%5Bteam%5D=a&window=24h"
        before = live_gateway.metrics.n["acme", "csat"]
        offset = live_gateway.change("acme", "csat")
        event, data, position = await reader.next()
        assert (event, data["kpi"], data["rows"][0]["n"]) == ("kpi", "csat", before + 1)
        assert position
        assert position.split("-")[0] == str(offset)


async def test_another_tenants_changes_are_not_heard(live_gateway: LiveGateway) -> None:
    mine, theirs = await live_gateway.client.key("metrics:read"), await live_gateway.client.key("metrics:read", tenant="other")
    async with live_gateway.stream(mine) as here, live_gateway.stream(theirs) as there:
        await here.next()
        await there.next()
        live_gateway.change("other", "nps")
        assert (await there.next())[0] == "kpi"
        live_gateway.change("acme", "nps")
        event, data, _ = await here.next()
        assert (event, data["rows"][0]["n"]) == ("kpi", live_gateway.metrics.n["acme", "nps"])


async def test_who_comes_back_to_the_same_state_is_told_nothing(live_gateway: LiveGateway, key: str) -> None:
    async with live_gateway.stream(key) as reader:
        _, _, position = await reader.next()
    async with live_gateway.stream(key, last_id=position) as again:
        assert await again.next() == ("", None, None)
        live_gateway.change("acme", "nps")
        assert (await again.next())[0] == "kpi"


@pytest.mark.parametrize("lost", [None, "12345-feedfeedfeedfeed", "nonsense", "0"])
async def test_who_comes_back_to_a_newer_state_gets_it_without_the_steps(
    live_gateway: LiveGateway, key: str, lost: str | None
) -> None:
    async with live_gateway.stream(key) as reader:
        _, _, position = await reader.next()
    for _ in range(3):
        live_gateway.change("acme", "nps")
    async with live_gateway.stream(key, last_id=lost or position) as again:
        event, data, _ = await again.next()
        assert (event, data["kpis"][0]["rows"][0]["n"]) == ("snapshot", live_gateway.metrics.n["acme", "nps"])


async def test_a_ping_shows_that_a_silent_stream_lives(live_gateway: LiveGateway, key: str) -> None:
    async with live_gateway.stream(key) as reader:
        await reader.next()
        assert await reader.next() == ("", None, None)


async def test_a_client_that_went_away_leaves_nothing_behind(live_gateway: LiveGateway, key: str) -> None:
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
    ("query", "status"),
    [
        ("kpis=unknown", 404),
        ("kpis=nps,unknown", 404),
        ("kpis=..%2F..%2Finternal", 404),
        ("", 400),
        ("kpis=", 400),
        ("kpis=nps&colour=blue", 400),
    ],
)
async def test_a_wrong_wish_is_refused_before_the_stream(live_gateway: LiveGateway, key: str, query: str, status: int) -> None:
    answer = await live_gateway.http.get(f"/v1/live?{query}", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == status
    problem(answer)


async def test_a_key_is_needed_in_the_header_and_with_the_scope(live_gateway: LiveGateway, key: str) -> None:
    assert (await live_gateway.http.get(f"/v1/live?kpis=nps&key={key}&access_token={key}")).status_code == 401
    other = await live_gateway.client.key("records:read")
    assert (await live_gateway.http.get("/v1/live?kpis=nps", headers={"authorization": f"Bearer {other}"})).status_code == 403


async def test_metrics_away_is_503_at_the_door_and_a_pause_on_a_stream(live_gateway: LiveGateway, key: str) -> None:
    async with live_gateway.stream(key) as reader:
        await reader.next()
        live_gateway.client.upstreams.respond = lambda request: httpx.Response(503)
        answer = await live_gateway.http.get("/v1/live?kpis=csat", headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        live_gateway.change("acme", "nps")
        live_gateway.client.upstreams.respond = live_gateway.metrics.respond
        while (heard := await reader.next())[0] != "kpi":
            pass
        assert heard[1]["rows"][0]["n"] == live_gateway.metrics.n["acme", "nps"]


async def test_a_reader_who_stops_reading_hears_the_newest_in_the_end_and_nothing_twice(
    live_gateway: LiveGateway, key: str
) -> None:
    padding = "x" * 100_000

    def large(request: httpx.Request) -> httpx.Response:
        answer = live_gateway.metrics.respond(request).json()
        return httpx.Response(200, json=answer | {"rows": [*answer["rows"], {"padding": padding}]})

    live_gateway.client.upstreams.respond = large
    try:
        async with live_gateway.stream(key) as reader:
            await reader.next()
            for _ in range(60):
                live_gateway.change("acme", "nps")
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
            newest = live_gateway.metrics.n["acme", "nps"]
            heard: list[int] = []
            while not heard or heard[-1] < newest:
                event, data, _ = await reader.next()
                heard += [data["rows"][0]["n"]] if event == "kpi" else []
        assert heard == sorted(set(heard))
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
