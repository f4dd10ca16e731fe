"""Alembic without an ini file. The versions of a service are in `services/<service>/migrations`."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, pool

from shared.database import Address, create_engine


def upgrade(address: Address, scripts: Path, revision: str = "head") -> str | None:
    """Migrate the database at `address` to `revision`. Concurrent calls wait for one another. Returns the newest revision."""
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["address"] = address
    command.upgrade(config, revision)
    return ScriptDirectory.from_config(config).get_current_head()


def run_env(metadata: MetaData) -> None:
    """Run the migrations online; each service's `migrations/env.py` calls this."""

    def migrate(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(6519)")
        context.configure(connection=connection, target_metadata=metadata)
        context.run_migrations()

    async def run() -> None:
        engine = create_engine(context.config.attributes["address"], poolclass=pool.NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
        await engine.dispose()

    asyncio.run(run())
