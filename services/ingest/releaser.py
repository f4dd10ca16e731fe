"""Releases held deliveries: once their connection is no longer paused, they are read under its current mapping and published.

The database says which deliveries are held, so any replica continues after a crash or an outage. A replica that still has the
paused state in its cache may store a delivery as held after the end of the pause; the next poll finds it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import asyncpg
import structlog

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome, StoredDelivery, split_at_erasures
from services.ingest.domain.receive import receive_again
from services.ingest.inbox import verdicts
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher
from services.ingest.inbox.committer import Committer, Publish
from services.ingest.inbox.refusals import RefusedTransaction, store_all_or_each
from services.ingest.inbox.transactions import run_transaction
from services.ingest.polling import Poller
from services.ingest.store.connections import Connections
from services.ingest.threads import FairThreads

log = structlog.get_logger()

BATCH = 50
BATCH_BYTES = 1024 * 1024
"""Held deliveries that are read and stored in one transaction."""

DROP_BATCH = 1_000

UNREADABLE = "an unexpected fault of ours while reading it"
UNSTORABLE = "the database refused it"


class Releaser:
    """`run` is the worker. Start one per process; any number of processes may run it over one database."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connections: Connections,
        committer: Committer,
        publish: Publish,
        threads: FairThreads,
        now: Callable[[], datetime],
        observe: Callable[[Connection, Delivery, Outcome], None],
        cipher: BodyCipher = PLAIN,
    ) -> None:
        """`observe` is called for each delivery that is released."""
        self._pool = pool
        self._connections = connections
        self._committer = committer
        self._publish = publish
        self._threads = threads
        self._now = now
        self._observe = observe
        self._cipher = cipher
        self._poller = Poller("releaser", self.release_batches)

    def wake(self) -> None:
        """Poll now. Call it after a connection became active or was deleted."""
        self._poller.wake()

    async def run(self) -> None:
        """Release held deliveries until cancelled."""
        await self._poller.run()

    async def release_batches(self) -> int:
        """Release one batch of each connection that is ready, so a long backlog of one does not delay the others.

        Returns the number of deliveries that are no longer held.
        """
        return sum([await self._release_batch(ready) for ready in await verdicts.ready_connections(self._pool)])

    async def _release_batch(self, ready: verdicts.ReadyConnection) -> int:
        if ready.state == "deleted":
            return await verdicts.drop_held(self._pool, ready.id, DROP_BATCH)
        connection = await self._connections.find(ready.id)
        if connection is None or connection.state != "active":
            return 0
        oldest = await verdicts.oldest_held(self._pool, connection.id, BATCH, BATCH_BYTES, self._cipher)
        read = {stored.seq: delivery for stored in oldest if (delivery := await self._read(connection, stored))}
        released = len(oldest) - len(read)
        for part in split_at_erasures(read):
            counts = await store_all_or_each(list(part.items()), partial(self._release, connection), self._quarantine)
            if not any(counts):
                break
            released += sum(counts)
        return released

    async def _read(self, connection: Connection, stored: StoredDelivery) -> Delivery | None:
        """The delivery, or None if a bug of ours keeps it from being read; it is then in quarantine."""
        read_again = partial(receive_again, connection, stored, self._now())
        delivery = await self._threads.run_unless_faulty(connection.tenant, read_again, "releaser.unreadable", stored.seq)
        if delivery is None:
            await verdicts.quarantine_held(self._pool, stored.seq, UNREADABLE)
        return delivery

    async def _release(self, connection: Connection, deliveries: Sequence[tuple[int, Delivery]]) -> int:
        """The number of deliveries that are no longer held. 0 if another process releases this connection or it has changed."""
        [(seq, delivery), *others] = deliveries
        if delivery.erases and not others:
            outcome = await self._committer.commit_again(seq, delivery, "held")
            if outcome != "duplicate":
                self._observe(connection, delivery, outcome)
            return int(outcome != "duplicate")
        async with self._pool.acquire(timeout=5) as db:
            events = await run_transaction(
                lambda work: work(db), lambda db: verdicts.release_held(db, connection, dict(deliveries))
            )
        if events is None:
            return 0
        self._publish(events)
        for _, delivery in deliveries:
            self._observe(connection, delivery, delivery.verdict)
        log.info("releaser.released", deliveries=len(deliveries))
        return len(deliveries)

    async def _quarantine(self, delivery: tuple[int, Delivery], refusal: RefusedTransaction) -> int:
        """Move a delivery that the database refuses to quarantine, so that it is no longer held."""
        seq, _ = delivery
        log.error("releaser.unstorable", seq=seq, error=refusal.type_name)
        await verdicts.quarantine_held(self._pool, seq, UNSTORABLE)
        return 1
