"""Erasing a customer: one transaction gives every subject ever tied to them a tombstone and deletes what was said of it.

A transaction that writes statements of the customer holds their lock, shared; an erasure holds it alone. So statements that the
erasure doesn't see have higher numbers than it: they were made after it. Bodies that name the customer are searched afterwards,
in the background, from the row of `erasures` that is written here (services/ingest/eraser.py).
"""

from collections.abc import Iterable
from dataclasses import replace

from services.ingest.domain.delivery import Delivery, Statement
from services.ingest.domain.tombstone import SQL_FINGERPRINT, tombstone_of
from services.ingest.inbox import locks
from services.ingest.inbox.stated import Stated
from services.ingest.inbox.writer import HOLD, LOCK, Connection, insert
from shared.events import Event, decode_event

IDS = "SELECT DISTINCT customer FROM events WHERE tenant = $1 AND email = ANY($2::text[]) AND customer IS NOT NULL"
ADDRESSES = "SELECT DISTINCT email FROM events WHERE tenant = $1 AND customer = ANY($2::text[]) AND email IS NOT NULL"

SUBJECTS = f"""
SELECT DISTINCT ON (subject) subject, event, EXISTS (
    SELECT FROM events grave WHERE grave.tenant = $1 AND grave.subject = events.subject AND grave.fingerprint = {SQL_FINGERPRINT}
) FROM events
WHERE tenant = $1 AND (customer = ANY($2::text[]) OR email = ANY($3::text[])) ORDER BY subject, seq DESC
"""  # noqa: S608
FORGET_EVENTS = f"""
DELETE FROM events WHERE tenant = $1 AND subject = ANY($2::text[]) AND fingerprint <> {SQL_FINGERPRINT} RETURNING seq
"""  # noqa: S608
"""A tombstone stays: metrics has it too, and a copy that reads the events again must come to the same."""

FORGET_BODIES = "UPDATE inbox SET raw = NULL, headers = '{}' WHERE seq = ANY($1::bigint[])"

SEARCH = "INSERT INTO erasures (seq, tenant, names, requested) VALUES ($1, $2, $3, $4)"


async def erase(db: Connection, delivery: Delivery) -> list[Stated] | None:
    """Carry out the erasure that `delivery` asks for. Returns the tombstones to publish, None where it was carried out before.

    A subject that has a tombstone gets no second one. The request itself names the customer, so its body isn't kept.
    """
    async with db.transaction():
        await db.execute(HOLD, [locks.ARRIVALS])
        names = await _lock_names(db, delivery)
        rows = await db.fetch(SUBJECTS, delivery.tenant, names, delivery.erases)
        new = [decode_event(event) for _, event, erased in rows if not erased]
        [inserted] = await insert(db, [replace(delivery, raw=b"", erases=(), statements=_tombstones(new, delivery))])
        if inserted is None:
            return None
        forgotten = await db.fetch(FORGET_EVENTS, delivery.tenant, [row[0] for row in rows])
        await db.execute(FORGET_BODIES, sorted({row[0] for row in forgotten}))
        await db.execute(SEARCH, inserted.seq, delivery.tenant, names, sorted(delivery.erases))
    return inserted.statements


async def _lock_names(db: Connection, delivery: Delivery) -> list[str]:
    """Every pseudonym of the customer, locked: those requested, the ids that came with a requested address, and the addresses
    that came with any of these ids."""
    names = {*delivery.erases}
    await _lock(db, delivery.tenant, names)
    for query in (IDS, ADDRESSES):
        names |= {row[0] for row in await db.fetch(query, delivery.tenant, sorted(names))}
        await _lock(db, delivery.tenant, names)
    return sorted(names)


async def _lock(db: Connection, tenant: str, names: Iterable[str]) -> None:
    await db.execute(LOCK, locks.of_customers((tenant, name) for name in names))


def _tombstones(erased: Iterable[Event], delivery: Delivery) -> tuple[Statement, ...]:
    return tuple(tombstone_of(event, position, delivery.received_at) for position, event in enumerate(erased))
