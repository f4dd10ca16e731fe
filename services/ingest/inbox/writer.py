"""One transaction of the inbox: deliveries, what they state, and the queue of what is to be published, or nothing of it.

Locks are taken in one order everywhere: arrivals and customers (shared), subjects, deliveries by their unique index; each sorted.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg

from services.ingest.domain.delivery import Delivery, Outcome, Statement
from services.ingest.inbox import locks
from services.ingest.inbox.stated import Stated, stated
from shared.events import Event, encode

ARRIVE = """
WITH held AS MATERIALIZED (SELECT count(pg_advisory_xact_lock_shared(key)::text) FROM unnest($1::bigint[]) AS key)
SELECT nextval('inbox_seq') FROM held, generate_series(1, $2::int)
"""
"""Sequence numbers, taken once the locks are held."""

LOCK = "SELECT count(pg_advisory_xact_lock(key)::text) FROM unnest($1::bigint[]) AS key"

NEWEST = """
SELECT asked.tenant, asked.subject, newest.fingerprint
FROM unnest($1::text[], $2::text[]) AS asked (tenant, subject)
CROSS JOIN LATERAL (
    SELECT fingerprint FROM events WHERE events.tenant = asked.tenant AND events.subject = asked.subject
    ORDER BY seq DESC, position DESC LIMIT 1
) AS newest
"""

WRITE = """
WITH fresh AS (
    INSERT INTO inbox (seq, tenant, connection, delivery, received_at, headers, raw, verdict, reason, revision)
    SELECT * FROM unnest(
        $1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
        $6::text[], $7::bytea[], $8::text[], $9::text[], $10::int[]
    ) AS d (seq, tenant, connection, delivery, received_at, headers, raw, verdict, reason, revision)
    ORDER BY connection, delivery, seq
    ON CONFLICT (connection, delivery) DO NOTHING
    RETURNING seq
), stated AS (
    INSERT INTO events (seq, position, tenant, subject, customer, email, received_at, fingerprint, event)
    SELECT s.* FROM unnest(
        $11::bigint[], $12::int[], $13::text[], $14::text[], $15::text[],
        $16::text[], $17::timestamptz[], $18::bytea[], $19::text[]
    ) AS s (seq, position, tenant, subject, customer, email, received_at, fingerprint, event)
    JOIN fresh USING (seq)
    RETURNING seq
), queued AS (
    INSERT INTO unpublished (seq, due) SELECT DISTINCT seq, now() + interval '5 seconds' FROM stated
)
SELECT seq FROM fresh
"""
"""What is queued is due for the sweeper only after a while: the process that wrote it publishes it at once."""

RESTATE = """
WITH restated AS (
    UPDATE inbox SET verdict = $2, reason = $3, revision = $4, raw = $14 WHERE seq = $1 AND verdict = 'quarantined' RETURNING seq
), stated AS (
    INSERT INTO events (seq, position, tenant, subject, customer, email, received_at, fingerprint, event)
    SELECT s.* FROM unnest(
        $5::bigint[], $6::int[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::bytea[], $13::text[]
    ) AS s (seq, position, tenant, subject, customer, email, received_at, fingerprint, event)
    JOIN restated USING (seq)
    RETURNING seq
), queued AS (
    INSERT INTO unpublished (seq, due) SELECT DISTINCT seq, now() + interval '5 seconds' FROM stated
)
SELECT seq FROM restated
"""

Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy
Numbered: TypeAlias = tuple[int, Delivery]


async def write(db: Connection, deliveries: Sequence[Delivery]) -> tuple[list[Outcome], list[Stated]]:
    """Take the deliveries in: what became of each, in their order, and what is now to be published."""
    named = [i for i, delivery in enumerate(deliveries) if delivery.id is not None]
    nameless = [i for i, delivery in enumerate(deliveries) if delivery.id is None]
    async with db.transaction():
        numbers = await arrive(db, _customer_locks(deliveries), len(deliveries))
        numbered = {i: (seq, deliveries[i]) for i, seq in zip(named + nameless, numbers, strict=True)}
        published = await insert(db, [numbered[i] for i in named])
        published += await insert(db, await _news(db, [numbered[i] for i in nameless]))
    fresh = {seq for seq, _ in published}
    outcomes: list[Outcome] = [d.verdict if numbered[i][0] in fresh else "duplicate" for i, d in enumerate(deliveries)]
    return outcomes, [statement for _, statements in published for statement in statements]


async def restate(db: Connection, seq: int, delivery: Delivery) -> list[Stated] | None:
    """Replace the verdict on a quarantined delivery; None where it is no longer in quarantine."""
    statements = stated(delivery, seq)
    verdict = (delivery.verdict, delivery.reason, delivery.revision)
    async with db.transaction():
        await arrive(db, _customer_locks([delivery]))
        done = await db.fetch(RESTATE, seq, *verdict, *_event_columns(statements), delivery.raw)
    return statements if done else None


async def arrive(db: Connection, customers: Sequence[int], count: int = 1) -> list[int]:
    """Hold the customers' locks, shared, and take so many numbers (none would leave the locks untaken), ascending."""
    return sorted(row[0] for row in await db.fetch(ARRIVE, [locks.ARRIVALS, *customers], count))


def _customer_locks(deliveries: Sequence[Delivery]) -> list[int]:
    """An erasure of a customer waits for these, and these for it: what it didn't see comes after it."""
    named = {
        (statement.event.tenant, name)
        for delivery in deliveries
        for statement in delivery.statements
        for name in (statement.event.customer, statement.email)
        if name
    }
    return locks.of_customers(named)


async def _news(db: Connection, numbered: Sequence[Numbered]) -> list[Numbered]:
    """Those deliveries without an id that don't merely repeat what is the newest of their subjects."""
    subjects = sorted({(s.event.tenant, s.event.subject) for _, delivery in numbered for s in delivery.statements})
    if not subjects:
        return list(numbered)
    await db.execute(LOCK, locks.of_subjects(subjects))
    rows = await db.fetch(NEWEST, [tenant for tenant, _ in subjects], [subject for _, subject in subjects])
    newest: dict[tuple[str, str], bytes] = {(row[0], row[1]): row[2] for row in rows}
    news: list[Numbered] = []
    for seq, delivery in numbered:
        said = {(s.event.tenant, s.event.subject): s.fingerprint for s in delivery.statements}
        if any(newest.get(subject) != fingerprint for subject, fingerprint in said.items()):
            news.append((seq, delivery))
            newest.update(said)
    return news


async def insert(db: Connection, numbered: Sequence[Numbered]) -> list[tuple[int, list[Stated]]]:
    """Insert the deliveries whose id isn't there yet: the number of each, and what it states."""
    if not numbered:
        return []
    statements = {seq: stated(delivery, seq) for seq, delivery in numbered}
    rows = await db.fetch(WRITE, *_columns(numbered), *_event_columns([s for each in statements.values() for s in each]))
    return [(seq, statements[seq]) for seq in sorted(row[0] for row in rows)]


def _columns(numbered: Sequence[Numbered]) -> list[list[Any]]:
    rows = [_row(seq, delivery) for seq, delivery in numbered]
    return [list(column) for column in zip(*rows, strict=True)]


def _row(seq: int, d: Delivery) -> tuple[Any, ...]:
    headers = encode(d.headers).decode()
    return (seq, d.tenant, d.connection, d.id, d.received_at, headers, d.raw, d.verdict, d.reason, d.revision)


def _event_columns(statements: Sequence[Stated]) -> list[list[Any]]:
    rows = [_event_row(s.event, s.statement, s.encoded) for s in statements]
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(9)]


def _event_row(event: Event, statement: Statement, encoded: bytes) -> tuple[Any, ...]:
    who = (event.tenant, event.subject, event.customer, statement.email)
    return (event.seq, event.position, *who, event.received_at, statement.fingerprint, encoded.decode())
