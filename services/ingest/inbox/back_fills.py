"""Back-fills among the jobs: each pages through the list API of a connection's tool.

The transaction that stores the deliveries of a page also stores the cursor of the next one. So any process continues after a
crash, at the page that was not stored.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace as changed
from datetime import datetime

import asyncpg

from services.ingest.domain.providers.tool_history import Cursor
from services.ingest.inbox import jobs
from services.ingest.inbox.jobs import COLUMNS, CONTEXT, Job
from services.ingest.inbox.leases import LeaseLost
from services.ingest.inbox.selection import Selection
from services.ingest.inbox.transactions import Connection
from shared.request_context import current_context

ADD = f"""
INSERT INTO delivery_jobs (tenant, kind, connection, since, cursor, requested_by, {CONTEXT})
SELECT $1, 'backfill', $2, $3, $4, $5, $6, $7
WHERE (SELECT count(*) FROM delivery_jobs WHERE tenant = $1 AND finished IS NULL) < $8
ON CONFLICT DO NOTHING RETURNING {COLUMNS}
"""  # noqa: S608
TURN = """
UPDATE delivery_jobs SET reached = reached + 1, results = $3, cursor = $4, matched = matched + $5, attempts = 0, problem = NULL,
    due = now() + make_interval(secs => $6)
WHERE id = $1 AND reached = $2 AND finished IS NULL
"""
POSTPONE = """
UPDATE delivery_jobs SET cursor = $3, attempts = attempts + $4, problem = $5, due = now() + make_interval(secs => $6)
WHERE id = $1 AND reached = $2 AND finished IS NULL
"""
LATEST = f"""
SELECT DISTINCT ON (connection) {COLUMNS} FROM delivery_jobs WHERE kind = 'backfill' AND connection = ANY($1::text[])
ORDER BY connection, id DESC
"""  # noqa: S608
WAKE = "UPDATE delivery_jobs SET due = now() WHERE kind = 'backfill' AND connection = $1 AND finished IS NULL AND due > now()"

FIRST_WEBHOOK = """
SELECT min(received_at) FROM inbox
WHERE connection = $1 AND verdict = 'accepted' AND NOT historical AND coalesce(delivery, '') NOT LIKE 'import:%'
"""


async def first_webhook(pool: asyncpg.Pool, connection: str) -> datetime | None:
    """When the first accepted webhook of a connection arrived. Deliveries of back-fills and imports are not webhooks."""
    received_at: datetime | None = await pool.fetchval(FIRST_WEBHOOK, connection)
    return received_at


async def add(pool: asyncpg.Pool, selection: Selection, cursor: Cursor, requested_by: str | None) -> Job | None:
    """Add a back-fill of the selection's connection. None if one is in progress, or the tenant has too many jobs."""
    context = jobs.columns_of_context(current_context())
    values = (selection.tenant, selection.connection, selection.since, json.dumps(cursor), requested_by, *context, jobs.MOST_JOBS)
    async with pool.acquire(timeout=5) as db, db.transaction():
        row = await db.fetchrow(ADD, *values)
        if row:
            await jobs.forget_ended(db, selection.tenant)
    return jobs.job_of(row) if row else None


async def turn_page(
    db: Connection, job: Job, cursor: Cursor | None, outcomes: Mapping[str, int], expected: int, pause: float
) -> Job:
    """Store the progress after a page, and release the claim. The next page is due after `pause` seconds.

    Raises LeaseLost, which must end the transaction, if another process was faster.
    """
    results = dict(Counter(job.results) + Counter(outcomes))
    stored_cursor = None if cursor is None else json.dumps(cursor)
    status = await db.execute(TURN, job.id, job.reached, json.dumps(results), stored_cursor, expected, pause)
    if not status.endswith(" 1"):
        raise LeaseLost
    return changed(job, reached=job.reached + 1, results=results, cursor=cursor, matched=job.matched + expected)


async def postpone(
    pool: asyncpg.Pool, job: Job, seconds: float, problem: str, *, counts: bool = False, cursor: Cursor | None = None
) -> None:
    """Release the claim; the page is due again in `seconds`. `counts`: this attempt failed. `cursor` takes the place of the
    job's."""
    stored_cursor = json.dumps(job.cursor if cursor is None else cursor)
    await pool.execute(POSTPONE, job.id, job.reached, stored_cursor, int(counts), problem, seconds)


async def latest(pool: asyncpg.Pool, connections: Sequence[str]) -> Mapping[str, Job]:
    """The latest back-fill of each of these connections that had one."""
    rows = await pool.fetch(LATEST, connections)
    return {row["connection"]: jobs.job_of(row) for row in rows}


async def wake(pool: asyncpg.Pool, connection: str) -> None:
    """Let the back-fill of a connection continue now: its credentials or its state have changed."""
    await pool.execute(WAKE, connection)
