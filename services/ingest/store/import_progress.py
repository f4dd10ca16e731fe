"""Imports that run: claims, preparation, and their end. Any number of processes may work on the imports of one database.

An import is prepared by one process, which divides its file into ranges. Then each range is claimed by itself.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from services.ingest.domain.imports.job import FileRange, Import
from services.ingest.domain.imports.lines import FilePosition
from services.ingest.store.imports import COLUMNS, DROP_PARTS, HOLD_ONE, ONE_BY_ID, end_import, import_of

LEASE_SECONDS = 20.0
"""No other process may claim an import or a range for this long after its last step."""
EXPIRE_DAYS = 7
"""After this many days without a new part an upload is cancelled, and its parts are deleted."""

CLAIM = f"""
UPDATE imports SET due = now() + make_interval(secs => $1), claimed = clock_timestamp(), attempts = attempts + 1 WHERE id = (
    SELECT job.id FROM imports AS job WHERE finished IS NULL AND state = 'running' AND due <= now() ORDER BY (
        SELECT max(claimed) FROM imports AS other WHERE other.tenant = job.tenant AND other.finished IS NULL
    ) NULLS FIRST, claimed NULLS FIRST, id LIMIT 1 FOR UPDATE OF job SKIP LOCKED
) RETURNING {COLUMNS}
"""  # noqa: S608
"""The next import to prepare, of the tenant that has waited longest. Those with ranges are due at infinity."""
CLAIM_RANGE = """
WITH job AS (
    SELECT id FROM imports AS job WHERE finished IS NULL AND state = 'running' AND EXISTS (
        SELECT FROM import_ranges WHERE import_id = job.id AND finished IS NULL AND due <= now()
    ) ORDER BY (
        SELECT max(claimed) FROM imports AS other WHERE other.tenant = job.tenant AND other.finished IS NULL
    ) NULLS FIRST, claimed NULLS FIRST, id LIMIT 1
), next AS MATERIALIZED (
    SELECT import_id, number FROM import_ranges WHERE import_id = (SELECT id FROM job) AND finished IS NULL AND due <= now()
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
), noted AS (
    UPDATE imports SET claimed = clock_timestamp() WHERE id = (SELECT import_id FROM next)
)
UPDATE import_ranges AS own SET due = now() + make_interval(secs => $1), attempts = attempts + 1
FROM next WHERE own.import_id = next.import_id AND own.number = next.number
RETURNING own.import_id, own.number, part, part_offset, line, end_part, end_offset, end_line, results, bytes_read, attempts
"""
WAITING = """
SELECT count(*), count(*) FILTER (WHERE due <= now()) FROM (
    SELECT due FROM imports WHERE finished IS NULL AND state = 'running' AND due < 'infinity'
    UNION ALL
    SELECT import_ranges.due FROM import_ranges JOIN imports ON imports.id = import_id
    WHERE import_ranges.finished IS NULL AND imports.finished IS NULL AND state = 'running'
) AS open
"""
RENEW = """
UPDATE imports SET due = now() + make_interval(secs => $2), claimed = clock_timestamp()
WHERE id = $1 AND state = 'running' AND due < 'infinity'
"""
RETRY = """
UPDATE imports SET due = now() + make_interval(secs => $2), attempts = greatest(0, attempts - $3::int)
WHERE id = $1 AND state = 'running' AND due < 'infinity'
"""
PREPARE = f"""
UPDATE imports SET prepared = true, sha256 = $2, header = $3, bytes_read = $4, due = 'infinity', attempts = 0
WHERE id = $1 AND state = 'running' AND due < 'infinity' RETURNING {COLUMNS}
"""  # noqa: S608
ADD_RANGES = """
INSERT INTO import_ranges (import_id, number, part, part_offset, line, end_part, end_offset, end_line)
SELECT $1, * FROM unnest($2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::int[], $7::bigint[], $8::bigint[])
"""
RETRY_RANGE = """
UPDATE import_ranges SET due = now() + make_interval(secs => $4), attempts = greatest(0, attempts - $5::int)
WHERE import_id = $1 AND number = $2 AND line = $3 AND finished IS NULL
"""
FINISH_RANGE = """
UPDATE import_ranges SET finished = now(), reason = $4 WHERE import_id = $1 AND number = $2 AND line = $3 AND finished IS NULL
"""
HAS_RANGES = "SELECT EXISTS (SELECT FROM import_ranges WHERE import_id = $1 AND finished IS NULL)"
EXPIRE = """
UPDATE imports SET state = 'canceled', reason = 'the upload was not continued', finished = now()
WHERE finished IS NULL AND state = 'uploading' AND changed < now() - make_interval(days => $1) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Imports to prepare and ranges to read: those that are not done, and those of them that can be claimed now."""

    open: int
    due: int


class ImportProgress:
    """The progress of imports that run."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def waiting(self) -> Waiting:
        """The number of imports and ranges to work on."""
        row = await self._pool.fetchrow(WAITING)
        return Waiting(row[0], row[1])

    async def claim(self) -> Import | None:
        """The next import that must be prepared. No other process may claim it for LEASE_SECONDS."""
        row = await self._pool.fetchrow(CLAIM, LEASE_SECONDS)
        return import_of(row) if row else None

    async def claim_range(self) -> FileRange | None:
        """The next range. No other process may claim it for LEASE_SECONDS."""
        row = await self._pool.fetchrow(CLAIM_RANGE, LEASE_SECONDS)
        job = await self._pool.fetchrow(ONE_BY_ID, row["import_id"]) if row else None
        if job is None:
            return None
        end = None if row["end_part"] is None else FilePosition(row["end_part"], row["end_offset"], row["end_line"])
        return FileRange(
            job=import_of(job),
            number=row["number"],
            position=FilePosition(row["part"], row["part_offset"], row["line"]),
            end=end,
            results=json.loads(row["results"]),
            bytes_read=row["bytes_read"],
            attempts=row["attempts"],
        )

    async def renew(self, job: Import) -> None:
        """Extend the claim of an import that is being prepared."""
        await self._pool.execute(RENEW, job.id, LEASE_SECONDS)

    async def retry(self, job: Import, seconds: float, *, counts: bool) -> None:
        """Let the import be prepared again in `seconds`. `counts`: this attempt failed."""
        await self._pool.execute(RETRY, job.id, seconds, int(not counts))

    async def prepare(self, job: Import, sha256: str, header: Sequence[str], begins: Sequence[FilePosition], read: int) -> bool:
        """Store the digest of the file, its columns, and the positions at which its ranges begin; the first one begins after
        `read` bytes. False if the import has ended, or another process has prepared it."""
        ends = [*begins[1:], None]
        columns = (
            [*range(1, len(begins) + 1)],
            [begin.part for begin in begins],
            [begin.offset for begin in begins],
            [begin.line for begin in begins],
            [end and end.part for end in ends],
            [end and end.offset for end in ends],
            [end and end.line for end in ends],
        )
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            if await db.fetchrow(PREPARE, job.id, sha256, list(header), read) is None:
                return False
            await db.execute(ADD_RANGES, job.id, *columns)
        return True

    async def retry_range(self, part: FileRange, seconds: float, *, counts: bool) -> None:
        """Release the claim of a range; it is due again in `seconds`. `counts`: this attempt failed."""
        job = part.job.id
        await self._pool.execute(RETRY_RANGE, job, part.number, part.position.line, seconds, int(not counts))

    async def finish_range(self, part: FileRange, reason: str | None = None) -> Import | None:
        """End a range; `reason` says why its rest can't be read. Returns the import if it ends with it.

        Changes nothing if another process has gone on with the range, or the import was cancelled.
        """
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            row = await db.fetchrow(HOLD_ONE, part.job.id)
            if row is None or row["state"] != "running":
                return None
            status: str = await db.execute(FINISH_RANGE, part.job.id, part.number, part.position.line, reason)
            if not status.endswith(" 1") or await db.fetchval(HAS_RANGES, part.job.id):
                return None
            return await end_import(db, import_of(row), "done")

    async def fail(self, job: Import, reason: str) -> Import | None:
        """End an import that can't be prepared. None if it has ended meanwhile."""
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            row = await db.fetchrow(HOLD_ONE, job.id)
            if row is None or row["state"] != "running":
                return None
            return await end_import(db, import_of(row), "failed", reason)

    async def expire(self) -> int:
        """Cancel abandoned uploads. Returns their number."""
        rows = await self._pool.fetch(EXPIRE, EXPIRE_DAYS)
        for row in rows:
            await self._pool.execute(DROP_PARTS, row[0])
        return len(rows)
