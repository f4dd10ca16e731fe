"""PostgreSQL: a pool of raw asyncpg connections for hot paths, a SQLAlchemy engine for the rest, one way to tell an outage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.problems import Unavailable

SERVER_SETTINGS = {"idle_in_transaction_session_timeout": "5000", "timezone": "UTC", "jit": "off"}

OUTAGE = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,  # 08
    asyncpg.InsufficientResourcesError,  # 53: disk full, too many connections
    asyncpg.OperatorInterventionError,  # 57: shutting down, starting up
    asyncpg.PostgresSystemError,  # 58: the disk
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # among others: the server said goodbye to a connection that was just taken up again
)
"""What asyncpg raises when the server, not the statement, is at fault."""

RETRYABLE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Faults after which the same transaction may simply be done again."""


def open_engine(url: str, pool_size: int = 5) -> AsyncEngine:
    """An engine for `postgresql://…`; connects on first use, so a service boots while its database is away."""
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=5,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,  # errors are logged, and values are secrets or somebody's words
        connect_args={"server_settings": SERVER_SETTINGS, "timeout": 5, "command_timeout": 5},
    )


def dsn(url: str) -> str:
    """The same address as asyncpg itself wants it: without SQLAlchemy's driver name."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@asynccontextmanager
async def open_pool(url: str, size: int = 4, command_timeout: float = 30.0) -> AsyncIterator[asyncpg.Pool]:
    """A pool of raw connections that opens them on first use (min_size 0), so a service boots while its database is away."""
    async with asyncpg.create_pool(
        dsn(url), min_size=0, max_size=size, timeout=5, command_timeout=command_timeout, server_settings=SERVER_SETTINGS
    ) as pool:
        yield pool


@asynccontextmanager
async def outage_is_503() -> AsyncIterator[None]:
    """Turn a database that is away into the 503 that callers retry."""
    try:
        yield
    except OUTAGE as error:
        raise Unavailable("the database is away") from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error.orig.__cause__ if error.orig else None, OUTAGE):
            raise Unavailable("the database is away") from error
        raise
    except PoolTimeout as error:
        raise Unavailable("the database is slow") from error
