"""Adds pending deliveries to the queue of fetches, in the transaction that stores them."""

from collections.abc import Iterable

from services.ingest.domain.delivery import Delivery
from services.ingest.inbox.transactions import Connection
from shared.request_context import RequestContext

ADD = """
INSERT INTO fetches AS waiting (connection, key, tenant, seq, request_id, traceparent)
SELECT DISTINCT ON (connection, key) connection, key, tenant, seq, request_id, traceparent
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[])
    AS new (connection, key, tenant, seq, request_id, traceparent)
ORDER BY connection, key, seq
ON CONFLICT (connection, key) DO UPDATE
SET next = CASE WHEN waiting.token IS NULL THEN waiting.next ELSE coalesce(waiting.next, excluded.seq) END
RETURNING seq, next
"""
"""A row that waits already stays as it is: its fetch returns the newest state. A row that is being fetched may have got an older
state, so it is fetched again for the first delivery that arrives meanwhile."""

COVERED = "UPDATE inbox SET verdict = 'ignored', reason = $2, raw = '', headers = '{}' WHERE seq = ANY($1::bigint[])"
COVERED_REASON = "an earlier delivery about the same waits to be fetched, and gets the newest state"


async def add_fetches(db: Connection, deliveries: Iterable[tuple[int, Delivery, RequestContext | None]]) -> set[int]:
    """Add the pending ones of these deliveries, given with their sequence numbers and the contexts of their requests, to the
    queue. Must run inside a transaction.

    Returns the sequence numbers of those that a waiting fetch covers already: they are stored as ignored.
    """
    rows = [
        (
            delivery.connection,
            delivery.fetch,
            delivery.tenant,
            seq,
            context and context.request_id,
            context and context.traceparent,
        )
        for seq, delivery, context in deliveries
        if delivery.fetch
    ]
    if not rows:
        return set()
    queued = {seq for row in await db.fetch(ADD, *map(list, zip(*rows, strict=True))) for seq in (row[0], row[1])}
    covered = {row[3] for row in rows} - queued
    if covered:
        await db.execute(COVERED, sorted(covered), COVERED_REASON)
    return covered
