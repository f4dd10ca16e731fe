"""Internal routes without a public counterpart: storing a tenant, and the revision of a tenant's results."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.metrics.api.dependencies import MetricsState
from services.metrics.api.schemas import Instant
from services.metrics.domain.changes import kinds_of
from services.metrics.domain.kpis import KPIS
from services.metrics.store.progress import freshness
from services.metrics.store.promotions import current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.tenants import put_tenant
from shared.bodies import KIB
from shared.database import outage_is_503
from shared.http import InternalOnly, TenantName
from shared.problems import (
    BadRequest,
    NotAuthenticated,
    TooLarge,
    Unprocessable,
    UnsupportedMedia,
    responses,
)
from shared.routes import JsonBody, TypedRoute
from shared.zones import zone_name

routes = APIRouter(route_class=TypedRoute, prefix="/internal", tags=["internal"])


class Tenant(BaseModel):
    """A tenant as the gateway knows it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$", description="The name for people")
    zone: Annotated[str, AfterValidator(zone_name)] = Field(
        max_length=100, description="The IANA zone of its days", examples=["Europe/Berlin"]
    )


class Revision(BaseModel):
    """The state that results are computed from."""

    revision: str = Field(description="Changes whenever results may have changed")
    watermark: Instant | None = Field(description="Everything received before it is counted; null if that is unknown")


@routes.put(
    "/tenants/{tenant}",
    operation_id="put_tenant",
    summary="Store a tenant's name and zone",
    description="The default model is promoted for a new tenant. A change of the zone drops the tenant's sealed "
    "histograms, which count other days.",
    status_code=204,
    dependencies=[InternalOnly],
    responses=responses(NotAuthenticated, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def store_tenant(
    state: MetricsState,
    tenant: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}$", description="The slug of the tenant")],
    body: Annotated[Tenant, JsonBody(Tenant, max_bytes=64 * KIB)],
) -> None:
    """Create or update the tenant."""
    source = state.source
    async with outage_is_503():
        await put_tenant(source.pool, tenant, body.name, body.zone, source.default_model, state.clock())


@routes.get(
    "/revision",
    operation_id="get_revision",
    summary="Get the revision of the tenant's results",
    responses=responses(NotAuthenticated, BadRequest),
)
async def get_revision(
    tenant: TenantName,
    state: MetricsState,
    kpi: Annotated[str, Query(description="Of this KPI's results; left out or unknown: of all KPIs'", examples=["nps"])] = "",
) -> Revision:
    """It changes whenever a result may change: live streams compare it before they ask for a KPI again."""
    source = state.source
    async with outage_is_503(), snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model, kinds_of(KPIS.get(kpi)))
        fresh = await freshness(connection, current, KPIS.get(kpi), source.partitions)
    return Revision(revision=fresh.revision, watermark=fresh.watermark.isoformat() if fresh.watermark else None)
