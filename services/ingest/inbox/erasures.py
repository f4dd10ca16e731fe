"""The search for erased customers in stored bodies, as the database sees it: its jobs, and the bodies of a tenant in steps.

Any number of processes may search at the same time: jobs are claimed for a while, and everything here may be done twice.
"""

import asyncio
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from services.ingest.domain.tombstone import CUSTOMER_ERASED, SQL_FINGERPRINT
from services.ingest.inbox import locks
from services.ingest.inbox.erasure import FORGET_BODIES

LEASE_SECONDS = 60
MOST_JOBS = 500
UNSETTLED = -1
"""`reached` of a job whose late statements are still to be deleted."""

CLAIM = """
UPDATE erasures SET due = now() + make_interval(secs => $1) WHERE seq IN (
    SELECT job.seq FROM erasures AS job JOIN (
        SELECT tenant, reached FROM erasures AS candidate WHERE due <= now() AND (reached = $3 OR NOT EXISTS (
            SELECT FROM erasures AS ahead WHERE ahead.tenant = candidate.tenant AND ahead.reached > candidate.reached
        )) ORDER BY due, seq LIMIT 1
    ) AS first USING (tenant, reached)
    WHERE due <= now() ORDER BY seq LIMIT $2 FOR UPDATE OF job SKIP LOCKED
) RETURNING seq, tenant, names, requested, reached
"""
"""Jobs of one tenant that have come equally far, so that many erasures cost one search. A tenant has one search at a time: jobs
that come meanwhile are settled, and wait together for the next. So each ends after at most two searches, however many come."""

WRITING = """
SELECT virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND classid = ($1::bigint >> 32)::oid AND objid = ($1::bigint & 4294967295)::oid
"""
FORGET_LATE = f"""
DELETE FROM events USING events AS grave
WHERE grave.seq = ANY($1::bigint[]) AND grave.fingerprint = {SQL_FINGERPRINT}
AND events.tenant = grave.tenant AND events.subject = grave.subject AND events.fingerprint <> {SQL_FINGERPRINT}
RETURNING events.seq
"""  # noqa: S608
BODIES = """
SELECT seq, connection, verdict, headers, raw FROM inbox JOIN (
    SELECT seq, sum(length) OVER (ORDER BY seq) - length AS before FROM (
        SELECT seq, octet_length(raw) AS length FROM inbox
        WHERE tenant = $1 AND seq > $2 AND seq <= $3 AND raw IS NOT NULL ORDER BY seq LIMIT $4
    ) AS next
) AS measured USING (seq) WHERE before < $5 AND raw IS NOT NULL ORDER BY seq
"""
"""The next bodies: at most $4, and of more than $5 bytes together only as many as pass that."""

ERASED = "SELECT erased_subject FROM erased_among(array_fill($1::text, ARRAY[cardinality($2::text[])]), $2::text[], 0)"
BLANK = """
UPDATE inbox SET raw = NULL, headers = '{}', verdict = CASE verdict WHEN 'accepted' THEN verdict ELSE 'erased' END,
    reason = CASE verdict WHEN 'accepted' THEN reason ELSE $2 END WHERE seq = ANY($1::bigint[])
"""
ADVANCE = "UPDATE erasures SET reached = greatest(reached, $2), due = now() WHERE seq = ANY($1::bigint[])"
FINISH = "DELETE FROM erasures WHERE seq = ANY($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Job:
    """An erasure whose customer is to be looked for in bodies with a lower number. `requested` are the pseudonyms that the
    request states; `names` also holds those that belong to them."""

    seq: int
    tenant: str
    names: frozenset[str]
    requested: frozenset[str]
    reached: int


@dataclass(frozen=True, slots=True)
class Body:
    """A stored body. `read`: its statements are stored, so nothing will read it again."""

    seq: int
    connection: str
    read: bool
    headers: dict[str, str]
    raw: bytes


async def claim(pool: asyncpg.Pool) -> list[Job]:
    """Jobs of one tenant that have come equally far, for this caller alone for LEASE_SECONDS, by their numbers."""
    rows = await pool.fetch(CLAIM, LEASE_SECONDS, MOST_JOBS, UNSETTLED)
    return sorted((Job(r[0], r[1], frozenset(r[2]), frozenset(r[3]), r[4]) for r in rows), key=lambda job: job.seq)


async def wait_for_writers(pool: asyncpg.Pool, patience: float, pause: float = 0.05) -> bool:
    """Return when each transaction that was taking numbers when this was called has ended; False if one has not after `patience`
    seconds. It holds up nobody, unlike taking the lock alone."""
    before = await _writing(pool)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while before:
        if loop.time() > deadline:
            return False
        await asyncio.sleep(pause)
        before &= await _writing(pool)
    return True


async def _writing(pool: asyncpg.Pool) -> set[str]:
    return {row[0] for row in await pool.fetch(WRITING, locks.ARRIVALS)}


async def forget_late_statements(pool: asyncpg.Pool, seqs: Sequence[int]) -> int:
    """Delete what was stored of the subjects that these erasures gave a tombstone while the erasure ran, and the bodies of it.
    Returns how many statements."""
    async with pool.acquire(timeout=5) as db, db.transaction():
        late = [row[0] for row in await db.fetch(FORGET_LATE, seqs)]
        await db.execute(FORGET_BODIES, sorted(set(late)))
    return len(late)


async def next_bodies(pool: asyncpg.Pool, tenant: str, after: int, upto: int, most: int, most_bytes: int) -> list[Body]:
    """The tenant's next bodies with after < seq ≤ upto."""
    rows = await pool.fetch(BODIES, tenant, after, upto, most, most_bytes)
    return [Body(r[0], r[1], r[2] == "accepted", json.loads(r[3]), r[4]) for r in rows]


async def erased_subjects(pool: asyncpg.Pool, tenant: str, subjects: Collection[str]) -> set[str]:
    """Those of the tenant's subjects that are erased."""
    return {row[0] for row in await pool.fetch(ERASED, tenant, list(subjects))} if subjects else set()


async def blank(pool: asyncpg.Pool, seqs: Sequence[int]) -> None:
    """Delete these bodies. A delivery that was not read is `erased` then, so that it is never read."""
    if seqs:
        await pool.execute(BLANK, seqs, CUSTOMER_ERASED)


async def advance(pool: asyncpg.Pool, jobs: Iterable[Job], reached: int) -> None:
    """Note how far these jobs have come, and let them be claimed again. Those that need no further step are finished: their rows,
    and the pseudonyms in them, are deleted."""
    done = [job.seq for job in jobs if job.seq <= reached]
    async with pool.acquire(timeout=5) as db, db.transaction():
        await db.execute(FINISH, done)
        await db.execute(ADVANCE, [job.seq for job in jobs if job.seq > reached], reached)
