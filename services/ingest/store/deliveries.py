"""Stored deliveries, read back: quarantined ones, how many are held, and the first request under each Idempotency-Key."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.ingest.domain.delivery import StoredDelivery
from services.ingest.domain.idempotency import ERASURE, StoredRequest

QUARANTINED = """
SELECT seq, connection, delivery, received_at, reason, revision FROM inbox
WHERE tenant = $1 AND verdict = 'quarantined' AND seq < $2 AND ($3::text IS NULL OR connection = $3) ORDER BY seq DESC LIMIT $4
"""
QUARANTINED_ONE = """
SELECT seq, connection, delivery, received_at, headers, raw, reason, revision FROM inbox
WHERE tenant = $1 AND verdict = 'quarantined' AND seq = $2
"""
HELD = "SELECT connection, count(*) FROM inbox WHERE verdict = 'held' AND connection = ANY($1::text[]) GROUP BY connection"
REQUESTS = """
SELECT delivery, sha256(raw), headers, (
    SELECT array_agg(fingerprint ORDER BY position) FROM events WHERE events.seq = inbox.seq
) FROM inbox WHERE connection = $1 AND delivery = ANY($2::text[])
"""
"""Bodies are compared by their hash, so none leaves the database."""


@dataclass(frozen=True, slots=True)
class QuarantinedSummary:
    """A quarantined delivery without its headers and its body, which may be large."""

    seq: int
    connection: str
    delivery: str | None
    received_at: datetime
    reason: str
    revision: int


class Deliveries:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def list_quarantined(self, tenant: str, before: int, connection: str | None, limit: int) -> list[QuarantinedSummary]:
        """Up to `limit` quarantined deliveries with sequence numbers below `before`, the newest first. Reads no bodies."""
        rows = await self._pool.fetch(QUARANTINED, tenant, before, connection, limit)
        return [QuarantinedSummary(r[0], r[1], r[2], r[3], r[4] or "", r[5]) for r in rows]

    async def find_quarantined(self, tenant: str, seq: int) -> StoredDelivery | None:
        """One quarantined delivery with its body. None if the tenant has none with this number."""
        r = await self._pool.fetchrow(QUARANTINED_ONE, tenant, seq)
        return StoredDelivery(r[0], r[1], r[2], r[3], json.loads(r[4]), r[5] or b"", r[6] or "", r[7]) if r else None

    async def count_held(self, connections: Sequence[str]) -> dict[str, int]:
        """The number of held deliveries by connection. Connections without any are left out."""
        return {row[0]: row[1] for row in await self._pool.fetch(HELD, connections)}

    async def find_requests(self, connection: str, ids: Sequence[str]) -> dict[str, StoredRequest]:
        """The stored requests of a connection by their delivery ids. Unknown ids are left out."""
        rows = await self._pool.fetch(REQUESTS, connection, ids)
        return {r[0]: StoredRequest(r[1], tuple(r[3] or ()), json.loads(r[2]).get(ERASURE)) for r in rows}
