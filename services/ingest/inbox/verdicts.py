"""Replaces the verdict of stored deliveries that are read again: quarantined ones on a retry, held ones on their release, pending
ones when their content is fetched.

A delivery is `held` if it arrived while its connection was paused. Its body is kept unread until the connection is active again,
or dropped if the connection is deleted.

Any number of processes may release deliveries at the same time. A transaction-scoped lock per connection lets one of them work;
even without it the check of the verdict in `replace_verdicts` would keep a delivery from being counted twice.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import asyncpg
from msgspec.structs import replace

from services.ingest.domain import connection as tools
from services.ingest.domain.delivery import Delivery, StorableBody, StoredDelivery
from services.ingest.domain.tombstone import CUSTOMER_ERASED, SQL_FINGERPRINT
from services.ingest.inbox import locks
from services.ingest.inbox.body_cipher import COLUMNS, PLAIN, BodyCipher, load_deliveries, next_bodies_sql
from services.ingest.inbox.erased_customers import historical, older_subjects
from services.ingest.inbox.outbox import OutboxEvent, drafts
from services.ingest.inbox.pending import COVERED_REASON, add_fetches
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.writer import aliases_column, columns_of, customer_locks, event_columns
from shared.request_context import current_context

Pending = Literal["quarantined", "held", "pending"]
"""The verdicts that may be replaced."""

REPLACE = """
WITH replaced AS (
    UPDATE inbox SET verdict = new.verdict, reason = new.reason, revision = new.revision, reason_code = new.reason_code,
        raw = CASE WHEN new.keeps_raw THEN inbox.raw ELSE ''::bytea END,
        headers = CASE WHEN new.keeps_raw THEN inbox.headers ELSE '{}' END
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::int[], $6::bool[], $18::text[])
        AS new (seq, verdict, reason, revision, keeps_raw, reason_code)
    WHERE inbox.seq = new.seq AND inbox.verdict = $1 RETURNING inbox.seq
), stored AS (
    INSERT INTO events (seq, position, tenant, subject, customer, email, received_at, fingerprint, event, aliases)
    SELECT seq, s.position, s.tenant, s.subject, s.customer, s.email, s.received_at, s.fingerprint, s.event, s.aliases::text[]
    FROM unnest(
        $7::bigint[], $8::int[], $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::bytea[], $15::text[],
        $19::text[]
    ) AS s (seq, position, tenant, subject, customer, email, received_at, fingerprint, event, aliases)
    JOIN replaced USING (seq)
    RETURNING seq, tenant
), queued AS (
    INSERT INTO unpublished (seq, due, tenant, request_id, traceparent)
    SELECT DISTINCT seq, now() + interval '5 seconds', tenant, $16::text, $17::text FROM stored
)
SELECT seq FROM replaced
"""

ERASED = f"""
SELECT new.seq, new.subject
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS new (seq, tenant, subject, customer, email, aliases)
WHERE EXISTS (
    SELECT FROM events tombstone
    WHERE tombstone.tenant = new.tenant AND tombstone.subject = new.subject AND tombstone.fingerprint = {SQL_FINGERPRINT}
) OR EXISTS (
    SELECT FROM erasures
    WHERE erasures.tenant = new.tenant AND erasures.seq > new.seq
    AND (
        new.customer = ANY(erasures.names) OR new.email = ANY(erasures.requested)
        OR new.aliases::text[] && (erasures.names || ARRAY(SELECT '@' || name FROM unnest(erasures.requested) AS name))
    )
)
"""  # noqa: S608
"""Statements that must not be stored: of an erased subject, or of a customer who was erased after the delivery. When the search
for that customer has ended, no delivery with such a statement is left."""

READY = """
WITH RECURSIVE holding AS (
    (SELECT connection FROM inbox WHERE verdict = 'held' ORDER BY connection LIMIT 1)
    UNION ALL
    SELECT (SELECT inbox.connection FROM inbox WHERE verdict = 'held' AND inbox.connection > holding.connection
            ORDER BY inbox.connection LIMIT 1)
    FROM holding WHERE holding.connection IS NOT NULL
)
SELECT id, state FROM connections JOIN holding ON holding.connection = connections.id WHERE state <> 'paused'
"""
"""Skips from connection to connection along the index `inbox_held`, however many deliveries each has."""

OLDEST = next_bodies_sql(
    COLUMNS,
    "FROM inbox WHERE verdict = 'held' AND connection = $1",
    limit="$2",
    limit_bytes="$3",
    condition="verdict = 'held'",
)
STATE = "SELECT state, revision FROM connections WHERE id = $1 FOR SHARE"
PENDING_ONE = f"SELECT {COLUMNS} FROM inbox WHERE seq = $1 AND verdict = 'pending'"  # noqa: S608
SET_CONTENT = "UPDATE inbox SET raw = $2, body_key = $3, headers = $4 WHERE seq = $1"
ERASE_BODY = "UPDATE inbox SET headers = '{}', raw = NULL WHERE seq = $1"
QUARANTINE = """
UPDATE inbox SET verdict = 'quarantined', reason = $2, reason_code = 'internal_fault' WHERE seq = $1 AND verdict = 'held'
"""
DROP = """
UPDATE inbox SET verdict = 'ignored', reason = $3, raw = NULL, headers = '{}' WHERE seq IN (
    SELECT seq FROM inbox WHERE verdict = 'held' AND connection = $1 ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""

DELETED = "the connection was deleted"
"""`inbox.reason` of held deliveries whose connection was deleted."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """A stored delivery with its new verdict, and its events to publish."""

    delivery: Delivery
    events: list[OutboxEvent]


async def replace_verdicts(db: Connection, pending: Pending, deliveries: Mapping[int, Delivery]) -> dict[int, Replaced]:
    """Replace the verdict `pending` of stored deliveries, given by sequence number. Must run inside a transaction.

    Returns the deliveries whose verdict was replaced: as given, or `erased` if all of their statements are erased. A delivery
    whose verdict is no longer `pending` stays as it is, so doing this twice, or in two processes at once, stores no statement
    twice. A delivery with an empty `raw` loses its stored body, unless it is quarantined: its key may only be unavailable.
    """
    await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS, *customer_locks(list(deliveries.values()))])
    permitted = await without_erased(db, deliveries)
    drafted = {seq: drafts(delivery) for seq, delivery in permitted.items()}
    context = current_context()
    events = {seq: [draft.numbered(seq, context) for draft in its] for seq, its in drafted.items()}
    verdicts = [(seq, d.verdict, d.reason, d.revision, bool(d.raw) or d.verdict == "quarantined") for seq, d in permitted.items()]
    rows = [
        (seq, *event_columns(draft), event.encoded.decode())
        for seq, its in drafted.items()
        for draft, event in zip(its, events[seq], strict=True)
    ]
    request = (context and context.request_id, context and context.traceparent)
    codes = [delivery.reason_code for delivery in permitted.values()]
    aliases = [aliases_column(draft.statement) for its in drafted.values() for draft in its]
    columns = (*columns_of(verdicts, 5), *columns_of(rows, 9), *request, codes, aliases)
    replaced = [row[0] for row in await db.fetch(REPLACE, pending, *columns)]
    covered = await add_fetches(db, [(seq, permitted[seq], context) for seq in replaced])
    return {seq: Replaced(_covered(permitted[seq]) if seq in covered else permitted[seq], events[seq]) for seq in replaced}


def _covered(delivery: Delivery) -> Delivery:
    return replace(delivery, verdict="ignored", reason=COVERED_REASON, raw=b"", fetch=None)


async def without_erased(db: Connection, deliveries: Mapping[int, Delivery]) -> dict[int, Delivery]:
    """The deliveries, given by sequence number, without statements that must not be stored: see ERASED, and of an import or a
    back-fill those that are older than their customer's erasure."""
    rows = [
        (
            seq,
            delivery.tenant,
            statement.event.subject,
            statement.event.customer,
            statement.email,
            aliases_column(statement),
        )
        for seq, delivery in deliveries.items()
        for statement in delivery.statements
    ]
    marked = await historical(db, deliveries)
    erased = await older_subjects(db, {seq: delivery for seq, delivery in deliveries.items() if seq in marked})
    for seq, subject in await db.fetch(ERASED, *columns_of(rows, 6)):
        erased.setdefault(seq, set()).add(subject)
    return {seq: without_subjects(delivery, erased.get(seq, ())) for seq, delivery in deliveries.items()}


def without_subjects(delivery: Delivery, subjects: Collection[str]) -> Delivery:
    """The delivery without its statements about `subjects` and without its body; `erased` if no statement is left."""
    if not subjects:
        return delivery
    left = tuple(statement for statement in delivery.statements if statement.event.subject not in subjects)
    if left:
        return replace(delivery, statements=left, raw=b"")
    return replace(delivery, verdict="erased", reason=CUSTOMER_ERASED, reason_code=None, statements=(), raw=b"")


@dataclass(frozen=True, slots=True)
class ReadyConnection:
    """A connection that has held deliveries and is not paused."""

    id: str
    state: tools.State


async def ready_connections(pool: asyncpg.Pool) -> list[ReadyConnection]:
    """The connections that have held deliveries and are not paused."""
    return [ReadyConnection(row[0], row[1]) for row in await pool.fetch(READY)]


async def oldest_held(
    pool: asyncpg.Pool, connection: str, limit: int, limit_bytes: int, cipher: BodyCipher = PLAIN
) -> list[StoredDelivery]:
    """The connection's first held deliveries by sequence number: at most `limit`, and none that begins after `limit_bytes`."""
    return await load_deliveries(cipher, await pool.fetch(OLDEST, connection, limit, limit_bytes))


async def release_held(
    db: Connection, connection: tools.Connection, deliveries: Mapping[int, Delivery]
) -> list[OutboxEvent] | None:
    """Store held deliveries, given by sequence number, as they were read under `connection`. Returns the events to publish.

    Returns None, and changes nothing, if another process is releasing this connection, or if the connection was paused, deleted
    or given another mapping after the deliveries were read.
    """
    async with db.transaction():
        if not await db.fetchval("SELECT pg_try_advisory_xact_lock($1)", locks.of_release(connection.id)):
            return None
        row = await db.fetchrow(STATE, connection.id)
        if row is None or tuple(row) != ("active", connection.revision):
            return None
        replaced = await replace_verdicts(db, "held", deliveries)
    return [event for seq in sorted(replaced) for event in replaced[seq].events]


async def load_pending(pool: asyncpg.Pool, seq: int, cipher: BodyCipher = PLAIN) -> StoredDelivery | None:
    """One pending delivery. None if it is no longer pending."""
    return next(iter(await load_deliveries(cipher, await pool.fetch(PENDING_ONE, seq))), None)


async def set_content(db: Connection, seq: int, body: StorableBody) -> None:
    """Replace the stored headers and body of a delivery by those that were fetched."""
    await db.execute(SET_CONTENT, seq, *body)


async def erase_body(db: Connection, seq: int) -> None:
    """Delete the headers and the body of one delivery. Its verdict stays."""
    await db.execute(ERASE_BODY, seq)


async def quarantine_held(pool: asyncpg.Pool, seq: int, reason: str) -> None:
    """Move one held delivery to quarantine."""
    await pool.execute(QUARANTINE, seq, reason)


async def drop_held(pool: asyncpg.Pool, connection: str, limit: int) -> int:
    """Mark at most `limit` held deliveries of a deleted connection `ignored` and delete their bodies. Returns their number."""
    status = await pool.execute(DROP, connection, limit, DELETED)
    return int(status.split()[-1])
