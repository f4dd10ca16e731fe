"""Tenants as metrics knows them: a number for rows, a zone for days."""

from collections.abc import Collection, Mapping
from datetime import datetime

import asyncpg

from services.metrics.store.due import add_missing, request_full_look
from services.metrics.store.promotions import UNKNOWN_ZONE, pin_default


class Tenants:
    """Numbers of tenants, remembered, for they never change."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._known: dict[str, int] = {}

    async def ids(self, slugs: Collection[str]) -> Mapping[str, int]:
        """The number of each tenant; one that we have not been told of yet is made, so that nothing said of it is lost."""
        if not all(slug in self._known for slug in slugs):
            await self._pool.execute(
                "INSERT INTO tenants (slug, name, zone) SELECT slug, slug, $2 FROM unnest($1::text[]) AS slug"
                " WHERE NOT EXISTS (SELECT FROM tenants known WHERE known.slug = slug.slug)"
                " ORDER BY slug ON CONFLICT DO NOTHING",
                sorted(slugs),
                UNKNOWN_ZONE,
            )
            rows = await self._pool.fetch("SELECT slug, id FROM tenants WHERE slug = ANY($1)", list(slugs))
            await add_missing(self._pool)
            self._known.update((row["slug"], row["id"]) for row in rows)
        return self._known


async def put_tenant(pool: asyncpg.Pool, slug: str, name: str, zone: str, default_model: str, now: datetime) -> None:
    """Store what the gateway says of a tenant; `default_model` is promoted for it if no model was.

    A changed zone drops the tenant's seals: they count other days.
    """
    async with pool.acquire() as connection, connection.transaction():
        tenant = await connection.fetchval(
            "INSERT INTO tenants (slug, name, zone) VALUES ($1, $2, $3)"
            " ON CONFLICT (slug) DO UPDATE SET name = excluded.name, zone = excluded.zone RETURNING id",
            slug,
            name,
            zone,
        )
        await add_missing(connection)
        deleted = await connection.fetchval(
            "WITH dropped AS (DELETE FROM seals WHERE tenant = $1 AND zone <> $2 RETURNING id)"
            ", emptied AS (DELETE FROM histograms WHERE seal_id IN (SELECT id FROM dropped)) SELECT count(*) FROM dropped",
            tenant,
            zone,
        )
        if deleted:
            await request_full_look(connection, tenant)
        await pin_default(connection, default_model, now, tenant)
