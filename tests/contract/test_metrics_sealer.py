"""The sealer step by step, without concurrent writers: which spans it seals, and when."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.metrics.pace import Pace
from services.metrics.sealer import ADVISORY, Protocol, Sealer
from services.metrics.store.counting import SpanToSeal, StillWriting, announce, confirm, count, wait_for_writers
from services.metrics.store.due import request_full_look
from services.metrics.store.query import histograms, snapshot
from services.metrics.store.seals import Level
from services.metrics.store.selection import Selection, resolve
from shared.fair_queue import FairQueue
from tests.service.metrics.database import MetricsDatabase, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.fixture
async def metrics(empty_metrics_db: MetricsDatabase) -> MetricsDatabase:
    """A tenant in Berlin with answers from 20 September to an hour ago."""
    await empty_metrics_db.tenant()
    times = [datetime(2026, 9, 20, 10, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC), NOW - timedelta(hours=1)]
    await empty_metrics_db.apply(*(survey_response(n, nps(9), at=at) for n, at in enumerate(times)))
    return empty_metrics_db


def sealer(metrics: MetricsDatabase, after: float = 0, protocol: Protocol | None = None) -> Sealer:
    return Sealer(metrics.pool, timedelta(seconds=after), 1.0, protocol or Protocol(), clock=lambda: NOW)


async def seals(metrics: MetricsDatabase, level: Level, state: str = "sealed") -> list[tuple[datetime, datetime]]:
    rows = await metrics.pool.fetch(
        "SELECT starts, ends FROM seals s JOIN measures m ON m.id = s.measure"
        " WHERE m.name = 'nps' AND level = $1 AND state = $2 ORDER BY starts",
        level,
        state,
    )
    return [tuple(row) for row in rows]


async def test_days_are_those_of_the_tenants_zone_from_the_first_month_on_and_empty_ones_too(metrics: MetricsDatabase) -> None:
    await metrics.seal(NOW)
    days = await seals(metrics, Level.DAY)
    assert days[0][0] == datetime(2026, 8, 31, 22, tzinfo=UTC)
    assert days[-1][1] == datetime(2026, 11, 19, 23, tzinfo=UTC)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(days))
    assert (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)) in days


async def test_hours_are_sealed_for_the_last_days_and_months_once_their_days_are(metrics: MetricsDatabase) -> None:
    await metrics.seal(NOW)
    hours = await seals(metrics, Level.HOUR)
    assert (hours[0][0], hours[-1][1]) == (NOW.replace(minute=0) - timedelta(days=8), NOW.replace(minute=0))
    assert [start.astimezone(UTC).day for start, _ in await seals(metrics, Level.MONTH)] == [31, 30]


async def test_a_change_opens_the_hour_the_day_and_the_month_that_hold_it_and_no_others(metrics: MetricsDatabase) -> None:
    await metrics.seal(NOW)
    at = NOW - timedelta(days=2)
    await metrics.apply(survey_response(50, nps(1), at=at))
    assert await seals(metrics, Level.HOUR, "open") == [(at.replace(minute=0), at.replace(minute=0) + timedelta(hours=1))]
    assert len(await seals(metrics, Level.DAY, "open")) == 1
    assert await seals(metrics, Level.MONTH, "open") == []
    await metrics.apply(survey_response(51, nps(1), at=datetime(2026, 10, 3, tzinfo=UTC)))
    assert len(await seals(metrics, Level.DAY, "open")) == 2
    assert len(await seals(metrics, Level.MONTH, "open")) == 1
    await metrics.seal(NOW)
    assert not await seals(metrics, Level.DAY, "open")


async def test_an_event_that_changes_no_contribution_opens_no_seal(metrics: MetricsDatabase) -> None:
    await metrics.seal(NOW)
    await metrics.apply(survey_response(1, nps(9), at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC)))
    assert not any([await seals(metrics, level, "open") for level in Level])


async def test_a_span_is_sealed_again_only_after_it_was_unchanged_for_a_while(metrics: MetricsDatabase) -> None:
    await metrics.seal(NOW)
    await metrics.apply(survey_response(50, nps(1), at=NOW - timedelta(days=2)))
    assert await sealer(metrics, after=60).round() == 0
    assert await sealer(metrics, after=0).round() > 0


async def test_an_hour_is_not_sealed_before_it_has_been_over_for_as_long(metrics: MetricsDatabase) -> None:
    while await sealer(metrics, after=1801).round():
        pass
    assert (await seals(metrics, Level.HOUR))[-1][1] == NOW.replace(minute=0) - timedelta(hours=1)


async def test_seals_that_a_crashed_sealer_announced_are_counted_by_the_next(metrics: MetricsDatabase) -> None:
    async def crash(connection: asyncpg.Connection, seals: Mapping[int, int]) -> list[int]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await sealer(metrics, protocol=Protocol(confirm=crash)).round()
    assert await seals(metrics, Level.HOUR, "counting")
    assert await metrics.pool.fetchval("SELECT count(*) FROM histograms") == 0
    await metrics.seal(NOW)
    assert not await seals(metrics, Level.HOUR, "counting")


async def test_a_count_during_which_something_changed_is_discarded(metrics: MetricsDatabase) -> None:
    async def change_first(connection: asyncpg.Connection, seals: Mapping[int, int]) -> list[int]:
        await metrics.apply(survey_response(50, nps(1), at=NOW - timedelta(hours=1)))
        return await confirm(connection, seals)

    await sealer(metrics, protocol=Protocol(confirm=change_first)).round()
    hour = (NOW.replace(minute=0) - timedelta(hours=1), NOW.replace(minute=0))
    assert hour not in await seals(metrics, Level.HOUR)
    strays = "SELECT count(*) FROM histograms h LEFT JOIN seals s ON s.id = h.seal_id WHERE s.state IS DISTINCT FROM 'sealed'"
    assert await metrics.pool.fetchval(strays) == 0


async def test_one_sealer_at_a_time_works_for_a_tenant(metrics: MetricsDatabase) -> None:
    async with metrics.pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock($1, (SELECT id FROM tenants))", ADVISORY)
        assert await sealer(metrics).round() == 0
        await other.execute("SELECT pg_advisory_unlock_all()")
    assert await sealer(metrics).round() > 0


async def test_the_wait_for_an_open_transaction_is_bounded_and_the_span_is_sealed_later(metrics: MetricsDatabase) -> None:
    async def impatient(connection: asyncpg.Connection, patience: float) -> None:
        await wait_for_writers(connection, 0.1)

    async with metrics.pool.acquire() as writer:
        transaction = writer.transaction()
        await transaction.start()
        await writer.execute("UPDATE tenants SET name = 'still writing'")
        with pytest.raises(StillWriting):
            await sealer(metrics, protocol=replace(Protocol(), wait=impatient)).round()
        assert not await seals(metrics, Level.HOUR)
        await transaction.rollback()
    assert await metrics.seal(NOW)


OCTOBER_3 = datetime(2026, 10, 3, tzinfo=UTC)


async def test_a_month_is_not_sealed_while_one_of_its_days_is_open(metrics: MetricsDatabase) -> None:
    await metrics.seal(NOW)
    await metrics.pool.execute("UPDATE seals SET state = 'open', since = 'yesterday' WHERE level = $1", Level.MONTH)
    await metrics.pool.execute(
        "UPDATE seals SET state = 'open', since = clock_timestamp() WHERE level = $1 AND starts <= $2 AND ends > $2",
        Level.DAY,
        OCTOBER_3,
    )
    await request_full_look(metrics.pool)
    await sealer(metrics, after=60).round()
    assert [start.month for start, _ in await seals(metrics, Level.MONTH)] == [8]
    assert [start.month for start, _ in await seals(metrics, Level.MONTH, "open")] == [9]


async def test_a_month_is_not_counted_if_one_of_its_days_opened_just_before_the_announcement(metrics: MetricsDatabase) -> None:
    await metrics.seal(NOW)
    await metrics.apply(survey_response(50, nps(1), at=OCTOBER_3))
    async with metrics.pool.acquire() as connection:
        query = "SELECT id, tenant, measure, starts, ends FROM seals WHERE level = $1 AND state = 'open'"
        seal, tenant, measure, starts, ends = (await connection.fetch(query, Level.MONTH))[0]
        announced = await announce(connection, tenant, "Europe/Berlin", [SpanToSeal(measure, Level.MONTH, starts, ends, seal)])
        assert len(announced) == 1
        assert await count(connection, Level.MONTH, announced) == {}


async def test_seals_of_another_cuboid_revision_are_not_read_and_are_made_again(metrics: MetricsDatabase) -> None:
    made = await metrics.seal(NOW)
    await metrics.pool.execute("UPDATE seals SET revision = 1")
    await metrics.pool.execute("UPDATE histograms SET counts[1] = counts[1] + 1")
    async with snapshot(metrics.pool) as connection:
        scope = await resolve(connection, "acme", Selection(("nps",)))
        assert scope
        edges = [NOW - timedelta(days=90), NOW]
        assert await histograms(connection, scope, edges) == await histograms(connection, scope, edges, use_seals=False)
    await request_full_look(metrics.pool)
    assert await metrics.seal(NOW) == made


async def test_a_tenant_whose_seals_fail_does_not_keep_the_next_one_from_being_sealed(metrics: MetricsDatabase) -> None:
    """Its count takes too long, say: the round is over, and the next one begins with the tenant after it."""
    await metrics.apply(*(survey_response(n, nps(9), at=NOW - timedelta(hours=1), tenant="bolt") for n in range(3)))
    tenants = [row["id"] for row in await metrics.pool.fetch("SELECT id FROM tenants ORDER BY id")]

    async def fails_for_the_first(connection: asyncpg.Connection, level: Level, seals: Sequence[int]) -> dict[int, int]:
        owner = await connection.fetchval("SELECT tenant FROM seals WHERE id = $1", seals[0])
        if owner == tenants[0]:
            raise TimeoutError
        return await count(connection, level, seals)

    failing = sealer(metrics, protocol=replace(Protocol(), count=fails_for_the_first))
    for _ in range(2):
        with suppress(TimeoutError):
            await failing.round()
    assert await metrics.pool.fetchval("SELECT count(*) FROM seals WHERE tenant = $1 AND state = 'sealed'", tenants[1]) > 0


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
async def test_it_pauses_after_a_count_while_another_connection_uses_the_database(metrics: MetricsDatabase, busy: bool) -> None:
    seconds = 0.2
    began: list[float] = []
    ended: list[float] = []
    clock = asyncio.get_running_loop().time

    async def slow_count(connection: asyncpg.Connection, level: Level, numbers: Sequence[int]) -> dict[int, int]:
        began.append(clock())
        await asyncio.sleep(seconds)
        counted = await count(connection, level, numbers)
        ended.append(clock())
        return counted

    query = asyncio.create_task(metrics.pool.fetch("SELECT pg_sleep(30)")) if busy else None
    try:
        await asyncio.sleep(0.1)
        await sealer(metrics, protocol=Protocol(count=slow_count)).round()
    finally:
        if query is not None:
            query.cancel()
            with suppress(asyncio.CancelledError):
                await query
    pauses = [start - end for start, end in zip(began[1:], ended, strict=False)]
    assert len(pauses) >= 2
    assert (min(pauses) >= seconds) is busy


@pytest.mark.parametrize("bounded", [False, True], ids=["patient", "bounded"])
async def test_it_begins_no_count_while_a_query_is_in_flight_but_waits_for_a_bounded_time(
    metrics: MetricsDatabase, bounded: bool
) -> None:
    """A query begins during the first count. `patient`: its wait would end long after the test."""
    queue, counts = FairQueue(1, 1, 1), 0
    begun, ended = asyncio.Event(), asyncio.Event()

    async def query() -> None:
        async with queue.turn("acme", 1):
            begun.set()
            await ended.wait()

    async def count_beside_query(connection: asyncpg.Connection, level: Level, numbers: Sequence[int]) -> dict[int, int]:
        nonlocal counts
        counts += 1
        await begun.wait()
        return await count(connection, level, numbers)

    pace = Pace(queue, rest=0, patience=0.01 if bounded else 60)
    work = replace(sealer(metrics, protocol=Protocol(count=count_beside_query)), pace=pace).round()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        sealing = tasks.create_task(work)
        while not counts:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        tasks.create_task(query())
        if not bounded:
            await asyncio.wait({sealing}, timeout=0.5)
            assert counts == 1
            ended.set()
        assert await sealing
        assert counts > 1
        ended.set()
