"""The outbox: events that are stored and not yet known to be in Kafka.

The transaction that stores events also inserts their delivery into the table `unpublished`. The process that stored it publishes
it at once; the sweeper publishes deliveries that are due and still there. A row is in one of two states:

- `comments` = 0: its events must be published;
- `comments` > 0: its events are published, marked "comments later", and must be published again as soon as that many characters
  of comments may go to sentiment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery, Statement
from shared.events import Body, Event, encode
from shared.request_context import RequestContext

SEQ = b'"seq":0'
"""Where an event's JSON has its sequence number. Only texts, in which quotation marks are escaped, and the revision come
before."""

TEXTS = b'"text":', b'"title":'
"""One of them is in the JSON of every event with a comment."""

LEASE_SECONDS = 30
MIN_COMMENT = 75
"""The least that `comments` may be where it isn't 0. It bounds how many rows a claim locks."""

DELETE = """
DELETE FROM unpublished USING (SELECT set_config('synchronous_commit', 'off', true)) AS quick
WHERE seq = ANY($1::bigint[]) AND (comments > 0 OR NOT $2)
"""
"""Does not wait for the disk: rows that a crash brings back are published twice, which does no harm."""

POSTPONE = """
UPDATE unpublished SET comments = later.comments, due = now()
FROM unnest($1::bigint[], $2::int[]) AS later (seq, comments),
    (SELECT set_config('synchronous_commit', 'off', true)) AS quick
WHERE unpublished.seq = later.seq
"""

CLAIM = """
WITH RECURSIVE first AS (
    (SELECT tenant, due FROM unpublished WHERE {state} ORDER BY tenant, due LIMIT 1)
    UNION ALL
    SELECT next.tenant, next.due FROM first CROSS JOIN LATERAL (
        SELECT tenant, due FROM unpublished WHERE {state} AND tenant > first.tenant ORDER BY tenant, due LIMIT 1
    ) AS next
), tenants AS MATERIALIZED (
    SELECT tenant, ceil($1::numeric / count(*) OVER ()) AS share FROM first WHERE due <= now()
), locked AS MATERIALIZED (
    SELECT row.tenant, row.seq, row.due, {units} AS units, tenants.share FROM tenants CROSS JOIN LATERAL (
        SELECT tenant, seq, due, comments FROM unpublished WHERE {state} AND tenant = tenants.tenant AND due <= now()
        ORDER BY due, seq LIMIT ceil(tenants.share / {least}) FOR UPDATE SKIP LOCKED
    ) AS row
), shared AS (
    SELECT *, sum(units) OVER (PARTITION BY tenant ORDER BY due, seq) - units AS before FROM locked
), ordered AS (
    SELECT seq, sum(units) OVER (ORDER BY due, seq) - units AS before FROM shared WHERE before < share
)
UPDATE unpublished SET due = now() + make_interval(secs => $2)
WHERE seq = ANY(ARRAY(SELECT seq FROM ordered WHERE before < $1)) RETURNING seq, request_id, traceparent
"""
"""Claims the oldest due rows of every tenant, in equal shares of $1 units and at least one row each; together no more than $1
units and one row. Tenants are found by skipping through the index, so a tenant's many rows cost no more than a few. The rows to
update are an array, for which the planner uses the index whatever number it expects.
"""

CLAIM_EVENTS = CLAIM.format(state="comments = 0", units="1", least="1")
CLAIM_COMMENTS = CLAIM.format(state="comments > 0", units="row.comments", least=MIN_COMMENT)

EVENTS = "SELECT seq, tenant, subject, received_at, event FROM events WHERE seq = ANY($1::bigint[]) ORDER BY seq, position"
RELEASE = """
UPDATE unpublished SET due = 'epoch'::timestamptz + seq * interval '1 microsecond' WHERE seq = ANY($1::bigint[])
"""
"""Released rows are due before all others of their tenant, in the order of their receipt: they are the oldest, since claims begin
with the oldest."""
OLDEST = """
SELECT least((SELECT received_at FROM inbox WHERE seq = (SELECT min(seq) FROM unpublished)),
    (SELECT min(reached_at) FROM replays WHERE finished IS NULL))
"""
"""Of the outbox, and of the deliveries that replays have yet to put there."""


class EventBody(Struct):
    """Only the body of an event's JSON."""

    body: Body


_decode_body = Decoder(EventBody).decode


