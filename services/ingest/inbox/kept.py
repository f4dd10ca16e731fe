"""A connection that one worker keeps: taking it from the pool and giving it back would cost a round trip each time."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from services.ingest.inbox.writer import Connection

T = TypeVar("T")

ACQUIRE_SECONDS = 3.0


class Kept:
    """Lets `work` use the connection; after any failure, or when the server has hung up, the next `work` gets another."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._db: Connection | None = None

    async def use(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        db = self._db
        if db is None or hung_up(db):
            await self.give_back()
            db = self._db = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        try:
            return await work(db)
        except BaseException:
            await self.give_back()
            raise

    async def give_back(self) -> None:
        if self._db is not None:
            db, self._db = self._db, None
            await self._pool.release(db)


def hung_up(db: Connection) -> bool:
    """Whether the server has closed the connection: the pool then takes it back by itself, and it can't even be asked."""
    try:
        return bool(db.is_closed())
    except asyncpg.InterfaceError:
        return True
