"""Routes for other services only: storing a tenant, and the revision of a tenant's answers."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from services.metrics.api.state import metrics_of
from services.metrics.domain.kpis import KPIS
from services.metrics.store.progress import freshness
from services.metrics.store.promotions import asker_of
from services.metrics.store.query import snapshot
from services.metrics.store.tenants import put_tenant
from shared.database import outage_is_503
from shared.http import internal_only, internal_tenant

Slug = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}$")]


class TenantIn(BaseModel):
    """What the gateway says of a tenant."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")
    zone: str = Field(max_length=100)

    @field_validator("zone")
    @classmethod
    def known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError("not a zone of the IANA database") from None
        return zone


def router(token: SecretStr) -> APIRouter:
    """The internal routes, behind the internal token."""
    routes = APIRouter(prefix="/internal", tags=["internal"])
    asked_by = Annotated[str, Depends(internal_tenant(token))]

    @routes.put("/tenants/{tenant}", status_code=204, dependencies=[Depends(internal_only(token))])
    async def tenant(request: Request, tenant: Slug, told: TenantIn) -> Response:
        async with outage_is_503():
            metrics = metrics_of(request)
            await put_tenant(metrics.pool, tenant, told.name, told.zone, metrics.model, metrics.clock())
        return Response(status_code=204)

    @routes.get("/revision")
    async def revision(request: Request, asked_by: asked_by, kpi: str = "") -> dict[str, Any]:
        """The revision of the tenant's answers about `kpi`; without a KPI, or with one that there isn't, about any."""
        metrics = metrics_of(request)
        async with outage_is_503(), snapshot(metrics.pool) as connection:
            asker = await asker_of(connection, asked_by, metrics.model)
            fresh = await freshness(connection, asker, KPIS.get(kpi), metrics.partitions)
        return {"revision": fresh.revision, "watermark": fresh.watermark}

    return routes
