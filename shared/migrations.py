"""Alembic without an ini file: each service keeps its own versions in `services/<service>/migrations`."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, pool
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine


def upgrade(url: str, scripts: Path, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`; concurrent calls wait for one another."""
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["url"] = url
    command.upgrade(config, revision)


def run_env(metadata: MetaData) -> None:
    """What a service's `migrations/env.py` calls."""

    def migrate(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(6519)")
        context.configure(connection=connection, target_metadata=metadata)
        context.run_migrations()

    async def run() -> None:
        url = make_url(context.config.attributes["url"]).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(url, poolclass=pool.NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
        await engine.dispose()

    asyncio.run(run())
