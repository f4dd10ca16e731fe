"""Builds: a change of a tenant's terms derives its contributions again, in the background, beside the writers."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.metrics.builder import Builder
from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION, contributions
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from services.metrics.store.query import histograms, snapshot
from services.metrics.store.seals import invalidate
from services.metrics.store.selection import Selection, resolve
from services.metrics.store.stored_rows import plain
from services.metrics.store.terms import Status, change_dimensions, read_status
from services.metrics.store.writer import DecodedBatch, Writer
from services.metrics.verify.recount import compare_contributions
from services.metrics.verify.report import VerifyStep
from shared.events import Event
from tests.service.metrics.database import MetricsDatabase, erasure, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
PLANS = ("free", "pro", None)
SUBJECTS = 10


@pytest.fixture
async def metrics(empty_metrics_db: MetricsDatabase) -> MetricsDatabase:
    """The tenant acme in Berlin, with answers of people on several plans."""
    await empty_metrics_db.tenant()
    await empty_metrics_db.apply(*story())
    return empty_metrics_db


def answer(number: int, value: int, revision: int = 1) -> Event:
    """The response `number`: an NPS, and the plan of the person who gave it."""
    plan = PLANS[number % len(PLANS)]
    at = NOW - timedelta(days=number)
    return survey_response(number, nps(value), at=at, revision=revision, dimensions={"plan": plan, "region": "DE"})


def story() -> list[Event]:
    return [answer(number, number) for number in range(SUBJECTS)]


def derived(events: Sequence[Event], *dimensions: str) -> Counter[tuple[Any, ...]]:
    """The contributions of these events, one of each subject, by the domain alone."""
    terms = Terms(dimensions=dimensions)
    return Counter(plain(row) for event in events for row in contributions(view([event]), {}, terms))


async def change(metrics: MetricsDatabase, *dimensions: str, tenant: str = "acme") -> None:
    async with metrics.pool.acquire() as connection, connection.transaction():
        number = await connection.fetchval("SELECT id FROM tenants WHERE slug = $1", tenant)
        await change_dimensions(connection, number, dimensions, NOW)


def builder(metrics: MetricsDatabase, at_once: int = 3) -> Builder:
    return Builder(metrics.pool, seal_patience=timedelta(0), at_once=at_once)


async def build(metrics: MetricsDatabase) -> None:
    """Work on builds until nothing is left to do."""
    while await builder(metrics).step(metrics.writer):
        pass


async def status(metrics: MetricsDatabase, tenant: str = "acme") -> Status:
    return await read_status(metrics.pool, tenant)


async def rows_of_builds(metrics: MetricsDatabase) -> tuple[int, ...]:
    """Rows that a finished build leaves: contributions and seals of other generations, measures, builds."""
    other = "SELECT id FROM measures WHERE tenant < 0"
    queries = (
        f"SELECT count(*) FROM contributions WHERE measure IN ({other}) OR measure NOT IN (SELECT id FROM measures)",
        f"SELECT count(*) FROM seals WHERE measure IN ({other}) OR measure NOT IN (SELECT id FROM measures)",
        "SELECT count(*) FROM histograms h WHERE NOT EXISTS (SELECT FROM seals s WHERE s.id = h.seal_id)",
        f"SELECT count(*) FROM ({other}) m",
        "SELECT count(*) FROM builds",
    )
    return tuple([await metrics.pool.fetchval(query) for query in queries])


async def test_a_change_of_dimensions_is_served_all_at_once_and_until_then_not_at_all(metrics: MetricsDatabase) -> None:
    await change(metrics, "plan")
    assert await status(metrics) == Status(1, (2, 0, SUBJECTS))
    old, new = derived(story()), derived(story(), "plan")
    while (await status(metrics)).revision == 1:
        assert await metrics.contributions() == old
        await builder(metrics).step(metrics.writer)
    assert await metrics.contributions() == new
    await build(metrics)
    assert await metrics.contributions() == new
    assert await status(metrics) == Status(2, None)
    assert await rows_of_builds(metrics) == (0, 0, 0, 0, 0)


async def walk_pieces(metrics: MetricsDatabase, count: int, at_once: int = 3) -> None:
    """Let a builder do `count` pieces of a build, and crash."""

    class Crashing(Writer):
        pieces = 0

        async def build(self, *arguments: Any) -> Any:
            if self.pieces == count:
                raise RuntimeError("crash")
            self.pieces += 1
            return await super().build(*arguments)

    with pytest.raises(RuntimeError, match="crash"):
        await builder(metrics, at_once).step(Crashing(metrics.pool))


async def expire_leases(metrics: MetricsDatabase) -> None:
    await metrics.pool.execute("UPDATE builds SET leased_until = '-infinity'")


async def test_statements_written_while_a_build_runs_count_under_the_old_and_the_new_terms(metrics: MetricsDatabase) -> None:
    await change(metrics, "plan")
    await walk_pieces(metrics, 2)
    changed = [answer(1, 10, revision=2), answer(9, 10, revision=2), answer(50, 3)]
    await metrics.apply(*changed, erasure("c1/response/0", NOW))
    events = [*(event for event in story() if event.seq not in (0, 1, 9)), *changed]
    assert await metrics.contributions() == derived(events)
    await expire_leases(metrics)
    await build(metrics)
    assert await metrics.contributions() == derived(events, "plan")
    assert await rows_of_builds(metrics) == (0, 0, 0, 0, 0)


async def test_a_build_goes_on_where_a_crashed_builder_stopped(metrics: MetricsDatabase) -> None:
    await change(metrics, "plan")
    await walk_pieces(metrics, 2)
    assert await status(metrics) == Status(1, (2, 6, SUBJECTS))
    assert not await builder(metrics).step(metrics.writer, upgrade=False)  # the lease keeps others away
    await expire_leases(metrics)
    await builder(metrics).step(metrics.writer)
    assert await status(metrics) == Status(1, (2, SUBJECTS, SUBJECTS))


async def test_a_second_change_starts_the_build_anew_with_the_latest_terms(metrics: MetricsDatabase) -> None:
    await change(metrics, "plan")
    await walk_pieces(metrics, 2)
    await change(metrics, "plan", "tier")
    assert await status(metrics) == Status(1, (3, 0, SUBJECTS))
    await build(metrics)
    assert (await status(metrics)).revision == 3
    assert await metrics.contributions() == derived(story(), "plan", "tier")
    assert await rows_of_builds(metrics) == (0, 0, 0, 0, 0)


async def test_equal_dimensions_change_nothing(metrics: MetricsDatabase) -> None:
    await change(metrics)
    assert await status(metrics) == Status(1, None)
    await change(metrics, "plan")
    await build(metrics)
    await change(metrics, "plan")
    assert await status(metrics) == Status(2, None)


async def test_another_zone_is_a_new_revision_without_a_build(metrics: MetricsDatabase) -> None:
    before = await metrics.contributions()
    await metrics.tenant(zone="Asia/Tokyo")
    assert await status(metrics) == Status(2, None)
    await metrics.tenant(zone="Asia/Tokyo")
    assert await status(metrics) == Status(2, None)
    assert await metrics.contributions() == before


async def test_another_zone_while_a_build_runs_is_served_at_once_and_the_build_goes_on(metrics: MetricsDatabase) -> None:
    await change(metrics, "plan")
    await walk_pieces(metrics, 2)
    await metrics.tenant(zone="Asia/Tokyo")
    assert await status(metrics) == Status(3, (4, 6, SUBJECTS))
    assert await metrics.contributions() == derived(story())
    await build(metrics)
    assert await status(metrics) == Status(4, None)
    assert await metrics.contributions() == derived(story(), "plan")


async def test_a_tenant_whose_contributions_an_earlier_version_made_is_built_and_no_other(metrics: MetricsDatabase) -> None:
    await metrics.apply(survey_response(1, nps(9), at=NOW, tenant="other"))
    rows = "SELECT c.ctid, c.xmin FROM contributions c JOIN tenants t ON t.id = c.tenant WHERE t.slug = 'other'"
    of_other = await metrics.pool.fetch(rows)
    await metrics.pool.execute("UPDATE tenants SET contributions_version = $1 WHERE slug = 'acme'", CONTRIBUTIONS_VERSION - 1)
    await metrics.pool.execute("UPDATE contributions SET bin = 99 WHERE tenant = (SELECT id FROM tenants WHERE slug = 'acme')")
    assert not await builder(metrics).step(metrics.writer, upgrade=False)
    await build(metrics)
    assert await metrics.contributions() == derived(story()) + derived([survey_response(1, nps(9), at=NOW)])
    assert await metrics.pool.fetch(rows) == of_other
    assert await metrics.pool.fetchval("SELECT min(contributions_version) FROM tenants") == CONTRIBUTIONS_VERSION
    assert await rows_of_builds(metrics) == (0, 0, 0, 0, 0)


async def test_a_build_counts_a_subject_that_a_writer_began_to_write_before_it(metrics: MetricsDatabase) -> None:
    """The change of terms waits for that writer, which knows of no build and writes the old generation alone."""
    written, commit = asyncio.Event(), asyncio.Event()

    async def invalidate_and_wait(connection: asyncpg.Connection, touches: Iterable[tuple[int, int, datetime]]) -> None:
        await invalidate(connection, touches)
        written.set()
        await commit.wait()

    async def change_and_build() -> None:
        await change(metrics, "plan")
        await build(metrics)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Writer(metrics.pool, invalidate=invalidate_and_wait).apply(DecodedBatch([answer(70, 1)])))
        await written.wait()
        await asyncio.wait([tasks.create_task(change_and_build())], timeout=4)
        commit.set()
    assert await metrics.contributions() == derived([*story(), answer(70, 1)], "plan")


async def test_a_writer_that_knows_the_measures_of_the_old_generation_writes_to_the_new_one(metrics: MetricsDatabase) -> None:
    other_process = Writer(metrics.pool)
    await other_process.apply(DecodedBatch([answer(60, 1)]))
    await change(metrics, "plan")
    await build(metrics)
    await other_process.apply(DecodedBatch([answer(61, 1)]))
    assert await metrics.contributions() == derived([*story(), answer(60, 1), answer(61, 1)], "plan")


async def test_verification_finds_no_difference_while_a_build_runs_and_after_it(metrics: MetricsDatabase) -> None:
    await change(metrics, "plan")
    await walk_pieces(metrics, 2)
    assert await differences(metrics) == []
    await expire_leases(metrics)
    await build(metrics)
    assert await differences(metrics) == []


async def differences(metrics: MetricsDatabase) -> list[str]:
    step = VerifyStep("contributions")
    async with snapshot(metrics.pool) as connection:
        await compare_contributions(connection, await connection.fetchval("SELECT id FROM tenants"), step)
    return step.differences


async def test_sealed_histograms_of_a_generation_that_is_built_are_exact_once_it_is_served(metrics: MetricsDatabase) -> None:
    await metrics.seal(NOW)
    await change(metrics, "plan")
    await builder(metrics).step(metrics.writer)
    assert await metrics.seal(NOW) > 0
    await metrics.apply(answer(3, 10, revision=2))
    await build(metrics)
    async with snapshot(metrics.pool) as connection:
        scope = await resolve(connection, "acme", Selection(("nps",)))
        assert scope
        sealed = "SELECT count(*) FROM seals WHERE state = 'sealed' AND measure = ANY($1)"
        assert await connection.fetchval(sealed, list(scope.measures)) > 0
        edges = [NOW - timedelta(days=90), NOW + timedelta(hours=1)]
        from_seals = await histograms(connection, scope, edges)
        assert from_seals == await histograms(connection, scope, edges, use_seals=False)
        assert from_seals[0, ()]["nps"].n == SUBJECTS


@pytest.mark.parametrize("seed", range(2))
async def test_builds_beside_many_writers_end_with_the_contributions_of_the_domain(metrics: MetricsDatabase, seed: int) -> None:
    chance, latest = random.Random(seed), {event.seq: event for event in story()}
    stop = asyncio.Event()

    async def write(place: int) -> None:
        writer = Writer(metrics.pool)
        for revision in range(2, 40):
            number = chance.randrange(place, 60, 3)
            latest[number] = answer(number, chance.randint(0, 10), revision)
            await writer.apply(DecodedBatch([latest[number]]))

    async def keep_building() -> None:
        writer = Writer(metrics.pool)
        while not stop.is_set():
            if not await builder(metrics).step(writer):
                await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as tasks:
        building = [tasks.create_task(keep_building()) for _ in range(2)]
        writing = [tasks.create_task(write(place)) for place in range(3)]
        for dimensions in (("plan",), ("plan", "tier"), (), ("plan",)):
            await change(metrics, *dimensions)
            await asyncio.sleep(chance.random())
        await asyncio.gather(*writing)
        stop.set()
        await asyncio.gather(*building)
    await build(metrics)
    assert await metrics.contributions() == derived(list(latest.values()), "plan")
    assert await rows_of_builds(metrics) == (0, 0, 0, 0, 0)
