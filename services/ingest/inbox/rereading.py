"""Reads accepted deliveries again: a job says which, its progress is in the database, and changed events replace the stored ones.

A delivery is read again only if the settings of its connection have changed since it was read (`inbox.revision`). Its events keep
their sequence numbers and statement ids and get the higher revision, so consumers replace the former statement. A delivery whose
subjects would differ, or that can't be read any more, keeps its events.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery, StoredDelivery
from services.ingest.domain.tombstone import SQL_FINGERPRINT
from services.ingest.inbox import locks
from services.ingest.inbox.outbox import OutboxEvent
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.verdicts import without_erased
from services.ingest.inbox.writer import columns_of, customer_locks
from shared.events import Event, decode_event, encode
from shared.request_context import RequestContext, current_context

SELECTED = """
FROM inbox JOIN connections ON connections.id = inbox.connection
WHERE inbox.tenant = $1 AND inbox.raw IS NOT NULL AND inbox.verdict = 'accepted' AND octet_length(inbox.raw) > 0
AND inbox.revision < connections.revision AND connections.state <> 'deleted'
AND ($2::text IS NULL OR inbox.connection = $2)
AND ($3::text IS NULL OR inbox.seq IN (SELECT seq FROM events WHERE events.tenant = $1 AND events.subject = $3))
AND ($4::timestamptz IS NULL OR inbox.received_at >= $4) AND ($5::timestamptz IS NULL OR inbox.received_at < $5)
"""
COUNT = f"SELECT count(*) {SELECTED}"
BODIES = f"""
SELECT seq, connection, delivery, received_at, headers, raw, revision FROM inbox JOIN (
    SELECT seq, sum(length) OVER (ORDER BY seq) - length AS before FROM (
        SELECT inbox.seq, octet_length(inbox.raw) AS length {SELECTED} AND inbox.seq > $6 ORDER BY inbox.seq LIMIT $7
    ) AS next
) AS measured USING (seq) WHERE before < $8 AND raw IS NOT NULL ORDER BY seq
"""  # noqa: S608
"""The next bodies: at most $7, and of more than $8 bytes together only as many as pass that."""

ADD = """
INSERT INTO rereads (tenant, connection, subject, since, until, request_id, traceparent)
SELECT $1, $2, $3, $4, $5, $7::text, $8::text WHERE (SELECT count(*) FROM rereads WHERE tenant = $1) < $6 RETURNING id
"""
CLAIM = """
UPDATE rereads SET due = now() + make_interval(secs => $1)
WHERE id = (SELECT id FROM rereads WHERE due <= now() ORDER BY due, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, tenant, connection, subject, since, until, reached, request_id, traceparent
"""
ADVANCE = "UPDATE rereads SET reached = $2, due = now() + make_interval(secs => $3) WHERE id = $1"
FINISH = "DELETE FROM rereads WHERE id = $1"
OPEN = "SELECT connection FROM rereads WHERE tenant = $1"

EVENTS = "SELECT event, fingerprint FROM events WHERE seq = ANY($1::bigint[]) ORDER BY seq, position"
QUEUE = """
INSERT INTO unpublished (seq, due, tenant, request_id, traceparent)
SELECT seq, now() + interval '5 seconds', $2, $3::text, $4::text FROM unnest($1::bigint[]) AS seq
ON CONFLICT (seq) DO UPDATE SET comments = 0, due = now() + interval '5 seconds',
    request_id = excluded.request_id, traceparent = excluded.traceparent WHERE unpublished.comments > 0
RETURNING seq
"""
"""A delivery that waits to be published is left out: a process that has read its former events may be about to publish them and
then delete the row."""
CHANGE = f"""
UPDATE events SET customer = new.customer, email = new.email, fingerprint = new.fingerprint, event = new.event
FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::bytea[], $6::text[])
    AS new (seq, position, customer, email, fingerprint, event)
WHERE events.seq = new.seq AND events.position = new.position AND events.fingerprint <> {SQL_FINGERPRINT}
"""  # noqa: S608
MARK = """
UPDATE inbox SET revision = new.revision FROM unnest($1::bigint[], $2::int[]) AS new (seq, revision) WHERE inbox.seq = new.seq
"""

LEASE_SECONDS = 60
MOST_JOBS = 10
"""Jobs of one tenant that are not done."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The deliveries of a tenant to read again: received in [since, until), of one connection, about one subject. None: all."""

    tenant: str
    connection: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def arguments(self) -> tuple[str, str | None, str | None, datetime | None, datetime | None]:
        """The parameters $1 to $5."""
        return self.tenant, self.connection, self.subject, self.since, self.until


