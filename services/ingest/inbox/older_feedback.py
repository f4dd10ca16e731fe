"""Stores deliveries of an import or a back-fill, which may hold older feedback of customers who were erased."""

from collections.abc import Sequence

from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery, Outcome, StorableBody
from services.ingest.inbox import locks
from services.ingest.inbox.erased_customers import older_subjects
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.writer import customer_locks, write_unpublished


async def write_older(
    db: Connection, deliveries: Sequence[Delivery], bodies: Sequence[StorableBody] | None = None
) -> list[Outcome]:
    """Store deliveries. Those with feedback that is older than its customer's erasure are left out as ignored. Those that are not
    read yet are marked, so that they are compared when they are read.

    `bodies` are the stored forms of the deliveries' bodies; None: bodies are stored unencrypted. Must run inside a transaction,
    whose locks let no erasure of these customers end meanwhile. Events are left to the sweeper.
    """
    await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS, *customer_locks(deliveries)])
    erased = await older_subjects(db, dict(enumerate(deliveries)))
    places = [place for place in range(len(deliveries)) if place not in erased]
    permitted = [replace(deliveries[place], historical=True) for place in places]
    permitted_bodies = [bodies[place] for place in places] if bodies else None
    written = iter(await write_unpublished(db, permitted, permitted_bodies) if permitted else ())
    return ["ignored" if place in erased else next(written) for place in range(len(deliveries))]
