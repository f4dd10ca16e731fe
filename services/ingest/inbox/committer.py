"""Group commit: deliveries that arrive at the same time share a transaction. Each request is answered once its delivery is on
disk.

If the database refuses a delivery, its transaction is repeated one delivery at a time, so the others are stored. An outage fails
all waiting deliveries at once.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import asyncpg
import structlog
from msgspec.structs import replace
from opentelemetry.trace import SpanKind

from services.ingest.domain.delivery import Delivery, Outcome, StorableBody
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher, discard_unstored
from services.ingest.inbox.erasure import erase
from services.ingest.inbox.outbox import OutboxEvent
from services.ingest.inbox.refusals import RefusedTransaction, store_all_or_each
from services.ingest.inbox.transactions import (
    ACQUIRE_SECONDS,
    Connection,
    Runner,
    StickyConnection,
    database_error_is_503,
    run_transaction,
)
from services.ingest.inbox.verdicts import Pending, Replaced, replace_verdicts
from services.ingest.inbox.writer import write
from shared import tracing
from shared.database import OUTAGE
from shared.problems import Problem, Unavailable
from shared.request_context import RequestContext, current_context, request_ids

log = structlog.get_logger()

MAX_DELIVERIES = 256
MAX_BYTES = 8 * 1024 * 1024
"""Bounds of one transaction."""

ENOUGH = 32
"""Deliveries that are worth a transaction. Waiting for more would leave the processor idle while they commit."""

LOOP_ROUNDS = 3
"""Rounds of the event loop from bytes on a socket to a delivery in the queue."""

T = TypeVar("T")

Waiting = tuple[Delivery, asyncio.Future[Outcome], RequestContext | None]
"""A delivery, its result, and the context of its request."""
Publish = Callable[[Sequence[OutboxEvent]], None]
"""Called after a commit with the events to publish."""


class Committer:
    """`commit` returns once the delivery is durable. `run` is a worker; start as many as may commit at the same time."""

    def __init__(self, pool: asyncpg.Pool, publish: Publish, limit: int, cipher: BodyCipher = PLAIN) -> None:
        """`limit`: deliveries that may wait."""
        self._pool = pool
        self._publish = publish
        self._limit = limit
        self._cipher = cipher
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._erasing: set[asyncio.Task[Outcome]] = set()

    async def commit(self, delivery: Delivery) -> Outcome:
        """Store a delivery. Raises Unavailable if it isn't known to be on disk: the sender must send it again."""
        return await self._enqueue(delivery)

    async def commit_all(self, deliveries: Sequence[Delivery]) -> list[Outcome | Problem]:
        """Store several deliveries. Each has an outcome of its own, or the problem that `commit` would raise."""
        results = await asyncio.gather(*map(self._enqueue, deliveries), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, Problem):
                raise result
        return [result for result in results if isinstance(result, str | Problem)]

    def _enqueue(self, delivery: Delivery) -> asyncio.Future[Outcome]:
        if delivery.erases:
            return self._begin_erasure(delivery)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if len(self._waiting) >= self._limit:
            future.set_exception(Unavailable("too many deliveries are waiting", retry_after=1))
        else:
            self._waiting.append((delivery, future, current_context()))
            self._arrived.set()
        return future

    def _begin_erasure(self, delivery: Delivery) -> asyncio.Future[Outcome]:
        """An erasure that has begun is not cancelled with its request, whose deadline may be over."""
        erasing = asyncio.create_task(self._erase(delivery))
        self._erasing.add(erasing)
        erasing.add_done_callback(self._erasing.discard)
        return asyncio.shield(erasing)

    async def run(self) -> None:
        """Commit waiting deliveries until cancelled."""
        connection = StickyConnection(self._pool)
        try:
            while True:
                await self._arrived.wait()
                await self._gather()
                if batch := self._next_batch():
                    await self._commit(batch, connection.run)
        finally:
            await connection.release()

    async def _gather(self) -> None:
        """Wait while requests keep arriving: larger batches cost less per delivery."""
        seen = 0
        while seen < len(self._waiting) < ENOUGH:
            seen = len(self._waiting)
            for _ in range(LOOP_ROUNDS):
                await asyncio.sleep(0)

    def _next_batch(self) -> list[Waiting]:
        """The oldest waiting deliveries. One whose request has ended meanwhile is left out: its sender will send it again."""
        batch: list[Waiting] = []
        size = 0
        while self._waiting and len(batch) < MAX_DELIVERIES and size < MAX_BYTES:
            waiting = self._waiting.popleft()
            if not waiting[1].done():
                batch.append(waiting)
                size += len(waiting[0].raw)
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _commit(self, batch: list[Waiting], run: Runner) -> None:
        try:
            bodies = await self._cipher.encrypt([delivery for delivery, _, _ in batch])
            await store_all_or_each(list(zip(batch, bodies, strict=True)), partial(self._store, run), self._refuse)
        except OUTAGE as error:
            log.warning("inbox.unavailable", waiting=len(batch) + len(self._waiting), error=type(error).__name__)
            _fail(batch + self._take_all_waiting())
        except asyncpg.PostgresError as error:
            log.error("inbox.keys_refused", deliveries=len(batch), error=type(error).__name__)
            _fail(batch)

    async def _store(self, run: Runner, encrypted: Sequence[tuple[Waiting, StorableBody]]) -> None:
        """Store deliveries in one transaction, publish their events, and answer their requests."""
        batch, bodies = zip(*encrypted, strict=True)
        deliveries, _, contexts = zip(*batch, strict=True)
        attributes: dict[str, str | int] = {"db.system.name": "postgresql", "db.operation.batch.size": len(batch)}
        with tracing.span("commit deliveries", SpanKind.CLIENT, contexts, attributes):
            outcomes, events = await run_transaction(run, lambda db: write(db, deliveries, contexts, bodies))
        discard_unstored(self._cipher, bodies, outcomes)
        self._publish(events)
        for (_, future, _), outcome in zip(batch, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)
        log.debug("inbox.committed", outcomes=Counter(outcomes), request_ids=request_ids(contexts, most=None))

    async def _refuse(self, encrypted: tuple[Waiting, StorableBody], refusal: RefusedTransaction) -> None:
        waiting, body = encrypted
        log.error("inbox.refused", error=refusal.type_name)
        self._cipher.discard([body])
        _fail([waiting])

    def _take_all_waiting(self) -> list[Waiting]:
        waiting = list(self._waiting)
        self._waiting.clear()
        self._arrived.clear()
        return waiting

    async def commit_again(self, seq: int, delivery: Delivery, pending: Pending = "quarantined") -> Outcome:
        """Replace the stored delivery `seq`, whose verdict is `pending`, by `delivery`, which is the same one read again.

        Returns "duplicate" if the verdict has changed meanwhile. Raises Unavailable like `commit`.
        """
        if delivery.erases:
            await self._erase(replace(delivery, id=None))
            delivery = replace(delivery, raw=b"")

        async def work(db: Connection) -> dict[int, Replaced]:
            async with db.transaction():
                return await replace_verdicts(db, pending, {seq: delivery})

        async with database_error_is_503():
            replaced = await run_transaction(self._run_once, work)
        if seq not in replaced:
            return "duplicate"
        self._publish(replaced[seq].events)
        return replaced[seq].delivery.verdict

    async def _erase(self, delivery: Delivery) -> Outcome:
        """An erasure has a transaction of its own, since it waits for all transactions that write statements of the customer."""
        async with database_error_is_503():
            tombstones = await run_transaction(self._run_once, lambda db: erase(db, delivery))
        self._publish(tombstones or [])
        return "duplicate" if tombstones is None else "accepted"

    async def _run_once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            return await work(db)


def _fail(waiting: Sequence[Waiting]) -> None:
    for _, future, _ in waiting:
        if not future.done():
            future.set_exception(Unavailable("the delivery could not be stored"))
