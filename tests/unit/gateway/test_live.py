"""The live hub without sockets: one evaluation for all subscribers, newest states only, everything freed at the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.gateway.domain.watch import UPCOMING, Watch
from services.gateway.live.hub import Hub, StreamLimits, announce_changes
from services.gateway.live.query import State
from services.gateway.live.subscription import Subscription
from shared.events import KpiChange, encode
from shared.kafka import IncomingRecord
from shared.problems import NotFound, TooManyRequests
from tests.unit.gateway.fake_metrics import NPS, SOON, TIMEOUT, Metrics, until
from tests.unit.gateway.test_keys import NOW


@pytest.fixture
async def hub(metrics: Metrics) -> AsyncIterator[Hub]:
    async with Hub(metrics, StreamLimits(streams_per_key=3), pace=SOON) as hub:
        yield hub
    assert hub.query_count == 0, "a subscription was not freed"


def counts(states: list[State]) -> dict[str, int]:
    return {state.kpi: json.loads(state.body)["rows"][0]["n"] for state in states}


async def next_count(subscription: Subscription) -> dict[str, int]:
    """The next change, which then counts as sent."""
    state = await subscription.next_change(TIMEOUT)
    assert state, "no change was sent"
    subscription.mark_sent(state)
    return counts([state])


async def test_a_change_follows_the_snapshot(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", NPS) as subscription:
        assert counts(subscription.snapshot()) == {"nps": 0}
        metrics.values["acme", "nps"] = 1
        hub.announce("acme", ["nps"], 7)
        state = await subscription.next_change(TIMEOUT)
        assert state
        assert counts([state]) == {"nps": 1}
        assert subscription.mark_sent(state).startswith("7-")


async def test_an_announcement_without_a_change_sends_no_event(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", NPS) as subscription:
        subscription.snapshot()
        hub.announce("acme", ["nps"], 1)
        await until(lambda: len(metrics.evaluations) == 2)
        assert await subscription.next_change(0.05) is None


async def test_a_value_that_changes_with_the_window_alone_is_sent_too(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", Watch(("nps",), "window=15m", recheck=0.01)) as subscription:
        subscription.snapshot()
        metrics.values["acme", "nps"] = 3
        assert await next_count(subscription) == {"nps": 3}


async def test_the_upcoming_deadlines_are_evaluated_again_when_tickets_change(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", Watch((UPCOMING,), "within=4h", recheck=60)) as subscription:
        subscription.snapshot()
        metrics.values["acme", UPCOMING] = 1
        hub.announce("acme", ["nps"], 6)
        assert await subscription.next_change(0.05) is None
        hub.announce("acme", ["backlog", "sla_breached_open"], 7)
        assert await next_count(subscription) == {UPCOMING: 1}
    assert set(metrics.evaluations) == {("acme", UPCOMING, "within=4h")}


async def test_many_subscribers_cost_one_evaluation(hub: Hub, metrics: Metrics) -> None:
    async with (
        hub.subscribe("acme", "one", NPS) as one,
        hub.subscribe("acme", "two", NPS) as two,
        hub.subscribe("acme", "three", Watch(("nps", "csat"), "window=24h", 60)) as three,
    ):
        for subscription in (one, two, three):
            subscription.snapshot()
        assert sorted(metrics.evaluations) == [("acme", "csat", "window=24h"), ("acme", "nps", "window=24h")]
        metrics.values["acme", "nps"] = 1
        hub.announce("acme", ["nps"], 1)
        for subscription in (one, two, three):
            assert await next_count(subscription) == {"nps": 1}
        assert len(metrics.evaluations) == 3


async def test_tenants_never_meet(hub: Hub, metrics: Metrics) -> None:
    metrics.values = {("acme", "nps"): 1, ("other", "nps"): 2}
    async with hub.subscribe("acme", "a", NPS) as acme, hub.subscribe("other", "o", NPS) as other:
        assert (counts(acme.snapshot()), counts(other.snapshot())) == ({"nps": 1}, {"nps": 2})
        metrics.values["other", "nps"] = 5
        hub.announce("other", ["nps"], 1)
        assert await next_count(other) == {"nps": 5}
        assert await acme.next_change(0.02) is None
        assert [tenant for tenant, *_ in metrics.evaluations].count("acme") == 1


async def test_a_burst_costs_few_evaluations_and_the_last_state_is_sent(hub: Hub, metrics: Metrics) -> None:
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
        assert len(metrics.evaluations) < 10


async def test_a_slow_subscriber_gets_the_newest_state_and_none_of_the_steps(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "slow", NPS) as slow, hub.subscribe("acme", "quick", NPS) as quick:
        slow.snapshot()
        quick.snapshot()
        for n in range(1, 6):
            metrics.values["acme", "nps"] = n
            hub.announce("acme", ["nps"], n)
            assert await next_count(quick) == {"nps": n}
        assert await next_count(slow) == {"nps": 5}
        assert await slow.next_change(0.01) is None


async def test_a_kpi_that_changes_all_the_time_does_not_starve_another(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", Watch(("nps", "csat"), "window=24h", 60)) as subscription:
        subscription.snapshot()
        received: set[str] = set()
        for n in range(1, 5):
            metrics.values |= {("acme", "nps"): n, ("acme", "csat"): n}
            before = len(metrics.evaluations)
            hub.announce("acme", ["nps", "csat"], n)
            await until(lambda before=before: len(metrics.evaluations) == before + 2)
            received |= set(await next_count(subscription))
        assert received == {"nps", "csat"}


async def test_a_change_during_an_evaluation_causes_another(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", NPS) as subscription:
        subscription.snapshot()
        metrics.gate.clear()
        hub.announce("acme", ["nps"], 1)
        await until(lambda: len(metrics.evaluations) == 2)
        hub.announce("acme", ["nps"], 2)
        metrics.gate.set()
        await until(lambda: len(metrics.evaluations) == 3)


async def test_an_outage_of_metrics_ends_no_stream(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", NPS) as subscription:
        subscription.snapshot()
        metrics.unavailable = True
        metrics.values["acme", "nps"] = 1
        hub.announce("acme", ["nps"], 1)
        await until(lambda: len(metrics.evaluations) >= 3)
        assert not subscription.closed
        metrics.unavailable = False
        assert await next_count(subscription) == {"nps": 1}


async def test_a_query_that_metrics_refuses_is_refused_and_dropped(hub: Hub, metrics: Metrics) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            async with hub.subscribe("acme", "key", Watch(("nps", "unknown"), "", 60)):
                raise AssertionError("it must not open")
    assert len(metrics.evaluations) == 4


async def test_a_subscriber_that_leaves_while_waiting_does_not_disturb_the_others(hub: Hub, metrics: Metrics) -> None:
    metrics.gate.clear()
    leaving = asyncio.create_task(enter(hub, "one"))
    staying = asyncio.create_task(enter(hub, "two"))
    await until(lambda: len(metrics.evaluations) == 1)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    metrics.gate.set()
    assert counts(await staying) == {"nps": 0}
    assert len(metrics.evaluations) == 1


async def enter(hub: Hub, key_id: str) -> list[Any]:
    async with hub.subscribe("acme", key_id, NPS) as subscription:
        return subscription.snapshot()


async def test_the_streams_of_a_key_are_limited(hub: Hub) -> None:
    async with hub.subscribe("acme", "key", NPS), hub.subscribe("acme", "key", NPS), hub.subscribe("acme", "key", NPS):
        with pytest.raises(TooManyRequests):
            await enter(hub, "key")
        assert counts(await enter(hub, "another")) == {"nps": 0}
    assert counts(await enter(hub, "key")) == {"nps": 0}


async def test_the_id_changes_with_the_state(hub: Hub, metrics: Metrics) -> None:
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


async def test_the_id_between_two_changes_is_not_that_of_the_last(hub: Hub, metrics: Metrics) -> None:
    async with hub.subscribe("acme", "key", Watch(("nps", "csat"), "window=24h", 60)) as subscription:
        subscription.snapshot()
        metrics.values |= {("acme", "nps"): 1, ("acme", "csat"): 1}
        hub.announce("acme", ["nps", "csat"], 4)
        ids: list[str] = []
        while len(ids) < 2:
            if state := await subscription.next_change(TIMEOUT):
                ids.append(subscription.mark_sent(state))
        async with hub.subscribe("acme", "again", Watch(("nps", "csat"), "window=24h", 60)) as again:
            again.snapshot()
            assert again.id == ids[1] != ids[0]


async def test_undecodable_changes_are_skipped(hub: Hub, metrics: Metrics) -> None:
    def record(offset: int, value: bytes) -> IncomingRecord:
        return IncomingRecord("kpi.changes", 0, offset, b"acme", value, (), 0)

    async def changes() -> AsyncIterator[IncomingRecord]:
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
