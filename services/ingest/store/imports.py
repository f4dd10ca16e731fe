"""Stores imports and the parts of their files, from creation to start. Parts are encrypted, since they name customers."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import asyncpg

from services.ingest.domain.imports.job import Import, State
from services.ingest.domain.imports.lines import FilePosition
from services.ingest.domain.tombstone import SQL_FINGERPRINT
from services.ingest.store.cipher import Cipher
from shared.request_context import RequestContext, current_context

MIB = 1024 * 1024
MAX_PART_BYTES = 8 * MIB
MAX_PARTS = 10_000
MAX_OPEN = 10
"""Imports of one tenant that are being uploaded or running."""
MAX_BYTES = 4 * 1024 * MIB
"""Bytes of all uploaded parts of one tenant's imports that are not done."""
MAX_ENDED = 1_000
"""Ended imports of one tenant that are listed. The oldest are forgotten, with their errors."""

COLUMNS = """
id, tenant, connection, format, mapping, state, sha256, prepared, header, parts, bytes, part, part_offset, line, bytes_read,
results, reason, requested_by, created, started, finished, request_id, traceparent, attempts,
(SELECT coalesce(json_agg(results), '[]') FROM import_ranges WHERE import_id = imports.id) AS results_of_ranges,
(SELECT coalesce(sum(bytes_read), 0)::bigint FROM import_ranges WHERE import_id = imports.id) AS bytes_of_ranges
"""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('imports:' || $1, 0))"
COUNT = "SELECT count(*), coalesce(sum(bytes), 0) FROM imports WHERE tenant = $1 AND finished IS NULL"
CREATE = f"""
INSERT INTO imports (tenant, connection, format, mapping, sha256, requested_by) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING {COLUMNS}
"""  # noqa: S608
FORGET = """
DELETE FROM imports WHERE tenant = $1 AND finished IS NOT NULL AND id <= (
    SELECT id FROM imports WHERE tenant = $1 AND finished IS NOT NULL ORDER BY id DESC OFFSET $2 LIMIT 1
)
"""
LIST = f"""
SELECT {COLUMNS} FROM imports WHERE tenant = $1 AND id < $2 AND ($3::text IS NULL OR state = $3) ORDER BY id DESC LIMIT $4
"""  # noqa: S608
ONE = f"SELECT {COLUMNS} FROM imports WHERE tenant = $1 AND id = $2"  # noqa: S608
HOLD = f"{ONE} FOR UPDATE"
ONE_BY_ID = f"SELECT {COLUMNS} FROM imports WHERE id = $1"  # noqa: S608
HOLD_ONE = f"{ONE_BY_ID} FOR UPDATE"

PART = "SELECT sha256 FROM import_parts WHERE import_id = $1 AND number = $2"
ADD_PART = "INSERT INTO import_parts (import_id, number, sha256, bytes, content) VALUES ($1, $2, $3, $4, $5)"
COUNT_PART = "UPDATE imports SET parts = parts + 1, bytes = bytes + $2, changed = now() WHERE id = $1"
PARTS = "SELECT number, sha256, bytes FROM import_parts WHERE import_id = $1 ORDER BY number"
CONTENT = "SELECT content FROM import_parts WHERE import_id = $1 AND number = $2"
LAST_PART = "SELECT max(number) FROM import_parts WHERE import_id = $1"
DROP_PARTS = "UPDATE import_parts SET content = NULL WHERE import_id = $1 AND content IS NOT NULL"

