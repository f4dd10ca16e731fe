"""Numbers about deliveries survive an outage of the database, and a refused write loses only them."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

import asyncpg
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from services.ingest import health
from services.ingest.domain.health import HealthChanges
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.health import DeliveryObserver
from services.ingest.store.health import HealthStore
from shared.problems import NotAuthenticated, Unavailable
from tests.contract.inbox import nps_delivery
from tests.contract.kafka_topic import until
from tests.unit.ingest.making import NOW, connection


class FakeStore:
    """Keeps the changes that it gets, or raises `error`."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.added: list[HealthChanges] = []

    async def add(self, changes: HealthChanges, now: datetime) -> None:
        if self.error:
            raise self.error
        self.added.append(changes)

    async def prune(self, now: datetime) -> None:
        pass


def summaries(lines: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The summaries of deliveries. Workers of other tests' applications may log lines at the same time."""
    return [line for line in lines if line["event"] == "deliveries.summary"]


def observer(store: FakeStore) -> DeliveryObserver:
    return DeliveryObserver(cast(HealthStore, store), lambda: NOW)


async def test_numbers_of_an_outage_are_written_after_it() -> None:
    store = FakeStore()
    observed = observer(store)
    store.error = ConnectionRefusedError()
    observed.stored(connection(), nps_delivery(9), "accepted")
    with pytest.raises(ConnectionRefusedError):
        await observed.flush()
    observed.refused(NotAuthenticated("wrong"), connection())
    observed.refused(Unavailable("down"), connection())
    store.error = None
    await observed.flush()
    await observed.flush()
    [changes] = store.added
    assert changes.counts == {("con_1", "accepted"): 1, ("con_1", "refused"): 1, ("con_1", "unavailable"): 1}
    assert changes.read_revision == {"con_1": 1}
    assert changes.last_delivery.keys() == {"con_1"}


async def test_numbers_that_the_database_refuses_are_dropped_and_the_next_are_written() -> None:
    store = FakeStore()
    observed = observer(store)
    store.error = asyncpg.DataError()
    observed.stored(connection(), nps_delivery(9), "accepted")
    with capture_logs() as lines:
        await observed.flush()
    assert "health.refused" in {line["event"] for line in lines}
    store.error = None
    observed.stored(connection(), nps_delivery(9), "duplicate")
    await observed.flush()
    assert [changes.counts for changes in store.added] == [{("con_1", "duplicate"): 1}]


async def test_a_key_of_the_mapping_is_written_once() -> None:
    store = FakeStore()
    observed = observer(store)
    for _ in range(2):
        delivery = replace(nps_delivery(9), use=MappingUse(questions=frozenset({"q"})))
        observed.stored(connection(), delivery, "accepted")
        await observed.flush()
    assert [changes.keys for changes in store.added] == [{("con_1", "questions", "q")}, set()]


def test_unmapped_questions_of_a_few_seconds_are_bounded_and_counted() -> None:
    changes, other = HealthChanges(), HealthChanges()
    for part in (changes, other):
        for number in range(150):
            part.add_use(connection(), MappingUse(unmapped=(UnmappedQuestion(f"q-{number}"), UnmappedQuestion("x" * 201))), NOW)
    changes.add_all(other)
    assert len(changes.unmapped["con_1"]) == 100
    assert {one.seen for one in changes.unmapped["con_1"].values()} == {2}


async def test_deliveries_are_summed_up_in_one_line() -> None:
    observed = observer(FakeStore())
    with capture_logs() as lines:
        for outcome in ("accepted", "accepted", "duplicate"):
            observed.stored(connection(), nps_delivery(9), outcome)
        observed.refused(NotAuthenticated("wrong"), connection(), count=2)
        await observed.close()
        await observed.close()
    [summary] = summaries(lines)
    assert (summary["log_level"], summary["outcomes"]) == ("info", {"accepted": 2, "duplicate": 1, "refused": 2})


async def test_a_summary_is_logged_while_deliveries_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(health, "SUMMARY_SECONDS", 0.02)
    observed = observer(FakeStore())
    observed.stored(connection(), nps_delivery(9), "accepted")
    with capture_logs() as lines:
        running = asyncio.create_task(observed.run())
        await until(lambda: bool(summaries(lines)))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [line["outcomes"] for line in summaries(lines)] == [{"accepted": 1}]
