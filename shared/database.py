"""PostgreSQL: asyncpg pools for hot paths, SQLAlchemy engines for the rest, retries of transactions, outages as 503."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import stamina
import structlog
from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from shared.problems import Unavailable

log = structlog.get_logger()

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
    asyncpg.InternalClientError,  # for example: the server closed a pooled connection at the moment of its reuse
)
"""Errors of asyncpg whose cause is the server, not the statement."""

RETRYABLE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Errors after which the same transaction may be run again."""

TRANSACTION_ATTEMPTS = 5
ENGINE_OVERFLOW = 5
"""Connections of an engine above its pool's size, under load."""


def log_retry(details: RetryDetails) -> None:
    """Log a retry by its kind alone: stamina's own hook quotes the error, and a database's errors quote values."""
    log.info("retry.scheduled", attempt=details.retry_num, error=type(details.caused_by).__name__, seconds=details.wait_for)


set_on_retry_hooks([log_retry])

retry_transaction = stamina.retry(
    on=RETRYABLE, attempts=TRANSACTION_ATTEMPTS, timeout=None, wait_initial=0.001, wait_max=0.05, wait_jitter=0.01
)
"""Decorator of an async function that runs one whole transaction: run it again after a deadlock or a serialization failure.

After TRANSACTION_ATTEMPTS failures the last error is raised. The function must have no effect outside of its transaction.
"""


def engine_url(url: SecretStr | str) -> URL:
    """A `postgresql://…` or `postgresql+asyncpg://…` URL for SQLAlchemy. Raises ArgumentError if it is no URL."""
    return make_url(url.get_secret_value() if isinstance(url, SecretStr) else url).set(drivername="postgresql+asyncpg")


def dsn(url: SecretStr | str) -> str:
    """The same URL for asyncpg itself, without SQLAlchemy's driver name."""
    return engine_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def open_engine(url: SecretStr | str, pool_size: int = 5) -> AsyncEngine:
    """An engine that connects on first use, so that a service boots while its database is down."""
    return create_async_engine(
        engine_url(url),
        pool_size=pool_size,
        max_overflow=ENGINE_OVERFLOW,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,  # errors are logged, and values are secrets or a customer's words
        connect_args={"server_settings": SERVER_SETTINGS, "timeout": 5, "command_timeout": 5},
    )


@asynccontextmanager
async def open_pool(url: SecretStr | str, size: int = 4, command_timeout: float = 30.0) -> AsyncIterator[asyncpg.Pool]:
    """A pool of asyncpg connections that connects on first use. `command_timeout` is in seconds."""
    async with asyncpg.create_pool(
        dsn(url), min_size=0, max_size=size, timeout=5, command_timeout=command_timeout, server_settings=SERVER_SETTINGS
    ) as pool:
        yield pool


@asynccontextmanager
async def outage_is_503() -> AsyncIterator[None]:
    """Raise Unavailable (503) if the database can't be reached or has no free connection."""
    try:
        yield
    except OUTAGE as error:
        raise Unavailable("the database is unreachable") from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error.orig.__cause__ if error.orig else None, OUTAGE):
            raise Unavailable("the database is unreachable") from error
        raise
    except PoolTimeout as error:
        raise Unavailable("the database has no free connection") from error
