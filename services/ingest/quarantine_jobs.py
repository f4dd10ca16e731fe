"""Jobs on quarantine: read all selected deliveries again, or discard them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

import asyncpg
import structlog

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome, StoredDelivery, split_at_erasures
from services.ingest.domain.receive import receive_again
from services.ingest.inbox import jobs, quarantine
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher
from services.ingest.inbox.committer import Committer, Publish
from services.ingest.inbox.jobs import Job
from services.ingest.inbox.refusals import RefusedTransaction, store_all_or_each
from services.ingest.inbox.transactions import Connection as Database
from services.ingest.inbox.transactions import run_transaction
from services.ingest.inbox.verdicts import Replaced, replace_verdicts
from services.ingest.store.connections import ConnectionSource
from services.ingest.threads import FairThreads

log = structlog.get_logger()

RETRY_BATCH = 50
RETRY_BYTES = 1024 * 1024
"""Deliveries that are read again in one step."""
DISCARD_BATCH = 1_000

STILL = "quarantined"
UNSTORABLE = "the database refused it"


class Retrier:
    """Does steps of jobs of the kind `retry`. A delivery that still can't be read stays, with its present reason."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connections: ConnectionSource,
        committer: Committer,
        publish: Publish,
        threads: FairThreads,
        now: Callable[[], datetime],
        observe: Callable[[Connection, Delivery, Outcome], None],
        pending: Callable[[], None],
        cipher: BodyCipher = PLAIN,
    ) -> None:
        """`observe` is called for each delivery that is accepted, `pending` when one must be fetched."""
        self._pool = pool
        self._connections = connections
        self._committer = committer
        self._publish = publish
        self._threads = threads
        self._now = now
        self._observe = observe
        self._pending = pending
        self._cipher = cipher

    async def step(self, job: Job) -> bool:
        """Read the next deliveries again. False if none is left."""
        stored = await quarantine.next_quarantined(self._pool, job, RETRY_BATCH, RETRY_BYTES, self._cipher)
        if not stored:
            return False
        connections = {name: await self._connections.find(name) for name in {delivery.connection for delivery in stored}}
        read = await self._read(stored, connections)
        for part in split_at_erasures(read):
            job = await self._store(job, part, connections)
        unread = len(stored) - len(read)
        async with self._pool.acquire(timeout=5) as db:
            job = await jobs.advance(db, job, stored[-1].seq, {STILL: unread})
        log.info("job.retried", job=job.id, tenant=job.selection.tenant, deliveries=len(stored), results=dict(job.results))
        return True

    async def _read(self, stored: Sequence[StoredDelivery], connections: Mapping[str, Connection | None]) -> dict[int, Delivery]:
        """The deliveries as they read now. Left out are those of deleted connections, and those that a bug of ours stops."""
        read: dict[int, Delivery] = {}
        for quarantined in stored:
            connection = connections[quarantined.connection]
            if connection and connection.state != "deleted":
                read_again = partial(receive_again, connection, quarantined, self._now())
                delivery = await self._threads.run_unless_faulty(connection.tenant, read_again, "job.unreadable", quarantined.seq)
                if delivery:
                    read[quarantined.seq] = delivery
        return read

    async def _store(self, job: Job, part: Mapping[int, Delivery], connections: Mapping[str, Connection | None]) -> Job:
        """Store deliveries as they were read, and the job's progress, in one transaction. An erasure has its own before.

        A delivery that the database refuses stays in quarantine.
        """

        async def store(deliveries: Sequence[tuple[int, Delivery]]) -> None:
            nonlocal job
            job = await self._store_together(job, dict(deliveries), connections)

        async def refuse(delivery: tuple[int, Delivery], refusal: RefusedTransaction) -> None:
            nonlocal job
            seq, _ = delivery
            log.error("job.unstorable", seq=seq, error=refusal.type_name)
            async with self._pool.acquire(timeout=5) as db, db.transaction():
                await quarantine.set_refused(db, seq, UNSTORABLE)
                job = await jobs.advance(db, job, seq, {STILL: 1}, None)

        await store_all_or_each(list(part.items()), store, refuse)
        return job

    async def _store_together(
        self, job: Job, deliveries: Mapping[int, Delivery], connections: Mapping[str, Connection | None]
    ) -> Job:
        for seq, delivery in deliveries.items():
            if delivery.erases:
                outcome = await self._committer.commit_again(seq, delivery)
                return await self._advance(job, seq, {outcome: 1})

        async def work(db: Database) -> tuple[dict[int, Replaced], Job]:
            async with db.transaction():
                replaced = await replace_verdicts(db, "quarantined", deliveries)
                outcomes = Counter[str](replacement.delivery.verdict for replacement in replaced.values())
                return replaced, await jobs.advance(db, job, max(deliveries), outcomes, None)

        async with self._pool.acquire(timeout=5) as db:
            replaced, advanced = await run_transaction(lambda work: work(db), work)
        self._note(replaced, connections)
        return advanced

    async def _advance(self, job: Job, reached: int, outcomes: Mapping[str, int]) -> Job:
        async with self._pool.acquire(timeout=5) as db:
            return await jobs.advance(db, job, reached, outcomes, None)

    def _note(self, replaced: Mapping[int, Replaced], connections: Mapping[str, Connection | None]) -> None:
        self._publish([event for seq in sorted(replaced) for event in replaced[seq].events])
        for replacement in replaced.values():
            connection = connections[replacement.delivery.connection]
            if connection and replacement.delivery.verdict == "accepted":
                self._observe(connection, replacement.delivery, "accepted")
        if any(replacement.delivery.verdict == "pending" for replacement in replaced.values()):
            self._pending()


class Discarder:
    """Does steps of jobs of the kind `discard`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def step(self, job: Job) -> bool:
        """Delete the bodies of the next deliveries. False if none is left."""

        async def work(db: Database) -> list[int]:
            async with db.transaction():
                discarded = await quarantine.discard_next(db, job, DISCARD_BATCH)
                if discarded:
                    await jobs.advance(db, job, discarded[-1], {"discarded": len(discarded)})
            return discarded

        async with self._pool.acquire(timeout=5) as db:
            discarded = await run_transaction(lambda work: work(db), work)
        return bool(discarded)
