"""Connections in the database. Secrets are sealed on the way in and opened on the way out."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.domain.connection import Connection
from services.ingest.domain.connection import Mapping as FieldMapping
from services.ingest.store import tables
from services.ingest.store.seal import Seal
from shared.problems import Conflict

BUILT_IN = "api"
"""The provider of the connection that every tenant has for its own apps: no tool, no secret, no hook."""

LIVE_SECRETS = 2

ID = re.compile(r"con_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A connection as its owner sees it in a list."""

    connection: Connection
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Rotation:
    """A change of a connection's secrets: `new` becomes the first one, and the newest of the present ones stays valid beside it
    if `keeps_former`."""

    new: str | None
    keeps_former: bool = True

    def live(self, present: Sequence[str]) -> list[str]:
        """The secrets that are valid after the change, the newest first."""
        former = [*present[:1]] if self.keeps_former else []
        return [*([self.new] if self.new else []), *former][:LIVE_SECRETS]


def new_id() -> str:
    """Unguessable, since a hook's URL holds it."""
    return f"con_{secrets.token_hex(16)}"


def is_id(text: str) -> bool:
    """Whether `new_id` could have made it: only such a text is worth a query, or fit for one."""
    return ID.fullmatch(text) is not None


class Connections:
    """Rows of `connections`; a tenant has at most `per_tenant` besides its built-in one and those it has deleted."""

    def __init__(self, engine: AsyncEngine, seal: Seal, per_tenant: int = 200) -> None:
        self._engine = engine
        self._seal = seal
        self._per_tenant = per_tenant

    async def find(self, connection: str) -> Connection | None:
        """By id, deleted ones included: their hooks still answer."""
        if not is_id(connection):
            return None
        return next((listed.connection for listed in await self._select(tables.connections.c.id == connection)), None)

    async def built_in(self, tenant: str) -> Connection | None:
        own = (tables.connections.c.tenant == tenant) & (tables.connections.c.provider == BUILT_IN)
        return next((listed.connection for listed in await self._select(own)), None)

    async def of(self, tenant: str) -> list[Listed]:
        return await self._select((tables.connections.c.tenant == tenant) & (tables.connections.c.state != "deleted"))

    async def add(
        self, tenant: str, provider: str, name: str, secret: str, mapping: FieldMapping, dimensions: dict[str, str]
    ) -> Connection | None:
        """The new connection; None where there is no such tenant. Raises Conflict where the tenant has `per_tenant` already."""
        connection = new_id()
        known = select(tables.tenants.c.id).where(tables.tenants.c.id == tenant).with_for_update(key_share=True)
        own = (tables.connections.c.tenant == tenant) & (tables.connections.c.provider != BUILT_IN)
        existing = select(func.count()).where(own, tables.connections.c.state != "deleted")
        row = insert(tables.connections).values(
            id=connection,
            tenant=tenant,
            provider=provider,
            name=name,
            mapping=_plain(mapping),
            dimensions=dimensions,
            sealed_secrets=self._seal.close(json.dumps([secret]).encode(), connection),
        )
        async with self._engine.begin() as db:
            if (await db.execute(known)).first() is None:
                return None
            if (await db.execute(existing)).scalar_one() >= self._per_tenant:
                raise Conflict(f"the tenant has {self._per_tenant} connections, which is the limit; delete one first")
            await db.execute(row)
        return await self.find(connection)

    async def change(self, tenant: str, connection: str, values: Mapping[str, Any], rotation: Rotation | None = None) -> bool:
        """Set columns and rotate secrets in one transaction. False: the tenant has no such connection that can be changed."""
        new = dict(values)
        if "mapping" in new:
            new["mapping"] = _plain(new["mapping"])
        if new.keys() & {"mapping", "dimensions"}:
            new["revision"] = tables.connections.c.revision + 1
        own = self._own(tenant, connection)
        async with self._engine.begin() as db:
            row = (await db.execute(select(tables.connections.c.sealed_secrets).where(own).with_for_update())).first()
            if row is None:
                return False
            if rotation:
                live = rotation.live(self._secrets(row.sealed_secrets, connection))
                new["sealed_secrets"] = self._seal.close(json.dumps(live).encode(), connection)
            if new:
                await db.execute(update(tables.connections).where(own).values(**new))
        return True

    async def delete(self, tenant: str, connection: str) -> bool:
        """Its hook goes on answering, its secrets are gone."""
        return await self.change(tenant, connection, {"state": "deleted", "sealed_secrets": self._seal.close(b"[]", connection)})

    def _own(self, tenant: str, connection: str) -> ColumnElement[bool]:
        """The built-in connection can be neither changed nor deleted."""
        table = tables.connections.c
        return (table.tenant == tenant) & (table.id == connection) & (table.state != "deleted") & (table.provider != BUILT_IN)

    async def _select(self, which: ColumnElement[bool]) -> list[Listed]:
        joined = select(tables.connections, tables.tenants.c.sealed_key).join(tables.tenants).where(which)
        async with self._engine.connect() as db:
            rows = (await db.execute(joined.order_by(tables.connections.c.created_at, tables.connections.c.id))).all()
        return [Listed(self._connection(row), row.created_at) for row in rows]

    def _connection(self, row: Row[Any]) -> Connection:
        return Connection(
            id=row.id,
            tenant=row.tenant,
            provider=row.provider,
            name=row.name,
            state=row.state,
            revision=row.revision,
            mapping=FieldMapping.model_validate(row.mapping),
            dimensions=row.dimensions,
            secrets=self._secrets(row.sealed_secrets, row.id),
            key=self._seal.open(row.sealed_key, row.tenant),
        )

    def _secrets(self, sealed: bytes, connection: str) -> tuple[str, ...]:
        return tuple(json.loads(self._seal.open(sealed, connection)))


def _plain(mapping: FieldMapping) -> dict[str, Any]:
    return mapping.model_dump(mode="json", exclude_none=True)
