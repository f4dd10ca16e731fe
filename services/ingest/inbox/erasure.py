"""Erasing a customer: one transaction gives every subject ever tied to them a tombstone and deletes their statements.

A transaction that writes statements of the customer holds the customer's lock shared; an erasure holds it exclusively. So
statements that the erasure doesn't see have higher sequence numbers than it: they were made after it.

Bodies that name the customer are searched afterwards in the background (erasure_jobs.py), driven by the row of `erasures` that
the transaction leaves.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import asyncpg
from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery, Statement
from services.ingest.domain.receipt import MOST_COUNTED, Erased
from services.ingest.domain.tombstone import SQL_FINGERPRINT, tombstone_of
from services.ingest.inbox import locks
from services.ingest.inbox.customers import store_receipt
from services.ingest.inbox.erasure_jobs import DELETE_BODIES, ErasureJob
from services.ingest.inbox.links import remember_shared_names
from services.ingest.inbox.outbox import OutboxEvent
from services.ingest.inbox.people import (
    Columns,
    Person,
    Target,
    count_statements,
    find_customer,
    find_person,
    next_subjects,
    unerased_events,
)
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.writer import Inserted, insert
from shared.events import Event
from shared.request_context import current_context

DELETE_EVENTS = f"""
DELETE FROM events WHERE tenant = $1 AND subject = ANY($2::text[]) AND fingerprint <> {SQL_FINGERPRINT} RETURNING seq
"""  # noqa: S608
"""Keeps tombstones: metrics stores them too, and must get the same result when it reads the events again."""

LEFT = """
SELECT (SELECT count(*) FROM (
    SELECT FROM inbox WHERE tenant = $1 AND seq < $2 AND raw IS NOT NULL ORDER BY seq LIMIT $3
) AS bodies), EXISTS (SELECT FROM fetches WHERE tenant = $1 AND seq < $2)
"""
"""The bodies that must be searched, and whether earlier deliveries wait for a tool's API."""
ADD_JOB = """
INSERT INTO erasures (seq, tenant, names, requested, remaining, due, claimable) VALUES ($1, $2, $3, $4, $5, 'infinity', now())
"""
"""`due` keeps workers of earlier versions away: they can't read all bodies of this one."""

MOST_AT_ONCE = 1_000
"""Statements of a customer that one transaction erases."""
NO_LIMIT = 2**62
REMAINING = "SELECT remaining FROM erasures WHERE seq = $1 FOR UPDATE"
REQUEST = "SELECT connection, received_at, revision FROM inbox WHERE seq = $1"
ADD_BATCH = """
UPDATE erasures SET batches = batches || $2::bigint, remaining = CASE WHEN NOT $3 THEN remaining END, claimable = now()
WHERE seq = $1
"""


async def erase(db: Connection, delivery: Delivery) -> list[OutboxEvent] | None:
    """Carry out the erasure that `delivery` requests. Returns the tombstones to publish, or None if it was carried out before.

    A subject that has a tombstone gets no second one. The request itself names the customer, so its body isn't stored. Of a
    customer with more than MOST_AT_ONCE statements, the others are left to the worker (`erase_next`).
    """
    async with db.transaction():
        await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS])
        person = await _locked_person(db, delivery)
        columns = person.columns
        subjects, is_all = await next_subjects(db, columns, NO_LIMIT, MOST_AT_ONCE)
        request = replace(delivery, raw=b"", erases=())
        batch = await _erase_subjects(db, request, subjects)
        if batch is None:
            return None
        seq = batch.inserted.seq
        selection = None if is_all else json.dumps(columns)
        await db.execute(ADD_JOB, seq, delivery.tenant, sorted(person.searched_names), sorted(person.addresses), selection)
        remaining = 0 if is_all else await count_statements(db, columns, seq, MOST_COUNTED + 1)
        to_search, pending = await db.fetchrow(LEFT, delivery.tenant, seq, MOST_COUNTED + 1)
        erased = Erased(
            at=delivery.received_at,
            subjects=len(subjects),
            statements=batch.statements,
            bodies=batch.bodies,
            bodies_to_search=to_search if to_search <= MOST_COUNTED else None,
            pending=pending,
            complete=not person.left_out,
            left_out=person.left_out,
            remaining=remaining if remaining <= MOST_COUNTED else None,
        )
        await store_receipt(db, seq, delivery.headers, erased)
    return batch.inserted.events


@dataclass(frozen=True, slots=True)
class ErasedBatch:
    """Erased subjects: the stored delivery with their tombstones, and how many statements and bodies were deleted."""

    inserted: Inserted
    statements: int
    bodies: int


async def _erase_subjects(db: Connection, request: Delivery, subjects: Sequence[str]) -> ErasedBatch | None:
    """Give the subjects tombstones, as statements of `request`, and delete their statements. None if the request is stored
    already."""
    new = await unerased_events(db, request.tenant, subjects)
    [inserted] = await insert(db, [replace(request, statements=_tombstones(new, request))], [current_context()])
    if inserted is None:
        return None
    await remember_shared_names(db, request.tenant, subjects, request.placeholders)
    deleted = [row[0] for row in await db.fetch(DELETE_EVENTS, request.tenant, subjects)]
    bodies = await db.execute(DELETE_BODIES, sorted(set(deleted)))
    return ErasedBatch(inserted, len(deleted), int(bodies.split()[-1]))


async def erase_next(pool: asyncpg.Pool, job: ErasureJob) -> int:
    """Erase the next subjects of a customer who had more statements than an erasure deletes at once. Returns the number of
    deleted statements; 0: nothing remains. The tombstones are left to the sweeper."""
    async with pool.acquire(timeout=5) as db, db.transaction():
        await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS])
        selection = await db.fetchval(REMAINING, job.seq)
        if selection is None:
            return 0
        columns: Columns = tuple(json.loads(selection))
        subjects, is_all = await next_subjects(db, columns, job.seq, MOST_AT_ONCE)
        connection, received_at, revision = await db.fetchrow(REQUEST, job.seq)
        request = Delivery(job.tenant, connection, None, received_at, revision, b"")
        batch = await _erase_subjects(db, request, subjects)
        if batch is None:
            return 0
        await db.execute(ADD_BATCH, job.seq, batch.inserted.seq, is_all)
    return batch.statements


async def _locked_person(db: Connection, delivery: Delivery) -> Person:
    """The person of the request, with all pseudonyms locked."""

    async def lock(names: Iterable[str]) -> None:
        await db.execute(locks.LOCK, locks.of_customers((delivery.tenant, name) for name in names))

    target = Target(delivery.tenant, frozenset(delivery.erases), delivery.former_ids, delivery.placeholders)
    return await (find_person if delivery.erases_linked else find_customer)(db, target, lock)


def _tombstones(erased: Iterable[Event], delivery: Delivery) -> tuple[Statement, ...]:
    return tuple(tombstone_of(event, position, delivery.received_at) for position, event in enumerate(erased))
