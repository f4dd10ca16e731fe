"""Presets: definitions of other systems, which a tenant switches on: `GET /v1/presets`, `PUT /v1/presets/{preset}`."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from services.metrics.api.dependencies import Service, UnknownTenant, tenant_number
from services.metrics.api.terms import TermsStatus, status_of
from services.metrics.domain.presets import PRESETS
from services.metrics.store.promotions import current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.terms import change_preset, read_status
from shared.bodies import KIB
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, NotFound, TooLarge, Unprocessable, UnsupportedMedia, responses
from shared.routes import JsonBody, TypedRoute
from shared.suggestions import closest

routes = APIRouter(route_class=TypedRoute, prefix="/v1", tags=["terms"])


class UnknownPreset(NotFound):
    title = "Unknown preset"


class PresetEntry(BaseModel):
    """A preset, and how its definitions differ from ours."""

    id: str = Field(description="The value of `preset` in queries", examples=["dbt_zendesk"])
    name: str = Field(description="The name for people", examples=["The dbt package for Zendesk"])
    enabled: bool = Field(description="Whether results under it can be queried; false while the build that brings it runs")
    differences: dict[str, str] = Field(description="By KPI, how the definition differs from ours. It has no other KPIs yet")


class PresetList(BaseModel):
    """Every preset."""

    presets: list[PresetEntry] = Field(description="The presets")


class PresetBody(BaseModel):
    """Whether a preset is switched on."""

    model_config = ConfigDict(extra="forbid")
    enabled: bool = Field(
        True, strict=True, description="false switches the preset off, and deletes the rows that were stored for it"
    )


@routes.get(
    "/presets",
    operation_id="list_presets",
    summary="List the presets, and those that the tenant has switched on",
    responses=responses(NotAuthenticated, BadRequest),
)
async def list_presets(tenant: TenantName, state: Service) -> PresetList:
    """The presets, with those of the terms that results are made under."""
    async with outage_is_503(), snapshot(state.source.pool) as connection:
        current = await current_tenant(connection, tenant, state.source.default_model)
    return PresetList(
        presets=[
            PresetEntry(id=one.id, name=one.name, enabled=one.id in current.presets, differences=dict(one.differences))
            for one in PRESETS.values()
        ]
    )


@routes.put(
    "/presets/{preset}",
    operation_id="put_preset",
    summary="Switch a preset on or off",
    description="KPIs can then be queried under its definitions by `preset=`. Its rows are computed in the background; until that"
    " is done, all results are of the old terms. `GET /v1/terms` shows the progress.",
    responses=responses(NotAuthenticated, UnknownTenant, UnknownPreset, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def put_preset(
    tenant: TenantName,
    state: Service,
    preset: Annotated[str, Path(description="The id of a preset", examples=["dbt_zendesk"])],
    body: Annotated[PresetBody, JsonBody(PresetBody, max_bytes=KIB)],
) -> TermsStatus:
    """Change the terms and start the build."""
    if preset not in PRESETS:
        suggestion = "".join(f'; did you mean "{match}"?' for match in closest(preset, PRESETS))
        raise UnknownPreset(f'there is no preset "{preset}"{suggestion or "."} GET /v1/presets lists them all')
    async with outage_is_503(), state.source.pool.acquire() as connection, connection.transaction():
        number = await tenant_number(connection, tenant)
        await change_preset(connection, number, preset, body.enabled, state.clock())
        return status_of(await read_status(connection, tenant))
