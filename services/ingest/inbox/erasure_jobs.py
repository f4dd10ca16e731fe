"""The jobs of erasures: each searches stored bodies for a customer (services/ingest/eraser.py).

Any number of processes may search at the same time: jobs are claimed for a while, and every step may be repeated.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from services.ingest.domain.delivery import StoredBody
from services.ingest.domain.tombstone import CUSTOMER_ERASED, SQL_FINGERPRINT
from services.ingest.inbox import locks
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher, next_bodies_sql

DELETE_BODIES = "UPDATE inbox SET raw = NULL, headers = '{}' WHERE seq = ANY($1::bigint[]) AND raw IS NOT NULL"
LEASE_SECONDS = 60
PENDING_SECONDS = 10
"""How often a job is looked at whose bodies are searched, while earlier deliveries are pending."""
MAX_JOBS = 500
UNSETTLED = -1
"""`reached` of a job whose late statements must still be deleted."""

ADOPT = """
UPDATE erasures SET due = 'infinity', claimable = now(), reached = -1 WHERE claimable IS NULL AND due <= now()
"""
"""Jobs that a replica of an earlier version added. They begin anew: it may have passed over bodies that it can't read."""
CLAIM = """
UPDATE erasures SET due = 'infinity', claimable = now() + make_interval(secs => $1) WHERE seq IN (
    SELECT job.seq FROM erasures AS job JOIN (
        SELECT tenant, reached FROM erasures AS candidate WHERE claimable <= now() AND (reached = $3 OR NOT EXISTS (
            SELECT FROM erasures AS ahead
            WHERE ahead.tenant = candidate.tenant AND ahead.reached > candidate.reached AND ahead.reached < ahead.seq
        )) ORDER BY claimable, seq LIMIT 1
    ) AS first USING (tenant, reached)
    WHERE claimable <= now() ORDER BY seq LIMIT $2 FOR UPDATE OF job SKIP LOCKED
) RETURNING seq, tenant, names, requested, reached, remaining IS NOT NULL, batches
"""
"""Jobs of one tenant with the same progress, so that many erasures cost one search. A tenant has one search at a time: jobs that
are added meanwhile are settled and wait together for the next one. So each job ends after at most two searches."""

WRITERS = """
SELECT virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND classid = ($1::bigint >> 32)::oid AND objid = ($1::bigint & 4294967295)::oid
"""
DELETE_LATE = f"""
DELETE FROM events USING events AS tombstone
WHERE tombstone.seq = ANY($1::bigint[]) AND tombstone.fingerprint = {SQL_FINGERPRINT}
AND events.tenant = tombstone.tenant AND events.subject = tombstone.subject AND events.fingerprint <> {SQL_FINGERPRINT}
RETURNING events.seq
"""  # noqa: S608
BODIES = next_bodies_sql(
    "seq, connection, verdict, headers, raw, delivery, body_key",
    "FROM inbox WHERE tenant = $1 AND seq > $2 AND seq <= $3 AND raw IS NOT NULL",
    limit="$4",
    limit_bytes="$5",
    condition="raw IS NOT NULL",
)

ERASED = "SELECT erased_subject FROM erased_among(array_fill($1::text, ARRAY[cardinality($2::text[])]), $2::text[], 0)"
ERASE_BODIES = """
UPDATE inbox SET raw = NULL, headers = '{}', verdict = CASE verdict WHEN 'accepted' THEN verdict ELSE 'erased' END,
    reason = CASE verdict WHEN 'accepted' THEN reason ELSE $2 END WHERE seq = ANY($1::bigint[])
"""
ADVANCE = "UPDATE erasures SET reached = greatest(reached, $2), claimable = now() WHERE seq = ANY($1::bigint[])"
FINISH = """
WITH waiting AS (
    UPDATE erasures SET reached = seq, claimable = now() + make_interval(secs => $2) WHERE seq = ANY($1::bigint[])
    AND EXISTS (SELECT FROM fetches WHERE fetches.tenant = erasures.tenant AND fetches.seq < erasures.seq) RETURNING seq
)
DELETE FROM erasures WHERE seq = ANY($1::bigint[]) AND seq NOT IN (SELECT seq FROM waiting)
"""
"""Keeps a job, with its pseudonyms, while an earlier delivery of the tenant is pending: its content may be about the customer."""


