"""Group commit: requests that come at the same time share a transaction, and each hears when it is on disk.

A transaction that fails on data is done again one by one, so nobody pays for another's delivery; an outage fails all who wait,
at once.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol, TypeVar

import asyncpg
import structlog

from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.inbox.erasure import erase
from services.ingest.inbox.kept import ACQUIRE_SECONDS, Kept
from services.ingest.inbox.restate import Pending, Restated, restate
from services.ingest.inbox.stated import Stated
from services.ingest.inbox.writer import Connection, write
from shared.database import OUTAGE, retry_transaction
from shared.instruments import DELIVERIES
from shared.problems import Problem, Unavailable

log = structlog.get_logger()

MOST_DELIVERIES = 256
MOST_BYTES = 8 * 1024 * 1024
"""What one transaction takes."""

ENOUGH = 32
"""Deliveries that are worth a transaction; more would leave the processor idle while they commit."""

TURNS = 3
"""Of the event loop, from bytes on a socket to a delivery in the queue."""

T = TypeVar("T")


class Use(Protocol):
    """Lets a piece of work use a connection."""

    async def __call__(self, work: Callable[[Connection], Awaitable[T]], /) -> T: ...


Waiting = tuple[Delivery, asyncio.Future[Outcome]]
HandOff = Callable[[Sequence[Stated]], None]
"""Told, after the commit, what is to be published."""


class Committer:
    """`take` returns once the delivery is durable. `run` is the work of one committer; start as many as may commit at once."""

    def __init__(self, pool: asyncpg.Pool, hand_off: HandOff, limit: int) -> None:
        self._pool = pool
        self._hand_off = hand_off
        self._limit = limit
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()

    async def take(self, delivery: Delivery) -> Outcome:
        """What became of it. Unavailable: it isn't known to be on disk; send it again."""
        return await self._queue(delivery)

    async def take_all(self, deliveries: Sequence[Delivery]) -> list[Outcome | Problem]:
        """The same for several, each with an answer of its own."""
        answers = await asyncio.gather(*map(self._queue, deliveries), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Problem):
                raise answer
        return [answer for answer in answers if isinstance(answer, str | Problem)]

    def _queue(self, delivery: Delivery) -> asyncio.Future[Outcome]:
        if delivery.erases:
            return asyncio.ensure_future(self._erase(delivery))
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if len(self._waiting) >= self._limit:
            future.set_exception(Unavailable("too many deliveries are waiting", retry_after=1))
        else:
            self._waiting.append((delivery, future))
            self._arrived.set()
        return future

    async def run(self) -> None:
        kept = Kept(self._pool)
        try:
            while True:
                await self._arrived.wait()
                await self._gather()
                if batch := self._batch():
                    await self._commit(batch, kept.use)
        finally:
            await kept.give_back()

    async def _gather(self) -> None:
        """Let in who is at the door: while the loop's turns bring more, one transaction more would cost more than it saves."""
        seen = 0
        while seen < len(self._waiting) < ENOUGH:
            seen = len(self._waiting)
            for _ in range(TURNS):
                await asyncio.sleep(0)

    def _batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._waiting and len(batch) < MOST_DELIVERIES and size < MOST_BYTES:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0].raw)
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _commit(self, batch: list[Waiting], use: Use) -> None:
        try:
            outcomes, published = await run_transaction(use, lambda db: write(db, [delivery for delivery, _ in batch]))
        except OUTAGE as error:
            log.warning("inbox.away", waiting=len(batch) + len(self._waiting), error=type(error).__name__)
            _fail(batch + self._all_waiting())
        except asyncpg.PostgresError as error:
            log.error("inbox.refused", deliveries=len(batch), error=type(error).__name__)
            await self._one_by_one(batch, use)
        else:
            self._hand_off(published)
            for outcome, times in Counter(outcomes).items():
                DELIVERIES.labels(outcome).inc(times)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.done():
                    future.set_result(outcome)

    async def again(self, seq: int, delivery: Delivery, before: Pending = "quarantined") -> Outcome:
        """Replace the stored delivery `seq`, whose verdict is `before`, by `delivery`. `duplicate`: its verdict had changed."""
        if delivery.erases:
            await self._erase(replace(delivery, id=None))
            delivery = replace(delivery, raw=b"")

        async def work(db: Connection) -> dict[int, Restated]:
            async with db.transaction():
                return await restate(db, before, {seq: delivery})

        async with refused_is_503():
            restated = await run_transaction(self._once, work)
        if seq not in restated:
            return "duplicate"
        self._hand_off(restated[seq].statements)
        return restated[seq].delivery.verdict

    async def _erase(self, delivery: Delivery) -> Outcome:
        """Alone in its transaction, since it waits for all who write of the customer."""
        async with refused_is_503():
            published = await run_transaction(self._once, lambda db: erase(db, delivery))
        self._hand_off(published or [])
        return "duplicate" if published is None else "accepted"

    async def _once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            return await work(db)

    async def _one_by_one(self, batch: list[Waiting], use: Use) -> None:
        if len(batch) == 1:
            _fail(batch)
            return
        for one in batch:
            await self._commit([one], use)

    def _all_waiting(self) -> list[Waiting]:
        waiting = list(self._waiting)
        self._waiting.clear()
        self._arrived.clear()
        return waiting


@retry_transaction
async def run_transaction(use: Use, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run `work`, one whole transaction, on a connection that `use` provides."""
    return await use(work)


def _fail(waiting: Sequence[Waiting]) -> None:
    for _, future in waiting:
        if not future.done():
            future.set_exception(Unavailable("the delivery could not be stored"))


@asynccontextmanager
async def refused_is_503() -> AsyncIterator[None]:
    """Whatever the database has against a transaction of ours is our fault."""
    try:
        yield
    except (asyncpg.PostgresError, *OUTAGE) as error:
        log.warning("inbox.failed", error=type(error).__name__)
        raise Unavailable("the delivery could not be stored") from error
