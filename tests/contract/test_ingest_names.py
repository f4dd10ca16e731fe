"""Names that deliveries state: from memory to the table, and from there to metrics, through outages of either."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from services.ingest.domain.delivery import Delivery
from services.ingest.domain.value_names import ValueName
from services.ingest.names import MOST_PENDING, NameCollector, NameSender
from services.ingest.store.value_names import ValueNames
from shared.database import open_pool
from shared.problems import Unavailable
from tests.conftest import NewDatabase
from tests.contract.inbox import nps_delivery
from tests.unit.ingest.making import NOW


@pytest.fixture
async def pool(database: NewDatabase) -> AsyncIterator[asyncpg.Pool]:
    async with open_pool(await database("ingest")) as pool:
        await pool.execute("TRUNCATE value_names")
        yield pool


@dataclass
class FakeMetrics:
    """Keeps the names of each call by tenant, or answers `status`; None: it can't be reached."""

    status: int | None = 204
    names: list[tuple[str, str, str, str]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.status is None:
            raise httpx.ConnectError("refused")
        if self.status == 204:
            tenant = request.url.path.split("/")[3]
            self.names += [(tenant, n["dimension"], n["value"], n["name"]) for n in json.loads(request.content)["names"]]
        return httpx.Response(self.status)

    @contextmanager
    def answering(self, status: int | None) -> Iterator[None]:
        former, self.status = self.status, status
        yield
        self.status = former


def sender(pool: asyncpg.Pool, metrics: FakeMetrics) -> NameSender:
    client = httpx.AsyncClient(transport=httpx.MockTransport(metrics), base_url="http://metrics.test")
    return NameSender(ValueNames(pool), client)


def naming(*names: tuple[str, str], minutes: int = 0, **changed: Any) -> Delivery:
    """A delivery that names teams, received after `minutes`."""
    teams = tuple(ValueName("team", value, name) for value, name in names)
    return replace(nps_delivery(9), names=teams, received_at=NOW + timedelta(minutes=minutes), **changed)


async def end_leases(pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE value_names SET due = now() WHERE due IS NOT NULL")


async def test_a_name_reaches_metrics_once(pool: asyncpg.Pool) -> None:
    metrics, collector = FakeMetrics(), NameCollector(ValueNames(pool))
    for minutes in range(3):
        collector.add(naming(("1", "Billing"), minutes=minutes))
        await collector.flush()
    collector.add(naming(("1", "Other tenant"), tenant="other"))
    await collector.flush()
    sending = sender(pool, metrics)
    assert [await sending.step() for _ in range(2)] == [True, False]
    assert sorted(metrics.names) == [("acme", "team", "1", "Billing"), ("other", "team", "1", "Other tenant")]
    other_process = NameCollector(ValueNames(pool))
    other_process.add(naming(("1", "Billing"), minutes=9))
    await other_process.flush()
    assert not await sending.step()


async def test_a_name_that_is_known_costs_no_statement(pool: asyncpg.Pool) -> None:
    class CountingStore(ValueNames):
        calls = 0

        async def add(self, names: Any) -> None:
            self.calls += 1
            await super().add(names)

    store = CountingStore(pool)
    collector = NameCollector(store)
    for _ in range(5):
        collector.add(naming(("1", "Billing")))
        await collector.flush()
    assert store.calls == 1


async def test_the_newest_name_counts_whatever_the_order_of_arrival(pool: asyncpg.Pool) -> None:
    metrics, sending = FakeMetrics(), None
    for minutes, name in ((5, "Sales"), (3, "Old"), (7, "Growth")):
        collector = NameCollector(ValueNames(pool))
        collector.add(naming(("1", name), minutes=minutes))
        collector.add(naming(("1", "Oldest"), minutes=0))
        await collector.flush()
        sending = sender(pool, metrics)
        await sending.step()
    assert [name for *_, name in metrics.names] == ["Sales", "Growth"]


@pytest.mark.parametrize("status", [None, 404, 503])
async def test_names_wait_while_metrics_does_not_take_them(pool: asyncpg.Pool, status: int | None) -> None:
    metrics, collector = FakeMetrics(), NameCollector(ValueNames(pool))
    sending = sender(pool, metrics)
    collector.add(naming(("1", "Billing")))
    await collector.flush()
    with metrics.answering(status):
        if status is None:
            with pytest.raises(Unavailable):
                await sending.step()
        else:
            assert await sending.step()
        assert not await sending.step()
    await end_leases(pool)
    assert await sending.step()
    assert metrics.names == [("acme", "team", "1", "Billing")]


async def test_a_name_that_metrics_refuses_is_not_sent_for_ever(pool: asyncpg.Pool) -> None:
    metrics, collector = FakeMetrics(422), NameCollector(ValueNames(pool))
    collector.add(naming(("1", "Billing")))
    await collector.flush()
    with capture_logs() as logs:
        await sender(pool, metrics).step()
    assert [line["event"] for line in logs] == ["names.not_sent"]
    assert "Billing" not in str(logs)
    await end_leases(pool)
    assert not await sender(pool, metrics).step()


async def test_a_name_that_changes_while_it_is_sent_is_sent_again(pool: asyncpg.Pool) -> None:
    store, collector = ValueNames(pool), NameCollector(ValueNames(pool))
    collector.add(naming(("1", "Billing")))
    await collector.flush()
    claimed = await store.claim()
    collector.add(naming(("1", "Payments"), minutes=1))
    await collector.flush()
    await store.mark_sent(claimed)
    assert [one.name for one in await store.claim()] == ["Payments"]


async def test_names_of_an_outage_of_the_database_are_stored_after_it(pool: asyncpg.Pool) -> None:
    class BrokenStore(ValueNames):
        error: Exception | None = ConnectionRefusedError()

        async def add(self, names: Any) -> None:
            if self.error:
                raise self.error
            await super().add(names)

    store = BrokenStore(pool)
    collector = NameCollector(store)
    collector.add(naming(("1", "Billing")))
    await collector.flush()
    store.error = None
    await collector.close()
    assert [one.name for one in await store.claim()] == ["Billing"]


async def test_memory_is_bounded_and_an_identity_is_no_name(pool: asyncpg.Pool) -> None:
    store = ValueNames(pool)
    collector = NameCollector(store)
    collector.add(naming(("1", "ada@example.org")))
    collector.add(naming(*((str(number), f"Team {number}") for number in range(2, 2 * MOST_PENDING))))
    await collector.flush()
    assert await pool.fetchval("SELECT count(*) FROM value_names") == MOST_PENDING - 1
    assert not await pool.fetchval("SELECT count(*) FROM value_names WHERE value = '1'")


async def test_a_tenant_has_no_more_names_than_the_limit(pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.store.value_names.MOST_NAMES", 2)
    for name in ("a", "b", "c"):
        collector = NameCollector(ValueNames(pool))
        collector.add(naming((name, name.upper())))
        await collector.flush()
    collector = NameCollector(ValueNames(pool))
    collector.add(naming(("a", "Renamed"), minutes=1))
    await collector.flush()
    rows = await pool.fetch("SELECT value, name FROM value_names ORDER BY value")
    assert [tuple(row) for row in rows] == [("a", "Renamed"), ("b", "B")]
