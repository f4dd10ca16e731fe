"""Quarantine: its deliveries in pages, one with its body, their number by reason, and the next ones of a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import asyncpg

from services.ingest.domain.delivery import StoredBody, StoredDelivery
from services.ingest.inbox.body_cipher import COLUMNS, PLAIN, BodyCipher, load_deliveries, next_bodies_sql
from services.ingest.inbox.jobs import Extent, Job, add_ended_job
from services.ingest.inbox.selection import QUARANTINE_FILTER, Selection
from services.ingest.inbox.transactions import Connection

UnreadVerdict = Literal["quarantined", "discarded"]
"""The verdicts of deliveries that are listed."""

LIST = f"""
SELECT inbox.seq, inbox.connection, connections.provider, inbox.delivery, inbox.received_at, inbox.reason,
    coalesce(inbox.reason_code, 'unclassified'), inbox.revision
FROM inbox JOIN connections ON connections.id = inbox.connection WHERE seq = ANY(ARRAY(
    SELECT seq FROM inbox WHERE verdict = '{{verdict}}' AND {QUARANTINE_FILTER} AND seq < $7 ORDER BY seq DESC LIMIT $8
)) ORDER BY seq DESC
"""  # noqa: S608
"""The inner query reads the index alone, however many deliveries it passes over."""
LISTS: dict[UnreadVerdict, str] = {
    "quarantined": LIST.format(verdict="quarantined"),
    "discarded": LIST.format(verdict="discarded"),
}
COUNT = f"""
SELECT counted.reason_code, connection, connections.provider, counted.deliveries, oldest, newest FROM (
    SELECT coalesce(reason_code, 'unclassified') AS reason_code, connection, count(*) AS deliveries,
        min(received_at) AS oldest, max(received_at) AS newest
    FROM (
        SELECT reason_code, connection, received_at FROM inbox WHERE verdict = 'quarantined' AND {QUARANTINE_FILTER}
        ORDER BY seq DESC LIMIT $7
    ) AS latest GROUP BY 1, 2
) AS counted JOIN connections ON connections.id = counted.connection ORDER BY deliveries DESC, reason_code, connection
"""  # noqa: S608
ONE = """
SELECT inbox.seq, inbox.connection, connections.provider, delivery, received_at, reason, coalesce(reason_code, 'unclassified'),
    inbox.revision, headers, raw, body_key
FROM inbox JOIN connections ON connections.id = inbox.connection
WHERE inbox.tenant = $1 AND verdict = 'quarantined' AND seq = $2
"""

EXTENT = f"SELECT count(*), max(seq) FROM inbox WHERE verdict = 'quarantined' AND {QUARANTINE_FILTER}"  # noqa: S608
BODIES = next_bodies_sql(
    COLUMNS,
    f"FROM inbox WHERE verdict = 'quarantined' AND {QUARANTINE_FILTER} AND seq > $7 AND seq <= $8",
    limit="$9",
    limit_bytes="$10",
    condition="verdict = 'quarantined'",
)
DISCARD = f"""
UPDATE inbox SET verdict = 'discarded', raw = NULL, headers = '{{}}' WHERE verdict = 'quarantined' AND seq = ANY(ARRAY(
    SELECT seq FROM inbox WHERE verdict = 'quarantined' AND {QUARANTINE_FILTER} AND seq > $7 AND seq <= $8 ORDER BY seq LIMIT $9
)) RETURNING seq
"""  # noqa: S608
DISCARD_ONE = """
UPDATE inbox SET verdict = 'discarded', raw = NULL, headers = '{}' WHERE tenant = $1 AND seq = $2 AND verdict = 'quarantined'
RETURNING connection
"""
IS_DISCARDED = "SELECT EXISTS (SELECT FROM inbox WHERE tenant = $1 AND seq = $2 AND verdict = 'discarded')"
REFUSED = "UPDATE inbox SET reason = $2, reason_code = 'internal_fault' WHERE seq = $1 AND verdict = 'quarantined'"

MOST_COUNTED = 100_000
"""Deliveries that are counted, the latest. It bounds the time of a count."""


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """A delivery without its headers and its body, which may be large."""

    seq: int
    connection: str
    provider: str
    delivery: str | None
    received_at: datetime
    reason: str
    reason_code: str
    revision: int


@dataclass(frozen=True, slots=True)
class DeliveryWithBody:
    """A quarantined delivery with its stored headers and its body. `is_unreadable`: the body can't be decrypted."""

    summary: DeliverySummary
    headers: dict[str, str]
    raw: bytes
    is_unreadable: bool = False

    @property
    def stored(self) -> StoredDelivery:
        """The delivery, to be read again."""
        one = self.summary
        return StoredDelivery(
            one.seq,
            one.connection,
            one.delivery,
            one.received_at,
            self.headers,
            self.raw,
            one.reason,
            one.revision,
            self.is_unreadable,
        )


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """The number of a connection's deliveries with one reason, and the receipts of the oldest and the newest."""

    reason_code: str
    connection: str
    provider: str
    deliveries: int
    oldest: datetime
    newest: datetime


