"""Stored deliveries, read back: how many are held, and the first request under each Idempotency-Key."""

import json
from collections.abc import Sequence

import asyncpg

from services.ingest.domain.idempotency import ERASURE, StoredRequest

HELD = "SELECT connection, count(*) FROM inbox WHERE verdict = 'held' AND connection = ANY($1::text[]) GROUP BY connection"
REQUESTS = """
SELECT delivery, sha256(raw), headers, (
    SELECT array_agg(fingerprint ORDER BY position) FROM events WHERE events.seq = inbox.seq
) FROM inbox WHERE connection = $1 AND delivery = ANY($2::text[])
"""
"""Bodies are compared by their hash, so none leaves the database."""


class Deliveries:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def count_held(self, connections: Sequence[str]) -> dict[str, int]:
        """The number of held deliveries by connection. Connections without any are left out."""
        return {row[0]: row[1] for row in await self._pool.fetch(HELD, connections)}

    async def find_requests(self, connection: str, ids: Sequence[str]) -> dict[str, StoredRequest]:
        """The stored requests of a connection by their delivery ids. Unknown ids are left out."""
        rows = await self._pool.fetch(REQUESTS, connection, ids)
        return {r[0]: StoredRequest(r[1], tuple(r[3] or ()), json.loads(r[2]).get(ERASURE)) for r in rows}
