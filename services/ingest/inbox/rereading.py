"""Reads accepted deliveries again: a job (`jobs.py`) says which, and changed events replace the stored ones.

A delivery is read again only if the settings of its connection have changed since it was read (`inbox.revision`). Its events keep
their sequence numbers and statement ids and get the higher revision, so consumers replace the former statement. A delivery whose
subjects would differ, or that can't be read any more, keeps its events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery, Statement, StoredDelivery
from services.ingest.domain.tombstone import SQL_FINGERPRINT
from services.ingest.inbox import locks
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher, load_deliveries, next_bodies_sql
from services.ingest.inbox.jobs import Job, columns_of_context
from services.ingest.inbox.outbox import OutboxEvent
from services.ingest.inbox.selection import Selection
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.verdicts import without_erased
from services.ingest.inbox.writer import aliases_column, columns_of, customer_locks
from shared.events import Event, decode_event, encode
from shared.request_context import current_context

SELECTED = """
FROM inbox JOIN connections ON connections.id = inbox.connection
WHERE inbox.tenant = $1 AND inbox.raw IS NOT NULL AND inbox.verdict = 'accepted' AND octet_length(inbox.raw) > 0
AND inbox.revision < connections.revision AND connections.state <> 'deleted'
AND ($2::text IS NULL OR inbox.connection = $2)
AND ($3::text IS NULL OR inbox.seq IN (SELECT seq FROM events WHERE events.tenant = $1 AND events.subject = $3))
AND ($4::timestamptz IS NULL OR inbox.received_at >= $4) AND ($5::timestamptz IS NULL OR inbox.received_at < $5)
"""
COUNT = f"SELECT count(*) {SELECTED}"
BODIES = next_bodies_sql(
    "seq, connection, delivery, received_at, headers, raw, NULL, revision, body_key",
    f"{SELECTED} AND inbox.seq > $6",
    limit="$7",
    limit_bytes="$8",
    condition="raw IS NOT NULL",
)

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
UPDATE events SET customer = new.customer, email = new.email, fingerprint = new.fingerprint, event = new.event,
    aliases = new.aliases::text[]
FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[])
    AS new (seq, position, customer, email, fingerprint, event, aliases)
WHERE events.seq = new.seq AND events.position = new.position AND events.fingerprint <> {SQL_FINGERPRINT}
"""  # noqa: S608
MARK = """
UPDATE inbox SET revision = new.revision FROM unnest($1::bigint[], $2::int[]) AS new (seq, revision) WHERE inbox.seq = new.seq
"""


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one step: the events to publish, and the deliveries that wait to be published and must be read later."""

    events: list[OutboxEvent]
    waiting: list[int]


async def count_selected(pool: asyncpg.Pool, selection: Selection) -> int:
    """The number of deliveries that a job will read."""
    return int(await pool.fetchval(COUNT, *_arguments(selection)))


async def next_bodies(
    pool: asyncpg.Pool, job: Job, limit: int, limit_bytes: int, cipher: BodyCipher = PLAIN
) -> list[StoredDelivery]:
    """The next deliveries of the job, by sequence number: at most `limit`, and none that begins after `limit_bytes`."""
    rows = await pool.fetch(BODIES, *_arguments(job.selection), job.reached, limit, limit_bytes)
    return await load_deliveries(cipher, rows)


def _arguments(selection: Selection) -> tuple[Any, ...]:
    """The parameters $1 to $5."""
    return selection.tenant, selection.connection, selection.subject, selection.since, selection.until


async def replace_events(db: Connection, tenant: str, deliveries: Mapping[int, Delivery]) -> Step:
    """Store deliveries of one tenant, given by sequence number, as they were read again. Must run inside a transaction.

    Their events are published with the current context, which is that of the request for the job.
    """
    context = current_context()
    await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS, *customer_locks(list(deliveries.values()))])
    permitted = {seq: delivery for seq, delivery in (await without_erased(db, deliveries)).items() if delivery is deliveries[seq]}
    changed = changed_events(permitted, await _stored_events(db, list(permitted)))
    queued = {
        row[0] for row in await db.fetch(QUEUE, sorted({row.event.seq for row in changed}), tenant, *columns_of_context(context))
    }
    rows = [row for row in changed if row.event.seq in queued]
    await db.execute(CHANGE, *columns_of([row.columns for row in rows], 7))
    waiting = sorted({row.event.seq for row in changed} - queued)
    read = [(seq, delivery.revision) for seq, delivery in deliveries.items() if seq not in waiting]
    await db.execute(MARK, *columns_of(read, 2))
    return Step([OutboxEvent.of(row.event, row.encoded, context) for row in rows], waiting)


@dataclass(frozen=True, slots=True)
class ChangedEvent:
    """An event that replaces a stored one."""

    event: Event
    encoded: bytes
    statement: Statement

    @property
    def columns(self) -> tuple[int, int, str | None, str | None, bytes, str, str]:
        """The parameters of CHANGE."""
        event, statement = self.event, self.statement
        content = (statement.email, statement.fingerprint, self.encoded.decode(), aliases_column(statement))
        return event.seq, event.position, event.customer, *content


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
                changed.append(ChangedEvent(replaced, encode(replaced), statement))
    return changed
