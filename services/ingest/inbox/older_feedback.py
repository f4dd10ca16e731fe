"""Stores deliveries of an import or a back-fill, which may hold older feedback of customers who were erased."""

from collections.abc import Sequence

from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.imports.erased import digest_of_name, names_of
from services.ingest.inbox import locks
from services.ingest.inbox.body_cipher import Sealed
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.writer import columns_of, customer_locks, write

ERASED = """
SELECT DISTINCT place FROM unnest($2::int[], $3::bytea[], $4::bool[], $5::timestamptz[]) AS name (place, digest, is_beside_id, at)
JOIN erased_names USING (digest)
WHERE tenant = $1 AND erased_at > name.at AND (requested OR NOT is_beside_id)
"""


async def write_older(
    db: Connection, tenant: str, deliveries: Sequence[Delivery], bodies: Sequence[Sealed] | None = None
) -> list[Outcome]:
    """Store deliveries of one tenant. Those with feedback that is older than its customer's erasure are left out as ignored.

    `bodies` are those of the deliveries as they are to be stored; None: as they are.
    Must run inside a transaction, whose locks let no erasure of these customers end meanwhile. Events are left to the sweeper.
    """
    await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS, *customer_locks(deliveries)])
    erased = await _erased(db, tenant, deliveries)
    places = [place for place in range(len(deliveries)) if place not in erased]
    permitted, sealed = [deliveries[place] for place in places], [bodies[place] for place in places] if bodies else None
    written = iter((await write(db, permitted, None, sealed))[0] if permitted else ())
    return ["ignored" if place in erased else next(written) for place in range(len(deliveries))]


async def _erased(db: Connection, tenant: str, deliveries: Sequence[Delivery]) -> set[int]:
    names = [
        (place, digest_of_name(tenant, name), is_beside_id, at)
        for place, delivery in enumerate(deliveries)
        for name, is_beside_id, at in names_of(delivery)
    ]
    return {row[0] for row in await db.fetch(ERASED, tenant, *columns_of(names, 4))} if names else set()
