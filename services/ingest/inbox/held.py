"""Deliveries that came while their connection was paused: kept unread (`held`) until it is active again, or dropped with it.

Any number of processes may release at the same time. A transaction-scoped lock per connection lets one of them work; even
without it the check of the verdict in `restate` would keep a delivery from being counted twice.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from services.ingest.domain.connection import Connection, State
from services.ingest.domain.delivery import Delivery, Stored
from services.ingest.inbox import locks
from services.ingest.inbox.restate import restate
from services.ingest.inbox.stated import Stated
from services.ingest.inbox.writer import Connection as Database

DELETED = "the connection was deleted"
"""`inbox.reason` of held deliveries whose connection was deleted; their bodies are gone."""

READY = """
WITH RECURSIVE holding AS (
    (SELECT connection FROM inbox WHERE verdict = 'held' ORDER BY connection LIMIT 1)
    UNION ALL
    SELECT (SELECT inbox.connection FROM inbox WHERE verdict = 'held' AND inbox.connection > holding.connection
            ORDER BY inbox.connection LIMIT 1)
    FROM holding WHERE holding.connection IS NOT NULL
)
SELECT id, state FROM connections JOIN holding ON holding.connection = connections.id WHERE state <> 'paused'
"""
"""Jumps from connection to connection along the index `inbox_held`, however many deliveries each has."""

OLDEST = """
SELECT seq, connection, delivery, received_at, headers, raw, reason, revision FROM (
    SELECT oldest.*, sum(length(raw)) OVER (ORDER BY seq) - length(raw) AS bytes_before FROM (
        SELECT * FROM inbox WHERE verdict = 'held' AND connection = $1 ORDER BY seq LIMIT $2
    ) AS oldest
) AS measured WHERE coalesce(bytes_before, 0) < $3 ORDER BY seq
"""
STATE = "SELECT state, revision FROM connections WHERE id = $1 FOR SHARE"
QUARANTINE = "UPDATE inbox SET verdict = 'quarantined', reason = $2 WHERE seq = $1 AND verdict = 'held'"
DROP = """
UPDATE inbox SET verdict = 'ignored', reason = $3, raw = NULL, headers = '{}' WHERE seq IN (
    SELECT seq FROM inbox WHERE verdict = 'held' AND connection = $1 ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""


@dataclass(frozen=True, slots=True)
class Ready:
    """A connection that is no longer paused and has held deliveries."""

    connection: str
    state: State


async def ready_connections(pool: asyncpg.Pool) -> list[Ready]:
    return [Ready(row[0], row[1]) for row in await pool.fetch(READY)]


async def oldest_held(pool: asyncpg.Pool, connection: str, limit: int, limit_bytes: int) -> list[Stored]:
    """The connection's first held deliveries by sequence number: at most `limit`, and none that begins after `limit_bytes`."""
    rows = await pool.fetch(OLDEST, connection, limit, limit_bytes)
    return [Stored(r[0], r[1], r[2], r[3], json.loads(r[4]), r[5] or b"", r[6] or "", r[7]) for r in rows]


async def release(db: Database, connection: Connection, deliveries: Mapping[int, Delivery]) -> list[Stated] | None:
    """Store what the held deliveries, by sequence number, were read as under `connection`. Returns the statements to publish.

    None: nothing was done, because another process is releasing this connection, or because it was paused, deleted or given
    another mapping after the deliveries were read.
    """
    async with db.transaction():
        if not await db.fetchval("SELECT pg_try_advisory_xact_lock($1)", locks.of_release(connection.id)):
            return None
        row = await db.fetchrow(STATE, connection.id)
        if row is None or tuple(row) != ("active", connection.revision):
            return None
        restated = await restate(db, "held", deliveries)
    return [stated for seq in sorted(restated) for stated in restated[seq].statements]


async def quarantine_held(pool: asyncpg.Pool, seq: int, reason: str) -> None:
    """Move one held delivery to quarantine."""
    await pool.execute(QUARANTINE, seq, reason)


async def drop_held(pool: asyncpg.Pool, connection: str, limit: int) -> int:
    """Mark at most `limit` held deliveries of a deleted connection `ignored` and delete their bodies. Returns how many."""
    done = await pool.execute(DROP, connection, limit, DELETED)
    return int(done.split()[-1])
