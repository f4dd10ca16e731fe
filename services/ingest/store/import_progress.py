"""Imports that run: claims, preparation, and their end. Any number of processes may work on the imports of one database."""

from collections.abc import Sequence

import asyncpg

from services.ingest.domain.imports.job import Import, State
from services.ingest.domain.imports.lines import Position
from services.ingest.store.imports import COLUMNS, DROP_PARTS, import_of

LEASE_SECONDS = 20.0
"""No other process may claim an import for this long after its last step."""
EXPIRE_DAYS = 7
"""An upload to which nothing was added for so long is canceled, and its parts are deleted."""

CLAIM = f"""
UPDATE imports SET due = now() + make_interval(secs => $1), claimed = clock_timestamp() WHERE id = (
    SELECT job.id FROM imports AS job WHERE finished IS NULL AND state = 'running' AND due <= now() ORDER BY (
        SELECT max(claimed) FROM imports AS other WHERE other.tenant = job.tenant AND other.finished IS NULL
    ) NULLS FIRST, claimed NULLS FIRST, id LIMIT 1 FOR UPDATE OF job SKIP LOCKED
) RETURNING {COLUMNS}
"""  # noqa: S608
"""The next import of the tenant that has waited longest."""
IS_DUE = "SELECT EXISTS (SELECT FROM imports WHERE finished IS NULL AND state = 'running' AND due <= now())"
RENEW = "UPDATE imports SET due = now() + make_interval(secs => $2) WHERE id = $1 AND state = 'running'"
PREPARE = f"""
UPDATE imports SET prepared = true, sha256 = $2, header = $3, part = $4, part_offset = $5, line = $6,
    due = now() + make_interval(secs => $7)
WHERE id = $1 AND state = 'running' AND NOT prepared RETURNING {COLUMNS}
"""  # noqa: S608
END = """
UPDATE imports SET state = $2, reason = $3, finished = now(), changed = now() WHERE id = $1 AND line = $4 AND state = 'running'
"""
EXPIRE = """
UPDATE imports SET state = 'canceled', reason = 'the upload was not continued', finished = now()
WHERE finished IS NULL AND state = 'uploading' AND changed < now() - make_interval(days => $1) RETURNING id
"""


class ImportProgress:
    """The progress of imports that run."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def claim(self) -> Import | None:
        """The next import. No other process may claim it for LEASE_SECONDS."""
        row = await self._pool.fetchrow(CLAIM, LEASE_SECONDS)
        return import_of(row) if row else None

    async def is_due(self) -> bool:
        """Whether an import can be claimed."""
        return bool(await self._pool.fetchval(IS_DUE))

    async def renew(self, job: Import, seconds: float = LEASE_SECONDS) -> None:
        """Extend the claim. 0 seconds: end it."""
        await self._pool.execute(RENEW, job.id, seconds)

    async def prepare(self, job: Import, sha256: str, header: Sequence[str], begin: Position) -> Import | None:
        """Store the digest of the file, its columns, and the position of its first record. None if the import has ended."""
        place = (begin.part, begin.offset, begin.line)
        row = await self._pool.fetchrow(PREPARE, job.id, sha256, list(header), *place, LEASE_SECONDS)
        return import_of(row) if row else None

    async def end(self, job: Import, state: State, reason: str | None = None) -> bool:
        """End the import and delete the parts of its file. False if another process has gone on with it, or it was canceled."""
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            status: str = await db.execute(END, job.id, state, reason, job.position.line)
            if not status.endswith(" 1"):
                return False
            await db.execute(DROP_PARTS, job.id)
        return True

    async def expire(self) -> int:
        """Cancel abandoned uploads. Returns their number."""
        rows = await self._pool.fetch(EXPIRE, EXPIRE_DAYS)
        for row in rows:
            await self._pool.execute(DROP_PARTS, row[0])
        return len(rows)
