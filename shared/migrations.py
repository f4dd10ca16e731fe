"""Alembic without an ini file. The versions of a service are in `services/<service>/migrations`."""

import asyncio
from pathlib import Path

import asyncpg
import stamina
import structlog
from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, pool
from sqlalchemy.exc import DBAPIError

from shared.database import Address, as_database, create_engine

log = structlog.get_logger()

LOCK_SECONDS = 2.0
"""The longest time that a migration waits for a table: requests wait behind it, and webhooks get a 503 after 4 seconds."""
PATIENCE_SECONDS = 600.0
"""How long a migration is retried if it can't lock a table in time, or if PostgreSQL ends it because of a deadlock."""


def upgrade(address: Address, scripts: Path, revision: str = "head") -> str | None:
    """Migrate the database at `address` to `revision`, while services use it. Returns the newest revision.

    Each migration is a transaction. One that meets a deadlock, or a table that is in use for longer than LOCK_SECONDS, is undone
    and tried again. Concurrent calls wait for one another. Raises DBAPIError if a migration fails. Leaves a database that a later
    release has migrated as it is, as after a rollback of the services: the former release works on that schema.
    """
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["address"] = address
    for attempt in stamina.retry_context(is_blocked, attempts=None, timeout=PATIENCE_SECONDS, wait_initial=0.5, wait_max=5.0):
        with attempt:
            command.upgrade(config, revision)
    return ScriptDirectory.from_config(config).get_current_head()


def is_blocked(error: Exception) -> bool:
    """Whether a migration failed because of a deadlock, or since it waited too long for a lock."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else None
    return isinstance(cause, asyncpg.DeadlockDetectedError | asyncpg.LockNotAvailableError)


def run_env(metadata: MetaData) -> None:
    """Run the migrations online; each service's `migrations/env.py` calls this."""

    database = as_database(context.config.attributes["address"])

    def migrate(connection: Connection) -> None:
        if database.pooled_by_transaction:  # another client may use the session next, with its locks
            migrate_in_one_transaction(connection)
            return
        connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_SECONDS * 1000:.0f}ms'")
        connection.exec_driver_sql("SELECT pg_advisory_lock(6519)")
        connection.commit()
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        newer = is_newer()
        connection.commit()
        if not newer:
            context.run_migrations()

    def migrate_in_one_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS * 1000:.0f}ms'")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(6519)")
        context.configure(connection=connection, target_metadata=metadata)
        if not is_newer():
            context.run_migrations()
        connection.commit()

    def is_newer() -> bool:
        """Whether a later release has migrated the database: it is at a revision that this release does not have."""
        known = {script.revision for script in context.script.walk_revisions()}
        unknown = set(context.get_context().get_current_heads()) - known
        if unknown:
            log.warning("database.newer", revisions=sorted(unknown))
        return bool(unknown)

    async def run() -> None:
        engine = create_engine(database, poolclass=pool.NullPool)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(migrate)
        finally:
            await engine.dispose()

    asyncio.run(run())
