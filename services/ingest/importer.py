"""Imports uploaded files: reads their records and stores them through the inbox, on database connections of its own.

The database holds the progress, so any process continues after a crash, after the last stored record. A file is divided into
ranges, which several processes read at the same time (`domain/imports/ranges.py`). Imports take turns; all imports of a tenant
share one turn. Records are read in a thread while earlier ones are stored.

No fault blocks an import for ever: a record that raises an error is rejected, and any other step that fails is tried
MOST_ATTEMPTS times.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

import asyncpg
import structlog
from msgspec import structs

from services.ingest.domain.api_outcome import describe_fault
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, StorableBody
from services.ingest.domain.imports.batches import (
    RETRY_SECONDS,
    Turn,
    bytes_before,
    next_batch,
    retry_pause,
    split_at_erasures,
    stored_part,
)
from services.ingest.domain.imports.job import Fault, FileRange, Import
from services.ingest.domain.imports.lines import FilePosition, read_lines
from services.ingest.domain.imports.ranges import LineRanges, row_ranges
from services.ingest.domain.imports.reading import NDJSON, Row, RowReader, digest_of_content, header_of, mapping_of
from services.ingest.domain.imports.rows import Unreadable, read_rows
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher, discard_unstored
from services.ingest.inbox.imports import StoredRows, store_rows
from services.ingest.inbox.leases import LeaseLost
from services.ingest.inbox.refusals import RefusedTransaction, store_all_or_each
from services.ingest.inbox.transactions import StickyConnection, run_transaction
from services.ingest.polling import Poller
from services.ingest.store.connections import ConnectionSource
from services.ingest.store.import_progress import LEASE_SECONDS, ImportProgress
from services.ingest.store.imports import Imports
from shared.database import OUTAGE
from shared.problems import Unavailable
from shared.request_context import bound

log = structlog.get_logger()

T = TypeVar("T")

TURN_SECONDS = 2.0
"""How long a turn lasts; then another import has its turn."""
EXPIRE_SECONDS = 3600.0
UNSTORABLE = "the database refused it"
KILLED = "the importing process was killed"

MOST_ATTEMPTS = 5
"""Attempts in a row without a stored record, after which the range ends, and the import is failed."""


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
        """Prepare the next import, or do one turn of the next range. False if none is due."""
        if time.monotonic() - self._expired_at > EXPIRE_SECONDS:
            await self._progress.expire()
            self._expired_at = time.monotonic()
        if job := await self._progress.claim():
            with bound(job.context):
                await self._try_to_prepare(job)
            return True
        part = await self._progress.claim_range()
        if part is None:
            return False
        with bound(part.job.context):
            await self._try_to_import(part)
        return True

    async def _try_to_prepare(self, job: Import) -> None:
        if job.attempts > MOST_ATTEMPTS:
            self._note_end(await self._progress.fail(job, f"{KILLED} {MOST_ATTEMPTS} times"))
            return
        try:
            await self._prepare(job)
        except Unreadable as error:
            self._note_end(await self._progress.fail(job, str(error)))
        except (Unavailable, *OUTAGE):
            await self._progress.retry(job, RETRY_SECONDS, counts=False)
            raise
        except Exception as error:
            log.error("import.fault", id=job.id, attempts=job.attempts, error=type(error).__name__)
            if job.attempts >= MOST_ATTEMPTS:
                self._note_end(await self._progress.fail(job, describe_fault(error)))
            else:
                await self._progress.retry(job, retry_pause(job.attempts), counts=True)

    async def _prepare(self, job: Import) -> None:
        """Compute the file's digest, read its header, and divide it into ranges. Raises Unreadable if it can't be imported."""
        digest, ranges = sha256(), LineRanges(job.parts)
        if not job.prepared:
            await self._keep_claim(job, self._read_parts(job, digest.update, ranges.add))
            if job.sha256 is not None and job.sha256 != digest.hexdigest():
                raise Unreadable(
                    "the uploaded content has another SHA-256 than the one that was stated when the import was created"
                )
        mapping = mapping_of(job)
        header, begin, begins = job.header, job.position, ranges.begins if job.format == NDJSON else []
        if mapping and not job.prepared:
            header, begin = await asyncio.to_thread(header_of, read_lines(self._loader(job)), mapping)
            rows = read_rows(read_lines(self._loader(job), begin), mapping)
            begins = await self._keep_claim(job, asyncio.to_thread(row_ranges, rows, job.parts))
        read = await self._bytes_before(job, begin)
        sha = job.sha256 if job.prepared and job.sha256 else digest.hexdigest()
        if not await self._progress.prepare(job, sha, header, [begin, *begins], read):
            log.info("import.lease_lost", id=job.id)

    async def _read_parts(self, job: Import, digest: Callable[[bytes], None], add: Callable[[int, bytes], None]) -> None:
        part = 1
        while (content := await self._uploads.load_part(job.id, part)) is not None:
            await asyncio.to_thread(digest, content)
            add(part, content)
            part += 1

    async def _keep_claim(self, job: Import, work: Awaitable[T]) -> T:
        """The result of `work`, during which the claim of the import is renewed."""
        working = asyncio.ensure_future(work)
        try:
            while not working.done():
                await asyncio.wait([working], timeout=LEASE_SECONDS / 4)
                if not working.done():
                    await self._progress.renew(job)
            return await working
        finally:
            working.cancel()

    async def _try_to_import(self, part: FileRange) -> None:
        job = part.job
        if part.attempts > MOST_ATTEMPTS:
            reason = f"{KILLED} {MOST_ATTEMPTS} times after line {part.position.line}"
            self._note_end(await self._progress.finish_range(part, reason))
            return
        turn = Turn(part)
        try:
            await self._take_turn(turn)
        except LeaseLost:
            log.info("import.lease_lost", id=job.id, range=part.number)
        except (Unavailable, *OUTAGE):
            await self._progress.retry_range(turn.range, RETRY_SECONDS, counts=False)
            raise
        except Exception as error:
            attempts, line = max(1, turn.range.attempts), turn.range.position.line
            log.error("import.fault", id=job.id, range=part.number, line=line, attempts=attempts, error=type(error).__name__)
            if attempts >= MOST_ATTEMPTS:
                reason = f"{describe_fault(error)} after line {line}"
                self._note_end(await self._progress.finish_range(turn.range, reason))
            else:
                await self._progress.retry_range(turn.range, retry_pause(attempts), counts=True)

    async def _take_turn(self, turn: Turn) -> None:
        """Store records until the range or the turn ends."""
        part, job = turn.range, turn.range.job
        connection = await self._connections.find(job.connection)
        if connection is None or connection.state == "deleted":
            self._note_end(await self._progress.finish_range(part, "the connection is deleted"))
            return
        mapping = mapping_of(job)
        digest = digest_of_content(job.sha256 or "", mapping)
        reader = RowReader(connection, job.format, mapping, job.header, digest, self._now, job.started)
        rows = reader.rows(read_lines(self._loader(job), part.position, part.end), part.position)
        sizes = {uploaded.number: uploaded.bytes for uploaded in await self._uploads.parts(job.id)}
        turn.bytes_before = bytes_before(part.position, sizes) - part.bytes_read
        ends_at = time.monotonic() + TURN_SECONDS
        database = StickyConnection(self._pool)
        reading = asyncio.ensure_future(asyncio.to_thread(next_batch, rows))
        try:
            while True:
                batch, problem = await reading
                if batch and problem is None:
                    reading = asyncio.ensure_future(asyncio.to_thread(next_batch, rows))
                self._note_faults(job, batch)
                for records in split_at_erasures(batch):
                    await self._store(database, turn, connection, records, sizes)
                if problem or not batch:
                    self._note_end(await self._progress.finish_range(turn.range, str(problem) if problem else None))
                    return
                if time.monotonic() > ends_at:
                    await self._progress.retry_range(turn.range, 0, counts=True)
                    return
        finally:
            await asyncio.wait([reading])
            if not reading.cancelled():
                reading.exception()  # of records that are read ahead: the next turn meets the error again
            await database.release()

    async def _store(
        self, database: StickyConnection, turn: Turn, connection: Connection, rows: Sequence[Row], sizes: dict[int, int]
    ) -> None:
        """Store records and the progress of their range. A record that the database refuses is stored as rejected."""

        async def write(part: Sequence[Row], bodies: Sequence[StorableBody]) -> StoredRows:
            read = bytes_before(part[-1].end, sizes) - turn.bytes_before
            current = turn.range
            stored = await run_transaction(database.run, lambda db: store_rows(db, current, part, read, bodies))
            turn.range = stored.range
            return stored

        async def store(part: Sequence[tuple[Row, list[StorableBody]]]) -> None:
            bodies = [body for _, of_row in part for body in of_row]
            stored = await write([row for row, _ in part], bodies)
            discard_unstored(self._cipher, bodies, [outcome for _, outcome in stored.outcomes])
            for delivery, outcome in stored.outcomes:
                if outcome == "accepted":
                    self._observe(connection, delivery)

        async def reject(refused: tuple[Row, list[StorableBody]], refusal: RefusedTransaction) -> None:
            row, bodies = refused
            log.error("import.refused", id=turn.range.job.id, line=row.line, error=refusal.type_name)
            self._cipher.discard(bodies)
            await write([structs.replace(row, outcome=[Fault(row.line, "", UNSTORABLE)])], [])

        await store_all_or_each(await self._encrypt(rows), store, reject)

    async def _encrypt(self, rows: Sequence[Row]) -> list[tuple[Row, list[StorableBody]]]:
        """The records, each with the stored form of its body; with none if it can't be read."""
        deliveries = [stored_part(row.outcome) for row in rows if isinstance(row.outcome, Delivery)]
        bodies = iter(await self._cipher.encrypt(deliveries))
        return [(row, [next(bodies)] if isinstance(row.outcome, Delivery) else []) for row in rows]

    def _note_faults(self, job: Import, rows: Sequence[Row]) -> None:
        """Log the first record of these that a fault of ours keeps from being read."""
        faulty = [row for row in rows if row.error]
        if faulty:
            error = type(faulty[0].error).__name__
            log.error("import.row_failed", id=job.id, line=faulty[0].line, error=error, records=len(faulty))

    def _note_end(self, job: Import | None) -> None:
        if job:
            log.info("import.finished", id=job.id, tenant=job.tenant, results=dict(job.results), reason=job.reason)

    async def _bytes_before(self, job: Import, position: FilePosition) -> int:
        return bytes_before(position, {part.number: part.bytes for part in await self._uploads.parts(job.id)})

    def _loader(self, job: Import) -> Callable[[int], bytes | None]:
        """Loads a part of the file. For the thread that reads records: it waits for the event loop."""
        loop = asyncio.get_running_loop()
        return lambda part: asyncio.run_coroutine_threadsafe(self._uploads.load_part(job.id, part), loop).result()
