"""The table of the outbox: deliveries whose events are not known to be in Kafka, or whose comments are to be scored later.

A delivery is inserted by the transaction that stores its events. The process that stored it publishes it at once; the sweeper
publishes what is due and still there. A row goes through at most two states:

- `comments` = 0: its events are to be published;
- `comments` > 0: its events are published, marked "comments later", and are to be published again once that many characters of
  comments may go to sentiment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

LEASE_SECONDS = 30
LEAST_COMMENT = 75
"""The least that `comments` may be where it isn't 0. It bounds how many rows a claim locks."""

DELETE = """
DELETE FROM unpublished USING (SELECT set_config('synchronous_commit', 'off', true)) AS quick WHERE seq = ANY($1::bigint[])
"""
"""Without waiting for the disk: rows that a crash brings back are published twice, which does no harm."""

POSTPONE = """
UPDATE unpublished SET comments = later.comments, due = now()
FROM unnest($1::bigint[], $2::int[]) AS later (seq, comments),
    (SELECT set_config('synchronous_commit', 'off', true)) AS quick
WHERE unpublished.seq = later.seq
"""

CLAIM = """
WITH RECURSIVE first AS (
    (SELECT tenant, due FROM unpublished WHERE {state} ORDER BY tenant, due LIMIT 1)
    UNION ALL
    SELECT next.tenant, next.due FROM first CROSS JOIN LATERAL (
        SELECT tenant, due FROM unpublished WHERE {state} AND tenant > first.tenant ORDER BY tenant, due LIMIT 1
    ) AS next
), tenants AS MATERIALIZED (
    SELECT tenant, ceil($1::numeric / count(*) OVER ()) AS share FROM first WHERE due <= now()
), locked AS MATERIALIZED (
    SELECT row.tenant, row.seq, row.due, {units} AS units, tenants.share FROM tenants CROSS JOIN LATERAL (
        SELECT tenant, seq, due, comments FROM unpublished WHERE {state} AND tenant = tenants.tenant AND due <= now()
        ORDER BY due, seq LIMIT ceil(tenants.share / {least}) FOR UPDATE SKIP LOCKED
    ) AS row
), shared AS (
    SELECT *, sum(units) OVER (PARTITION BY tenant ORDER BY due, seq) - units AS before FROM locked
), ordered AS (
    SELECT seq, sum(units) OVER (ORDER BY due, seq) - units AS before FROM shared WHERE before < share
)
UPDATE unpublished SET due = now() + make_interval(secs => $2)
WHERE seq = ANY(ARRAY(SELECT seq FROM ordered WHERE before < $1)) RETURNING seq
"""
"""The oldest rows of each tenant that has any due, in equal shares of $1 units, at least one row; together no more than $1 units
and one row. Tenants are found by skipping through the index, so a tenant's many rows cost no more than a few. The rows to update
are an array, for which the planner uses the index whatever number it expects.
"""

CLAIM_EVENTS = CLAIM.format(state="comments = 0", units="1", least="1")
CLAIM_COMMENTS = CLAIM.format(state="comments > 0", units="row.comments", least=LEAST_COMMENT)

EVENTS = "SELECT seq, tenant, subject, received_at, event FROM events WHERE seq = ANY($1::bigint[]) ORDER BY seq, position"
RELEASE = "UPDATE unpublished SET due = now() WHERE seq = ANY($1::bigint[])"
OLDEST = "SELECT received_at FROM inbox WHERE seq = (SELECT min(seq) FROM unpublished)"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way to Kafka."""

    seq: int
    tenant: str
    subject: str
    received_at: datetime
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """Deliveries that are the caller's alone for LEASE_SECONDS, and their events: none of a delivery that was erased."""

    seqs: list[int]
    events: list[Outgoing]


async def mark_published(pool: asyncpg.Pool, seqs: Sequence[int]) -> None:
    """Delete deliveries whose events are in Kafka, to be scored at once or without comments."""
    await pool.execute(DELETE, seqs)


async def postpone_comments(pool: asyncpg.Pool, comments: Mapping[int, int]) -> None:
    """Note of deliveries (sequence → characters of comments) that their events are in Kafka, but for their comments."""
    await pool.execute(POSTPONE, list(comments), list(comments.values()))


async def claim_events(pool: asyncpg.Pool, most: int) -> Claimed:
    """Claim up to `most` due deliveries whose events are to be published, in equal shares for all tenants."""
    return await _claim(pool, CLAIM_EVENTS, most)


async def claim_comments(pool: asyncpg.Pool, characters: int) -> Claimed:
    """Claim due deliveries whose comments are to be published, of about so many characters, in equal shares for all tenants."""
    return await _claim(pool, CLAIM_COMMENTS, characters)


async def _claim(pool: asyncpg.Pool, statement: str, *arguments: Any) -> Claimed:
    async with pool.acquire(timeout=5) as db:
        seqs = [row[0] for row in await db.fetch(statement, *arguments, LEASE_SECONDS)]
        rows = await db.fetch(EVENTS, seqs) if seqs else []
    return Claimed(seqs, [Outgoing(r[0], r[1], r[2], r[3], r[4].encode()) for r in rows])


async def oldest_receipt(pool: asyncpg.Pool) -> datetime | None:
    """When the oldest delivery was received whose events, or comments, are still to be published; None: there is none."""
    received_at: datetime | None = await pool.fetchval(OLDEST)
    return received_at


async def release(pool: asyncpg.Pool, seqs: Sequence[int]) -> None:
    """Let deliveries be claimed again at once."""
    await pool.execute(RELEASE, seqs)
