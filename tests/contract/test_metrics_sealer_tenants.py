"""A round of the sealer costs what changed: it looks only at tenants that have something to seal, however many there are."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.metrics.sealer import Sealer
from services.metrics.store.seals import invalidate
from services.metrics.store.writer import DecodedBatch, Writer
from tests.conftest import NewDatabase
from tests.service.metrics.database import MetricsDatabase, open_metrics_db, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
MANY = 200


@dataclass
class Recorder:
    """A pool of one connection that remembers the statements run on it."""

    pool: asyncpg.Pool
    statements: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.pool.acquire() as connection:
            with connection.query_logger(lambda record: self.statements.append(record.query)):
                yield connection


@pytest.fixture
def metrics(empty_metrics_db: MetricsDatabase) -> MetricsDatabase:
    return empty_metrics_db


@pytest.fixture(scope="module")
async def url_of_many(database: NewDatabase) -> str:
    """A database with MANY tenants, to be copied."""
    url = await database("metrics")
    async with open_metrics_db(url) as metrics:
        await add_tenants(metrics, MANY)
    return url


@pytest.fixture
async def many(url_of_many: str, copy_database: NewDatabase) -> AsyncIterator[MetricsDatabase]:
    """MANY tenants."""
    async with open_metrics_db(await copy_database(url_of_many)) as metrics:
        yield metrics


async def add_tenants(metrics: MetricsDatabase, count: int) -> None:
    """Tenants `t0`, `t1`, … with an answer of yesterday each; all that can be sealed is sealed."""
    await metrics.apply(*(survey_response(1, nps(9), at=NOW - timedelta(days=1), tenant=f"t{number}") for number in range(count)))
    await metrics.seal(NOW)


def sealer(metrics: MetricsDatabase, recorder: Recorder | None = None, now: datetime = NOW, after: float = 0) -> Sealer:
    return Sealer(recorder or metrics.pool, timedelta(seconds=after), 1.0, clock=lambda: now)


async def statements_of_a_round(metrics: MetricsDatabase) -> int:
    recorder = Recorder(metrics.pool)
    await sealer(metrics, recorder).round()
    return len(recorder.statements)


async def seals_by_tenant(metrics: MetricsDatabase, state: str = "sealed") -> dict[str, frozenset[int]]:
    """The ids of each tenant's seals in that state, by the tenant's name."""
    rows = await metrics.pool.fetch(
        "SELECT t.slug, array_agg(s.id) FROM seals s JOIN tenants t ON t.id = s.tenant WHERE s.state = $1 GROUP BY 1", state
    )
    return {slug: frozenset(ids) for slug, ids in rows}


async def test_an_idle_round_is_one_statement_for_two_tenants_and_for_two_hundred(
    metrics: MetricsDatabase, many: MetricsDatabase
) -> None:
    await add_tenants(metrics, 2)
    assert await statements_of_a_round(metrics) == 1
    assert await statements_of_a_round(many) == 1


async def test_everything_that_is_due_is_sealed_for_two_hundred_tenants(many: MetricsDatabase) -> None:
    seals = await seals_by_tenant(many)
    assert set(seals) == {f"t{number}" for number in range(MANY)}
    assert {len(ids) for ids in seals.values()} == {len(seals["t0"])}
    assert await many.pool.fetchval("SELECT count(*) FROM seals WHERE state <> 'sealed'") == 0
    later = NOW + timedelta(minutes=40)
    await many.seal(later)  # another hour is over
    assert {name: len(ids) for name, ids in (await seals_by_tenant(many)).items()} == {
        name: len(ids) + 2 for name, ids in seals.items()
    }


async def test_a_change_in_a_sealed_span_of_one_tenant_costs_a_look_at_that_tenant_alone(
    metrics: MetricsDatabase, many: MetricsDatabase
) -> None:
    await add_tenants(metrics, 2)
    await metrics.apply(survey_response(2, nps(1), at=NOW - timedelta(hours=3), tenant="t1"))
    with_two = await statements_of_a_round(metrics)
    before = await seals_by_tenant(many)
    await many.apply(survey_response(2, nps(1), at=NOW - timedelta(hours=3), tenant="t77"))
    assert set(await seals_by_tenant(many, "open")) == {"t77"}
    assert await statements_of_a_round(many) == with_two
    assert await seals_by_tenant(many, "open") == {}
    after = await seals_by_tenant(many)
    assert {name for name, ids in after.items() if ids != before[name]} == {"t77"}
    assert len(after["t77"]) == len(before["t77"])


async def test_a_change_of_the_current_hour_requests_no_look(metrics: MetricsDatabase) -> None:
    await add_tenants(metrics, 2)
    await metrics.apply(survey_response(2, nps(1), at=NOW - timedelta(minutes=1), tenant="t1"))
    assert await statements_of_a_round(metrics) == 1


async def test_a_tenant_whose_first_answers_come_after_it_was_looked_at_is_looked_at_again(metrics: MetricsDatabase) -> None:
    await metrics.tenant("acme")
    assert await sealer(metrics).round() == 0
    await metrics.apply(survey_response(1, nps(9), at=NOW - timedelta(days=1)))
    assert await sealer(metrics).round() > 0


async def test_an_answer_older_than_all_others_has_its_days_sealed_from_its_month_on(metrics: MetricsDatabase) -> None:
    await add_tenants(metrics, 2)
    await metrics.apply(survey_response(2, nps(1), at=NOW - timedelta(days=70), tenant="t1"))
    await sealer(metrics).round()
    first = await metrics.pool.fetchval("SELECT min(starts) FROM seals WHERE level = 2 AND state = 'sealed'")
    assert first == datetime(2026, 8, 1, tzinfo=UTC)


async def test_spans_that_changed_a_moment_ago_are_looked_at_again_once_they_have_rested(metrics: MetricsDatabase) -> None:
    await add_tenants(metrics, 2)
    await metrics.apply(survey_response(2, nps(1), at=NOW - timedelta(hours=3), tenant="t1"))
    await metrics.pool.execute("UPDATE sealing SET due = '-infinity'")
    assert await sealer(metrics, after=3600).round() == 0
    assert set(await seals_by_tenant(metrics, "open")) == {"t1"}
    assert await sealer(metrics, after=0).round() > 0
    assert await seals_by_tenant(metrics, "open") == {}


async def test_a_change_that_commits_while_a_sealer_looks_at_its_tenant_is_sealed_too(metrics: MetricsDatabase) -> None:
    """Its writer saw a request for an earlier span, so it made none of its own; the sealer waits for it before it looks."""
    await add_tenants(metrics, 2)
    written, commit = asyncio.Event(), asyncio.Event()

    async def invalidate_and_wait(connection: asyncpg.Connection, touches: Iterable[tuple[int, int, datetime]]) -> None:
        await invalidate(connection, touches)
        written.set()
        await commit.wait()

    await metrics.apply(survey_response(2, nps(1), at=NOW - timedelta(hours=30), tenant="t1"))
    writer = Writer(metrics.pool, invalidate=invalidate_and_wait)
    change = survey_response(3, nps(1), at=NOW - timedelta(hours=3), tenant="t1")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(writer.apply(DecodedBatch([change])))
        await written.wait()
        round_of_sealer = tasks.create_task(sealer(metrics).round())
        await asyncio.sleep(0.5)
        commit.set()
    assert round_of_sealer.result() > 0
    await sealer(metrics).round()
    assert await seals_by_tenant(metrics, "open") == {}
