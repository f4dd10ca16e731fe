"""Taxonomies of tenants. Every revision is stored; the last one is current."""

from typing import Any

import msgspec
from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.store import tables
from shared.taxonomy import TenantTaxonomy, ThemeDefinition

Themes = tuple[ThemeDefinition, ...]

UNSET = TenantTaxonomy(0)
"""The taxonomy of a tenant that never set one."""


class Superseded(Exception):
    """A change was based on a revision that is no longer current. `revision` is the current one."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"revision {revision} is current")
        self.revision = revision


class Taxonomies:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def current(self, tenant: str) -> TenantTaxonomy:
        """The tenant's last revision; revision 0 if it never set a taxonomy."""
        async with self._engine.connect() as db:
            return await _last(db, tenant)

    async def find(self, tenant: str, revision: int) -> TenantTaxonomy | None:
        """One revision, current or not. None if the tenant has no such revision."""
        if revision == UNSET.revision:
            return UNSET
        async with self._engine.connect() as db:
            row = (await db.execute(_revisions(tenant).where(tables.taxonomies.c.revision == revision))).first()
        return _taxonomy(row) if row else None

    async def set(self, tenant: str, themes: Themes | None, based_on: int | None = None) -> TenantTaxonomy | None:
        """Store `themes` (None: those that ship) as the next revision, unless the last one has the same themes. Returns the
        current revision, or None if the tenant does not exist.

        Raises Superseded if `based_on` is not the last revision and the themes differ. Calls for one tenant run one at a time.
        """
        locked_tenant = select(tables.tenants.c.id).where(tables.tenants.c.id == tenant).with_for_update(key_share=True)
        async with self._engine.begin() as db:
            if (await db.execute(locked_tenant)).first() is None:
                return None
            last = await _last(db, tenant)
            if last.themes == themes:
                return last
            if based_on is not None and based_on != last.revision:
                raise Superseded(last.revision)
            changed = TenantTaxonomy(last.revision + 1, themes)
            row = {"tenant": tenant, "revision": changed.revision, "themes": msgspec.to_builtins(themes)}
            await db.execute(insert(tables.taxonomies).values(row))
        return changed


def _revisions(tenant: str) -> Select[Any]:
    return select(tables.taxonomies.c.revision, tables.taxonomies.c.themes).where(tables.taxonomies.c.tenant == tenant)


async def _last(db: AsyncConnection, tenant: str) -> TenantTaxonomy:
    row = (await db.execute(_revisions(tenant).order_by(tables.taxonomies.c.revision.desc()).limit(1))).first()
    return _taxonomy(row) if row else UNSET


def _taxonomy(row: Row[Any]) -> TenantTaxonomy:
    return TenantTaxonomy(row.revision, msgspec.convert(row.themes, Themes | None))
