"""Migrations while services use the database."""

import asyncio
import time

import asyncpg
import pytest
from pydantic import SecretStr

from deploy.local.servers import Postgres
from shared import migrations
from shared.database import dsn
from shared.databases import Database
from shared.migrations import upgrade
from tests.conftest import SERVICES
from tests.e2e.stack import until

SCRIPTS = SERVICES / "ingest" / "migrations"
BEFORE, LAST = "0017", "0021"
"""Revision 0018 builds indexes on `inbox`."""
VERSION = "SELECT version_num FROM alembic_version"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
async def url(postgres: Postgres) -> str:
    """A database of ingest at revision BEFORE."""
    url = await postgres.create_database("migrated_under_load")
    await asyncio.to_thread(upgrade, url, SCRIPTS, BEFORE)
    return url


async def test_a_migration_that_waits_for_a_table_lets_requests_pass_and_ends_when_the_table_is_free(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 0.5)
    using, request = await asyncpg.connect(dsn(url)), await asyncpg.connect(dsn(url))
    transaction = using.transaction()
    await transaction.start()
    await using.execute("LOCK TABLE inbox IN ROW EXCLUSIVE MODE")
    migration = asyncio.create_task(asyncio.to_thread(upgrade, url, SCRIPTS))

    async def is_waiting() -> bool:
        return bool(await request.fetchval(WAITING))

    await until(is_waiting)
    began = time.monotonic()
    await request.execute("UPDATE inbox SET tenant = tenant")
    assert time.monotonic() - began < 5
    assert await request.fetchval(VERSION) == BEFORE
    await transaction.rollback()
    assert await migration == LAST
    assert await request.fetchval(VERSION) == LAST
    await using.close()
    await request.close()


async def test_a_former_release_leaves_the_schema_of_a_later_one_as_it_is(postgres: Postgres) -> None:
    """After a rollback of the services, their migration Job may run again."""
    url = await postgres.create_database("migrated_by_a_later_release")
    await asyncio.to_thread(upgrade, url, SCRIPTS)
    database = await asyncpg.connect(dsn(url))
    await database.execute("UPDATE alembic_version SET version_num = 'later'")
    for pooling in ("session", "transaction"):
        assert await asyncio.to_thread(upgrade, Database(SecretStr(url), pooling=pooling), SCRIPTS) == LAST
        assert await database.fetchval(VERSION) == "later"
    await database.close()
