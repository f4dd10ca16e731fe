"""The services' databases on a PostgreSQL that was there before us."""

from contextlib import suppress

import asyncpg

from deploy.local.processes import StartFailed
from deploy.local.settings import DATABASES


async def make_databases(base: str) -> dict[str, str]:
    """Make the databases that are missing at `base` (postgresql+asyncpg://user:password@host:port); service → URL of its own."""
    base = base.rstrip("/")
    try:
        connection = await asyncpg.connect(base.replace("+asyncpg", "", 1) + "/postgres", timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise StartFailed(f"the PostgreSQL of DATABASE_URL_BASE can't be used: {error}") from None
    try:
        for name in DATABASES:
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return {name: f"{base}/{name}" for name in DATABASES}
