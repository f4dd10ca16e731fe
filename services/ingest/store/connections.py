"""Connections in the database. Their secrets are encrypted there."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.domain.connection import Connection, ProviderSettings
from services.ingest.domain.providers import read_settings
from services.ingest.domain.providers.tool_api import Credentials
from services.ingest.store import tables
from services.ingest.store.cipher import Cipher
from services.ingest.store.rotation import Rotation
from shared.problems import Conflict

BUILT_IN = "api"
"""The provider of the connection that every tenant has for its own apps: no tool, no secret, no hook."""

ID = re.compile(r"con_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class ListedConnection:
    """A connection with the time of its creation."""

    connection: Connection
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredCredentials:
    """The credentials of a tool's API as JSON. `encrypted` is their encrypted form, which differs after every change of them."""

    values: dict[str, Any] = field(repr=False)
    encrypted: bytes


def new_id() -> str:
    """A random id. It can't be guessed, since a hook's URL contains it."""
    return f"con_{secrets.token_hex(16)}"


def is_id(text: str) -> bool:
    """Whether `text` has the form of a connection's id. Other texts are never looked up."""
    return ID.fullmatch(text) is not None


class ConnectionSource(Protocol):
    """Finds connections. The part of Connections that its cache and the eraser use."""

    async def find(self, connection: str) -> Connection | None:
        """The connection with this id, also if it is deleted."""

    async def built_in(self, tenant: str) -> Connection | None:
        """The connection that every tenant has for its own apps. None if the tenant does not exist."""


