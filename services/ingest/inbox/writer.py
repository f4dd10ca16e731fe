"""Stores deliveries in one transaction: the deliveries, their events, and the outbox.

Every transaction takes its locks in the same order, each kind sorted: arrivals and customers (shared), subjects, deliveries (by
their unique index).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from msgspec import Struct

from services.ingest.domain.delivery import Delivery, Outcome, Statement, StorableBody
from services.ingest.domain.tombstone import SUBJECT_ERASED, is_tombstone
from services.ingest.inbox import locks
from services.ingest.inbox.outbox import Draft, OutboxEvent, drafts
from services.ingest.inbox.pending import add_fetches
from services.ingest.inbox.transactions import Connection
from shared.events import Alias
from shared.request_context import RequestContext

Contexts = Sequence[RequestContext | None]
"""The context of the request of each delivery; None if a worker stores it."""
Bodies = Sequence[StorableBody]
"""The body of each delivery."""

NEWEST = """
SELECT subjects.tenant, subjects.subject, newest.fingerprint
FROM unnest($1::text[], $2::text[]) AS subjects (tenant, subject)
CROSS JOIN LATERAL (
    SELECT fingerprint FROM events WHERE events.tenant = subjects.tenant AND events.subject = subjects.subject
    ORDER BY seq DESC, position DESC LIMIT 1
) AS newest
"""

INSERT = """
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
        SELECT place, d.tenant, connection, delivery, received_at, revision, request_id, traceparent, wholly, subjects,
            CASE WHEN wholly OR subjects IS NOT NULL AND verdict = 'accepted' THEN '{}' ELSE headers END AS headers,
            CASE WHEN wholly OR subjects IS NOT NULL AND verdict = 'accepted' THEN NULL ELSE raw END AS raw,
            body_key, historical, CASE WHEN wholly THEN 'ignored' ELSE verdict END AS verdict,
            CASE WHEN wholly THEN $24::text ELSE reason END AS reason,
            CASE WHEN NOT coalesce(wholly, false) THEN reason_code END AS reason_code
        FROM held, unnest(
            $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bytea[], $8::text[], $9::text[], $10::int[],
            $25::text[], $26::text[], $27::text[], $29::bigint[], $30::bool[]
        ) WITH ORDINALITY AS d (
            tenant, connection, delivery, received_at, headers, raw, verdict, reason, revision, request_id, traceparent,
            reason_code, body_key, historical, place
        )
        LEFT JOIN barred USING (place)
        ORDER BY place
    ) AS d
), fresh AS (
    INSERT INTO inbox (
        seq, tenant, connection, delivery, received_at, headers, raw, verdict, reason, revision, reason_code, body_key, historical
    )
    SELECT seq, tenant, connection, delivery, received_at, headers, raw, verdict, reason, revision, reason_code,
        CASE WHEN raw IS NOT NULL THEN body_key END, historical
    FROM numbered
    ORDER BY connection, delivery, seq
    ON CONFLICT (connection, delivery) DO NOTHING
    RETURNING seq
), stored AS (
    INSERT INTO events (seq, position, tenant, subject, customer, email, received_at, fingerprint, event, aliases)
    SELECT seq, s.position, s.tenant, s.subject, s.customer, s.email, s.received_at, s.fingerprint, s.head || seq || s.tail,
        s.aliases::text[]
    FROM unnest(
        $11::bigint[], $12::int[], $13::text[], $14::text[], $15::text[],
        $16::text[], $17::timestamptz[], $18::bytea[], $19::text[], $20::text[], $28::text[]
    ) AS s (place, position, tenant, subject, customer, email, received_at, fingerprint, head, tail, aliases)
    JOIN numbered USING (place) JOIN fresh USING (seq)
    WHERE numbered.subjects IS NULL OR s.subject <> ALL (array_remove(numbered.subjects, NULL))
    RETURNING seq, tenant
), queued AS (
    INSERT INTO unpublished (seq, due, tenant, request_id, traceparent)
    SELECT DISTINCT seq, now() + interval '5 seconds', stored.tenant, request_id, traceparent
    FROM stored JOIN numbered USING (seq)
)
SELECT place, seq, wholly, subjects FROM numbered JOIN fresh USING (seq)
"""
"""One statement, so one round trip and one transaction: first the locks, then sequence numbers in the given order, then the rows.

`barred` are deliveries about erased subjects. A delivery about nothing else is stored as ignored, with its id alone. Of any other
delivery the events of erased subjects and the body are left out. Tombstones are exempt.