START = f"""
UPDATE imports SET state = 'running', started = now(), changed = now(), due = now(), request_id = $2, traceparent = $3
WHERE id = $1 RETURNING {COLUMNS}
"""  # noqa: S608
END_RANGES = "DELETE FROM import_ranges WHERE import_id = $1 RETURNING results, bytes_read, reason, number"
END = f"""
UPDATE imports SET state = $2, reason = $3, results = $4, bytes_read = $5, finished = now(), changed = now() WHERE id = $1
RETURNING {COLUMNS}
"""  # noqa: S608
ERRORS = "SELECT line, field, reason FROM import_errors WHERE import_id = $1 ORDER BY line, place"
KNOWN = f"""
SELECT subject, EXISTS (
    SELECT FROM events WHERE events.tenant = $1 AND events.subject = one.subject AND events.fingerprint = {SQL_FINGERPRINT}
) FROM unnest($2::text[]) AS one (subject)
WHERE EXISTS (SELECT FROM events WHERE events.tenant = $1 AND events.subject = one.subject)
"""  # noqa: S608

Refusal = Literal["missing", "not_uploading", "other_content", "too_many_bytes"]


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """An uploaded part of a file. `sha256` is of its content."""

    number: int
    sha256: str
    bytes: int


class Imports:
    """The imports of all tenants."""

    def __init__(self, pool: asyncpg.Pool, cipher: Cipher) -> None:
        self._pool = pool
        self._cipher = cipher

    async def create(
        self,
        tenant: str,
        connection: str,
        file_format: str,
        mapping: Mapping[str, Any] | None,
        digest: str | None,
        requested_by: str | None,
    ) -> Import | None:
        """Create an import. None if the tenant has MAX_OPEN already."""
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            await db.execute(LOCK, tenant)
            if (await db.fetchrow(COUNT, tenant))[0] >= MAX_OPEN:
                return None
            await db.execute(FORGET, tenant, MAX_ENDED)
            encoded = None if mapping is None else json.dumps(mapping)
            row = await db.fetchrow(CREATE, tenant, connection, file_format, encoded, digest, requested_by)
        return import_of(row)

    async def page(self, tenant: str, before: int, limit: int, state: str | None = None) -> list[Import]:
        """Up to `limit` imports with ids below `before`, the newest first."""
        return [import_of(row) for row in await self._pool.fetch(LIST, tenant, before, state, limit)]

    async def find(self, tenant: str, number: int) -> Import | None:
        """One import. None if the tenant has none with this id."""
        row = await self._pool.fetchrow(ONE, tenant, number)
        return import_of(row) if row else None

    async def add_part(self, tenant: str, number: int, part: int, content: bytes) -> UploadedPart | Refusal:
        """Store a part, or return why not. The same content under the same number changes nothing."""
        digest, encrypted = await asyncio.to_thread(self._encrypt_part, number, part, content)
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            await db.execute(LOCK, tenant)
            job = await db.fetchrow(HOLD, tenant, number)
            if job is None:
                return "missing"
            stored = await db.fetchval(PART, number, part)
            if stored == digest:
                return UploadedPart(part, digest, len(content))
            if job["state"] != "uploading":
                return "not_uploading"
            if stored is not None:
                return "other_content"
            if (await db.fetchrow(COUNT, tenant))[1] + len(content) > MAX_BYTES:
                return "too_many_bytes"
            await db.execute(ADD_PART, number, part, digest, len(content), encrypted)
            await db.execute(COUNT_PART, number, len(content))
        return UploadedPart(part, digest, len(content))

    def _encrypt_part(self, number: int, part: int, content: bytes) -> tuple[str, bytes]:
        """The digest of a part, and its encrypted content. Takes some milliseconds, so it runs in a thread."""
        return sha256(content).hexdigest(), self._cipher.encrypt(content, part_owner(f"{number}:{part}"))

    async def parts(self, number: int) -> list[UploadedPart]:
        """The uploaded parts of an import, by their numbers."""
        return [UploadedPart(*row) for row in await self._pool.fetch(PARTS, number)]

    async def load_part(self, number: int, part: int) -> bytes | None:
        """The content of a part. None after the last one."""
        encrypted = await self._pool.fetchval(CONTENT, number, part)
        if encrypted is None:
            return None
        return await asyncio.to_thread(self._cipher.decrypt, encrypted, part_owner(f"{number}:{part}"))

    async def start(self, tenant: str, number: int) -> Import | Refusal | int:
        """Start an import, in the context of the current request. Starting it again changes nothing.

        Returns the number of the first missing part if one is missing.
        """
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            row = await db.fetchrow(HOLD, tenant, number)
            if row is None:
                return "missing"
            if row["state"] in ("running", "done"):
                return import_of(row)
            if row["state"] != "uploading":
                return "not_uploading"
            if row["parts"] == 0 or await db.fetchval(LAST_PART, number) != row["parts"]:
                present = {part[0] for part in await db.fetch(PARTS, number)}
                return next(part for part in range(1, MAX_PARTS + 1) if part not in present)
            context = current_context()
            row = await db.fetchrow(START, number, context and context.request_id, context and context.traceparent)
        return import_of(row)

    async def cancel(self, tenant: str, number: int) -> Import | Refusal:
        """End an import that is not done, and delete its parts. Records that are stored stay."""
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            row = await db.fetchrow(HOLD, tenant, number)
            if row is None:
                return "missing"
            return await end_import(db, import_of(row), "canceled") if row["finished"] is None else import_of(row)

    async def errors(self, number: int) -> list[tuple[int, str, str]]:
        """(line, field, reason) of the places that are wrong in rejected records."""
        return [(row[0], row[1], row[2]) for row in await self._pool.fetch(ERRORS, number)]

    async def known_subjects(self, tenant: str, subjects: Sequence[str]) -> dict[str, bool]:
        """Those of the subjects that are stored, each with whether it is erased."""
        return {row[0]: row[1] for row in await self._pool.fetch(KNOWN, tenant, subjects)}


