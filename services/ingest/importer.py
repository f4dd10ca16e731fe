"""Imports uploaded files: reads their records and stores them through the inbox, on database connections of its own.

The database holds the progress, so any process continues after a crash behind the last record that is stored. Imports take turns,
those of a tenant together count once. Records are read in a thread while earlier ones are stored.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import asyncpg
import structlog

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.imports.job import Fault, Import
from services.ingest.domain.imports.lines import Position, read_lines
from services.ingest.domain.imports.reading import Row, RowReader, digest_of_content, header_of, mapping_of
from services.ingest.domain.imports.rows import Unreadable
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher, discard_unstored
from services.ingest.inbox.imports import LeaseLost, store_rows
from services.ingest.inbox.transactions import StickyConnection, run_transaction
from services.ingest.polling import Poller
from services.ingest.store.connections import ConnectionSource
from services.ingest.store.import_progress import ImportProgress
from services.ingest.store.imports import Imports
from shared.database import OUTAGE
from shared.request_context import bound

log = structlog.get_logger()

BATCH_ROWS = 256
BATCH_BYTES = 1024 * 1024
"""Records that are stored in one transaction. It is short: readers of the event log wait for it."""
TURN_SECONDS = 2.0
"""After it another import has its turn."""
RENEW_PARTS = 8
"""Parts that are hashed between two renewals of the claim."""
EXPIRE_SECONDS = 3600.0
UNSTORABLE = "the database refused it"

Batch = tuple[list[Row], Unreadable | None]
"""Records, and why no more can be read."""


class Importer:
    """`run` is the worker. Start one in a process; any number of processes may run it over one database."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        uploads: Imports,
        connections: ConnectionSource,
        now: Callable[[], datetime],
        observe: Callable[[Connection, Delivery], None],
        cipher: BodyCipher = PLAIN,
    ) -> None:
        """`observe` is called for each delivery that is accepted. Only the importer should use `pool`."""
        self._pool = pool
        self._uploads = uploads
        self._progress = ImportProgress(pool)
        self._connections = connections
        self._now = now
        self._observe = observe
        self._cipher = cipher
        self._expired_at = -EXPIRE_SECONDS
        self._poller = Poller("importer", self.step)

    def wake(self) -> None:
        """Look for an import now."""
        self._poller.wake()

    async def run(self) -> None:
        """Import until cancelled."""
        await self._poller.run()

    async def step(self) -> bool:
        """Do one turn of the next import. False if none is due."""
        if time.monotonic() - self._expired_at > EXPIRE_SECONDS:
            await self._progress.expire()
            self._expired_at = time.monotonic()
        job = await self._progress.claim()
        if job is None:
            return False
        with bound(job.context):
            try:
                await self._take_turn(job)
            except LeaseLost:
                log.info("import.lease_lost", id=job.id)
        return True

    async def _take_turn(self, job: Import) -> None:
        connection = await self._connections.find(job.connection)
        if connection is None or connection.state == "deleted":
            await self._end(job, "the connection is deleted")
            return
        try:
            ready = job if job.prepared else await self._prepare(job)
        except Unreadable as error:
            await self._end(job, str(error))
            return
        await self._import(ready, connection)

    async def _prepare(self, job: Import) -> Import:
        """Compute the file's digest and read its header. Raises Unreadable if it can't be imported."""
        digest = sha256()
        part = 1
        while (content := await self._uploads.load_part(job.id, part)) is not None:
            await asyncio.to_thread(digest.update, content)
            if part % RENEW_PARTS == 0:
                await self._progress.renew(job)
            part += 1
        if job.sha256 is not None and job.sha256 != digest.hexdigest():
            raise Unreadable("the uploaded content has another SHA-256 than the one that was stated when the import was created")
        mapping = mapping_of(job)
        header, begin = (
            await asyncio.to_thread(header_of, read_lines(self._loader(job)), mapping) if mapping else ((), job.position)
        )
        prepared = await self._progress.prepare(job, digest.hexdigest(), header, begin)
        if prepared is None:
            raise LeaseLost
        return prepared

    async def _import(self, job: Import, connection: Connection) -> None:
        """Store records until the file or the turn ends."""
        mapping = mapping_of(job)
        reader = RowReader(connection, job.format, mapping, job.header, digest_of_content(job.sha256 or "", mapping), self._now)
        rows = reader.rows(read_lines(self._loader(job), job.position))
        sizes = {part.number: part.bytes for part in await self._uploads.parts(job.id)}
        ends_at = time.monotonic() + TURN_SECONDS
        store = StickyConnection(self._pool)
        reading = asyncio.ensure_future(asyncio.to_thread(next_batch, rows))
        try:
            while True:
                batch, problem = await reading
                if batch and problem is None:
                    reading = asyncio.ensure_future(asyncio.to_thread(next_batch, rows))
                for part in split_at_erasures(batch):
                    job = await self._store(store, job, connection, part, sizes)
                if problem or not batch:
                    await self._end(job, str(problem) if problem else None)
                    return
                if time.monotonic() > ends_at:
                    await self._progress.renew(job, 0)
                    return
        finally:
            await asyncio.wait([reading])
            if not reading.cancelled():
                reading.exception()  # of records that are read ahead: the next turn meets the error again
            await store.release()

    async def _store(
        self, store: StickyConnection, job: Import, connection: Connection, rows: Sequence[Row], sizes: dict[int, int]
    ) -> Import:
        """Store records; if the database refuses them, one by one."""
        read = bytes_before(rows[-1].end, sizes)
        current = job
        bodies = await self._cipher.seal([stored_part(row.outcome) for row in rows if isinstance(row.outcome, Delivery)])
        try:
            stored = await run_transaction(store.run, lambda db: store_rows(db, current, rows, read, bodies))
        except OUTAGE:
            raise
        except asyncpg.PostgresError as error:
            log.error("import.refused", id=job.id, records=len(rows), error=type(error).__name__)
            self._cipher.discard(bodies)
            if len(rows) == 1:
                refused = replace(rows[0], outcome=[Fault(rows[0].line, "", UNSTORABLE)])
                return (await run_transaction(store.run, lambda db: store_rows(db, current, [refused], read))).job
            for row in rows:
                job = await self._store(store, job, connection, [row], sizes)
            return job
        discard_unstored(self._cipher, bodies, [outcome for _, outcome in stored.outcomes])
        for delivery, outcome in stored.outcomes:
            if outcome == "accepted":
                self._observe(connection, delivery)
        return stored.job

    async def _end(self, job: Import, problem: str | None) -> None:
        if await self._progress.end(job, "failed" if problem else "done", problem):
            log.info("import.finished", id=job.id, tenant=job.tenant, results=dict(job.results), reason=problem)

    def _loader(self, job: Import) -> Callable[[int], bytes | None]:
        """Loads a part of the file. For the thread that reads records: it waits for the event loop."""
        loop = asyncio.get_running_loop()
        return lambda part: asyncio.run_coroutine_threadsafe(self._uploads.load_part(job.id, part), loop).result()


def next_batch(rows: Iterator[Row]) -> Batch:
    """The next records, as many as are stored together. None: the file has ended."""
    batch: list[Row] = []
    size = 0
    try:
        while len(batch) < BATCH_ROWS and size < BATCH_BYTES and (row := next(rows, None)):
            batch.append(row)
            size += len(row.outcome.raw) if isinstance(row.outcome, Delivery) else 0
    except Unreadable as error:
        return batch, error
    return batch, None


def stored_part(delivery: Delivery) -> Delivery:
    """The delivery without its body if that is not stored: that of an erasure names the customer."""
    return replace(delivery, raw=b"") if delivery.erases else delivery


def split_at_erasures(rows: Sequence[Row]) -> list[list[Row]]:
    """The records in parts, in their order. An erasure is alone in its part."""
    parts: list[list[Row]] = [[]]
    for row in rows:
        if isinstance(row.outcome, Delivery) and row.outcome.erases:
            parts += [[row], []]
        else:
            parts[-1].append(row)
    return [part for part in parts if part]


def bytes_before(position: Position, sizes: dict[int, int]) -> int:
    """The bytes of the file before a position, given the size of each part."""
    return sum(size for number, size in sizes.items() if number < position.part) + position.offset
