"""Find and delete interned values that nothing uses any more: pseudonyms of erased customers, and values that only they had.

A process remembers the numbers of values for `interning.REMEMBERED_SECONDS`. So a value is first marked as unused, and deleted
only if a purge that comes much later finds it unused and still marked. A look-up of a marked value removes the mark, and a purge
removes it from a value that is used again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from shared.events import DIMENSIONS

LEASE = timedelta(minutes=30)

NOTE = """
INSERT INTO purges (tenant, erased_at, due) SELECT tenant, now(), now() FROM unnest($1::int[]) AS tenant ORDER BY tenant
ON CONFLICT (tenant) DO UPDATE SET erased_at = excluded.erased_at
"""
CLAIM = """
UPDATE purges SET due = now() + $1::interval WHERE tenant = (
    SELECT tenant FROM purges WHERE due <= now() ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING tenant, erased_at
"""
USED_CUSTOMERS = "SELECT DISTINCT customer AS id FROM contributions WHERE tenant = $1 AND customer IS NOT NULL"
USED_TERMS = f"""
SELECT DISTINCT value AS id
FROM contributions, LATERAL unnest(ARRAY[{", ".join(DIMENSIONS)}] || themes || urgency || own) AS value
WHERE tenant = $1 AND value IS NOT NULL
"""  # noqa: S608
"""Histograms name values too. But a sealed one names only values of contributions, and an open one is counted again before it is
read."""

PURGE = """
WITH used AS MATERIALIZED ({used}), deleted AS (
    DELETE FROM {table} v WHERE tenant = $1 AND unused_since <= now() - $2::interval
    AND NOT EXISTS (SELECT FROM used WHERE used.id = v.id) RETURNING 1
), unmarked AS (
    UPDATE {table} v SET unused_since = NULL WHERE tenant = $1 AND unused_since IS NOT NULL
    AND EXISTS (SELECT FROM used WHERE used.id = v.id)
), marked AS (
    UPDATE {table} v SET unused_since = now() WHERE tenant = $1 AND unused_since IS NULL
    AND NOT EXISTS (SELECT FROM used WHERE used.id = v.id)
)
SELECT count(*) FROM deleted
"""
TABLES = {"customers": USED_CUSTOMERS, "terms": USED_TERMS}

AGAIN = "UPDATE purges SET due = now() + $2::interval WHERE tenant = $1"
FINISH = f"""
DELETE FROM purges WHERE tenant = $1 AND erased_at = $2
{" ".join(f"AND NOT EXISTS (SELECT FROM {table} WHERE tenant = $1 AND unused_since IS NOT NULL)" for table in TABLES)}
"""  # noqa: S608
"""Keeps the row if another subject was erased meanwhile."""


@dataclass(frozen=True, slots=True)
class Purge:
    """A tenant of which a subject was erased, at `erased_at` for the last time."""

    tenant: int
    erased_at: datetime


async def note_erasures(connection: asyncpg.Connection, tenants: Sequence[int]) -> None:
    """Request purges of the values of these tenants, in the transaction that erases their subjects."""
    await connection.execute(NOTE, sorted(set(tenants)))


async def claim(connection: asyncpg.Connection) -> Purge | None:
    """The tenant whose purge is due first, for this caller alone for LEASE."""
    row = await connection.fetchrow(CLAIM, LEASE)
    return Purge(row[0], row[1]) if row else None


async def purge(connection: asyncpg.Connection, due: Purge, grace: timedelta) -> int:
    """Delete the tenant's values that were marked as unused `grace` ago and still are, and mark those that are unused now. Reads
    all contributions of the tenant. Returns how many values were deleted."""
    deleted = 0
    for table, used in TABLES.items():
        deleted += await connection.fetchval(PURGE.format(table=table, used=used), due.tenant, grace)
    await connection.execute(AGAIN, due.tenant, grace)
    await connection.execute(FINISH, due.tenant, due.erased_at)
    return deleted
