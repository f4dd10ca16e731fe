"""PostgreSQL: asyncpg pools for hot paths, SQLAlchemy engines for the rest, retries of transactions, outages as 503."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import stamina
import structlog
from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from shared.array_arguments import recognise_arrays_by_type
from shared.databases import Database
from shared.problems import Unavailable

log = structlog.get_logger()

Address = Database | SecretStr | str
"""A database, or its URL alone, without settings of TLS and pooling."""

SERVER_SETTINGS = {"idle_in_transaction_session_timeout": "5000", "timezone": "UTC", "jit": "off"}

OUTAGE = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,  # 08
    asyncpg.InvalidAuthorizationSpecificationError,  # 28: a password that was changed
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
recognise_arrays_by_type()

retry_transaction = stamina.retry(
    on=RETRYABLE, attempts=TRANSACTION_ATTEMPTS, timeout=None, wait_initial=0.001, wait_max=0.05, wait_jitter=0.01
)
"""Decorator of an async function that runs one whole transaction: run it again after a deadlock or a serialization failure.

After TRANSACTION_ATTEMPTS failures the last error is raised. The function must have no effect outside of its transaction.
"""


def as_database(address: Address) -> Database:
    """The database at an address."""
    if isinstance(address, Database):
        return address
    return Database.at(address if isinstance(address, SecretStr) else SecretStr(address))


def engine_url(address: Address) -> URL:
    """The URL for SQLAlchemy, without parameters. Raises ArgumentError if it is no URL."""
    return make_url(as_database(address).url.get_secret_value()).set(drivername="postgresql+asyncpg", query={})


def dsn(address: Address) -> str:
    """The same URL for asyncpg itself, without SQLAlchemy's driver name."""
    return engine_url(address).set(drivername="postgresql").render_as_string(hide_password=False)


def tls_context(database: Database) -> ssl.SSLContext:
    """TLS as the database's settings require it. Raises OSError, or SSLError, if a file is missing or invalid."""
    context = ssl.create_default_context(cafile=database.ca_file)
    context.check_hostname = database.ssl_mode == "verify-full"
    if not database.verified:
        context.verify_mode = ssl.CERT_NONE
    if database.certificate_file:
        context.load_cert_chain(database.certificate_file, database.key_file)
    return context


async def connect(database: Database, /, *arguments: Any, **options: Any) -> asyncpg.Connection:
    """A new connection, with TLS as the settings require it. Raises an error of OUTAGE if that is impossible.

    A failure of TLS and a refused login are logged with the reason: an operator sees it nowhere else, since a service answers
    all outages alike.
    """
    try:
        return await asyncpg.connect(*arguments, **options, **tls_arguments(database))
    except ssl.SSLError as error:
        reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason
        log.warning("database.tls_failed", reason=reason or type(error).__name__)
        raise
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        log.warning("database.login_failed", reason=type(error).__name__)
        raise


def tls_arguments(database: Database) -> dict[str, Any]:
    """The arguments of a new connection that say how it uses TLS. Raises OSError if a file is missing or invalid."""
    if database.ssl_mode is None:
        return {}
    return {"ssl": database.ssl_mode if database.ssl_mode in ("disable", "prefer") else tls_context(database)}


def server_settings(database: Database) -> dict[str, str]:
    """The session's settings. Poolers in transaction mode refuse most of them: there the database's role must have them."""
    query = make_url(database.url.get_secret_value()).query
    named = {name: str(value) for name, value in query.items() if name == "application_name"}
    if database.pooled_by_transaction:
        return {**named, "timezone": SERVER_SETTINGS["timezone"]}
    return {**named, **SERVER_SETTINGS}


def create_engine(address: Address, connect_args: Mapping[str, Any] | None = None, **options: Any) -> AsyncEngine:
    """An engine that connects to the database as its settings say. `options` are those of create_async_engine."""
    database = as_database(address)
    arguments = dict(connect_args or {})
    if database.pooled_by_transaction:  # a statement that is prepared in one session is unknown to the next
        arguments |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    arguments["async_creator_fn"] = partial(connect, database)
    return create_async_engine(engine_url(database), connect_args=arguments, **options)


def open_engine(address: Address, pool_size: int = 5) -> AsyncEngine:
    """An engine that connects on first use, so that a service boots while its database is down."""
    return create_engine(
        address,
        {"server_settings": server_settings(as_database(address)), "timeout": 5, "command_timeout": 5},
        pool_size=pool_size,
        max_overflow=ENGINE_OVERFLOW,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,  # errors are logged, and values are secrets or a customer's words
    )


@asynccontextmanager
async def open_pool(address: Address, size: int = 4, command_timeout: float = 30.0) -> AsyncIterator[asyncpg.Pool]:
    """A pool of asyncpg connections that connects on first use. `command_timeout` is in seconds."""
    database = as_database(address)
    by_transaction = {"statement_cache_size": 0} if database.pooled_by_transaction else {}
    async with asyncpg.create_pool(
        dsn(database),
        min_size=0,
        max_size=size,
        timeout=5,
        command_timeout=command_timeout,
        server_settings=server_settings(database),
        connect=partial(connect, database),
        reset=keep_session,
        **by_transaction,
    ) as pool:
        yield pool


async def keep_session(connection: asyncpg.Connection) -> None:
    """Reset nothing when a connection goes back to its pool: settings and locks are those of a transaction, which has ended.

    It saves a statement for each use, and behind a pooler in transaction mode that would reach the session of another client.
    """


async def database_answers(pool: asyncpg.Pool, seconds: float = 2.0) -> bool:
    """Whether the database answers within this time, for the readiness of a service."""
    try:
        async with pool.acquire(timeout=seconds) as connection:
            await connection.execute("SELECT 1", timeout=seconds)
    except OUTAGE:
        return False
    return True


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
