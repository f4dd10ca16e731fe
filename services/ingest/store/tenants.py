"""Tenants: the key of their pseudonyms, and the built-in connection that their own apps post to."""

import secrets

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.store import tables
from services.ingest.store.cipher import Cipher
from services.ingest.store.connections import BUILT_IN, new_id

PSEUDONYM_KEY_BYTES = 32


class Tenants:
    def __init__(self, engine: AsyncEngine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    async def put(self, tenant: str, name: str, zone: str) -> None:
        """Create the tenant, or change its name and zone. Its key and its built-in connection are created once."""
        key = self._cipher.encrypt(secrets.token_bytes(PSEUDONYM_KEY_BYTES), tenant)
        tenant_row = insert(tables.tenants).values(id=tenant, name=name, zone=zone, encrypted_key=key)
        connection = new_id()
        connection_row = insert(tables.connections).values(
            id=connection,
            tenant=tenant,
            provider=BUILT_IN,
            name=BUILT_IN,
            encrypted_secrets=self._cipher.encrypt(b"[]", connection),
        )
        async with self._engine.begin() as db:
            await db.execute(tenant_row.on_conflict_do_update(index_elements=["id"], set_={"name": name, "zone": zone}))
            await db.execute(connection_row.on_conflict_do_nothing())
