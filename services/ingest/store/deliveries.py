"""Stored deliveries, read back: how many are held, and the first request under each Idempotency-Key."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Protocol

import asyncpg

from services.ingest.domain.delivery import DecryptedBody, StoredBody
from services.ingest.domain.idempotency import ERASURE, OTHER_DIGEST, StoredRequest
from services.ingest.store.vault import TAG_BYTES

HELD = "SELECT connection, count(*) FROM inbox WHERE verdict = 'held' AND connection = ANY($1::text[]) GROUP BY connection"
REQUESTS = """
SELECT inbox.delivery, CASE WHEN body_key IS NULL THEN sha256(raw) END, headers, (
    SELECT array_agg(fingerprint ORDER BY position) FROM events WHERE events.seq = inbox.seq
), body_key, octet_length(raw), CASE WHEN body_key IS NOT NULL AND octet_length(raw) = request.length + $4 THEN raw END
FROM inbox JOIN unnest($2::text[], $3::int[]) AS request (delivery, length) ON request.delivery = inbox.delivery
WHERE connection = $1
"""
"""Plain bodies are compared by their hash, so none leaves the database. Encrypted ones are loaded only if their length is that of
the new body, so they take no more memory than the new ones."""


class Decrypting(Protocol):
    """Decrypts bodies. The part of Vault that this module uses."""

    async def decrypt(self, bodies: Sequence[StoredBody]) -> list[DecryptedBody]:
        """The content of each body."""


class Deliveries:
    def __init__(self, pool: asyncpg.Pool, vault: Decrypting) -> None:
        self._pool = pool
        self._vault = vault

    async def count_held(self, connections: Sequence[str]) -> dict[str, int]:
        """The number of held deliveries by connection. Connections without any are left out."""
        return {row[0]: row[1] for row in await self._pool.fetch(HELD, connections)}

    async def find_requests(self, connection: str, lengths: Mapping[str, int]) -> dict[str, StoredRequest]:
        """The stored requests of a connection by their delivery ids. Unknown ids are left out. `lengths` are those of the new
        bodies with the same ids: the digest of a stored encrypted body of another length is OTHER_DIGEST."""
        rows = await self._pool.fetch(REQUESTS, connection, list(lengths), list(lengths.values()), TAG_BYTES)
        decrypted = iter(await self._vault.decrypt([StoredBody(connection, r[0], r[6], r[4]) for r in rows if r[6] is not None]))
        requests: dict[str, StoredRequest] = {}
        for name, digest, headers, fingerprints, key, length, raw in rows:
            if raw is not None:
                content = next(decrypted).raw
                digest = content and sha256(content).digest()
            elif key is not None and length:
                digest = OTHER_DIGEST
            requests[name] = StoredRequest(digest, tuple(fingerprints or ()), json.loads(headers).get(ERASURE))
        return requests
