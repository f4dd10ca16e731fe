"""`/v1/live` on a real port: snapshot, changes, resumption, and every way in which a stream ends."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.gateway.live.hub import Hub
from tests.service.gateway.conftest import OpenDoor
from tests.service.gateway.door import problem
from tests.service.gateway.stage import PATIENCE, Stage, staged


@pytest.fixture(scope="module")
async def stage(open_door: OpenDoor) -> AsyncIterator[Stage]:
    async with staged(open_door(key_cache_seconds=0, live_ping_seconds=2)) as stage:
        yield stage


@pytest.fixture
async def key(stage: Stage) -> str:
    return await stage.door.key("metrics:read")


async def test_a_snapshot_and_then_each_change(stage: Stage, key: str) -> None:
    async with stage.listen(key, "kpis=nps,csat&window=24h&filter[team]=a") as listener:
        assert listener.answer.headers["content-type"].startswith("text/event-stream")
        assert listener.answer.headers["cache-control"] == "no-store"
        event, data, _ = await listener.next()
        assert event == "snapshot"
        assert [answer["kpi"] for answer in data["kpis"]] == ["nps", "csat"]
        assert data["kpis"][0]["query"] == "filter%5Bteam%5D=a&window=24h"
        before = stage.metrics.n["acme", "csat"]
        offset = stage.change("acme", "csat")
        event, data, position = await listener.next()
        assert (event, data["kpi"], data["rows"][0]["n"]) == ("kpi", "csat", before + 1)
        assert position
        assert position.split("-")[0] == str(offset)


async def test_another_tenants_changes_are_not_heard(stage: Stage) -> None:
    mine, theirs = await stage.door.key("metrics:read"), await stage.door.key("metrics:read", tenant="other")
    async with stage.listen(mine) as here, stage.listen(theirs) as there:
        await here.next()
        await there.next()
        stage.change("other", "nps")
        assert (await there.next())[0] == "kpi"
        stage.change("acme", "nps")
        event, data, _ = await here.next()
        assert (event, data["rows"][0]["n"]) == ("kpi", stage.metrics.n["acme", "nps"])


async def test_who_comes_back_to_the_same_state_is_told_nothing(stage: Stage, key: str) -> None:
    async with stage.listen(key) as listener:
        _, _, position = await listener.next()
    async with stage.listen(key, last_id=position) as again:
        assert await again.next() == ("", None, None)
        stage.change("acme", "nps")
        assert (await again.next())[0] == "kpi"


@pytest.mark.parametrize("lost", [None, "12345-feedfeedfeedfeed", "nonsense", "0"])
async def test_who_comes_back_to_a_newer_state_gets_it_without_the_steps(stage: Stage, key: str, lost: str | None) -> None:
    async with stage.listen(key) as listener:
        _, _, position = await listener.next()
    for _ in range(3):
        stage.change("acme", "nps")
    async with stage.listen(key, last_id=lost or position) as again:
        event, data, _ = await again.next()
        assert (event, data["kpis"][0]["rows"][0]["n"]) == ("snapshot", stage.metrics.n["acme", "nps"])


async def test_a_ping_shows_that_a_silent_stream_lives(stage: Stage, key: str) -> None:
    async with stage.listen(key) as listener:
        await listener.next()
        assert await listener.next() == ("", None, None)


async def test_a_client_that_went_away_leaves_nothing_behind(stage: Stage, key: str) -> None:
    hub = stage.door.app.state.gateway.hub
    async with stage.listen(key) as listener:
        await listener.next()
        assert hub.watched == 1
    await forgotten(hub)


async def forgotten(hub: Hub) -> None:
    async with asyncio.timeout(PATIENCE):
        while hub.watched or hub.streams:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_client_that_leaves_before_its_snapshot_leaves_nothing_behind(stage: Stage, key: str) -> None:
    hub, called, never = stage.door.app.state.gateway.hub, asyncio.Event(), asyncio.Event()
    ask = hub._ask

    async def slow(tenant: str, kpi: str, query: str) -> bytes:
        called.set()
        await never.wait()
        raise AssertionError("it must be cancelled")

    hub._ask = slow
    try:
        client = asyncio.create_task(stage.http.get("/v1/live?kpis=nps,csat", headers={"authorization": f"Bearer {key}"}))
        await asyncio.wait_for(called.wait(), PATIENCE)
        client.cancel()
        await forgotten(hub)
    finally:
        hub._ask = ask


async def test_a_revoked_key_ends_its_stream(stage: Stage) -> None:
    made, secret = await stage.door.admin.create_key("acme", ["metrics:read"])
    async with stage.listen(secret) as listener:
        await listener.next()
        await stage.door.admin.revoke_key("acme", made.id)
        assert await listener.ended()


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
async def test_a_wrong_wish_is_refused_before_the_stream(stage: Stage, key: str, query: str, status: int) -> None:
    answer = await stage.http.get(f"/v1/live?{query}", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == status
    problem(answer)


async def test_a_key_is_needed_in_the_header_and_with_the_scope(stage: Stage, key: str) -> None:
    assert (await stage.http.get(f"/v1/live?kpis=nps&key={key}&access_token={key}")).status_code == 401
    other = await stage.door.key("records:read")
    assert (await stage.http.get("/v1/live?kpis=nps", headers={"authorization": f"Bearer {other}"})).status_code == 403


async def test_metrics_away_is_503_at_the_door_and_a_pause_on_a_stream(stage: Stage, key: str) -> None:
    async with stage.listen(key) as listener:
        await listener.next()
        stage.door.behind.answer = lambda request: httpx.Response(503)
        answer = await stage.http.get("/v1/live?kpis=csat", headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        stage.change("acme", "nps")
        stage.door.behind.answer = stage.metrics.answer
        while (heard := await listener.next())[0] != "kpi":
            pass
        assert heard[1]["rows"][0]["n"] == stage.metrics.n["acme", "nps"]


async def test_a_reader_who_stops_reading_hears_the_newest_in_the_end_and_nothing_twice(stage: Stage, key: str) -> None:
    padding = "x" * 100_000

    def large(request: httpx.Request) -> httpx.Response:
        answer = stage.metrics.answer(request).json()
        return httpx.Response(200, json=answer | {"rows": [*answer["rows"], {"padding": padding}]})

    stage.door.behind.answer = large
    try:
        async with stage.listen(key) as listener:
            await listener.next()
            for _ in range(60):
                stage.change("acme", "nps")
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.5)
            newest = stage.metrics.n["acme", "nps"]
            heard: list[int] = []
            while not heard or heard[-1] < newest:
                event, data, _ = await listener.next()
                heard += [data["rows"][0]["n"]] if event == "kpi" else []
        assert heard == sorted(set(heard))
    finally:
        stage.door.behind.answer = stage.metrics.answer


async def test_stopping_ends_the_streams(open_door: OpenDoor) -> None:
    async with staged(open_door()) as stage, stage.listen(await stage.door.key("metrics:read")) as listener:
        await listener.next()
        stage.server.should_exit = True
        assert await listener.ended()
