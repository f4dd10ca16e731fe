"""The queue of thin events: one row for each thing to fetch from a tool's API, claimed under a lease, in turns by connection.

The transaction that stores a pending delivery also adds its row. If the same thing waits already, the new delivery adds nothing:
the fetch will return the newest state. If it is being fetched just now, it is fetched once more (`next`). The transaction that
stores the result deletes the row, and only if the lease is still its own, so a delivery is completed once, whatever crashes.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery, StorableBody, StoredDelivery
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher
from services.ingest.inbox.leases import LeaseLost
from services.ingest.inbox.outbox import OutboxEvent
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.verdicts import Replaced, erase_body, load_pending, replace_verdicts, set_content
from shared.request_context import RequestContext

LEASE_SECONDS = 300
"""Longer than all calls of one fetch may take."""
GIVE_UP_AFTER = timedelta(days=7)
"""The age at which a delivery that could not be fetched goes to quarantine."""
EXPIRY_BATCH = 500

CLAIM = """
WITH RECURSIVE first AS (
    (SELECT connection FROM fetches ORDER BY connection LIMIT 1)
    UNION ALL
    SELECT (SELECT fetches.connection FROM fetches WHERE fetches.connection > first.connection ORDER BY connection LIMIT 1)
    FROM first WHERE first.connection IS NOT NULL
), ready AS MATERIALIZED (
    SELECT first.connection FROM first JOIN connections ON connections.id = first.connection
    LEFT JOIN tool_apis ON tool_apis.connection = first.connection
    WHERE connections.state = 'active' AND connections.sealed_credentials IS NOT NULL AND tool_apis.stopped IS NULL
    AND (tool_apis.blocked_until IS NULL OR tool_apis.blocked_until <= now()) AND first.connection <> ALL ($2::text[])
), oldest AS MATERIALIZED (
    SELECT row.connection, row.key, row.due FROM ready CROSS JOIN LATERAL (
        SELECT connection, key, due FROM fetches WHERE connection = ready.connection AND due <= now()
        ORDER BY due, seq LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS row
), chosen AS (
    SELECT connection, key FROM oldest ORDER BY due LIMIT $1
)
UPDATE fetches SET token = gen_random_uuid()::text, due = now() + make_interval(secs => $3), attempts = attempts + 1
FROM chosen WHERE fetches.connection = chosen.connection AND fetches.key = chosen.key
RETURNING fetches.connection, fetches.key, fetches.tenant, fetches.seq, fetches.attempts, fetches.token,
    fetches.request_id, fetches.traceparent
"""
"""The oldest due row of each connection that may be called and is not in $2; of those the $1 oldest. Connections are found by
skipping through the index, so one with many rows costs no more than one with a few."""

DELETE = "DELETE FROM fetches WHERE connection = $1 AND key = $2 AND token = $3 AND next IS NULL"
FETCH_NEXT = """
UPDATE fetches SET seq = next, next = NULL, token = NULL, attempts = 0, due = now(), added = now()
WHERE connection = $1 AND key = $2 AND token = $3 AND next IS NOT NULL
"""
POSTPONE = """
UPDATE fetches SET token = NULL, due = now() + make_interval(secs => $4), attempts = attempts - $5::int
WHERE connection = $1 AND key = $2 AND token = $3
"""
LATER_ERASURES = "SELECT names FROM erasures WHERE tenant = $1 AND seq > $2"

EXPIRE = """
WITH expired AS (
    DELETE FROM fetches WHERE (connection, key) IN (
        SELECT connection, key FROM fetches WHERE added < now() - $1::interval ORDER BY added LIMIT $2 FOR UPDATE SKIP LOCKED
    ) RETURNING connection, seq, next
)
UPDATE inbox SET verdict = 'quarantined', reason_code = 'fetch_expired',
    reason = $3 || coalesce(tool_apis.stopped, tool_apis.last_error, 'it was never called')
FROM expired LEFT JOIN tool_apis USING (connection)
WHERE inbox.seq IN (expired.seq, expired.next) AND inbox.verdict = 'pending'
"""
EXPIRED = "not fetched from the tool's API within 7 days: "

DROP = """
WITH dropped AS (
    DELETE FROM fetches WHERE (connection, key) IN (
        SELECT fetches.connection, fetches.key FROM fetches JOIN connections ON connections.id = fetches.connection
        WHERE connections.state = 'deleted' LIMIT $1 FOR UPDATE OF fetches SKIP LOCKED
    ) RETURNING seq, next
)
UPDATE inbox SET verdict = 'ignored', reason = $2, raw = NULL, headers = '{}' FROM dropped
WHERE inbox.seq IN (dropped.seq, dropped.next) AND inbox.verdict = 'pending'
"""
DELETED = "the connection was deleted"


@dataclass(frozen=True, slots=True)
class ClaimedFetch:
    """A thing to fetch, which no other process may claim for LEASE_SECONDS. `attempts` counts this one too. `context` is that of
    the request that brought the delivery."""

    connection: str
    key: str
    tenant: str
    seq: int
    attempts: int
    token: str
    context: RequestContext | None = None


async def claim(pool: asyncpg.Pool, limit: int, busy: Collection[str]) -> list[ClaimedFetch]:
    """Claim at most one due row of each connection that is not `busy`, together at most `limit`, the longest due first."""
    rows = await pool.fetch(CLAIM, limit, sorted(busy), LEASE_SECONDS)
    return [ClaimedFetch(r[0], r[1], r[2], r[3], r[4], r[5], RequestContext(r[6], r[7] or "") if r[6] else None) for r in rows]


async def load_delivery(pool: asyncpg.Pool, fetch: ClaimedFetch, cipher: BodyCipher = PLAIN) -> StoredDelivery | None:
    """The pending delivery that the fetch completes. None if it is no longer pending, for example erased."""
    return await load_pending(pool, fetch.seq, cipher)


async def complete(
    db: Connection,
    fetch: ClaimedFetch,
    delivery: Delivery,
    body: StorableBody,
    names_customer: Callable[[Sequence[str]], Awaitable[bool]],
) -> tuple[Delivery, list[OutboxEvent]]:
    """Store `delivery`, the pending one as it was read with its fetched content or its final verdict, and end the fetch.

    `body` is its content as it is to be stored. `names_customer` says whether the content names one of these pseudonyms, of
    customers who were erased after the delivery arrived: then the content isn't stored. Returns the delivery as it is stored, and
    the events to publish. Raises LeaseLost.
    """
    async with db.transaction():
        replaced = await replace_verdicts(db, "pending", {fetch.seq: delivery})
        if fetch.seq not in replaced:
            raise LeaseLost
        stored = await _store_content(db, fetch, replaced[fetch.seq], body, names_customer)
        await _end(db, fetch)
    return stored, replaced[fetch.seq].events


async def _store_content(
    db: Connection,
    fetch: ClaimedFetch,
    replaced: Replaced,
    body: StorableBody,
    names_customer: Callable[[Sequence[str]], Awaitable[bool]],
) -> Delivery:
    delivery = replaced.delivery
    if not delivery.raw:
        return delivery
    erased = [name for row in await db.fetch(LATER_ERASURES, fetch.tenant, fetch.seq) for name in row[0]]
    if erased and await names_customer(erased):
        await erase_body(db, fetch.seq)
        return replace(delivery, raw=b"")
    await set_content(db, fetch.seq, body)
    return delivery


async def discard(pool: asyncpg.Pool, fetch: ClaimedFetch) -> None:
    """End a fetch whose delivery is no longer pending."""
    async with pool.acquire(timeout=5) as db, db.transaction():
        await _end(db, fetch)


async def _end(db: Connection, fetch: ClaimedFetch) -> None:
    """Delete the row, or let the delivery that arrived meanwhile be fetched. Raises LeaseLost if the row isn't ours any more."""
    claimed = (fetch.connection, fetch.key, fetch.token)
    for statement in (DELETE, FETCH_NEXT):
        if (await db.execute(statement, *claimed)).endswith(" 1"):
            return
    raise LeaseLost


async def postpone(pool: asyncpg.Pool, fetch: ClaimedFetch, seconds: float, *, counts: bool) -> None:
    """Release the claim; the row is due again in `seconds`. `counts`: this attempt counts."""
    await pool.execute(POSTPONE, fetch.connection, fetch.key, fetch.token, seconds, int(not counts))


async def expire(pool: asyncpg.Pool) -> int:
    """Move deliveries that have waited for GIVE_UP_AFTER to quarantine, and drop those of deleted connections.

    Returns the number of both.
    """
    expired = await pool.execute(EXPIRE, GIVE_UP_AFTER, EXPIRY_BATCH, EXPIRED)
    dropped = await pool.execute(DROP, EXPIRY_BATCH, DELETED)
    return int(expired.split()[-1]) + int(dropped.split()[-1])
