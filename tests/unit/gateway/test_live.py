"""The live hub without sockets: a query is evaluated once for all who watch it, newest states only, nothing left behind."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.gateway.clients.fair_semaphore import FairSemaphore
from services.gateway.domain.tenant_queue import TenantQueue
from services.gateway.domain.watch import Watch
from services.gateway.live.hub import MAX_EVALUATIONS, Hub, StreamLimits, announce_changes
from services.gateway.live.query import MAX_RESULT, Pace, State
from services.gateway.live.subscription import Subscription
from shared.events import KpiChange, encode
from shared.kafka import Record
from shared.problems import BadRequest, NotFound, TooManyRequests, Unavailable
from tests.unit.gateway.test_keys import NOW

SOON = Pace(min_interval=0.005, rest_ratio=0, retry=0.01)
TIMEOUT = 2.0
NPS = Watch(("nps",), "window=24h", recheck=60)


class Metrics:
    """Plays metrics: holds a value for each (tenant, KPI), counts how often it is asked, and can be slow or away."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], int] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, tenant: str, kpi: str, query: str) -> bytes:
        self.asked.append((tenant, kpi, query))
        await self.gate.wait()
        if self.away:
            raise Unavailable("away")
        if kpi == "unknown":
            raise NotFound("there is no such KPI")
        window = {"from": str(len(self.asked)), "to": str(len(self.asked) + 1)}
        return json.dumps({"kpi": kpi, "window": window, "rows": [{**window, "n": self.values.get((tenant, kpi), 0)}]}).encode()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def hub(metrics: Metrics) -> AsyncIterator[Hub]:
    async with Hub(metrics, StreamLimits(streams_per_key=3), pace=SOON) as hub:
        yield hub
    assert hub.query_count == 0, "a subscription left something behind"


def counts(states: list[State]) -> dict[str, int]:
    return {state.kpi: json.loads(state.body)["rows"][0]["n"] for state in states}


async def next_count(subscription: Subscription) -> dict[str, int]:
    """What the subscription hears next, which then counts as told."""
    state = await subscription.next_change(TIMEOUT)
    assert state, "nothing new was told"
    subscription.mark_sent(state)
    return counts([state])


