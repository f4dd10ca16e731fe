"""The live hub shares evaluations fairly between tenants and keys, within limits of streams and queries."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.gateway.domain.watch import Watch
from services.gateway.live.hub import MAX_EVALUATIONS, Hub, StreamLimits
from services.gateway.live.query import MAX_RESULT
from shared.problems import BadRequest, TooManyRequests, Unavailable
from tests.unit.gateway.fake_metrics import NPS, SOON, Metrics, until


def streams_of(tenant: str, count: int, kpis: int) -> list[Watch]:
    """`count` streams that have no query in common, of `kpis` KPIs each."""
    return [Watch(tuple(f"kpi{n}" for n in range(kpis)), f"{tenant}={stream}", 60) for stream in range(count)]


class OneByOne(Metrics):
    """Metrics that finishes an evaluation only on `finish`."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: list[tuple[str, asyncio.Event]] = []

    async def __call__(self, tenant: str, kpi: str, query: str) -> bytes:
        finished = asyncio.Event()
        self.under_way.append((tenant, finished))
        await finished.wait()
        return await super().__call__(tenant, kpi, query)

    async def finish(self) -> str:
        """Finish the oldest evaluation; returns its tenant."""
        tenant, finished = self.under_way.pop(0)
        finished.set()
        for _ in range(5):
            await asyncio.sleep(0)
        return tenant


@pytest.fixture
async def crowd() -> AsyncIterator[tuple[Hub, OneByOne, list[asyncio.Task[Any]]]]:
    """A hub at which tenant A has opened 20 streams of 22 KPIs, none of which has its first snapshot."""
    metrics = OneByOne()
    tasks: list[asyncio.Task[Any]] = []
    async with Hub(metrics, StreamLimits(queries_per_key=1000, queries_per_tenant=1000), pace=SOON) as hub:
        tasks += [asyncio.create_task(stay(hub, "a", "a1", watch)) for watch in streams_of("a", 20, 22)]
        await until(lambda: len(metrics.under_way) > 0 and hub.query_count == 440)
        yield hub, metrics, tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert hub.query_count == hub.stream_count == 0


async def stay(hub: Hub, tenant: str, key_id: str, watch: Watch) -> None:
    async with hub.subscribe(tenant, key_id, watch):
        await asyncio.Event().wait()


async def visit(hub: Hub, tenant: str, key_id: str, watch: Watch) -> None:
    async with hub.subscribe(tenant, key_id, watch):
        pass


Crowd = tuple[Hub, OneByOne, list[asyncio.Task[Any]]]


async def test_a_first_snapshot_does_not_wait_for_another_tenants_hundreds(crowd: Crowd) -> None:
    hub, metrics, tasks = crowd
    [watch] = streams_of("b", 1, 22)
    opened = asyncio.Event()

    async def open_stream() -> None:
        async with hub.subscribe("b", "b1", watch):
            opened.set()

    tasks.append(asyncio.create_task(open_stream()))
    await until(lambda: hub.query_count == 462)
    finished = []
    while not opened.is_set():
        finished.append(await metrics.finish())
    assert finished.count("b") == 22
    assert finished.count("a") <= 22 + MAX_EVALUATIONS


async def test_no_tenant_occupies_all_evaluations(crowd: Crowd) -> None:
    hub, metrics, tasks = crowd
    assert len(metrics.under_way) == MAX_EVALUATIONS // 2
    tasks.append(asyncio.create_task(stay(hub, "b", "b1", NPS)))
    await until(lambda: "b" in [tenant for tenant, _ in metrics.under_way])


async def test_the_keys_of_a_tenant_are_served_round_robin(crowd: Crowd) -> None:
    hub, metrics, tasks = crowd
    tasks.append(asyncio.create_task(stay(hub, "a", "a2", NPS)))
    await asyncio.sleep(0.01)
    for _ in range(MAX_EVALUATIONS):
        await metrics.finish()
    assert ("a", "nps", "window=24h") in metrics.evaluations


async def test_a_first_snapshot_goes_before_the_same_keys_refreshes() -> None:
    metrics = OneByOne()
    async with Hub(metrics, pace=SOON) as hub:
        watches = streams_of("a", 1, 22)
        task = asyncio.create_task(stay(hub, "a", "a1", watches[0]))
        while len(metrics.evaluations) < 22:
            await until(lambda: bool(metrics.under_way))
            await metrics.finish()
        await asyncio.sleep(0.05)
        hub.announce("a", watches[0].kpis, 1)
        await until(lambda: len(metrics.under_way) == MAX_EVALUATIONS // 2)
        newcomer = asyncio.create_task(stay(hub, "a", "a1", NPS))
        await asyncio.sleep(0.01)
        for _ in range(MAX_EVALUATIONS):
            await metrics.finish()
        assert ("a", "nps", "window=24h") in metrics.evaluations
        for one in (task, newcomer):
            one.cancel()
        await asyncio.gather(task, newcomer, return_exceptions=True)


@pytest.mark.parametrize(
    ("caps", "refusal"),
    [
        (StreamLimits(queries_per_key=3), "this key may hold 3 different live queries"),
        (StreamLimits(queries_per_tenant=3), "this tenant may hold 3 different live queries"),
        (StreamLimits(streams_per_tenant=1), "this tenant may hold 1 live streams"),
        (StreamLimits(streams_per_key=1), "this key may hold 1 live streams"),
    ],
)
async def test_streams_and_queries_are_limited_per_key_and_tenant(metrics: Metrics, caps: StreamLimits, refusal: str) -> None:
    first, second = streams_of("a", 2, 2)
    async with Hub(metrics, caps, pace=SOON) as hub:
        async with hub.subscribe("a", "key", first):
            with pytest.raises(TooManyRequests, match=refusal) as refused:
                await visit(hub, "a", "key", second)
            assert refused.value.headers["Retry-After"]
            async with hub.subscribe("b", "other", second):
                pass
        async with hub.subscribe("a", "key", second):
            pass
        assert hub.query_count == hub.stream_count == 0


async def test_the_same_queries_count_once(metrics: Metrics) -> None:
    [watch] = streams_of("a", 1, 3)
    async with (
        Hub(metrics, StreamLimits(queries_per_key=3, queries_per_tenant=3), pace=SOON) as hub,
        hub.subscribe("a", "key", watch),
        hub.subscribe("a", "key", watch),
        hub.subscribe("a", "another", watch),
    ):
        assert (hub.query_count, hub.stream_count) == (3, 3)


async def test_the_streams_of_a_process_are_limited(metrics: Metrics) -> None:
    async with Hub(metrics, StreamLimits(streams=1), pace=SOON) as hub, hub.subscribe("a", "key", NPS):
        with pytest.raises(Unavailable):
            await visit(hub, "b", "other", NPS)


async def test_a_result_too_large_is_refused_and_ends_a_stream_that_grows_to_it() -> None:
    size = MAX_RESULT + 1

    async def sized(tenant: str, kpi: str, query: str) -> bytes:
        return json.dumps({"kpi": "x" * size}).encode()

    async with Hub(sized, pace=SOON) as hub:
        with pytest.raises(BadRequest, match=str(MAX_RESULT)):
            await visit(hub, "a", "key", NPS)
        size = 100
        async with hub.subscribe("a", "key", NPS) as subscription:
            subscription.snapshot()
            size = MAX_RESULT + 1
            hub.announce("a", ["nps"], 1)
            await until(lambda: subscription.closed)
