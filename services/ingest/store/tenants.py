"""Tenants as ingest needs them: the key of their pseudonyms, and the built-in connection that their own apps post to."""

import secrets

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.store import tables
from services.ingest.store.connections import BUILT_IN, new_id
from services.ingest.store.seal import Seal

PSEUDONYM_KEY_BYTES = 32


class Tenants:
    def __init__(self, engine: AsyncEngine, seal: Seal) -> None:
        self._engine = engine
        self._seal = seal

    async def put(self, tenant: str, name: str, zone: str) -> None:
        """Make the tenant known, or rename it; its key and its built-in connection are made once."""
        key = self._seal.close(secrets.token_bytes(PSEUDONYM_KEY_BYTES), tenant)
        row = insert(tables.tenants).values(id=tenant, name=name, zone=zone, sealed_key=key)
        known = row.on_conflict_do_update(index_elements=["id"], set_={"name": name, "zone": zone})
        connection = new_id()
        no_secrets = self._seal.close(b"[]", connection)
        built_in = insert(tables.connections).values(
            id=connection, tenant=tenant, provider=BUILT_IN, name=BUILT_IN, sealed_secrets=no_secrets
        )
        async with self._engine.begin() as db:
            await db.execute(known)
            await db.execute(built_in.on_conflict_do_nothing())
