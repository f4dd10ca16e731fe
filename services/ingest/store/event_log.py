"""Stored events, read back in the order of the inbox: in pages, and by subject."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from shared.events import comments, decode_event, text_hash

PAGE = """
SELECT seq, event FROM events WHERE seq > $1 AND seq <= $2 AND ($3::text IS NULL OR tenant = $3) ORDER BY seq, position LIMIT $4
"""
DELIVERY = "SELECT event FROM events WHERE seq = $1 AND ($2::text IS NULL OR tenant = $2) ORDER BY position"
HEAD = "SELECT coalesce(max(seq), 0) FROM inbox"
UNPUBLISHED = """
SELECT (SELECT count(*) FROM unpublished)
    + (SELECT coalesce(sum(greatest(upto - reached, 1)), 0)::bigint FROM replays WHERE finished IS NULL)
"""
OF_SUBJECT = "SELECT event FROM events WHERE tenant = $1 AND subject = $2 ORDER BY seq DESC, position DESC"

PAGE_SIZE = 2_000
PREFETCH = 20
MAX_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Head:
    """`seq`: every delivery up to it is stored. `unpublished`: deliveries that are not known to be in Kafka, plus an upper bound
    of those that running replays have yet to publish."""

    seq: int
    unpublished: int


class EventLog:
    """The table `events`. `arrivals_lock` is the advisory lock that transactions hold while they take sequence numbers."""

    def __init__(self, pool: asyncpg.Pool, arrivals_lock: int) -> None:
        self._pool = pool
        self._arrivals_lock = arrivals_lock

    async def head(self) -> Head:
        """The last sequence number below which nothing is missing: waits for the transactions that hold lower ones.

        Deliveries wait while the lock is held, so a long outbox is counted after it.
        """
        async with self._pool.acquire(timeout=5) as db:
            async with db.transaction():
                await db.execute("SELECT pg_advisory_xact_lock($1)", self._arrivals_lock)
                seq = await db.fetchval(HEAD)
            return Head(seq, await db.fetchval(UNPUBLISHED))

    async def latest_seq(self) -> int:
        """The highest sequence number of a stored delivery; 0: there is none. Waits for nothing: lower ones may be missing."""
        return int(await self._pool.fetchval(HEAD))

    async def pages(self, tenant: str | None, after: int, upto: int = MAX_SEQ, limit: int | None = None) -> AsyncIterator[bytes]:
        """Events with after < seq ≤ upto as NDJSON, page by page, so a slow reader holds no transaction open.

        `limit` is rounded up to whole deliveries: to continue, pass the last `seq` as `after`.
        """
        left = limit if limit is not None else MAX_SEQ
        while left > 0:
            size = min(PAGE_SIZE, left)
            rows = await self._pool.fetch(PAGE, after, upto, tenant, size)
            if not rows:
                return
            after = rows[-1][0]
            events = [row[1] for row in rows if row[0] != after]
            events += [row[0] for row in await self._pool.fetch(DELIVERY, after, tenant)]
            left = left - len(events) if len(rows) == size else 0
            if events:  # an erasure may have deleted the last delivery between the two reads
                yield ("\n".join(events) + "\n").encode()

    async def has_comment(self, tenant: str, subject: str, comment: str) -> bool:
        """Whether the tenant's `subject` ever had the comment whose text has the hash `comment`. False for an erased subject."""
        async with self._pool.acquire(timeout=5) as db, db.transaction(readonly=True):
            async for row in db.cursor(OF_SUBJECT, tenant, subject, prefetch=PREFETCH):
                if any(text_hash(text) == comment for text, _ in comments(decode_event(row[0]).body)):
                    return True
        return False