class Connections:
    """The table `connections`. A tenant may have `per_tenant` of them, not counting deleted ones and its built-in one."""

    def __init__(self, engine: AsyncEngine, cipher: Cipher, per_tenant: int = 200) -> None:
        self._engine = engine
        self._cipher = cipher
        self._per_tenant = per_tenant

    async def find(self, connection: str) -> Connection | None:
        """The connection with this id, also if it is deleted: its hook still answers."""
        if not is_id(connection):
            return None
        return next((listed.connection for listed in await self._select(tables.connections.c.id == connection)), None)

    async def built_in(self, tenant: str) -> Connection | None:
        """The connection that every tenant has for its own apps. None if the tenant does not exist."""
        own = (tables.connections.c.tenant == tenant) & (tables.connections.c.provider == BUILT_IN)
        return next((listed.connection for listed in await self._select(own)), None)

    async def list_of(self, tenant: str) -> list[ListedConnection]:
        """The tenant's connections, the oldest first."""
        return await self._select((tables.connections.c.tenant == tenant) & (tables.connections.c.state != "deleted"))

    async def add(
        self,
        tenant: str,
        provider: str,
        name: str,
        secret: str,
        mapping: ProviderSettings,
        dimensions: dict[str, str],
        credentials: Credentials | None = None,
    ) -> Connection | None:
        """The new connection, or None if the tenant does not exist. Raises Conflict if the tenant has `per_tenant` already."""
        connection = new_id()
        locked_tenant = select(tables.tenants.c.id).where(tables.tenants.c.id == tenant).with_for_update(key_share=True)
        own = (tables.connections.c.tenant == tenant) & (tables.connections.c.provider != BUILT_IN)
        count = select(func.count()).where(own, tables.connections.c.state != "deleted")
        row = insert(tables.connections).values(
            id=connection,
            tenant=tenant,
            provider=provider,
            name=name,
            mapping=mapping_as_json(mapping),
            dimensions=dimensions,
            encrypted_secrets=self._encrypt([secret], connection),
            encrypted_credentials=self._encrypt_credentials(credentials, connection),
        )
        async with self._engine.begin() as db:
            if (await db.execute(locked_tenant)).first() is None:
                return None
            if (await db.execute(count)).scalar_one() >= self._per_tenant:
                raise Conflict(f"the tenant has {self._per_tenant} connections, which is the limit; delete one first")
            await db.execute(row)
        return await self.find(connection)

    async def change(self, tenant: str, connection: str, values: Mapping[str, Any], rotation: Rotation | None = None) -> bool:
        """Set columns and rotate secrets in one transaction. False if the tenant has no such connection that can be changed.

        `credentials` among the values are those of the tool's API, or None to remove them. Raises RotationOpen or NoRotation, and
        changes nothing, if the secrets do not permit the rotation.
        """
        new = dict(values)
        renews_credentials = "credentials" in new
        if renews_credentials:
            new["encrypted_credentials"] = self._encrypt_credentials(new.pop("credentials"), connection)
        if "mapping" in new:
            new["mapping"] = mapping_as_json(new["mapping"])
        if new.keys() & {"mapping", "dimensions"}:
            new["revision"] = tables.connections.c.revision + 1
        own = self._changeable(tenant, connection)
        async with self._engine.begin() as db:
            row = (await db.execute(select(tables.connections.c.encrypted_secrets).where(own).with_for_update())).first()
            if row is None:
                return False
            if rotation:
                valid = rotation.valid_secrets(self._decrypt(row.encrypted_secrets, connection))
                new["encrypted_secrets"] = self._encrypt(valid, connection)
            if new:
                await db.execute(update(tables.connections).where(own).values(**new))
            if renews_credentials:
                await db.execute(delete(tables.tool_apis).where(tables.tool_apis.c.connection == connection))
        return True

    async def load_credentials(self, connection: str) -> StoredCredentials | None:
        """The credentials of the tool's API. None if the connection has none."""
        column = select(tables.connections.c.encrypted_credentials).where(tables.connections.c.id == connection)
        async with self._engine.connect() as db:
            encrypted: bytes | None = (await db.execute(column)).scalar()
        if encrypted is None:
            return None
        return StoredCredentials(json.loads(self._cipher.decrypt(encrypted, credentials_owner(connection))), encrypted)

    async def delete(self, tenant: str, connection: str) -> bool:
        """Mark the connection deleted and remove its secrets. False if the tenant has no such connection that can be deleted."""
        values = {"state": "deleted", "encrypted_secrets": self._encrypt([], connection), "credentials": None}
        return await self.change(tenant, connection, values)

    def _changeable(self, tenant: str, connection: str) -> ColumnElement[bool]:
        """The built-in connection can be neither changed nor deleted."""
        table = tables.connections.c
        return (table.tenant == tenant) & (table.id == connection) & (table.state != "deleted") & (table.provider != BUILT_IN)

    async def _select(self, condition: ColumnElement[bool]) -> list[ListedConnection]:
        joined = select(tables.connections, tables.tenants.c.encrypted_key).join(tables.tenants).where(condition)
        async with self._engine.connect() as db:
            rows = (await db.execute(joined.order_by(tables.connections.c.created_at, tables.connections.c.id))).all()
        return [ListedConnection(self._connection(row), row.created_at) for row in rows]

    def _connection(self, row: Row[Any]) -> Connection:
        return Connection(
            id=row.id,
            tenant=row.tenant,
            provider=row.provider,
            name=row.name,
            state=row.state,
            revision=row.revision,
            mapping=read_settings(row.provider, row.mapping),
            dimensions=row.dimensions,
            secrets=self._decrypt(row.encrypted_secrets, row.id),
            key=self._cipher.decrypt(row.encrypted_key, row.tenant),
            has_credentials=row.encrypted_credentials is not None,
        )

    def _encrypt(self, valid: Sequence[str], connection: str) -> bytes:
        return self._cipher.encrypt(json.dumps(list(valid)).encode(), connection)

    def _encrypt_credentials(self, credentials: Credentials | None, connection: str) -> bytes | None:
        if credentials is None:
            return None
        return self._cipher.encrypt(credentials.model_dump_json(exclude_none=True).encode(), credentials_owner(connection))

    def _decrypt(self, encrypted: bytes, connection: str) -> tuple[str, ...]:
        return tuple(json.loads(self._cipher.decrypt(encrypted, connection)))


def credentials_owner(connection: str) -> str:
    """The owner of encrypted credentials. It differs from that of the secrets, so neither can take the place of the other."""
    return f"credentials:{connection}"


def mapping_as_json(mapping: ProviderSettings) -> dict[str, Any]:
    """The column `mapping`."""
    return mapping.model_dump(mode="json", exclude_none=True)