New rows of the outbox are due for the sweeper only after 5 seconds: the process that wrote them publishes them at once.
"""


class Inserted(Struct, frozen=True):
    """A stored delivery. `barred`: all of its subjects are erased, so nothing but its id was stored. `drafts` are its events
    that were stored, `context` is that of its request."""

    seq: int
    barred: bool
    drafts: list[Draft]
    context: RequestContext | None

    @property
    def events(self) -> list[OutboxEvent]:
        """The events to publish."""
        return [draft.numbered(self.seq, self.context) for draft in self.drafts]


async def write(
    db: Connection, deliveries: Sequence[Delivery], contexts: Contexts | None = None, bodies: Bodies | None = None
) -> tuple[list[Outcome], list[OutboxEvent]]:
    """Store the deliveries, each with the context of its request. Returns the outcome of each, in their order, and the events to
    publish. `bodies` are the stored forms of their bodies; None: bodies are stored unencrypted."""
    outcomes, inserted = await _store(db, deliveries, contexts, bodies)
    return outcomes, [event for stored in inserted for event in stored.events]


async def write_unpublished(db: Connection, deliveries: Sequence[Delivery], bodies: Bodies | None) -> list[Outcome]:
    """Like `write`, in a transaction that holds the locks of the customers. Leaves the events to the sweeper."""
    return (await _store(db, deliveries, None, bodies, holds_locks=True))[0]


async def _store(
    db: Connection, deliveries: Sequence[Delivery], contexts: Contexts | None, bodies: Bodies | None, *, holds_locks: bool = False
) -> tuple[list[Outcome], list[Inserted]]:
    contexts = contexts or [None] * len(deliveries)
    bodies = bodies or [StorableBody.plain(delivery) for delivery in deliveries]
    without_id = [i for i, delivery in enumerate(deliveries) if delivery.id is None and delivery.verdict != "held"]
    if any(delivery.fetch for delivery in deliveries):
        async with db.transaction():
            inserted = await _insert_all(db, deliveries, contexts, bodies, without_id, holds_locks=holds_locks)
            new = [(stored.seq, deliveries[i], contexts[i]) for i, stored in inserted.items() if stored and not stored.barred]
            covered = await add_fetches(db, new)
    else:
        inserted, covered = await _insert_all(db, deliveries, contexts, bodies, without_id, holds_locks=holds_locks), set()
    outcomes = [_outcome(delivery, inserted.get(i), covered) for i, delivery in enumerate(deliveries)]
    return outcomes, [stored for stored in inserted.values() if stored]


async def _insert_all(
    db: Connection,
    deliveries: Sequence[Delivery],
    contexts: Contexts,
    bodies: Bodies,
    without_id: Sequence[int],
    *,
    holds_locks: bool,
) -> dict[int, Inserted | None]:
    if without_id:
        return await _insert_without_ids(db, deliveries, contexts, bodies, without_id)
    return dict(enumerate(await insert(db, deliveries, contexts, bodies, holds_locks=holds_locks)))


async def _insert_without_ids(
    db: Connection, deliveries: Sequence[Delivery], contexts: Contexts, bodies: Bodies, without_id: Sequence[int]
) -> dict[int, Inserted | None]:
    """Insert deliveries of which those at the indexes `without_id` have no id. Repeats of these are left out."""
    with_id = sorted({*range(len(deliveries))} - {*without_id})
    async with db.transaction():
        await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS, *customer_locks(deliveries)])
        inserted: dict[int, Inserted | None] = {}
        for indexes in (with_id, await _without_repeats(db, [(i, deliveries[i]) for i in without_id])):
            some = ([deliveries[i] for i in indexes], [contexts[i] for i in indexes], [bodies[i] for i in indexes])
            stored = await insert(db, *some, holds_locks=True)
            inserted |= zip(indexes, stored, strict=True)
    return inserted


def _outcome(delivery: Delivery, inserted: Inserted | None, covered: Collection[int]) -> Outcome:
    """A thin event that a waiting fetch covers is a duplicate too."""
    if inserted is None or inserted.seq in covered:
        return "duplicate"
    return "ignored" if inserted.barred else delivery.verdict


async def insert(
    db: Connection,
    deliveries: Sequence[Delivery],
    contexts: Contexts,
    bodies: Bodies | None = None,
    *,
    holds_locks: bool = False,
) -> list[Inserted | None]:
    """Insert the deliveries in the given order. The result is None for a delivery whose id is stored already. `bodies` are the
    stored forms of their bodies; None: bodies are stored unencrypted. `holds_locks`: the transaction already holds the locks of
    their customers."""
    if not deliveries:
        return []
    bodies = bodies or [StorableBody.plain(delivery) for delivery in deliveries]
    drafted = [drafts(delivery) for delivery in deliveries]
    columns = [
        *columns_of([_inbox_row(delivery, body) for delivery, body in zip(deliveries, bodies, strict=True)], 9),
        *columns_of(list(_event_rows(drafted)), 10),
        *columns_of(list(_subject_rows(deliveries)), 3),
    ]
    requests = (
        [context and context.request_id for context in contexts],
        [context and context.traceparent for context in contexts],
    )
    aliases = [aliases_column(draft.statement) for its in drafted for draft in its]
    more = (
        SUBJECT_ERASED,
        *requests,
        [delivery.reason_code for delivery in deliveries],
        aliases,
        [body.key for body in bodies],
        [delivery.historical for delivery in deliveries],
    )
    customers = [] if holds_locks else customer_locks(deliveries)
    rows = await db.fetch(INSERT, [locks.ARRIVALS, *customers], *columns, *more)
    by_place = {row[0]: row for row in rows}
    return [
        _inserted(its, context, *by_place[place][1:]) if place in by_place else None
        for place, (its, context) in enumerate(zip(drafted, contexts, strict=True), 1)
    ]


def _inserted(
    drafted: Sequence[Draft],
    context: RequestContext | None,
    seq: int,
    barred: bool | None,
    erased: Sequence[str | None] | None,
) -> Inserted:
    stored = [draft for draft in drafted if not erased or is_tombstone(draft.statement) or draft.event.subject not in erased]
    return Inserted(seq, bool(barred), stored, context)


async def _without_repeats(db: Connection, deliveries: Sequence[tuple[int, Delivery]]) -> list[int]:
    """The indexes of the deliveries that differ from the newest statement of their subjects."""
    subjects = sorted({(s.event.tenant, s.event.subject) for _, delivery in deliveries for s in delivery.statements})
    await db.execute(locks.LOCK, locks.of_subjects(subjects))
    rows = await db.fetch(NEWEST, [tenant for tenant, _ in subjects], [subject for _, subject in subjects])
    newest: dict[tuple[str, str], bytes] = {(row[0], row[1]): row[2] for row in rows}
    new: list[int] = []
    for i, delivery in deliveries:
        fingerprints = {(s.event.tenant, s.event.subject): s.fingerprint for s in delivery.statements}
        if any(newest.get(subject) != fingerprint for subject, fingerprint in fingerprints.items()):
            new.append(i)
            newest.update(fingerprints)
    return new


def customer_locks(deliveries: Sequence[Delivery]) -> list[int]:
    """The locks of the customers in these deliveries. An erasure takes them exclusively, so deliveries that it does not see come
    after it."""
    customers = {
        (statement.event.tenant, name)
        for delivery in deliveries
        for statement in delivery.statements
        for name in statement.pseudonyms
    }
    return locks.of_customers(customers)


def aliases_column(statement: Statement) -> str:
    """The column `events.aliases` as a literal: pseudonyms of ids, and those of addresses after an @. It is never null: rows of
    earlier versions are known by that."""
    return f"{{{','.join(stored_alias(alias) for alias in statement.aliases)}}}"


def stored_alias(alias: Alias) -> str:
    """An element of `events.aliases`."""
    return f"@{alias.pseudonym}" if alias.kind == "email" else alias.pseudonym


def columns_of(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    """The `count` columns of these rows."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]


def _inbox_row(d: Delivery, body: StorableBody) -> tuple[Any, ...]:
    return (d.tenant, d.connection, d.id, d.received_at, body.headers, body.raw, d.verdict, d.reason, d.revision)


def _event_rows(drafted: Sequence[Sequence[Draft]]) -> Iterator[tuple[Any, ...]]:
    for place, its in enumerate(drafted, 1):
        for draft in its:
            yield (place, *event_columns(draft), draft.head.decode(), draft.tail.decode())


def _subject_rows(deliveries: Sequence[Delivery]) -> Iterator[tuple[int, str, str]]:
    """(place, tenant, subject) for each subject of each delivery."""
    for place, delivery in enumerate(deliveries, 1):
        for subject in {s.event.subject for s in delivery.statements if not is_tombstone(s)} | {*delivery.subjects}:
            yield place, delivery.tenant, subject


def event_columns(draft: Draft) -> tuple[Any, ...]:
    """The columns of `events` from `position` to `fingerprint`."""
    event, statement = draft.event, draft.statement
    customer = (event.customer, statement.email)
    return (event.position, event.tenant, event.subject, *customer, event.received_at, statement.fingerprint)
