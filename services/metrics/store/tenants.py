"""Tenants as metrics knows them: a number for rows, a zone for days."""

from collections.abc import Collection, Mapping
from datetime import datetime

import asyncpg

from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.store.due import add_missing, request_full_look
from services.metrics.store.promotions import UNKNOWN_ZONE, pin_default
from services.metrics.store.terms import change_zone


class Tenants:
    """Numbers of tenants, remembered, for they never change."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._known: dict[str, int] = {}

    async def ids(self, slugs: Collection[str]) -> Mapping[str, int]:
        """The number of each tenant; one that the gateway has not announced yet is stored, so that none of its events is lost."""
        if not all(slug in self._known for slug in slugs):
            await self._pool.execute(
                "INSERT INTO tenants (slug, name, zone, contributions_version)"
                " SELECT slug, slug, $2, $3 FROM unnest($1::text[]) AS slug"
                " WHERE NOT EXISTS (SELECT FROM tenants known WHERE known.slug = slug.slug)"
                " ORDER BY slug ON CONFLICT DO NOTHING",
                sorted(slugs),
                UNKNOWN_ZONE,
                CONTRIBUTIONS_VERSION,
            )
            rows = await self._pool.fetch("SELECT slug, id FROM tenants WHERE slug = ANY($1)", list(slugs))
            await add_missing(self._pool)
            self._known.update((row["slug"], row["id"]) for row in rows)
        return self._known


async def put_tenant(pool: asyncpg.Pool, slug: str, name: str, zone: str, default_model: str, now: datetime) -> None:
    """Store a tenant as the gateway states it; `default_model` is promoted for it if no model was.

    Another zone is a new revision of the tenant's terms. It drops the tenant's seals, which are of other days.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "INSERT INTO tenants (slug, name, zone, contributions_version) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (slug) DO UPDATE SET name = excluded.name RETURNING id, zone",
            slug,
            name,
            zone,
            CONTRIBUTIONS_VERSION,
        )
        tenant = row["id"]
        await add_missing(connection)
        if row["zone"] != zone:
            await change_zone(connection, tenant, zone, now)
        deleted = await connection.fetchval(
            "WITH deleted AS (DELETE FROM seals WHERE tenant = $1 AND zone <> $2 RETURNING id),"
            " emptied AS (DELETE FROM histograms WHERE seal_id IN (SELECT id FROM deleted)) SELECT count(*) FROM deleted",
            tenant,
            zone,
        )
        if deleted:
            await request_full_look(connection, tenant)
        await pin_default(connection, default_model, now, tenant)
