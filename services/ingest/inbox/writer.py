"""One transaction of the inbox: deliveries, what they state, and the queue of what is to be published, or nothing of it.

Locks are taken in one order everywhere: arrivals and customers (shared), subjects, deliveries by their unique index; each sorted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg

from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.tombstone import SUBJECT_ERASED, is_tombstone
from services.ingest.inbox import locks
from services.ingest.inbox.stated import Draft, Stated, drafts
from shared.events import encode

HOLD = "SELECT count(pg_advisory_xact_lock_shared(key)::text) FROM unnest($1::bigint[]) AS key"
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
WITH held AS MATERIALIZED (
    SELECT count(pg_advisory_xact_lock_shared(key)::text) AS locks FROM unnest($1::bigint[]) AS key
), erased AS MATERIALIZED (
    SELECT erased_tenant AS tenant, erased_subject AS subject FROM held, LATERAL erased_among($22, $23, held.locks)
), barred AS MATERIALIZED (
    SELECT place, bool_and(erased.subject IS NOT NULL) AS wholly, array_agg(erased.subject) AS subjects
    FROM unnest($21::bigint[], $22::text[], $23::text[]) AS about (place, tenant, subject)
    LEFT JOIN erased USING (tenant, subject) GROUP BY place HAVING bool_or(erased.subject IS NOT NULL)
), numbered AS MATERIALIZED (
    SELECT d.*, nextval('inbox_seq') AS seq FROM (
        SELECT place, d.tenant, connection, delivery, received_at, revision, wholly, subjects,
            CASE WHEN wholly OR subjects IS NOT NULL AND verdict = 'accepted' THEN '{}' ELSE headers END AS headers,
            CASE WHEN wholly OR subjects IS NOT NULL AND verdict = 'accepted' THEN NULL ELSE raw END AS raw,
            CASE WHEN wholly THEN 'ignored' ELSE verdict END AS verdict,
            CASE WHEN wholly THEN $24::text ELSE reason END AS reason
        FROM held, unnest(
            $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bytea[], $8::text[], $9::text[], $10::int[]
        ) WITH ORDINALITY AS d (tenant, connection, delivery, received_at, headers, raw, verdict, reason, revision, place)
        LEFT JOIN barred USING (place)
        ORDER BY place
    ) AS d
), fresh AS (
    INSERT INTO inbox (seq, tenant, connection, delivery, received_at, headers, raw, verdict, reason, revision)
    SELECT seq, tenant, connection, delivery, received_at, headers, raw, verdict, reason, revision FROM numbered
    ORDER BY connection, delivery, seq
    ON CONFLICT (connection, delivery) DO NOTHING
    RETURNING seq
), stated AS (
    INSERT INTO events (seq, position, tenant, subject, customer, email, received_at, fingerprint, event)
    SELECT seq, s.position, s.tenant, s.subject, s.customer, s.email, s.received_at, s.fingerprint, s.head || seq || s.tail
    FROM unnest(
        $11::bigint[], $12::int[], $13::text[], $14::text[], $15::text[],
        $16::text[], $17::timestamptz[], $18::bytea[], $19::text[], $20::text[]
    ) AS s (place, position, tenant, subject, customer, email, received_at, fingerprint, head, tail)
    JOIN numbered USING (place) JOIN fresh USING (seq)
    WHERE numbered.subjects IS NULL OR s.subject <> ALL (array_remove(numbered.subjects, NULL))
    RETURNING seq, tenant
), queued AS (
    INSERT INTO unpublished (seq, due, tenant) SELECT DISTINCT seq, now() + interval '5 seconds', tenant FROM stated
)
SELECT place, seq, wholly, subjects FROM numbered JOIN fresh USING (seq)
"""
"""One statement, and so one round trip and one transaction: the locks, then the numbers in the order given, then the rows.

`barred` are deliveries about subjects that are erased. One that says nothing else is stored as ignored, under its id alone; of
any other only what it says of erased subjects is left out, and its body. Tombstones aren't asked about.

Queued events are due for the sweeper only after a while: the process that wrote them publishes them at once.
"""

Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy


@dataclass(frozen=True, slots=True)
class Inserted:
    """A delivery as it is stored. `barred`: it is about erased subjects alone, so that nothing but its id was stored."""

    seq: int
    barred: bool
    statements: list[Stated]


