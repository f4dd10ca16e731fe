"""Reads accepted deliveries again under the current mapping of their connection, and publishes the events that differ.

`POST /v1/replay` with `reread` adds a job. The database holds its progress, so any replica continues after a crash or an outage,
and reading a delivery twice changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import asyncpg
import structlog

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, StoredDelivery
from services.ingest.domain.receive import reread
from services.ingest.inbox import rereading
from services.ingest.inbox.committer import Publish
from services.ingest.inbox.rereading import Job, Selection, Step
from services.ingest.inbox.transactions import Connection as Database
from services.ingest.inbox.transactions import run_transaction
from services.ingest.polling import Poller
from services.ingest.store.connections import ConnectionSource
from services.ingest.threads import FairThreads
from shared.problems import Conflict, Unavailable
from shared.request_context import bound

log = structlog.get_logger()

WAITING_SECONDS = 1.0
"""Pause of a job whose next delivery waits to be published."""

BATCH = 100
BATCH_BYTES = 1024 * 1024
"""Deliveries that are read and stored in one transaction."""


class Rereader:
    """`add` adds a job. `run` is the worker; any number of processes may run it over one database."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connections: ConnectionSource,
        publish: Publish,
        threads: FairThreads,
        now: Callable[[], datetime],
        observe: Callable[[Connection, Delivery], None],
    ) -> None:
        """`observe` is called for each delivery that is read again."""
        self._pool = pool
        self._connections = connections
        self._publish = publish
        self._threads = threads
        self._now = now
        self._observe = observe
        self._poller = Poller("rereader", self.step)

    async def add(self, selection: Selection) -> int:
        """Add a job. Returns the number of deliveries that it will read. Raises Conflict if the tenant has too many jobs."""
        count = await rereading.count_selected(self._pool, selection)
        if not count:
            return 0
        if not await rereading.add_job(self._pool, selection):
            raise Conflict(
                f"{rereading.MOST_JOBS} replays with `reread` are in progress, which is the limit; retry when one is done"
            )
        self._poller.wake()
        return count

    async def open_connections(self, tenant: str) -> set[str | None]:
        """The connections of the tenant whose deliveries are being read again. None: all of them."""
        return {*await rereading.open_selections(self._pool, tenant)}

    async def run(self) -> None:
        """Do the steps of all jobs until cancelled."""
        await self._poller.run()

    async def step(self) -> bool:
        """Do one step of the job that has waited longest. False if no job is due."""
        job = await rereading.claim_job(self._pool)
        if job is None:
            return False
        with bound(job.context):
            await self._do(job)
        return True

    async def _do(self, job: Job) -> None:
        bodies = await rereading.next_bodies(self._pool, job, BATCH, BATCH_BYTES)
        if not bodies:
            await rereading.finish(self._pool, job)
            log.info("rereader.finished", tenant=job.selection.tenant, connection=job.selection.connection)
            return
        step = await self._store(job.selection.tenant, await self._read(bodies))
        self._publish(step.events)
        if step.waiting:
            await rereading.advance(self._pool, job, step.waiting[0] - 1, WAITING_SECONDS)
        else:
            await rereading.advance(self._pool, job, bodies[-1].seq)
        log.info("rereader.read", tenant=job.selection.tenant, deliveries=len(bodies), changed=len(step.events))

    async def _read(self, bodies: Sequence[StoredDelivery]) -> dict[int, Delivery]:
        """The deliveries as they read now, by sequence number. Those that a bug of ours keeps from being read are left out."""
        connections = {name: await self._connections.find(name) for name in {body.connection for body in bodies}}
        read: dict[int, Delivery] = {}
        for body in bodies:
            connection = connections[body.connection]
            if connection and (delivery := await self._read_one(connection, body)):
                read[body.seq] = delivery
                self._observe(connection, delivery)
        return read

    async def _read_one(self, connection: Connection, body: StoredDelivery) -> Delivery | None:
        try:
            return await self._threads.run(connection.tenant, lambda: reread(connection, body, self._now()))
        except Unavailable:
            raise
        except Exception as error:
            log.error("rereader.unreadable", seq=body.seq, error=type(error).__name__)
            return None

    async def _store(self, tenant: str, deliveries: Mapping[int, Delivery]) -> Step:
        async def work(db: Database) -> Step:
            async with db.transaction():
                return await rereading.replace_events(db, tenant, deliveries)

        async with self._pool.acquire(timeout=5) as db:
            return await run_transaction(lambda work: work(db), work)
