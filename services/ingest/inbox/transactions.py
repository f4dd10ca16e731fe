"""How the inbox runs its transactions: on a connection that a worker keeps, and again after a deadlock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeAlias, TypeVar

import asyncpg
import structlog

from shared.database import OUTAGE, RETRYABLE, retry_transaction
from shared.problems import Unavailable

log = structlog.get_logger()

ACQUIRE_SECONDS = 3.0

T = TypeVar("T")

Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy
"""A connection to the database; `domain.connection.Connection` is a connected tool."""


class Runner(Protocol):
    """Runs a piece of work on a connection to the database."""

    async def __call__(self, work: Callable[[Connection], Awaitable[T]], /) -> T: ...


class StickyConnection:
    """A connection that one worker keeps: acquiring it and releasing it each time would cost a round trip.

    After any failure, or if the server has closed the connection, the next `run` acquires another one.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._db: Connection | None = None

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The result of `work`, which gets the connection."""
        db = self._db
        if db is None or is_closed(db):
            await self.release()
            db = self._db = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        try:
            return await work(db)
        except BaseException:
            await self.release()
            raise

    async def release(self) -> None:
        """Return the connection to the pool."""
        if self._db is not None:
            db, self._db = self._db, None
            await self._pool.release(db)


def is_closed(db: Connection) -> bool:
    """Whether the server has closed the connection. The pool then takes it back by itself, and its methods raise."""
    try:
        return bool(db.is_closed())
    except asyncpg.InterfaceError:
        return True


async def run_transaction(run: Runner, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run `work`, one whole transaction, on a connection that `run` provides; again after a deadlock.

    Only a failed transaction uses stamina, which costs 50 µs for each call.
    """
    try:
        return await run(work)
    except RETRYABLE:
        return await _run_again(run, work)


@retry_transaction
async def _run_again(run: Runner, work: Callable[[Connection], Awaitable[T]]) -> T:
    return await run(work)


@asynccontextmanager
async def database_error_is_503() -> AsyncIterator[None]:
    """Turn any error of the database into a 503: the statements are ours, so the caller is not at fault."""
    try:
        yield
    except (asyncpg.PostgresError, *OUTAGE) as error:
        log.warning("inbox.failed", error=type(error).__name__)
        raise Unavailable("the delivery could not be stored") from error
