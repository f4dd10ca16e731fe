"""Snapshots of the database for long computations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.metrics.store.query import snapshot


@asynccontextmanager
async def long_snapshot(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A snapshot in which the time between two statements is not limited. It holds no lock."""
    async with snapshot(pool) as connection:
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield connection