@dataclass(frozen=True, slots=True)
class ErasureJob:
    """An erasure whose customer must be searched for in bodies with a lower sequence number. `names` are all pseudonyms of the
    customer. A statement is the customer's if its customer or another id is in `names`, or an address of it in `requested`.
    `reached`: bodies up to this number are searched. `has_remaining`: the customer has statements that are not erased yet.
    `batches` are the sequence numbers of further tombstones."""

    seq: int
    tenant: str
    names: frozenset[str]
    requested: frozenset[str]
    reached: int
    has_remaining: bool = False
    batches: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """A stored body. `read`: its statements are stored, so nothing will read it again."""

    seq: int
    connection: str
    read: bool
    headers: dict[str, str]
    raw: bytes


async def claim_jobs(pool: asyncpg.Pool) -> list[ErasureJob]:
    """Jobs of one tenant with the same progress, ordered by sequence number. No other process may claim them for
    LEASE_SECONDS."""
    await pool.execute(ADOPT)
    rows = await pool.fetch(CLAIM, LEASE_SECONDS, MAX_JOBS, UNSETTLED)
    return sorted(
        (ErasureJob(r[0], r[1], frozenset(r[2]), frozenset(r[3]), r[4], r[5], tuple(r[6])) for r in rows), key=lambda job: job.seq
    )


async def wait_for_writers(pool: asyncpg.Pool, seconds: float, interval: float = 0.05) -> bool:
    """Wait until each transaction that was taking sequence numbers at the call has ended. False if one has not after
    `seconds`. Unlike taking the lock exclusively this blocks no other transaction."""
    before = await _writers(pool)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while before:
        if loop.time() > deadline:
            return False
        await asyncio.sleep(interval)
        before &= await _writers(pool)
    return True


async def _writers(pool: asyncpg.Pool) -> set[str]:
    return {row[0] for row in await pool.fetch(WRITERS, locks.ARRIVALS)}


async def delete_late_statements(pool: asyncpg.Pool, seqs: Sequence[int]) -> int:
    """Delete statements, and their bodies, that were stored while these erasures ran, about subjects to which they gave a
    tombstone. Returns the number of statements."""
    async with pool.acquire(timeout=5) as db, db.transaction():
        late = [row[0] for row in await db.fetch(DELETE_LATE, seqs)]
        await db.execute(DELETE_BODIES, sorted(set(late)))
    return len(late)


async def next_bodies(
    pool: asyncpg.Pool, tenant: str, after: int, upto: int, limit: int, limit_bytes: int, cipher: BodyCipher = PLAIN
) -> list[Body]:
    """The tenant's next bodies with after < seq ≤ upto. One whose key is lost is empty: nobody can read what it holds."""
    rows = await pool.fetch(BODIES, tenant, after, upto, limit, limit_bytes)
    decrypted = await cipher.decrypt([StoredBody(row[1], row[5], row[4], row[6], row[3]) for row in rows])
    return [
        Body(row[0], row[1], row[2] == "accepted", body.headers, body.raw or b"")
        for row, body in zip(rows, decrypted, strict=True)
    ]


async def erased_subjects(pool: asyncpg.Pool, tenant: str, subjects: Collection[str]) -> set[str]:
    """The members of `subjects` that are erased."""
    return {row[0] for row in await pool.fetch(ERASED, tenant, list(subjects))} if subjects else set()


async def erase_bodies(pool: asyncpg.Pool, seqs: Sequence[int]) -> None:
    """Delete these bodies. Deliveries that were not read become `erased`, so they are never read."""
    if seqs:
        await pool.execute(ERASE_BODIES, seqs, CUSTOMER_ERASED)


async def advance_jobs(pool: asyncpg.Pool, jobs: Iterable[ErasureJob], reached: int) -> None:
    """Store the progress of these jobs and release their claim. Finished jobs, with the pseudonyms in them, are deleted once no
    earlier delivery is pending."""
    finished = [job.seq for job in jobs if job.seq <= reached]
    async with pool.acquire(timeout=5) as db, db.transaction():
        await db.execute(FINISH, finished, PENDING_SECONDS)
        await db.execute(ADVANCE, [job.seq for job in jobs if job.seq > reached], reached)
