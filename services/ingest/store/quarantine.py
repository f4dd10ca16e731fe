"""Deliveries of the inbox that wait: `quarantined` ones, and how many are `held` because their connection is paused."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.ingest.domain.delivery import Stored

LIST = """
SELECT seq, connection, delivery, received_at, reason, revision FROM inbox
WHERE tenant = $1 AND verdict = 'quarantined' AND seq < $2 AND ($3::text IS NULL OR connection = $3) ORDER BY seq DESC LIMIT $4
"""
ONE = """
SELECT seq, connection, delivery, received_at, headers, raw, reason, revision FROM inbox
WHERE tenant = $1 AND verdict = 'quarantined' AND seq = $2
"""
HELD = "SELECT connection, count(*) FROM inbox WHERE verdict = 'held' AND connection = ANY($1::text[]) GROUP BY connection"


@dataclass(frozen=True, slots=True)
class Summary:
    """A quarantined delivery as a list shows it: without headers and body, which are large."""

    seq: int
    connection: str
    delivery: str | None
    received_at: datetime
    reason: str
    revision: int


class Quarantine:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def of(self, tenant: str, before: int, connection: str | None, most: int) -> list[Summary]:
        """At most `most` quarantined deliveries with sequence numbers below `before`, the newest first. Reads no bodies."""
        rows = await self._pool.fetch(LIST, tenant, before, connection, most)
        return [Summary(r[0], r[1], r[2], r[3], r[4] or "", r[5]) for r in rows]

    async def find(self, tenant: str, seq: int) -> Stored | None:
        """One quarantined delivery with its body; None where the tenant has none of that number."""
        r = await self._pool.fetchrow(ONE, tenant, seq)
        return Stored(r[0], r[1], r[2], r[3], json.loads(r[4]), r[5] or b"", r[6] or "", r[7]) if r else None

    async def held_counts(self, connections: Sequence[str]) -> dict[str, int]:
        """How many deliveries each of the connections holds; connections that hold none are left out."""
        return {row[0]: row[1] for row in await self._pool.fetch(HELD, connections)}
