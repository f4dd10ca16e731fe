"""Jobs of a tenant that work through many deliveries: their selection, their progress and their results.

A job works in steps, in the order of sequence numbers. A worker claims it for a while, and the transaction that stores the
effects of a step also stores the progress. So any process continues after a crash, and no delivery is counted twice. Jobs stay
after their end: they are the record of who did what.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import datetime
from typing import Literal

import asyncpg

from services.ingest.domain.providers.tool_history import Cursor
from services.ingest.inbox.leases import LeaseLost
from services.ingest.inbox.selection import Selection
from services.ingest.inbox.transactions import Connection
from shared.request_context import RequestContext, current_context

Kind = Literal["reread", "retry", "discard", "backfill"]
STORED_KINDS: tuple[Kind, ...] = ("reread", "retry", "discard")
"""Kinds of jobs that work through stored deliveries."""
FETCHING_KINDS: tuple[Kind, ...] = ("backfill",)
"""Kinds of jobs whose steps wait for a tool, so workers of their own do them."""

LEASE_SECONDS = 60
MOST_JOBS = 10
"""Jobs of one tenant that are not done."""
MOST_ENDED = 1_000
"""Ended jobs of one tenant that are stored. Those that discarded deliveries are stored for ever: each discarded at least one."""

SELECTION = "connection, provider, reason_code, subject, since, until"
COLUMNS = (
    f"id, tenant, kind, {SELECTION}, quarantined, upto, reached, matched, results, requested_by, added, finished, cursor, "
    "attempts, problem, canceled"
)
CONTEXT = "request_id, traceparent"

ADD = f"""
INSERT INTO delivery_jobs (tenant, kind, {SELECTION}, upto, matched, requested_by, {CONTEXT})
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $13::text, $14::text
WHERE (SELECT count(*) FROM delivery_jobs WHERE tenant = $1 AND finished IS NULL) < $12 RETURNING {COLUMNS}
"""  # noqa: S608
ADD_ENDED = f"""
INSERT INTO delivery_jobs
    (tenant, kind, connection, quarantined, upto, reached, matched, results, requested_by, finished, {CONTEXT})
VALUES ($1, $2, $3, $4, $4, $4, 1, $5, $6, now(), $7, $8)
"""  # noqa: S608
FORGET = """
DELETE FROM delivery_jobs WHERE tenant = $1 AND finished IS NOT NULL AND NOT results ? 'discarded' AND id <= (
    SELECT id FROM delivery_jobs WHERE tenant = $1 AND finished IS NOT NULL AND NOT results ? 'discarded'
    ORDER BY id DESC OFFSET $2 LIMIT 1
)
"""
ADOPT = """
WITH adopted AS (
    DELETE FROM rereads WHERE id IN (SELECT id FROM rereads WHERE due <= now() ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)
    RETURNING tenant, connection, subject, since, until, reached, request_id, traceparent
)
INSERT INTO delivery_jobs (tenant, kind, connection, subject, since, until, reached, request_id, traceparent)
SELECT tenant, 'reread', connection, subject, since, until, reached, request_id, traceparent FROM adopted
"""
"""Jobs of `rereads`, to which replicas of the previous version add them."""
CLAIM = f"""
UPDATE delivery_jobs SET due = now() + make_interval(secs => $1), claimed = clock_timestamp() WHERE id = (
    SELECT job.id FROM delivery_jobs AS job WHERE finished IS NULL AND due <= now() AND kind = ANY($2::text[]) ORDER BY (
        SELECT max(claimed) FROM delivery_jobs AS other WHERE other.tenant = job.tenant AND other.finished IS NULL
    ) NULLS FIRST, claimed NULLS FIRST, id LIMIT 1 FOR UPDATE OF job SKIP LOCKED
) RETURNING {COLUMNS}, {CONTEXT}
"""  # noqa: S608
"""The next job of the tenant that has waited longest, so that one with many jobs gets no more turns than one with one."""
ADVANCE = """
UPDATE delivery_jobs SET reached = $3, results = $4, attempts = 0, problem = NULL,
    due = coalesce(now() + make_interval(secs => $5), due)
WHERE id = $1 AND reached = $2 AND finished IS NULL
"""
FINISH = "UPDATE delivery_jobs SET finished = now(), problem = NULL WHERE id = $1 AND reached = $2 AND finished IS NULL"
FAIL = "UPDATE delivery_jobs SET finished = now(), problem = $3 WHERE id = $1 AND reached = $2 AND finished IS NULL"
RETRY = """
UPDATE delivery_jobs SET attempts = attempts + 1, problem = $3, due = now() + make_interval(secs => $4)
WHERE id = $1 AND reached = $2 AND finished IS NULL
"""
CANCEL = f"""
UPDATE delivery_jobs SET finished = now(), problem = NULL, canceled = true WHERE tenant = $1 AND id = $2 AND finished IS NULL
RETURNING {COLUMNS}
"""  # noqa: S608
OPEN_REREADS = """
SELECT connection FROM delivery_jobs WHERE tenant = $1 AND kind = 'reread' AND finished IS NULL
UNION ALL SELECT connection FROM rereads WHERE tenant = $1
"""
LIST = f"SELECT {COLUMNS} FROM delivery_jobs WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3"  # noqa: S608
ONE = f"SELECT {COLUMNS} FROM delivery_jobs WHERE tenant = $1 AND id = $2"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Job:
    """`reached`: deliveries up to this sequence number are done, `upto` is that of the last one; None: there is no end.

    `matched` is the number of deliveries that matched when the job was added, `results` counts by outcome those that are done.
    `quarantined` is the single delivery that the job is about; None if a filter selects the deliveries. `requested_by` is the id
    of the API key; None: the operator. `context` is that of the request that added the job. `cursor` is the next page of a
    back-fill, whose `reached` counts pages; `attempts` counts the failures in a row. `problem` says why a job waits, or why it
    ended without success. `canceled`: it was ended by request.
    """

    id: int
    kind: Kind
    selection: Selection
    quarantined: int | None
    upto: int | None
    reached: int
    matched: int
    results: Mapping[str, int]
    requested_by: str | None
    added: datetime
    finished: datetime | None
    cursor: Cursor | None = None
    attempts: int = 0
    problem: str | None = None
    canceled: bool = False
    context: RequestContext | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Extent:
    """The deliveries that a new job works through: their number, and the last one's sequence number; None: there is no end."""

    matched: int
    upto: int | None = None


