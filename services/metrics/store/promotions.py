"""Which model's scores count for a tenant: the one promoted last.

A tenant's first promotion is made when the tenant is: it pins the default model of that moment, so that a later default
changes new tenants only. Until then, an instant for most, the present default counts.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from shared.database import OUTAGE, RETRYABLE

log = structlog.get_logger()

UNKNOWN_ZONE = "UTC"
"""The zone of a tenant that the gateway has not announced yet; no contribution depends on a zone."""

LAST = "SELECT p.model FROM promotions p WHERE p.tenant = t.id ORDER BY p.initial, p.id DESC LIMIT 1"
"""The model that is promoted for the tenant `t`. An explicit promotion outranks the initial one, whichever was stored first."""

REVISIONS_OF = """
    (SELECT string_agg(concat_ws('/', topic, partition, kind, revision), ' ' ORDER BY topic, partition, kind)
     FROM tenant_revisions WHERE tenant = {tenant} AND kind = ANY({kinds})) AS revisions
"""
PROGRESS = """
    SELECT coalesce(sum(batches - noted), 0)::bigint AS unnoted, min(received_at) AS received_at, count(*) AS partitions
    FROM progress
"""
APPLIED = f"SELECT p.*, {REVISIONS_OF.format(tenant='$1', kinds='$2')} FROM ({PROGRESS}) p"  # noqa: S608

CURRENT_TENANT = f"""
    SELECT t.id, t.zone, t.terms_revision, t.names_revision, ({LAST}) AS model, r.dimensions, r.calendars, r.policies,
        r.presets, r.own_presets, p.*, {REVISIONS_OF.format(tenant="t.id", kinds="$2")}
    FROM tenants t LEFT JOIN terms_revisions r ON r.tenant = t.id AND r.revision = t.terms_revision CROSS JOIN ({PROGRESS}) p
    WHERE t.slug = $1
"""  # noqa: S608

UNPINNED = """
    INSERT INTO promotions (tenant, model, promoted_at, initial)
    SELECT t.id, $1, $2, true FROM tenants t
    WHERE ($3::int IS NULL OR t.id = $3) AND NOT EXISTS (SELECT FROM promotions p WHERE p.tenant = t.id)
    ORDER BY t.id ON CONFLICT (tenant) WHERE initial DO NOTHING RETURNING tenant
"""


@dataclass(frozen=True, slots=True)
class AppliedState:
    """The state that results are computed from. `revisions` are those of a tenant, of changes of `kinds`. `received_at` is the
    receipt of the latest event of the partition that is furthest behind, `partitions` how many have been read.

    `unnoted` counts batches of an older version of this service, which may have changed any tenant.
    """

    kinds: tuple[str, ...]
    revisions: str | None
    unnoted: int
    received_at: datetime | None
    partitions: int


@dataclass(frozen=True, slots=True)
class CurrentTenant:
    """The tenant of a request: the zone of its days, the model whose scores count, and its own dimensions. Read once for each
    request, in its snapshot, so that no result mixes two models or two terms. `number` is None if metrics doesn't know the
    tenant. `names_revision` counts the changes of its directory of names, `calendars` the versions of its calendars,
    `policies` those of its SLA policies, `own_presets` those of its own presets. `presets` are the ids of the presets
    that it has switched on."""

    slug: str
    zone: str
    model: str
    number: int | None = None
    terms_revision: int = 1
    dimensions: tuple[str, ...] = ()
    names_revision: int = 0
    calendars: int = 0
    policies: int = 0
    presets: tuple[str, ...] = ()
    own_presets: int = 0
    applied: AppliedState | None = None


async def current_tenant(connection: asyncpg.Connection, slug: str, default: str, kinds: Sequence[str] = ()) -> CurrentTenant:
    """The tenant of that name, with the state for changes of these kinds; its model is `default` until one is promoted."""
    row = await connection.fetchrow(CURRENT_TENANT, slug, list(kinds))
    if row is None:
        return CurrentTenant(slug, UNKNOWN_ZONE, default)
    dimensions = tuple(row["dimensions"] or ())
    model = row["model"] or default
    return CurrentTenant(
        slug,
        row["zone"],
        model,
        row["id"],
        row["terms_revision"],
        dimensions,
        row["names_revision"],
        row["calendars"] or 0,
        row["policies"] or 0,
        tuple(row["presets"] or ()),
        row["own_presets"] or 0,
        _applied(row, kinds),
    )


async def read_applied(connection: asyncpg.Connection, tenant: int | None, kinds: Sequence[str]) -> AppliedState:
    """The state of the tenant of that number for changes of these kinds; None: a tenant that metrics doesn't know."""
    return _applied(await connection.fetchrow(APPLIED, tenant, list(kinds)), kinds)


def _applied(row: asyncpg.Record, kinds: Sequence[str]) -> AppliedState:
    return AppliedState(tuple(kinds), row["revisions"], row["unnoted"], row["received_at"], row["partitions"])


async def pin_default(
    connection: asyncpg.Connection | asyncpg.Pool, default: str, now: datetime, tenant: int | None = None
) -> list[int]:
    """Promote `default` for tenants (or the one with this number) without a promotion. Returns their numbers.

    A unique index lets a tenant have one initial promotion, so that of two replicas with different defaults one decides, for
    good.
    """
    return [row["tenant"] for row in await connection.fetch(UNPINNED, default, now, tenant)]


PIN_EVERY_SECONDS = 30.0


async def keep_pinning(
    pool: asyncpg.Pool, default_model: str, clock: Callable[[], datetime], every: float = PIN_EVERY_SECONDS
) -> None:
    """Promote `default_model` for each tenant without a promotion, at once and then every `every` seconds, until cancelled.

    `PUT /internal/tenants/{tenant}` pins it for most tenants. This is for those that the gateway hasn't announced yet, and for
    those that an earlier version stored.
    """
    while True:
        try:
            if pinned := await pin_default(pool, default_model, clock()):
                log.info("model.pinned", model=default_model, tenants=len(pinned))
        except (*OUTAGE, *RETRYABLE) as error:
            log.warning("model.not_pinned", error=type(error).__name__)
        await asyncio.sleep(every)


@dataclass(frozen=True, slots=True)
class Promotion:
    """The model that was promoted last, and when."""

    model: str
    promoted_at: datetime


async def last_promotion(connection: asyncpg.Connection, slug: str) -> Promotion | None:
    """The tenant's last promotion; None if there is none."""
    row = await connection.fetchrow(
        "SELECT p.model, p.promoted_at FROM promotions p JOIN tenants t ON t.id = p.tenant"
        " WHERE t.slug = $1 ORDER BY p.initial, p.id DESC LIMIT 1",
        slug,
    )
    return Promotion(**row) if row else None


async def store_promotion(connection: asyncpg.Connection, slug: str, model: str, now: datetime) -> datetime | None:
    """Promote `model` for the tenant. Returns since when it is promoted; None if there is no such tenant.

    The model that was promoted last isn't promoted again.
    """
    last = await last_promotion(connection, slug)
    if last and last.model == model:
        return last.promoted_at
    return await connection.fetchval(  # type: ignore[no-any-return]
        "INSERT INTO promotions (tenant, model, promoted_at) SELECT id, $2, $3 FROM tenants WHERE slug = $1"
        " RETURNING promoted_at",
        slug,
        model,
        now,
    )
