"""For how long bodies are stored: the setting of a tenant, and the deletion of bodies that are older, in small steps.

A pass goes through a tenant's stored bodies by sequence number, which is the order of receipt, until the first one that is not
old enough. Events stay. So do held and pending deliveries, which are read sooner or later, and whose bodies then fall under the
rule of accepted ones.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

LEASE_SECONDS = 60
STEP_BODIES = 500
PASS_SECONDS = 3600
"""From the end of a tenant's pass to its next one."""

GET = "SELECT body_days, quarantine_days, deleted_before, changed_at FROM retention WHERE tenant = $1"
SET = """
INSERT INTO retention AS former (tenant, body_days, quarantine_days) SELECT id, $2::int, $3::int FROM tenants WHERE id = $1
ON CONFLICT (tenant) DO UPDATE SET body_days = excluded.body_days, quarantine_days = excluded.quarantine_days,
    reached = -1, due = now(), changed_at = now()
WHERE (former.body_days, former.quarantine_days) IS DISTINCT FROM (excluded.body_days, excluded.quarantine_days)
"""
CLAIM = """
UPDATE retention SET due = clock_timestamp() + make_interval(secs => $1) WHERE tenant = (
    SELECT tenant FROM retention WHERE due <= now() AND (body_days IS NOT NULL OR quarantine_days IS NOT NULL)
    ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING tenant, body_days, quarantine_days, reached, due
"""
EXPIRE = """
WITH next AS MATERIALIZED (
    SELECT seq, received_at FROM inbox WHERE tenant = $1 AND seq > $2 AND raw IS NOT NULL ORDER BY seq LIMIT $3
), expired AS (
    UPDATE inbox SET raw = NULL, headers = '{}', verdict = CASE verdict WHEN 'quarantined' THEN 'discarded' ELSE verdict END
    FROM next WHERE inbox.seq = next.seq AND inbox.raw IS NOT NULL
    AND NOT (verdict = 'accepted' AND octet_length(inbox.raw) = 0) AND inbox.received_at < CASE
        WHEN verdict IN ('held', 'pending') THEN NULL WHEN verdict = 'quarantined' THEN $5::timestamptz ELSE $4::timestamptz
    END
    RETURNING verdict
)
SELECT coalesce(max(seq), $2), count(*), max(received_at), (SELECT count(*) FROM expired WHERE verdict <> 'discarded'),
    (SELECT count(*) FROM expired WHERE verdict = 'discarded') FROM next
"""
"""Leaves out accepted deliveries with an empty body. They are erasures, whose headers hold a receipt."""

ADVANCE = """
UPDATE retention SET reached = $3, due = now() + make_interval(secs => $4), deleted_before = greatest(deleted_before, $5)
WHERE tenant = $1 AND due = $2
"""
"""Only while the claim still holds: a change of the setting starts a new pass."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The setting of a tenant. `body_days`: for how long bodies are stored, `quarantine_days`: after how long a quarantined
    delivery is discarded; None: never. Bodies received before `deleted_before` are deleted."""

    body_days: int | None = None
    quarantine_days: int | None = None
    deleted_before: datetime | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimedPass:
    """A tenant whose bodies no other process may go through before `due`. Those up to `reached` are done."""

    tenant: str
    body_days: int | None
    quarantine_days: int | None
    reached: int
    due: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """The result of a step: bodies that were deleted, quarantined deliveries that were discarded, and whether it ended the
    pass."""

    bodies: int
    discarded: int
    is_last: bool


async def find_retention(pool: asyncpg.Pool, tenant: str) -> Retention:
    """The setting of a tenant. One that never set it keeps everything."""
    row = await pool.fetchrow(GET, tenant)
    return Retention(*row) if row else Retention()


async def set_retention(pool: asyncpg.Pool, tenant: str, body_days: int | None, quarantine_days: int | None) -> Retention | None:
    """Store the setting, and begin a pass if it changes. None if the tenant does not exist."""
    await pool.execute(SET, tenant, body_days, quarantine_days)
    row = await pool.fetchrow(GET, tenant)
    return Retention(*row) if row else None


async def claim_pass(pool: asyncpg.Pool) -> ClaimedPass | None:
    """The tenant whose next step is due for longest. None if there is none."""
    row = await pool.fetchrow(CLAIM, LEASE_SECONDS)
    return ClaimedPass(*row) if row else None


async def expire_next(pool: asyncpg.Pool, claimed: ClaimedPass, now: datetime) -> Expired:
    """Delete the bodies that are too old among the next STEP_BODIES ones. The progress is stored in the same transaction."""
    bodies_before, discard_before = _before(now, claimed.body_days), _before(now, claimed.quarantine_days)
    async with pool.acquire(timeout=5) as db, db.transaction():
        row = await db.fetchrow(EXPIRE, claimed.tenant, claimed.reached, STEP_BODIES, bodies_before, discard_before)
        reached, looked_at, latest, bodies, discarded = row
        limit = max(before for before in (bodies_before, discard_before) if before)
        is_last = looked_at < STEP_BODIES or latest >= limit
        progress = (-1, PASS_SECONDS) if is_last else (reached, 0)
        await db.execute(ADVANCE, claimed.tenant, claimed.due, *progress, bodies_before)
    return Expired(bodies, discarded, is_last)


def _before(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now - timedelta(days=days)
