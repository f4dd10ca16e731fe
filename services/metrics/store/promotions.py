"""Which model's scores count for a tenant: the one promoted last, else the one that the settings name."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.metrics.store.tenants import UNKNOWN_ZONE

LAST = "SELECT p.model FROM promotions p WHERE p.tenant = t.id ORDER BY p.id DESC LIMIT 1"
"""The model promoted last for the tenant `t`."""

ASKER = f"SELECT t.zone, ({LAST}) AS model FROM tenants t WHERE t.slug = $1"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Asker:
    """A tenant that asks: in which zone its days begin, and whose scores count for it. Read once for each request, in its
    snapshot, so that no answer mixes two models."""

    slug: str
    zone: str
    model: str


async def asker_of(connection: asyncpg.Connection, slug: str, default: str) -> Asker:
    """The tenant of that name; `default` counts for it as long as no model was promoted."""
    row = await connection.fetchrow(ASKER, slug)
    return Asker(slug, row["zone"], row["model"] or default) if row else Asker(slug, UNKNOWN_ZONE, default)


@dataclass(frozen=True, slots=True)
class Promotion:
    """The model that was promoted last, and when."""

    model: str
    promoted_at: datetime


async def standing(connection: asyncpg.Connection, slug: str) -> Promotion | None:
    """The tenant's last promotion, None where there was none."""
    row = await connection.fetchrow(
        "SELECT p.model, p.promoted_at FROM promotions p JOIN tenants t ON t.id = p.tenant"
        " WHERE t.slug = $1 ORDER BY p.id DESC LIMIT 1",
        slug,
    )
    return Promotion(**row) if row else None


async def put_in_force(connection: asyncpg.Connection, slug: str, model: str, now: datetime) -> datetime | None:
    """Let `model` count for the tenant from now on; since when it does, None where there is no such tenant.

    The model that was promoted last isn't promoted again.
    """
    last = await standing(connection, slug)
    if last and last.model == model:
        return last.promoted_at
    return await connection.fetchval(  # type: ignore[no-any-return]
        "INSERT INTO promotions (tenant, model, promoted_at) SELECT id, $2, $3 FROM tenants WHERE slug = $1"
        " RETURNING promoted_at",
        slug,
        model,
        now,
    )
