"""The queue of what is committed and not known to be published: claimed by state, never by number, left after acknowledgement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

LEASE_SECONDS = 30

PUBLISHED = """
DELETE FROM unpublished USING (SELECT set_config('synchronous_commit', 'off', true)) AS quick WHERE seq = ANY($1::bigint[])
"""
"""Without waiting for the disk: what a crash brings back is published twice, which does no harm."""

CLAIM = """
UPDATE unpublished SET due = now() + make_interval(secs => $2) WHERE seq IN (
    SELECT seq FROM unpublished WHERE due <= now() ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED
) RETURNING seq
"""
EVENTS = "SELECT seq, tenant, subject, received_at, event FROM events WHERE seq = ANY($1::bigint[]) ORDER BY seq, position"
RELEASE = "UPDATE unpublished SET due = now() WHERE seq = ANY($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way to Kafka."""

    seq: int
    tenant: str
    subject: str
    received_at: datetime
    encoded: bytes


async def mark_published(pool: asyncpg.Pool, seqs: Sequence[int]) -> None:
    await pool.execute(PUBLISHED, seqs)


async def claim(pool: asyncpg.Pool, most: int) -> tuple[list[int], list[Outgoing]]:
    """Deliveries that are overdue, for this caller alone for LEASE_SECONDS, and their events (none, where they were erased)."""
    async with pool.acquire(timeout=5) as db:
        seqs = [row[0] for row in await db.fetch(CLAIM, most, LEASE_SECONDS)]
        rows = await db.fetch(EVENTS, seqs) if seqs else []
    return seqs, [Outgoing(r[0], r[1], r[2], r[3], r[4].encode()) for r in rows]


async def release(pool: asyncpg.Pool, seqs: Sequence[int]) -> None:
    """Let them be claimed again at once."""
    await pool.execute(RELEASE, seqs)
