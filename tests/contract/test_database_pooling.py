"""DATABASE_POOLING=transaction: services work although each transaction may run in another session of the server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url

from deploy.local.servers import Postgres
from services.metrics.store.writer import Writer
from shared.database import open_engine, open_pool
from shared.databases import Database
from shared.migrations import upgrade
from tests.conftest import SERVICES, NewDatabase
from tests.contract.inbox import nps_delivery, open_inbox
from tests.contract.transaction_pooler import Pooler, transaction_pooler
from tests.service.metrics.database import MetricsDatabase, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.fixture
async def pooler(postgres: Postgres) -> AsyncIterator[Pooler]:
    async with transaction_pooler(postgres.port) as pooler:
        yield pooler


def through(pooler: Pooler, url: str) -> Database:
    """The database at `url`, through the pooler."""
    pooled = make_url(url).set(port=pooler.port).render_as_string(hide_password=False)
    return Database(SecretStr(pooled), pooling="transaction")


async def run_many(pool: asyncpg.Pool) -> list[int]:
    """The results of many statements, of several connections in turn, in and outside of transactions."""

    async def one(number: int) -> int:
        async with pool.acquire() as connection:
            outside = await connection.fetchval("SELECT $1::int", number)
            async with connection.transaction():
                inside = await connection.fetchval("SELECT $1::int + 1", number)
                await connection.executemany("SELECT $1::int", [(1,), (2,)])
        assert inside == outside + 1
        return int(outside)

    return list(await asyncio.gather(*map(one, range(100))))


async def test_a_pool_and_an_engine_work_in_changing_sessions(pooler: Pooler, database: NewDatabase) -> None:
    target = through(pooler, await database("gateway"))
    async with open_pool(target, 4) as pool:
        assert await run_many(pool) == list(range(100))
        assert await pool.fetchval("SHOW timezone") == "UTC"
    engine = open_engine(target)

    async def query(number: int) -> int:
        async with engine.begin() as connection:
            return int((await connection.execute(text("SELECT CAST(:n AS int)"), {"n": number})).scalar_one())

    assert await asyncio.gather(*map(query, range(50))) == list(range(50))
    async with open_pool(target, 4) as pool:
        names = await asyncio.gather(*(pool.fetch("SELECT name FROM pg_prepared_statements") for _ in range(20)))
        assert not any(names), "another client of the session could have a statement of the same name"
    await engine.dispose()
    assert pooler.switches > 50


async def test_without_the_setting_the_pooler_refuses_the_connection(pooler: Pooler, database: NewDatabase) -> None:
    target = Database(through(pooler, await database("gateway")).url)
    async with open_pool(target) as pool:
        with pytest.raises(asyncpg.ProtocolViolationError, match="unsupported startup parameter"):
            await pool.fetchval("SELECT 1")


@pytest.mark.parametrize("service", ["ingest", "metrics", "gateway"])
async def test_migrations_run_through_a_pooler(pooler: Pooler, postgres: Postgres, service: str) -> None:
    target = through(pooler, await postgres.create_database(f"pooled_{service}"))
    assert await asyncio.to_thread(upgrade, target, SERVICES / service / "migrations")


async def test_deliveries_are_committed_through_a_pooler(pooler: Pooler, database: NewDatabase) -> None:
    async with open_inbox(through(pooler, await database("ingest"))) as inbox:
        deliveries = [nps_delivery(number % 11, id=f"d-{number}", subject=f"r-{number}") for number in range(100)]
        assert set(await inbox.deliver(*deliveries)) == {"accepted"}
        assert set(await inbox.deliver(*deliveries)) == {"duplicate"}
        assert len(await inbox.events()) == 100


async def test_histograms_are_sealed_through_a_pooler_and_its_locks_are_released(pooler: Pooler, database: NewDatabase) -> None:
    url = await database("metrics")
    async with open_pool(through(pooler, url), 14) as pool:
        metrics = MetricsDatabase(url, pool, Writer(pool))
        await metrics.tenant()
        await metrics.apply(*(survey_response(n, nps(9), at=NOW - timedelta(hours=n + 1)) for n in range(20)))
        assert await metrics.seal(NOW) > 0
        assert await metrics.pool.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
        await metrics.apply(survey_response(1, nps(1), at=NOW - timedelta(hours=2), revision=2))
        assert await metrics.seal(NOW) > 0