@dataclass(frozen=True, slots=True)
class Job:
    """`reached`: deliveries up to this sequence number are read. `context` is that of the request that added the job."""

    id: int
    selection: Selection
    reached: int
    context: RequestContext | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one step: the events to publish, and the deliveries that wait to be published and must be read later."""

    events: list[OutboxEvent]
    waiting: list[int]


async def add_job(pool: asyncpg.Pool, selection: Selection) -> bool:
    """Add a job, with the context of the current request. False if the tenant has MOST_JOBS already."""
    return await pool.fetchval(ADD, *selection.arguments, MOST_JOBS, *_columns_of(current_context())) is not None


async def count_selected(pool: asyncpg.Pool, selection: Selection) -> int:
    """The number of deliveries that the job will read."""
    return int(await pool.fetchval(COUNT, *selection.arguments))


async def claim_job(pool: asyncpg.Pool) -> Job | None:
    """The job that has waited longest. No other process may claim it for LEASE_SECONDS."""
    row = await pool.fetchrow(CLAIM, LEASE_SECONDS)
    if row is None:
        return None
    return Job(row[0], Selection(*row[1:6]), row[6], RequestContext(row[7], row[8] or "") if row[7] else None)


async def next_bodies(pool: asyncpg.Pool, job: Job, limit: int, limit_bytes: int) -> list[StoredDelivery]:
    """The next deliveries of the job, by sequence number: at most `limit`, and none that begins after `limit_bytes`."""
    rows = await pool.fetch(BODIES, *job.selection.arguments, job.reached, limit, limit_bytes)
    return [StoredDelivery(r[0], r[1], r[2], r[3], json.loads(r[4]), r[5], "", r[6]) for r in rows]


async def advance(pool: asyncpg.Pool, job: Job, reached: int, pause: float = 0.0) -> None:
    """Store the progress of the job and release its claim. It is due after `pause` seconds."""
    await pool.execute(ADVANCE, job.id, reached, pause)


async def finish(pool: asyncpg.Pool, job: Job) -> None:
    """Delete the job."""
    await pool.execute(FINISH, job.id)


async def open_selections(pool: asyncpg.Pool, tenant: str) -> list[str | None]:
    """The connection of each job of the tenant that is not done. None: all connections."""
    return [row[0] for row in await pool.fetch(OPEN, tenant)]


async def replace_events(db: Connection, tenant: str, deliveries: Mapping[int, Delivery]) -> Step:
    """Store deliveries of one tenant, given by sequence number, as they were read again. Must run inside a transaction.

    Their events are published with the current context, which is that of the request for the job.
    """
    context = current_context()
    await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS, *customer_locks(list(deliveries.values()))])
    permitted = {seq: one for seq, one in (await without_erased(db, deliveries)).items() if one is deliveries[seq]}
    changed = changed_events(permitted, await _stored_events(db, list(permitted)))
    queued = {row[0] for row in await db.fetch(QUEUE, sorted({row.event.seq for row in changed}), tenant, *_columns_of(context))}
    rows = [row for row in changed if row.event.seq in queued]
    await db.execute(CHANGE, *columns_of([row.columns for row in rows], 6))
    waiting = sorted({row.event.seq for row in changed} - queued)
    read = [(seq, delivery.revision) for seq, delivery in deliveries.items() if seq not in waiting]
    await db.execute(MARK, *columns_of(read, 2))
    return Step([OutboxEvent(row.event, row.encoded, context) for row in rows], waiting)


def _columns_of(context: RequestContext | None) -> tuple[str | None, str | None]:
    """The values of the columns `request_id` and `traceparent`."""
    return (context.request_id, context.traceparent) if context else (None, None)


@dataclass(frozen=True, slots=True)
class ChangedEvent:
    """An event that replaces a stored one."""

    event: Event
    encoded: bytes
    email: str | None
    fingerprint: bytes

    @property
    def columns(self) -> tuple[int, int, str | None, str | None, bytes, str]:
        """The parameters of CHANGE."""
        event = self.event
        return event.seq, event.position, event.customer, self.email, self.fingerprint, self.encoded.decode()


Stored = tuple[Event, bytes]
"""A stored event and its fingerprint."""


async def _stored_events(db: Connection, seqs: Sequence[int]) -> dict[int, list[Stored]]:
    stored: dict[int, list[Stored]] = {}
    for encoded, fingerprint in await db.fetch(EVENTS, seqs):
        event = decode_event(encoded)
        stored.setdefault(event.seq, []).append((event, fingerprint))
    return stored


def changed_events(deliveries: Mapping[int, Delivery], stored: Mapping[int, Sequence[Stored]]) -> list[ChangedEvent]:
    """The events whose content differs from the stored one. None of a delivery that has other subjects now, or no statement."""
    changed: list[ChangedEvent] = []
    for seq, delivery in deliveries.items():
        new = {(s.event.position, s.event.subject): s for s in delivery.statements}
        former = {(event.position, event.subject): (event, fingerprint) for event, fingerprint in stored.get(seq, ())}
        if new.keys() != former.keys():
            continue
        for place, statement in new.items():
            event, fingerprint = former[place]
            if statement.fingerprint != fingerprint:
                replaced = replace(statement.event, statement=event.statement, seq=seq)
                changed.append(ChangedEvent(replaced, encode(replaced), statement.email, statement.fingerprint))
    return changed
