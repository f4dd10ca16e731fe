"""Stores a page of a tool's history: reads its records like deliveries of the tool's webhook and writes them to the inbox."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import asyncpg
import structlog

from services.ingest.domain.api_outcome import describe_fault
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome, StorableBody, StoredDelivery
from services.ingest.domain.providers.tool_history import HistoryPage, ListedDelivery
from services.ingest.domain.receive import receive_listed, unfetched
from services.ingest.inbox import back_fills
from services.ingest.inbox.body_cipher import BodyCipher, discard_unstored
from services.ingest.inbox.jobs import Job
from services.ingest.inbox.older_feedback import write_older
from services.ingest.inbox.refusals import RefusedTransaction, result_or_refusal
from services.ingest.inbox.transactions import Connection as Database
from services.ingest.inbox.transactions import run_transaction
from services.ingest.threads import FairThreads

log = structlog.get_logger()

T = TypeVar("T")

CHUNK = 10
"""Records that are read in one turn of a thread."""

UNSTORABLE = "unstorable"
"""The outcome of a record that the database refused."""


class PageWriter:
    """Stores pages of back-fills."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        threads: FairThreads,
        now: Callable[[], datetime],
        observe: Callable[[Connection, Delivery], None],
        cipher: BodyCipher,
    ) -> None:
        """`observe` is called for each delivery that is accepted."""
        self._pool = pool
        self._threads = threads
        self._now = now
        self._observe = observe
        self._cipher = cipher

    async def store(self, job: Job, connection: Connection, page: HistoryPage, pause: float) -> Job:
        """Store the deliveries of the page and the cursor of the next one, which is due after `pause` seconds, in one
        transaction. Returns the back-fill after the page. Raises LeaseLost if another process was faster.

        If the database refuses it, each delivery has a transaction of its own, and those that it refuses are left out. Those that
        were stored before a crash are duplicates afterwards.
        """
        deliveries = await self._read(connection, page)
        encrypted = list(zip(deliveries, await self._cipher.encrypt(deliveries), strict=True))

        async def turn_page(db: Database, outcomes: Mapping[str, int]) -> Job:
            return await back_fills.turn_page(db, job, page.cursor, outcomes, page.expected, pause)

        turned = await result_or_refusal(self._write(connection, encrypted, turn_page))
        if isinstance(turned, RefusedTransaction):
            log.error("backfill.unstorable", job=job.id, error=turned.type_name)
            outcomes = Counter([await self._write_one(connection, *pair) for pair in encrypted])
            async with self._pool.acquire(timeout=5) as db, db.transaction():
                return await turn_page(db, outcomes)
        log.info("backfill.page", job=job.id, connection=connection.id, results=dict(turned.results))
        return turned

    async def _write_one(self, connection: Connection, delivery: Delivery, body: StorableBody) -> str:
        """Store a delivery alone. Returns its outcome."""

        async def outcome_of(_: Database, outcomes: Mapping[str, int]) -> str:
            [outcome] = outcomes
            return outcome

        outcome = await result_or_refusal(self._write(connection, [(delivery, body)], outcome_of))
        if isinstance(outcome, RefusedTransaction):
            self._cipher.discard([body])
            return UNSTORABLE
        return outcome

    async def _write(
        self,
        connection: Connection,
        encrypted: Sequence[tuple[Delivery, StorableBody]],
        finish: Callable[[Database, Mapping[str, int]], Awaitable[T]],
    ) -> T:
        """Store deliveries in one transaction, at whose end `finish` gets their number by outcome. Returns its result."""
        deliveries = [delivery for delivery, _ in encrypted]
        bodies = [body for _, body in encrypted]

        async def work(db: Database) -> tuple[list[Outcome], T]:
            async with db.transaction():
                outcomes = await write_older(db, deliveries, bodies)
                return outcomes, await finish(db, Counter(outcomes))

        async with self._pool.acquire(timeout=5) as db:
            outcomes, result = await run_transaction(lambda work: work(db), work)
        discard_unstored(self._cipher, bodies, outcomes)
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            if outcome == "accepted":
                self._observe(connection, delivery)
        return result

    async def _read(self, connection: Connection, page: HistoryPage) -> list[Delivery]:
        """The deliveries of the page as the provider reads them."""
        read: list[Delivery] = []
        for first in range(0, len(page.deliveries), CHUNK):
            part = map(partial(self._read_one, connection), page.deliveries[first : first + CHUNK])
            read += await self._threads.run(connection.tenant, partial(list, part))
        return read

    def _read_one(self, connection: Connection, listed: ListedDelivery) -> Delivery:
        """The record as a delivery. One that a fault of ours keeps from being read is quarantined."""
        now = self._now()
        try:
            return receive_listed(connection, listed, now)
        except Exception as error:
            log.error("backfill.unreadable", connection=connection.id, error=type(error).__name__, exc_info=error)
            stored = StoredDelivery(0, connection.id, None, now, dict(listed.headers), listed.body, "", connection.revision)
            return unfetched(connection, stored, describe_fault(error), "internal_fault")