class Quarantine:
    """Reads quarantine."""

    def __init__(self, pool: asyncpg.Pool, cipher: BodyCipher = PLAIN) -> None:
        self._pool = pool
        self._cipher = cipher

    async def page(self, selection: Selection, verdict: UnreadVerdict, before: int, limit: int) -> list[DeliverySummary]:
        """Up to `limit` deliveries with sequence numbers below `before`, the newest first. Reads no bodies."""
        rows = await self._pool.fetch(LISTS[verdict], *selection.of_quarantine, before, limit)
        return [_summary(row) for row in rows]

    async def find(self, tenant: str, seq: int) -> DeliveryWithBody | None:
        """One quarantined delivery with its body. None if the tenant has none with this number."""
        row = await self._pool.fetchrow(ONE, tenant, seq)
        if row is None:
            return None
        summary = _summary(row)
        [body] = await self._cipher.decrypt([StoredBody(summary.connection, summary.delivery, row[9] or b"", row[10], row[8])])
        return DeliveryWithBody(summary, body.headers, body.raw or b"", body.is_unreadable)

    async def count(self, selection: Selection) -> list[ReasonCount]:
        """The numbers by reason and connection, the largest first, of the latest MOST_COUNTED deliveries."""
        rows = await self._pool.fetch(COUNT, *selection.of_quarantine, MOST_COUNTED)
        return [ReasonCount(*row) for row in rows]

    async def extent(self, selection: Selection) -> Extent:
        """The number of all selected deliveries, and the last one's sequence number."""
        count, last = await self._pool.fetchrow(EXTENT, *selection.of_quarantine)
        return Extent(count, last or 0)

    async def discard_one(self, tenant: str, seq: int, requested_by: str | None) -> bool:
        """Delete the body of one quarantined delivery and record by whom. True if it is or was discarded."""
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            connection = await db.fetchval(DISCARD_ONE, tenant, seq)
            if connection is None:
                return bool(await db.fetchval(IS_DISCARDED, tenant, seq))
            await add_ended_job(db, "discard", tenant, connection, seq, {"discarded": 1}, requested_by)
        return True


async def next_quarantined(
    pool: asyncpg.Pool, job: Job, limit: int, limit_bytes: int, cipher: BodyCipher = PLAIN
) -> list[StoredDelivery]:
    """The next deliveries of the job, by sequence number: at most `limit`, and none that begins after `limit_bytes`."""
    rows = await pool.fetch(BODIES, *job.selection.of_quarantine, job.reached, job.upto, limit, limit_bytes)
    return await load_deliveries(cipher, rows)


async def discard_next(db: Connection, job: Job, limit: int) -> list[int]:
    """Delete the bodies of the job's next deliveries, at most `limit`. Returns their sequence numbers.

    The ids stay, so that a tool that sends one again gets `duplicate`.
    """
    return sorted(row[0] for row in await db.fetch(DISCARD, *job.selection.of_quarantine, job.reached, job.upto, limit))


async def set_refused(db: Connection, seq: int, reason: str) -> None:
    """Store that a fault of ours keeps a delivery in quarantine."""
    await db.execute(REFUSED, seq, reason)


def _summary(row: Sequence[object]) -> DeliverySummary:
    seq, connection, provider, delivery, received_at, reason, code, revision = row[:8]
    return DeliverySummary(seq, connection, provider, delivery, received_at, reason or "", code, revision)  # type: ignore[arg-type]