class OutboxEvent(Struct, frozen=True):
    """A stored event on its way to Kafka. `encoded` is its JSON, the same bytes in the database and in Kafka. `context` is that
    of the request that brought it, or that requested its replay. `event` is None if it was loaded: publishing needs no more than
    these fields, and decoding all of it would take most of the time of a drain."""

    seq: int
    tenant: str
    subject: str
    received_at: datetime
    encoded: bytes
    context: RequestContext | None = None
    event: Event | None = None

    @classmethod
    def of(cls, event: Event, encoded: bytes, context: RequestContext | None = None) -> "OutboxEvent":
        """An event that was just stored."""
        return cls(event.seq, event.tenant, event.subject, event.received_at, encoded, context, event)

    @property
    def body(self) -> Body | None:
        """The body. None if it holds no comment."""
        if not any(name in self.encoded for name in TEXTS):
            return None
        return self.event.body if self.event else _decode_body(self.encoded).body


class Draft(Struct, frozen=True):
    """An event without its sequence number, which the database assigns. Its JSON is `head`, the number, `tail`."""

    statement: Statement
    event: Event
    head: bytes
    tail: bytes

    def numbered(self, seq: int, context: RequestContext | None = None) -> OutboxEvent:
        """The event with its sequence number."""
        return OutboxEvent.of(replace(self.event, seq=seq), b"%b%d%b" % (self.head, seq, self.tail), context)


def drafts(delivery: Delivery) -> list[Draft]:
    """The delivery's events. Their statement ids are made of the delivery's id and their position, so a retry has the same ids.

    Without an id, each delivery gets statement ids of its own.
    """
    name = f"{delivery.id}#" if delivery.id is not None else f"{uuid4().hex}~"
    return [_draft(statement, f"{name}{statement.event.position}") for statement in delivery.statements]


def _draft(statement: Statement, statement_id: str) -> Draft:
    event = replace(statement.event, statement=statement_id)
    head, _, tail = encode(event).partition(SEQ)
    return Draft(statement, event, head + SEQ[:-1], tail)


@dataclass(frozen=True, slots=True)
class Claim:
    """Deliveries that no other process may claim for LEASE_SECONDS, and their events. An erased delivery has none."""

    seqs: list[int]
    events: list[OutboxEvent]


async def claim_events(pool: asyncpg.Pool, limit: int) -> Claim:
    """Claim up to `limit` due deliveries whose events must be published, in equal shares for all tenants."""
    return await _claim(pool, CLAIM_EVENTS, limit)


async def claim_comments(pool: asyncpg.Pool, characters: int) -> Claim:
    """Claim due deliveries whose comments must be published, about `characters` of them, in equal shares for all tenants."""
    return await _claim(pool, CLAIM_COMMENTS, characters)


async def _claim(pool: asyncpg.Pool, statement: str, *arguments: Any) -> Claim:
    async with pool.acquire(timeout=5) as db:
        claimed = await db.fetch(statement, *arguments, LEASE_SECONDS)
        contexts = {row[0]: RequestContext(row[1], row[2] or "") if row[1] else None for row in claimed}
        rows = await db.fetch(EVENTS, list(contexts)) if contexts else []
    events = [
        OutboxEvent(seq, tenant, subject, received_at, event.encode(), contexts[seq])
        for seq, tenant, subject, received_at, event in rows
    ]
    return Claim(list(contexts), events)


async def release_claim(pool: asyncpg.Pool, seqs: Sequence[int]) -> None:
    """Let these deliveries be claimed again at once."""
    await pool.execute(RELEASE, seqs)


async def mark_published(pool: asyncpg.Pool, seqs: Sequence[int], *, comments: bool = False) -> None:
    """Remove deliveries whose events are in Kafka and have no comments that were postponed.

    `comments`: only postponed comments were published. A delivery that a replay has handed over meanwhile stays.
    """
    await pool.execute(DELETE, seqs, comments)


async def postpone_comments(pool: asyncpg.Pool, characters: Mapping[int, int]) -> None:
    """Note that the events of deliveries are in Kafka without their comments. `characters` is by sequence number."""
    await pool.execute(POSTPONE, list(characters), list(characters.values()))


async def oldest_receipt(pool: asyncpg.Pool) -> datetime | None:
    """The receipt time of the oldest delivery that is to be published. None if there is none."""
    received_at: datetime | None = await pool.fetchval(OLDEST)
    return received_at