async def add_job(pool: asyncpg.Pool, kind: Kind, selection: Selection, extent: Extent, requested_by: str | None) -> Job | None:
    """Add a job, with the context of the current request. None if the tenant has MOST_JOBS already."""
    s = selection
    narrowed = (s.connection, s.provider, s.reason_code, s.subject, s.since, s.until)
    context = columns_of_context(current_context())
    values = (s.tenant, kind, *narrowed, extent.upto, extent.matched, requested_by, MOST_JOBS, *context)
    async with pool.acquire(timeout=5) as db, db.transaction():
        row = await db.fetchrow(ADD, *values)
        if row:
            await forget_ended(db, s.tenant)
    return job_of(row) if row else None


async def forget_ended(db: Connection, tenant: str) -> None:
    """Delete the oldest ended jobs of the tenant beyond MOST_ENDED."""
    await db.execute(FORGET, tenant, MOST_ENDED)


async def add_ended_job(
    db: Connection, kind: Kind, tenant: str, connection: str, seq: int, results: Mapping[str, int], requested_by: str | None
) -> None:
    """Record the result of one delivery, in the transaction that did it."""
    context = columns_of_context(current_context())
    await db.execute(ADD_ENDED, tenant, kind, connection, seq, json.dumps(results), requested_by, *context)


async def claim_job(pool: asyncpg.Pool, kinds: Collection[Kind] = STORED_KINDS) -> Job | None:
    """The next job of these kinds. No other process may claim it for LEASE_SECONDS."""
    await pool.execute(ADOPT)
    row = await pool.fetchrow(CLAIM, LEASE_SECONDS, sorted(kinds))
    return job_of(row) if row else None


async def advance(db: Connection, job: Job, reached: int, outcomes: Mapping[str, int], pause: float | None = 0.0) -> Job:
    """Store the progress of a job and release its claim; it is due after `pause` seconds. Returns the job as it is then.

    None for `pause` keeps the claim, in the middle of a step. `outcomes` are the numbers of this step. Raises LeaseLost, which
    must end the transaction, if another process was faster.
    """
    results = dict(Counter(job.results) + Counter(outcomes))
    status = await db.execute(ADVANCE, job.id, job.reached, reached, json.dumps(results), pause)
    if not status.endswith(" 1"):
        raise LeaseLost
    return changed(job, reached=reached, results=results)


async def finish(pool: asyncpg.Pool, job: Job) -> None:
    """End the job."""
    await pool.execute(FINISH, job.id, job.reached)


async def fail(pool: asyncpg.Pool, job: Job, problem: str) -> None:
    """End the job without success."""
    await pool.execute(FAIL, job.id, job.reached, problem)


async def retry_step(pool: asyncpg.Pool, job: Job, problem: str, seconds: float) -> None:
    """Count a failed attempt at the next step of the job, and release the claim; the step is due again in `seconds`."""
    await pool.execute(RETRY, job.id, job.reached, problem, seconds)


async def cancel(pool: asyncpg.Pool, tenant: str, job: int) -> Job | None:
    """End a job that runs, and return it. None if the tenant has none with this id, or it has ended already. A step that is being
    stored is completed first."""
    row = await pool.fetchrow(CANCEL, tenant, job)
    return job_of(row) if row else None


async def open_rereads(pool: asyncpg.Pool, tenant: str) -> list[str | None]:
    """The connection of each job of the tenant that rereads and is not done. None: all connections."""
    return [row[0] for row in await pool.fetch(OPEN_REREADS, tenant)]


async def list_jobs(pool: asyncpg.Pool, tenant: str, before: int, limit: int) -> list[Job]:
    """Up to `limit` jobs of the tenant with ids below `before`, the newest first."""
    return [job_of(row) for row in await pool.fetch(LIST, tenant, before, limit)]


async def find_job(pool: asyncpg.Pool, tenant: str, job: int) -> Job | None:
    """One job. None if the tenant has none with this id."""
    row = await pool.fetchrow(ONE, tenant, job)
    return job_of(row) if row else None


def columns_of_context(context: RequestContext | None) -> tuple[str | None, str | None]:
    """The values of the columns `request_id` and `traceparent`."""
    return (context.request_id, context.traceparent) if context else (None, None)


def job_of(row: asyncpg.Record) -> Job:
    """The job in a row of COLUMNS, and of CONTEXT if that is selected too."""
    selection = Selection(row["tenant"], *(row[name] for name in SELECTION.split(", ")))
    request_id = row.get("request_id")
    return Job(
        id=row["id"],
        kind=row["kind"],
        selection=selection,
        quarantined=row["quarantined"],
        upto=row["upto"],
        reached=row["reached"],
        matched=row["matched"],
        results=json.loads(row["results"]),
        requested_by=row["requested_by"],
        added=row["added"],
        finished=row["finished"],
        cursor=json.loads(row["cursor"]) if row["cursor"] else None,
        attempts=row["attempts"],
        problem=row["problem"],
        canceled=row["canceled"],
        context=RequestContext(request_id, row["traceparent"] or "") if request_id else None,
    )
