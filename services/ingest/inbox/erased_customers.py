"""Feedback that is older than the erasure of its customer: that of imports and back-fills must not bring it back."""

from collections.abc import Collection, Mapping
from typing import TypeVar

from services.ingest.domain.delivery import Delivery
from services.ingest.domain.imports.erased import digest_of_name, names_of
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.writer import columns_of

ERASED = """
SELECT DISTINCT place FROM unnest($1::int[], $2::text[], $3::bytea[], $4::bool[], $5::timestamptz[])
    AS name (place, tenant, digest, is_beside_id, at)
JOIN erased_names USING (tenant, digest)
WHERE erased_at > name.at AND (requested OR NOT is_beside_id)
"""
ANY_ERASED = "SELECT EXISTS (SELECT FROM erased_names WHERE tenant = ANY($1::text[]))"
"""Whether a tenant has erased customers. Most that import their history have none, and digests of all names take time."""
HISTORICAL = "SELECT seq FROM inbox WHERE seq = ANY($1::bigint[]) AND historical"

Key = TypeVar("Key")


async def older_subjects(db: Connection, deliveries: Mapping[Key, Delivery]) -> dict[Key, set[str]]:
    """The subjects of each delivery whose feedback is older than its customer's erasure. Deliveries without any are left out.

    Must run inside a transaction that holds the locks of these customers, so that no erasure of theirs ends meanwhile.
    """
    statements = [(key, statement) for key, delivery in deliveries.items() for statement in delivery.statements]
    tenants = {statement.event.tenant for _, statement in statements}
    if not tenants or not await db.fetchval(ANY_ERASED, sorted(tenants)):
        return {}
    names = [
        (place, statement.event.tenant, digest_of_name(statement.event.tenant, name), is_beside_id, at)
        for place, (_, statement) in enumerate(statements)
        for name, is_beside_id, at in names_of(statement)
    ]
    older: dict[Key, set[str]] = {}
    if names:
        for (place,) in await db.fetch(ERASED, *columns_of(names, 5)):
            key, statement = statements[place]
            older.setdefault(key, set()).add(statement.event.subject)
    return older


async def historical(db: Connection, seqs: Collection[int]) -> set[int]:
    """The stored deliveries among these that are of an import or a back-fill."""
    return {row[0] for row in await db.fetch(HISTORICAL, list(seqs))}
