"""The normalised events as others read them: in the inbox's order, up to a number, and again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import asyncpg

PAGE = """
SELECT seq, event FROM events WHERE seq > $1 AND seq <= $2 AND ($3::text IS NULL OR tenant = $3) ORDER BY seq, position LIMIT $4
"""
REST_OF = "SELECT event FROM events WHERE seq = $1 AND ($2::text IS NULL OR tenant = $2) ORDER BY position"
HEAD = "SELECT (SELECT coalesce(max(seq), 0) FROM inbox), (SELECT count(*) FROM unpublished)"
AGAIN = """
INSERT INTO unpublished (seq, due, tenant)
SELECT DISTINCT seq, now(), tenant FROM events
WHERE ($1::timestamptz IS NULL OR received_at >= $1) AND ($2::text IS NULL OR tenant = $2)
    AND ($3::timestamptz IS NULL OR received_at < $3) AND ($4::text IS NULL OR event::json ->> 'connection' = $4)
    AND ($5::text IS NULL OR subject = $5)
ON CONFLICT (seq) DO UPDATE SET comments = 0, due = now() WHERE unpublished.comments > 0
"""
"""A delivery that waits for its comments alone is to be published whole."""
PAGE_SIZE = 2_000
LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Head:
    """`seq`: every delivery up to it is in; `unpublished`: deliveries not known to be in Kafka."""

    seq: int
    unpublished: int


class Outbox:
    def __init__(self, pool: asyncpg.Pool, arrivals: int) -> None:
        self._pool = pool
        self._arrivals = arrivals

    async def head(self) -> Head:
        """Waits for the transactions that hold numbers below: what is under `seq` is there, or will never be."""
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            await db.execute("SELECT pg_advisory_xact_lock($1)", self._arrivals)
            row = await db.fetchrow(HEAD)
        return Head(row[0], row[1])

    async def pages(self, tenant: str | None, after: int, upto: int = LAST, limit: int | None = None) -> AsyncIterator[bytes]:
        """Events with after < seq ≤ upto as NDJSON, page by page, so that a slow reader holds no transaction open. `limit` is
        rounded up to whole deliveries, so that the last `seq` read is where to go on."""
        left = limit if limit is not None else LAST
        while left > 0:
            asked = min(PAGE_SIZE, left)
            rows = await self._pool.fetch(PAGE, after, upto, tenant, asked)
            if not rows:
                return
            after = rows[-1][0]
            whole = [row[1] for row in rows if row[0] != after]
            whole += [row[0] for row in await self._pool.fetch(REST_OF, after, tenant)]
            left = left - len(whole) if len(rows) == asked else 0
            if whole:  # an erasure may have deleted the last delivery between the two reads
                yield ("\n".join(whole) + "\n").encode()

    async def publish_again(
        self,
        tenant: str | None,
        since: datetime | None = None,
        until: datetime | None = None,
        connection: str | None = None,
        subject: str | None = None,
    ) -> int:
        """Queue what was received in [since, until) for the sweeper; how many deliveries were not queued already."""
        done = await self._pool.execute(AGAIN, since, tenant, until, connection, subject)
        return int(done.split()[-1])