async def write(db: Connection, deliveries: Sequence[Delivery]) -> tuple[list[Outcome], list[Stated]]:
    """Store the deliveries. Returns the outcome of each, in their order, and the statements to publish."""
    nameless = [i for i, delivery in enumerate(deliveries) if delivery.id is None and delivery.verdict != "held"]
    named = sorted({*range(len(deliveries))} - {*nameless})
    if nameless:
        async with db.transaction():
            await db.execute(HOLD, [locks.ARRIVALS, *customer_locks(deliveries)])
            taken = dict(zip(named, await insert(db, [deliveries[i] for i in named]), strict=True))
            news = await _news(db, [(i, deliveries[i]) for i in nameless])
            taken |= zip(news, await insert(db, [deliveries[i] for i in news]), strict=True)
    else:
        taken = dict(enumerate(await insert(db, deliveries)))
    outcomes = [_outcome(delivery, taken.get(i)) for i, delivery in enumerate(deliveries)]
    return outcomes, [one for inserted in taken.values() if inserted for one in inserted.statements]


def _outcome(delivery: Delivery, inserted: Inserted | None) -> Outcome:
    if inserted is None:
        return "duplicate"
    return "ignored" if inserted.barred else delivery.verdict


async def insert(db: Connection, deliveries: Sequence[Delivery]) -> list[Inserted | None]:
    """Insert the deliveries in the order given. Returns what is stored of each, None where its id was there already."""
    if not deliveries:
        return []
    drafted = [drafts(delivery) for delivery in deliveries]
    columns = [
        *columns_of([_row(delivery) for delivery in deliveries], 9),
        *columns_of(list(_event_rows(drafted)), 10),
        *columns_of(list(_subjects(deliveries)), 3),
    ]
    rows = await db.fetch(WRITE, [locks.ARRIVALS, *customer_locks(deliveries)], *columns, SUBJECT_ERASED)
    found = {row[0]: row for row in rows}
    return [_inserted(its, *found[place][1:]) if place in found else None for place, its in enumerate(drafted, 1)]


def _inserted(its: Sequence[Draft], seq: int, barred: bool | None, erased: Sequence[str | None] | None) -> Inserted:
    stored = [draft for draft in its if not erased or is_tombstone(draft.statement) or draft.event.subject not in erased]
    return Inserted(seq, bool(barred), [draft.numbered(seq) for draft in stored])


def _subjects(deliveries: Sequence[Delivery]) -> Iterator[tuple[int, str, str]]:
    """The place of each delivery with every subject that it is about."""
    for place, delivery in enumerate(deliveries, 1):
        for subject in {s.event.subject for s in delivery.statements if not is_tombstone(s)} | {*delivery.subjects}:
            yield place, delivery.tenant, subject


async def _news(db: Connection, nameless: Sequence[tuple[int, Delivery]]) -> list[int]:
    """Which of these deliveries without an id don't merely repeat what is the newest of their subjects."""
    subjects = sorted({(s.event.tenant, s.event.subject) for _, delivery in nameless for s in delivery.statements})
    await db.execute(LOCK, locks.of_subjects(subjects))
    rows = await db.fetch(NEWEST, [tenant for tenant, _ in subjects], [subject for _, subject in subjects])
    newest: dict[tuple[str, str], bytes] = {(row[0], row[1]): row[2] for row in rows}
    news: list[int] = []
    for i, delivery in nameless:
        said = {(s.event.tenant, s.event.subject): s.fingerprint for s in delivery.statements}
        if any(newest.get(subject) != fingerprint for subject, fingerprint in said.items()):
            news.append(i)
            newest.update(said)
    return news


def customer_locks(deliveries: Sequence[Delivery]) -> list[int]:
    """An erasure of a customer waits for these, and these for it: what it didn't see comes after it."""
    named = {
        (statement.event.tenant, name)
        for delivery in deliveries
        for statement in delivery.statements
        for name in (statement.event.customer, statement.email)
        if name
    }
    return locks.of_customers(named)


def columns_of(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]


def _row(d: Delivery) -> tuple[Any, ...]:
    headers = encode(d.headers).decode()
    return (d.tenant, d.connection, d.id, d.received_at, headers, d.raw, d.verdict, d.reason, d.revision)


def _event_rows(drafted: Sequence[Sequence[Draft]]) -> Iterator[tuple[Any, ...]]:
    for place, its in enumerate(drafted, 1):
        for draft in its:
            yield (place, *statement_key(draft), draft.head.decode(), draft.tail.decode())


def statement_key(draft: Draft) -> tuple[Any, ...]:
    event, statement = draft.event, draft.statement
    names = (event.tenant, event.subject, event.customer, statement.email)
    return (event.position, *names, event.received_at, statement.fingerprint)
