"""Forgetting a customer: a tombstone for every subject ever tied to them, and the content of these gone, in one transaction.

Whoever is writing statements of the customer holds their lock, shared; this waits for them, and they for this. So what isn't seen
here has a higher number than the erasure, and was said after it.
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from services.ingest.domain.delivery import Delivery, Statement
from services.ingest.inbox import locks
from services.ingest.inbox.stated import Stated
from services.ingest.inbox.writer import HOLD, LOCK, Connection, insert
from shared.events import Event, Tombstone, decode_event

NAMES = """
SELECT customer FROM events WHERE tenant = $1 AND email = ANY($2::text[]) AND customer IS NOT NULL
UNION SELECT email FROM events WHERE tenant = $1 AND customer = ANY($2::text[]) AND email IS NOT NULL
"""
"""Under which other names the customer goes: the ids that came with their address, the addresses that came with their id."""

SUBJECTS = """
SELECT DISTINCT ON (subject) event FROM events
WHERE tenant = $1 AND (customer = ANY($2::text[]) OR email = ANY($3::text[])) ORDER BY subject, seq DESC
"""
FORGET_EVENTS = "DELETE FROM events WHERE tenant = $1 AND subject = ANY($2::text[]) AND seq <> $3 RETURNING seq"
FORGET_BODIES = "UPDATE inbox SET raw = NULL WHERE seq = ANY($1::bigint[])"

GRAVE = blake2b(b"tombstone", digest_size=16).digest()


async def erase(db: Connection, delivery: Delivery) -> list[Stated] | None:
    """Carry out the erasure that `delivery` asks for: the tombstones to publish, None where it was carried out before.

    The request itself names the customer, so its body isn't kept.
    """
    async with db.transaction():
        await db.execute(HOLD, [locks.ARRIVALS])
        await _lock(db, delivery.tenant, delivery.erases)
        names = {*delivery.erases, *[row[0] for row in await db.fetch(NAMES, delivery.tenant, delivery.erases)]}
        await _lock(db, delivery.tenant, names)
        tombstones = await _tombstones(db, delivery, names)
        done = replace(delivery, raw=b"", erases=(), statements=tuple(Statement(event, GRAVE) for event in tombstones))
        [stated] = await insert(db, [done])
        if stated:
            subjects, itself = [event.subject for event in tombstones], stated[0].event.seq
            forgotten = await db.fetch(FORGET_EVENTS, delivery.tenant, subjects, itself)
            await db.execute(FORGET_BODIES, sorted({row[0] for row in forgotten}))
    return stated


async def _lock(db: Connection, tenant: str, names: Iterable[str]) -> None:
    await db.execute(LOCK, locks.of_customers((tenant, name) for name in names))


async def _tombstones(db: Connection, delivery: Delivery, names: Iterable[str]) -> list[Event]:
    rows = await db.fetch(SUBJECTS, delivery.tenant, list(names), delivery.erases)
    found = [decode_event(row[0]) for row in rows]
    return [_tombstone(event, position, delivery) for position, event in enumerate(found)]


def _tombstone(event: Event, position: int, delivery: Delivery) -> Event:
    return Event(
        tenant=event.tenant,
        subject=event.subject,
        statement="",
        seq=0,
        position=position,
        at=delivery.received_at,
        received_at=delivery.received_at,
        connection=event.connection,
        source=event.source,
        body=Tombstone(),
    )
