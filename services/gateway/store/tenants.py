"""Tenants in the database."""

from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.domain.tenants import Tenant
from services.gateway.store.tables import tenants
from shared.database import outage_is_503


class Tenants:
    """Rows of `tenants`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, tenant: Tenant) -> Tenant:
        """Insert `tenant` unless its id exists; returns the tenant with this id."""
        statement = insert(tenants).values(id=tenant.id, name=tenant.name, zone=tenant.zone).on_conflict_do_nothing()
        async with outage_is_503(), self._engine.begin() as connection:
            await connection.execute(statement)
            return _tenant((await connection.execute(select(tenants).where(tenants.c.id == tenant.id))).one())

    async def find(self, tenant_id: str) -> Tenant | None:
        """The tenant, or None if it does not exist."""
        async with outage_is_503(), self._engine.connect() as connection:
            row = (await connection.execute(select(tenants).where(tenants.c.id == tenant_id))).one_or_none()
            return _tenant(row) if row else None

    async def list_all(self, *, unprovisioned: bool = False) -> list[Tenant]:
        """All tenants by id, or only those that are not provisioned."""
        statement = select(tenants).order_by(tenants.c.id)
        if unprovisioned:
            statement = statement.where(tenants.c.provisioned_at.is_(None))
        async with outage_is_503(), self._engine.connect() as connection:
            return [_tenant(row) for row in await connection.execute(statement)]

    async def mark_provisioned(self, tenant_id: str) -> None:
        """Record that the other services have the tenant's zone."""
        async with outage_is_503(), self._engine.begin() as connection:
            await connection.execute(update(tenants).where(tenants.c.id == tenant_id).values(provisioned_at=func.now()))


def _tenant(row: Row[*tuple[Any, ...]]) -> Tenant:
    return Tenant(row.id, row.name, row.zone, row.provisioned_at is not None)