async def until(truth: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if truth():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come true")


async def test_a_change_is_heard_after_the_snapshot(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", NPS) as subscription:
        assert counts(subscription.snapshot()) == {"nps": 0}
        metrics.values["acme", "nps"] = 1
        hub.announce("acme", ["nps"], 7)
        state = await subscription.next_change(TIMEOUT)
        assert state
        assert counts([state]) == {"nps": 1}
        assert subscription.mark_sent(state).startswith("7-")


async def test_an_announcement_that_changed_nothing_is_not_told(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", NPS) as subscription:
        subscription.snapshot()
        hub.announce("acme", ["nps"], 1)
        await until(lambda: len(metrics.asked) == 2)
        assert await subscription.next_change(0.05) is None


async def test_what_moves_with_the_window_alone_is_told_too(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", Watch(("nps",), "window=15m", recheck=0.01)) as subscription:
        subscription.snapshot()
        metrics.values["acme", "nps"] = 3
        assert await next_count(subscription) == {"nps": 3}


async def test_many_readers_cost_one_question(hub: Hub, metrics: Metrics) -> None:
    async with (
        hub.subscribe("acme", "one", NPS) as one,
        hub.subscribe("acme", "two", NPS) as two,
        hub.subscribe("acme", "three", Watch(("nps", "csat"), "window=24h", 60)) as three,
    ):
        for subscription in (one, two, three):
            subscription.snapshot()
        assert sorted(metrics.asked) == [("acme", "csat", "window=24h"), ("acme", "nps", "window=24h")]
        metrics.values["acme", "nps"] = 1
        hub.announce("acme", ["nps"], 1)
        for subscription in (one, two, three):
            assert await next_count(subscription) == {"nps": 1}
        assert len(metrics.asked) == 3


async def test_tenants_never_meet(hub: Hub, metrics: Metrics) -> None:
    metrics.values = {("acme", "nps"): 1, ("other", "nps"): 2}
    async with hub.subscribe("acme", "a", NPS) as acme, hub.subscribe("other", "o", NPS) as other:
        assert (counts(acme.snapshot()), counts(other.snapshot())) == ({"nps": 1}, {"nps": 2})
        metrics.values["other", "nps"] = 5
        hub.announce("other", ["nps"], 1)
        assert await next_count(other) == {"nps": 5}
        assert await acme.next_change(0.02) is None
        assert [tenant for tenant, *_ in metrics.asked].count("acme") == 1


async def test_a_burst_costs_few_questions_and_the_last_state_is_told(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", NPS) as subscription:
        subscription.snapshot()
        for n in range(1, 501):
            metrics.values["acme", "nps"] = n
            hub.announce("acme", ["nps"], n)
            if n % 100 == 0:
                await asyncio.sleep(0)
        last = 0
        while last < 500:
            last = (await next_count(subscription))["nps"]
        assert len(metrics.asked) < 10


async def test_a_slow_reader_gets_the_newest_and_none_of_the_steps(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "slow", NPS) as slow, hub.subscribe("acme", "quick", NPS) as quick:
        slow.snapshot()
        quick.snapshot()
        for n in range(1, 6):
            metrics.values["acme", "nps"] = n
            hub.announce("acme", ["nps"], n)
            assert await next_count(quick) == {"nps": n}
        assert await next_count(slow) == {"nps": 5}
        assert await slow.next_change(0.01) is None


async def test_a_kpi_that_changes_all_the_time_keeps_no_other_waiting(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", Watch(("nps", "csat"), "window=24h", 60)) as subscription:
        subscription.snapshot()
        heard: set[str] = set()
        for n in range(1, 5):
            metrics.values |= {("acme", "nps"): n, ("acme", "csat"): n}
            asked = len(metrics.asked)
            hub.announce("acme", ["nps", "csat"], n)
            await until(lambda asked=asked: len(metrics.asked) == asked + 2)  # type: ignore[misc]
            heard |= set(await next_count(subscription))
        assert heard == {"nps", "csat"}


async def test_a_change_while_asking_is_asked_again(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", NPS) as subscription:
        subscription.snapshot()
        metrics.gate.clear()
        hub.announce("acme", ["nps"], 1)
        await until(lambda: len(metrics.asked) == 2)
        hub.announce("acme", ["nps"], 2)
        metrics.gate.set()
        await until(lambda: len(metrics.asked) == 3)


async def test_an_outage_of_metrics_is_outlasted(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", NPS) as subscription:
        subscription.snapshot()
        metrics.away = True
        metrics.values["acme", "nps"] = 1
        hub.announce("acme", ["nps"], 1)
        await until(lambda: len(metrics.asked) >= 3)
        assert not subscription.closed
        metrics.away = False
        assert await next_count(subscription) == {"nps": 1}


async def test_a_question_that_metrics_refuses_is_refused_and_forgotten(hub: Hub, metrics: Metrics) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            async with hub.subscribe("acme", "key", Watch(("nps", "unknown"), "", 60)):
                raise AssertionError("it must not open")
    assert len(metrics.asked) == 4


async def test_a_reader_who_leaves_while_waiting_takes_nothing_from_the_others(hub: Hub, metrics: Metrics) -> None:
    metrics.gate.clear()
    leaving = asyncio.create_task(enter(hub, "one"))
    staying = asyncio.create_task(enter(hub, "two"))
    await until(lambda: len(metrics.asked) == 1)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    metrics.gate.set()
    assert counts(await staying) == {"nps": 0}
    assert len(metrics.asked) == 1


async def enter(hub: Hub, key_id: str) -> list[Any]:
    async with hub.subscribe("acme", key_id, NPS) as subscription:
        return subscription.snapshot()


async def test_a_key_may_hold_only_so_many_streams(hub: Hub) -> None:
    async with hub.subscribe("acme", "key", NPS), hub.subscribe("acme", "key", NPS), hub.subscribe("acme", "key", NPS):
        with pytest.raises(TooManyRequests):
            await enter(hub, "key")
        assert counts(await enter(hub, "another")) == {"nps": 0}
    assert counts(await enter(hub, "key")) == {"nps": 0}


async def test_the_id_tells_whether_anything_is_newer(hub: Hub, metrics: Metrics) -> None:
    async def snapshot() -> tuple[Subscription, str]:
        async with hub.subscribe("acme", "key", Watch(("nps", "csat"), "window=24h", 60)) as subscription:
            subscription.snapshot()
            return subscription, subscription.id

    _, before = await snapshot()
    _, unchanged = await snapshot()
    assert before == unchanged
    metrics.values["acme", "csat"] = 1
    _, after = await snapshot()
    assert after != before


async def test_an_id_given_between_two_news_is_not_taken_for_the_end(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", Watch(("nps", "csat"), "window=24h", 60)) as subscription:
        subscription.snapshot()
        metrics.values |= {("acme", "nps"): 1, ("acme", "csat"): 1}
        hub.announce("acme", ["nps", "csat"], 4)
        told: list[str] = []
        while len(told) < 2:
            if state := await subscription.next_change(TIMEOUT):
                told.append(subscription.mark_sent(state))
        async with hub.subscribe("acme", "again", Watch(("nps", "csat"), "window=24h", 60)) as again:
            again.snapshot()
            assert again.id == told[1] != told[0]


async def test_the_feed_announces_what_it_can_read_and_skips_the_rest(hub: Hub, metrics: Metrics) -> None:
    def record(offset: int, value: bytes) -> Record:
        return Record("kpi.changes", 0, offset, b"acme", value, (), 0)

    async def changes() -> AsyncIterator[Record]:
        yield record(1, b"no JSON")
        yield record(2, b'{"tenant": 1}')
        yield record(3, encode(KpiChange(tenant="acme", kpis=("nps",), at=NOW)))

    async with hub.subscribe("acme", "key", NPS) as subscription:
        subscription.snapshot()
        metrics.values["acme", "nps"] = 1
        await announce_changes(changes(), hub)
        state = await subscription.next_change(TIMEOUT)
        assert state
        assert state.offset == 3


def streams_of(tenant: str, count: int, kpis: int) -> list[Watch]:
    """`count` streams that have no query in common, of `kpis` KPIs each."""
    return [Watch(tuple(f"kpi{n}" for n in range(kpis)), f"{tenant}={stream}", 60) for stream in range(count)]


class OneByOne(Metrics):
    """Metrics that finishes an evaluation only when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: list[tuple[str, asyncio.Event]] = []

    async def __call__(self, tenant: str, kpi: str, query: str) -> bytes:
        finished = asyncio.Event()
        self.under_way.append((tenant, finished))
        await finished.wait()
        return await super().__call__(tenant, kpi, query)

    async def finish(self) -> str:
        """Let the oldest evaluation end; returns its tenant."""
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


async def test_a_tenants_first_snapshot_does_not_wait_for_anothers_hundreds(crowd: Crowd) -> None:
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


async def test_no_tenant_takes_all_the_turns(crowd: Crowd) -> None:
    hub, metrics, tasks = crowd
    assert len(metrics.under_way) == MAX_EVALUATIONS // 2
    tasks.append(asyncio.create_task(stay(hub, "b", "b1", NPS)))
    await until(lambda: "b" in [tenant for tenant, _ in metrics.under_way])


async def test_the_keys_of_a_tenant_take_turns(crowd: Crowd) -> None:
    hub, metrics, tasks = crowd
    tasks.append(asyncio.create_task(stay(hub, "a", "a2", NPS)))
    await asyncio.sleep(0.01)
    for _ in range(MAX_EVALUATIONS):
        await metrics.finish()
    assert ("a", "nps", "window=24h") in metrics.asked


async def test_a_first_snapshot_goes_before_the_same_keys_refreshes() -> None:
    metrics = OneByOne()
    async with Hub(metrics, pace=SOON) as hub:
        watches = streams_of("a", 1, 22)
        task = asyncio.create_task(stay(hub, "a", "a1", watches[0]))
        while len(metrics.asked) < 22:
            await until(lambda: bool(metrics.under_way))
            await metrics.finish()
        await asyncio.sleep(0.05)
        hub.announce("a", watches[0].kpis, 1)
        await until(lambda: len(metrics.under_way) == MAX_EVALUATIONS // 2)
        newcomer = asyncio.create_task(stay(hub, "a", "a1", NPS))
        await asyncio.sleep(0.01)
        for _ in range(MAX_EVALUATIONS):
            await metrics.finish()
        assert ("a", "nps", "window=24h") in metrics.asked
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
async def test_what_a_key_and_a_tenant_may_watch_is_capped(metrics: Metrics, caps: StreamLimits, refusal: str) -> None:
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


async def test_a_process_holds_so_many_streams(metrics: Metrics) -> None:
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


def test_changes_of_the_queue_keep_its_order() -> None:
    queue: TenantQueue[int] = TenantQueue()
    pushed = [("a", "k", False), ("a", "k", False), ("a", "k", True), ("a", "l", False), ("b", "m", False)]
    for item, (tenant, key, first) in enumerate(pushed):
        queue.push(tenant, key, item, urgent=first)
    queue.remove("a", "k", 1)
    queue.remove("a", "k", 1)
    queue.remove("c", "k", 1)
    taken = [queue.pop(lambda tenant: tenant != "b")]
    while found := queue.pop():
        taken.append(found)
    assert taken == [("a", 2), ("b", 4), ("a", 3), ("a", 0)]


async def test_a_cancelled_wait_takes_no_turn() -> None:
    semaphore = FairSemaphore(limit=1, per_tenant=1)

    async def hold() -> None:
        async with semaphore.acquired("a"):
            pass

    async with semaphore.acquired("a"):
        waiting = [asyncio.create_task(hold()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    waiting[1].cancel()  # it was granted its turn just now
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not waiting[2].cancelled()
    await asyncio.wait_for(hold(), TIMEOUT)
