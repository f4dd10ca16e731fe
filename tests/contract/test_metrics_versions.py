"""A rolling update: an older process never overwrites what a newer one wrote, loses nothing, and goes on after a rollback."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.metrics.announcer import Announcer
from services.metrics.builder import Builder
from services.metrics.consumer import Intake
from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.store.progress import Reached
from services.metrics.store.terms import change_dimensions
from services.metrics.store.verifications import VerificationRun
from services.metrics.store.writer import DecodedBatch, Writer
from services.metrics.store.writer_versions import OutdatedVersion, state_version
from services.metrics.verify.pieces import OtherDefinitions, compare_next_subjects
from services.metrics.version_watch import VersionWatch
from shared.events import Event, encode
from shared.kafka import IncomingRecord, Retry
from shared.topics import EVENTS, subject_key
from tests.service.metrics.database import MetricsDatabase, SilentProducer, erasure, expected, score_of, survey_response
from tests.unit.metrics.build import nps

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
NEWER = CONTRIBUTIONS_VERSION + 1
PLACE = (EVENTS.name, 0)
WAITING = """
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())
"""


@pytest.fixture
async def metrics(empty_metrics_db: MetricsDatabase) -> MetricsDatabase:
    """The tenant acme with five answers, which a newer process has written."""
    await empty_metrics_db.tenant()
    await newer(empty_metrics_db).apply(DecodedBatch(story()))
    return empty_metrics_db


def newer(metrics: MetricsDatabase) -> Writer:
    return Writer(metrics.pool, version=NEWER)


def watch(
    metrics: MetricsDatabase, version: int = CONTRIBUTIONS_VERSION, writes: Callable[[], bool] = lambda: True
) -> VersionWatch:
    return VersionWatch(metrics.pool, writes, version)


def story(value: int = 9) -> list[Event]:
    return [survey_response(number, nps(value), at=NOON) for number in range(5)]


def changed() -> list[Event]:
    return [survey_response(number, nps(1), at=NOON, revision=2) for number in range(7)]


async def stored(metrics: MetricsDatabase) -> list[Any]:
    """Everything that a batch writes."""
    tables = ("subjects", "statements", "scores", "progress", "tenant_revisions")
    return [await metrics.contributions(), *[Counter(await metrics.pool.fetch(f"SELECT * FROM {table}")) for table in tables]]


async def end_newer(metrics: MetricsDatabase) -> None:
    """Let a minute pass since a newer process stated its version."""
    await metrics.pool.execute(
        "UPDATE writer_versions SET stated_at = stated_at - '1 minute'::interval WHERE version = $1", NEWER
    )


@pytest.mark.parametrize(
    "batch",
    [
        DecodedBatch(changed(), reached={PLACE: Reached(7, NOON)}),
        DecodedBatch([erasure("c1/response/1", NOON)]),
        DecodedBatch(scores=[score_of("c1/response/1", "fine", 0.5)]),
        DecodedBatch([survey_response(90, nps(9), at=NOON)]),
    ],
    ids=["changes", "an erasure", "a score", "a new subject"],
)
async def test_an_older_process_writes_nothing_while_a_newer_one_writes(metrics: MetricsDatabase, batch: DecodedBatch) -> None:
    before = await stored(metrics)
    with pytest.raises(OutdatedVersion):
        await metrics.writer.apply(batch)
    assert await stored(metrics) == before


async def test_records_that_an_older_process_refuses_are_read_again_and_a_newer_one_counts_them(metrics: MetricsDatabase) -> None:
    records = [
        IncomingRecord(EVENTS.name, 0, offset, subject_key(one.tenant, one.subject), encode(one), (), 0)
        for offset, one in enumerate(changed())
    ]
    announcer = Announcer(SilentProducer())
    with pytest.raises(Retry, match="version"):
        await Intake(metrics.writer, announcer)(records)
    await Intake(newer(metrics), announcer)(records)
    assert await metrics.contributions() == expected(changed())


async def test_an_older_process_that_waits_for_a_subject_meanwhile_sees_the_newer_one(empty_metrics_db: MetricsDatabase) -> None:
    """Its transaction began before the newer process stated its version, and gets the lock after that one has written."""
    metrics = empty_metrics_db
    await metrics.apply(*story())
    async with metrics.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT FROM subjects FOR UPDATE")
        older = asyncio.create_task(metrics.writer.apply(DecodedBatch(changed())))
        async with asyncio.timeout(20):
            while not await metrics.pool.fetchval(WAITING):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await state_version(metrics.pool, NEWER)
        await transaction.commit()
    with pytest.raises(OutdatedVersion):
        await older
    assert await metrics.contributions() == expected(story())


async def test_an_older_process_neither_builds_nor_verifies_while_a_newer_one_writes(
    metrics: MetricsDatabase,
) -> None:
    await change_terms(metrics, "plan")
    with pytest.raises(OutdatedVersion):
        await metrics.writer.rebuild(1, "", 10)
    with pytest.raises(OutdatedVersion):
        await Builder(metrics.pool).step(metrics.writer)
    assert await metrics.pool.fetchval("SELECT count(*) FROM builds WHERE leased_until = '-infinity'") == 1, "nobody claimed it"
    running = asyncio.create_task(Builder(metrics.pool).run())
    await asyncio.wait([running], timeout=0.2)
    assert not running.done(), "the worker waits"
    running.cancel()
    with pytest.raises(OtherDefinitions):
        await compare_next_subjects(metrics.pool, VerificationRun(1, 1, "acme", 1.0, 0, "subjects", "", 0))


async def change_terms(metrics: MetricsDatabase, *dimensions: str) -> None:
    async with metrics.pool.acquire() as connection, connection.transaction():
        await change_dimensions(connection, 1, dimensions, NOON)


async def test_after_a_rollback_an_older_process_writes_again_and_computes_what_the_newer_one_wrote(
    metrics: MetricsDatabase,
) -> None:
    await metrics.pool.execute("UPDATE contributions SET bin = 77 WHERE subject_id = 2")  # by other definitions
    await watch(metrics).look()
    with pytest.raises(OutdatedVersion):
        await metrics.apply(*changed())
    await end_newer(metrics)
    with pytest.raises(OutdatedVersion):
        await metrics.apply(*changed())  # not before the contributions are marked
    await watch(metrics).look()
    await metrics.apply(survey_response(5, nps(3), at=NOON))
    assert await metrics.pool.fetchval("SELECT contributions_version FROM tenants") < CONTRIBUTIONS_VERSION
    while await Builder(metrics.pool, seal_patience=timedelta(0)).step(metrics.writer):
        pass
    assert await metrics.contributions() == expected([*story(), survey_response(5, nps(3), at=NOON)])
    assert await metrics.pool.fetchval("SELECT contributions_version FROM tenants") == CONTRIBUTIONS_VERSION


@pytest.mark.parametrize("version", [CONTRIBUTIONS_VERSION, NEWER])
async def test_a_build_that_a_rollback_interrupts_starts_again(metrics: MetricsDatabase, version: int) -> None:
    """Whichever version walked it: the other one may have written subjects that it had done."""
    await change_terms(metrics, "plan")
    await metrics.pool.execute("UPDATE builds SET version = $1, place = 'c1/response/3', done = 4", version)
    await end_newer(metrics)
    await watch(metrics).look()
    while await Builder(metrics.pool, seal_patience=timedelta(0)).step(metrics.writer):
        pass
    assert await metrics.contributions() == expected(story())


async def test_a_newer_version_counts_for_as_long_as_any_process_states_it(metrics: MetricsDatabase) -> None:
    await end_newer(metrics)
    await watch(metrics, NEWER).look()
    await watch(metrics).look()
    with pytest.raises(OutdatedVersion):
        await metrics.apply(*changed())


async def test_a_process_that_does_not_write_yet_stops_no_other(empty_metrics_db: MetricsDatabase) -> None:
    joined = False
    starting = watch(empty_metrics_db, NEWER, lambda: joined)
    await starting.look()
    await empty_metrics_db.apply(*story())
    joined = True
    await starting.look()
    joined = False  # a rebalance
    await end_newer(empty_metrics_db)
    await starting.look()
    await watch(empty_metrics_db).look()
    with pytest.raises(OutdatedVersion):
        await empty_metrics_db.apply(*changed())


@asynccontextmanager
async def working(versions: VersionWatch, running: list[bool]) -> AsyncIterator[None]:
    """Run a worker while the version is current. `running` has an item for each start: whether it still runs."""

    async def work() -> None:
        running.append(True)
        try:
            await asyncio.Event().wait()
        finally:
            running[-1] = False

    task = asyncio.create_task(versions.run_while_current(work))
    await asyncio.sleep(0.05)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_older_process_stops_consuming_while_a_newer_one_writes_and_consumes_again_afterwards(
    metrics: MetricsDatabase,
) -> None:
    running: list[bool] = []
    versions = watch(metrics)
    async with working(versions, running):
        assert running == [True]
        await versions.look()
        await asyncio.sleep(0.05)
        assert running == [False]
        await end_newer(metrics)
        await versions.look()
        await asyncio.sleep(0.05)
        assert running == [False, True]
