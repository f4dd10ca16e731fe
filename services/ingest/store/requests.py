"""The requests that are stored under Idempotency-Keys, as far as needed to tell whether another one repeats them."""

import json
from collections.abc import Sequence

import asyncpg

from services.ingest.domain.idempotency import ERASURE, StoredRequest

FIND = """
SELECT delivery, sha256(raw), headers, (
    SELECT array_agg(fingerprint ORDER BY position) FROM events WHERE events.seq = inbox.seq
) FROM inbox WHERE connection = $1 AND delivery = ANY($2::text[])
"""
"""Bodies are compared by their hash, so that none is sent here."""


class Requests:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, connection: str, deliveries: Sequence[str]) -> dict[str, StoredRequest]:
        """The stored requests of the connection by their ids; those that there are not are left out."""
        rows = await self._pool.fetch(FIND, connection, deliveries)
        return {r[0]: StoredRequest(r[1], tuple(r[3] or ()), json.loads(r[2]).get(ERASURE)) for r in rows}