async def end_import(db: asyncpg.pool.PoolConnectionProxy, job: Import, state: State, reason: str | None = None) -> Import:
    """End an import whose row is locked: add up the results of its ranges, and delete these and the parts of its file.

    If a range could not be read to its end, the import is `failed` with the reason of the first of these ranges.
    """
    ranges = sorted(await db.fetch(END_RANGES, job.id), key=lambda row: row["number"])
    results = Counter(job.results_before_ranges)
    for row in ranges:
        results.update(json.loads(row["results"]))
    reasons = [row["reason"] for row in ranges if row["reason"]]
    if state == "done" and reasons:
        state, reason = "failed", reasons[0]
    read = job.bytes if state == "done" else job.bytes_before_ranges + sum(row["bytes_read"] for row in ranges)
    await db.execute(DROP_PARTS, job.id)
    return import_of(await db.fetchrow(END, job.id, state, reason, json.dumps(results), read))


def part_owner(label: str) -> str:
    """The owner of an encrypted part, by its column `label`: the number of the import, a colon, and that of the part."""
    return f"import:{label}"


def import_of(row: asyncpg.Record) -> Import:
    """The import in a row of COLUMNS."""
    before = json.loads(row["results"])
    return Import(
        id=row["id"],
        tenant=row["tenant"],
        connection=row["connection"],
        format=row["format"],
        mapping=None if row["mapping"] is None else json.loads(row["mapping"]),
        state=row["state"],
        sha256=row["sha256"],
        prepared=row["prepared"],
        header=tuple(row["header"] or ()),
        parts=row["parts"],
        bytes=row["bytes"],
        position=FilePosition(row["part"], row["part_offset"], row["line"]),
        results_before_ranges=before,
        bytes_before_ranges=row["bytes_read"],
        bytes_read=row["bytes_read"] + row["bytes_of_ranges"],
        results=dict(sum(map(Counter, json.loads(row["results_of_ranges"])), Counter(before))),
        reason=row["reason"],
        requested_by=row["requested_by"],
        created=row["created"],
        started=row["started"],
        finished=row["finished"],
        attempts=row["attempts"],
        context=RequestContext(row["request_id"], row["traceparent"] or "") if row["request_id"] else None,
    )
