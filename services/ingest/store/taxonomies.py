"""Tenants' taxonomies in the database: every revision is kept, the last is in force."""

from typing import Any

import msgspec
from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.store import tables
from shared.taxonomy import TenantTaxonomy, ThemeDefinition

Themes = tuple[ThemeDefinition, ...]

NONE_YET = TenantTaxonomy(0)


class Superseded(Exception):
    """A change was made to a revision that is no longer in force; `revision` is."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"revision {revision} is in force")
        self.revision = revision


class Taxonomies:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def in_force(self, tenant: str) -> TenantTaxonomy:
        """Revision 0 where none was ever set."""
        async with self._engine.connect() as db:
            return await _last(db, tenant)

    async def at(self, tenant: str, revision: int) -> TenantTaxonomy | None:
        """One revision, in force or not; None where the tenant has none of that number."""
        if revision == NONE_YET.revision:
            return NONE_YET
        async with self._engine.connect() as db:
            row = (await db.execute(_of(tenant).where(tables.taxonomies.c.revision == revision))).first()
        return _read(row) if row else None

    async def set(self, tenant: str, themes: Themes | None, based_on: int | None = None) -> TenantTaxonomy | None:
        """Put `themes` in force (None: those that ship): the next revision, or the last where that says the same already.

        None: there is no such tenant. Superseded: the last revision is neither the same nor `based_on`. Calls for one tenant wait
        for one another.
        """
        known = select(tables.tenants.c.id).where(tables.tenants.c.id == tenant).with_for_update(key_share=True)
        async with self._engine.begin() as db:
            if (await db.execute(known)).first() is None:
                return None
            last = await _last(db, tenant)
            if last.themes == themes:
                return last
            if based_on is not None and based_on != last.revision:
                raise Superseded(last.revision)
            changed = TenantTaxonomy(last.revision + 1, themes)
            plain = msgspec.to_builtins(themes)
            await db.execute(insert(tables.taxonomies).values(tenant=tenant, revision=changed.revision, themes=plain))
        return changed


def _of(tenant: str) -> Select[Any]:
    return select(tables.taxonomies.c.revision, tables.taxonomies.c.themes).where(tables.taxonomies.c.tenant == tenant)


async def _last(db: AsyncConnection, tenant: str) -> TenantTaxonomy:
    row = (await db.execute(_of(tenant).order_by(tables.taxonomies.c.revision.desc()).limit(1))).first()
    return _read(row) if row else NONE_YET


def _read(row: Row[Any]) -> TenantTaxonomy:
    return TenantTaxonomy(row.revision, msgspec.convert(row.themes, Themes | None))
