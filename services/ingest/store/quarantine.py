"""What was verified and could not be understood: the deliveries of the inbox whose verdict is `quarantined`."""

import json
from collections.abc import Sequence

import asyncpg

from services.ingest.domain.delivery import Quarantined

LIST = """
SELECT seq, connection, delivery, received_at, headers, raw, reason, revision FROM inbox
WHERE tenant = $1 AND verdict = 'quarantined' AND seq < $2 AND ($3::text IS NULL OR connection = $3) ORDER BY seq DESC LIMIT $4
"""
ONE = """
SELECT seq, connection, delivery, received_at, headers, raw, reason, revision FROM inbox
WHERE tenant = $1 AND verdict = 'quarantined' AND seq = $2
"""
HELD = """
SELECT seq, connection, delivery, received_at, headers, raw, reason, revision FROM inbox
WHERE tenant = $1 AND verdict = 'quarantined' AND seq > $2 AND connection = $3 AND reason = $4 ORDER BY seq LIMIT $5
"""


class Quarantine:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def of(self, tenant: str, before: int, connection: str | None, most: int) -> list[Quarantined]:
        """The newest first."""
        return _read(await self._pool.fetch(LIST, tenant, before, connection, most))

    async def held(self, tenant: str, connection: str, reason: str, after: int, most: int) -> list[Quarantined]:
        """Those of one connection that are there for one reason, the oldest first."""
        return _read(await self._pool.fetch(HELD, tenant, after, connection, reason, most))

    async def find(self, tenant: str, seq: int) -> Quarantined | None:
        return next(iter(_read(await self._pool.fetch(ONE, tenant, seq))), None)


def _read(rows: Sequence[asyncpg.Record]) -> list[Quarantined]:
    return [Quarantined(r[0], r[1], r[2], r[3], json.loads(r[4]), r[5] or b"", r[6] or "", r[7]) for r in rows]
