"""Reads accepted deliveries again under the current mapping of their connection, and publishes the events that differ.

`POST /v1/replay` with `reread` adds a job (`job_runner.py`). Reading a delivery twice changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

import asyncpg
import structlog

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, StoredDelivery
from services.ingest.domain.receive import reread
from services.ingest.inbox import jobs, rereading
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher
from services.ingest.inbox.committer import Publish
from services.ingest.inbox.jobs import Extent, Job
from services.ingest.inbox.rereading import Step
from services.ingest.inbox.selection import Selection
from services.ingest.inbox.transactions import Connection as Database
from services.ingest.inbox.transactions import run_transaction
from services.ingest.store.connections import ConnectionSource
from services.ingest.threads import FairThreads

log = structlog.get_logger()

WAITING_SECONDS = 1.0
"""Pause of a job whose next delivery waits to be published."""

BATCH = 100
BATCH_BYTES = 1024 * 1024
"""Deliveries that are read and stored in one transaction."""


class Rereader:
    """Does steps of jobs of the kind `reread`."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connections: ConnectionSource,
        publish: Publish,
        threads: FairThreads,
        now: Callable[[], datetime],
        observe: Callable[[Connection, Delivery], None],
        cipher: BodyCipher = PLAIN,
    ) -> None:
        """`observe` is called for each delivery that is read again."""
        self._pool = pool
        self._connections = connections
        self._publish = publish
        self._threads = threads
        self._now = now
        self._observe = observe
        self._cipher = cipher

    async def measure(self, selection: Selection) -> Extent:
        """The number of deliveries that a new job will read. Those that are accepted while it runs are read under its mapping."""
        return Extent(await rereading.count_selected(self._pool, selection))

    async def step(self, job: Job) -> bool:
        """Read the next deliveries of the job again. False if none is left."""
        bodies = await rereading.next_bodies(self._pool, job, BATCH, BATCH_BYTES, self._cipher)
        if not bodies:
            return False
        readable = [body for body in bodies if body.raw]
        step = await self._store(job.selection.tenant, await self._read(readable))
        self._publish(step.events)
        changed = len({stored.seq for stored in step.events})
        deleted = len(bodies) - len(readable)
        outcomes = {"changed": changed, "unchanged": len(readable) - len(step.waiting) - changed, "deleted": deleted}
        reached, pause = (step.waiting[0] - 1, WAITING_SECONDS) if step.waiting else (bodies[-1].seq, 0.0)
        async with self._pool.acquire(timeout=5) as db:
            await jobs.advance(db, job, reached, outcomes, pause)
        log.info("rereader.read", tenant=job.selection.tenant, deliveries=len(bodies), changed=len(step.events))
        return True

    async def _read(self, bodies: Sequence[StoredDelivery]) -> dict[int, Delivery]:
        """The deliveries as they read now, by sequence number. Those that a bug of ours keeps from being read are left out."""
        connections = {name: await self._connections.find(name) for name in {body.connection for body in bodies}}
        read: dict[int, Delivery] = {}
        for body in bodies:
            connection = connections[body.connection]
            if connection:
                read_again = partial(reread, connection, body, self._now())
                delivery = await self._threads.run_unless_faulty(connection.tenant, read_again, "rereader.unreadable", body.seq)
                if delivery:
                    read[body.seq] = delivery
                    self._observe(connection, delivery)
        return read

    async def _store(self, tenant: str, deliveries: Mapping[int, Delivery]) -> Step:
        async def work(db: Database) -> Step:
            async with db.transaction():
                return await rereading.replace_events(db, tenant, deliveries)

        async with self._pool.acquire(timeout=5) as db:
            return await run_transaction(lambda work: work(db), work)
