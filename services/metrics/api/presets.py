"""Presets over HTTP: other definitions of the KPIs of tickets, which a tenant switches on or defines."""

from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.metrics.api.dependencies import MetricsState, UnknownTenant, tenant_number
from services.metrics.api.preset_bodies import PresetBody, nested_switches
from services.metrics.api.schemas import Instant
from services.metrics.api.terms import TermsStatus, status_of
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.presets import MOST_ENABLED, MOST_OWN, PRESET_ID, PRESETS, OwnPreset, Preset
from services.metrics.store.presets import TooManyPresets, latest_presets, own_presets, preset_history
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.terms import change_preset, read_status
from shared.bodies import KIB
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import (
    BadRequest,
    Conflict,
    NotAuthenticated,
    NotFound,
    TooLarge,
    Unprocessable,
    UnsupportedMedia,
    responses,
)
from shared.routes import JsonBody, TypedRoute
from shared.suggestions import closest

routes = APIRouter(route_class=TypedRoute, prefix="/v1", tags=["terms"])


class UnknownPreset(NotFound):
    title = "Unknown preset"


class TooManyOwnPresets(Conflict):
    title = "Too many presets"


class PresetEntry(BaseModel):
    """A preset, and how its definitions differ from ours."""

    id: str = Field(description="The value of `preset` in queries", examples=["dbt_zendesk"])
    name: str = Field(description="The name for people", examples=["The dbt package for Zendesk"])
    own: bool = Field(description="Whether the tenant defined it; else it is of another system, and every tenant has it")
    enabled: bool = Field(description="Whether results under it can be queried; false while the build that brings it runs")
    differences: dict[str, str] = Field(
        description="By KPI, how the definition differs from ours. All other KPIs of tickets are ours"
    )


class PresetVersion(BaseModel):
    """A definition of a preset of the tenant's own."""

    id: str = Field(description="The preset", examples=["board"])
    name: str = Field(description="Its name for people", examples=["Our board"])
    switches: dict[str, dict[str, Any]] = Field(
        description="Every switch, by group", examples=[{"first_reply": {"counts_bots": True, "from": "opening"}}]
    )
    made_at: Instant = Field(description="When it was stored")


class PresetList(BaseModel):
    """Every preset."""

    presets: list[PresetEntry] = Field(description="Those of other systems, then the tenant's own, by id")
    history: list[PresetVersion] = Field(
        description="Every definition of the tenant's own presets, in the order in which they were stored. Of one preset the last"
        " counts once its build is finished"
    )


@routes.get(
    "/presets",
    operation_id="list_presets",
    summary="List the presets, and those that the tenant has switched on",
    responses=responses(NotAuthenticated, BadRequest),
)
async def list_presets(tenant: TenantName, state: MetricsState) -> PresetList:
    """The presets, and which of them results are made under."""
    async with outage_is_503(), snapshot(state.source.pool) as connection:
        current = await current_tenant(connection, tenant, state.source.default_model)
        history, served = await read_own(connection, current)
    defined = latest_presets(version for version, _ in history) | served
    own = [defined[name] for name in sorted(defined)]
    return PresetList(
        presets=[entry_of(preset, current.presets, own=preset.id not in PRESETS) for preset in (*PRESETS.values(), *own)],
        history=[
            PresetVersion(
                id=version.id, name=version.name, switches=nested_switches(version.switches), made_at=made_at.isoformat()
            )
            for version, made_at in history
        ],
    )


async def read_own(connection: asyncpg.Connection, current: CurrentTenant) -> tuple[list[Any], dict[str, Preset]]:
    """The history of the tenant's own presets, and those that results are made under."""
    if current.number is None:
        return [], {}
    return await preset_history(connection, current.number), await own_presets(connection, current.number, current.own_presets)


def entry_of(preset: Preset, enabled: tuple[str, ...], *, own: bool) -> PresetEntry:
    """The preset as the API returns it. `enabled` are the ids of those that are switched on."""
    differences = {kpi.id: text for kpi in KPIS.values() if kpi.is_defined_by(preset) and (text := kpi.difference(preset))}
    return PresetEntry(id=preset.id, name=preset.name, own=own, enabled=preset.id in enabled, differences=differences)


@routes.put(
    "/presets/{preset}",
    operation_id="put_preset",
    summary="Switch a preset on or off, or define one",
    description="KPIs of tickets can then be queried under its definitions by `preset=`. Its rows are computed in the background;"
    " until that is done, all results are of the old terms. `GET /v1/terms` shows the progress.\n\nA body with switches defines a"
    " preset of the tenant's own, or defines it anew: a switch that is left out has our definition. Names such as"
    " `first_reply.counts_bots` are accepted too. Definitions are never changed or deleted; the last one counts. A body without"
    f" switches switches a preset on or off. At most {MOST_OWN} presets can be defined, and {MOST_ENABLED} be on at once.",
    responses=responses(
        NotAuthenticated,
        UnknownTenant,
        UnknownPreset,
        BadRequest,
        UnsupportedMedia,
        TooLarge,
        TooManyOwnPresets,
        Unprocessable,
    ),
)
async def put_preset(
    tenant: TenantName,
    state: MetricsState,
    preset: Annotated[str, Path(description="The id of a preset", examples=["dbt_zendesk"])],
    body: Annotated[PresetBody, JsonBody(PresetBody, max_bytes=4 * KIB)],
) -> TermsStatus:
    """Change the terms and start the build."""
    async with outage_is_503(), state.source.pool.acquire() as connection, connection.transaction():
        number = await tenant_number(connection, tenant)
        own = {version.id: version for version, _ in await preset_history(connection, number)}
        definition = definition_of(preset, body, own)
        try:
            await change_preset(connection, number, preset, body.enabled, state.clock(), definition)
        except TooManyPresets as error:
            raise TooManyOwnPresets(str(error)) from None
        return status_of(await read_status(connection, tenant))


def definition_of(preset: str, body: PresetBody, own: dict[str, OwnPreset]) -> OwnPreset | None:
    """The definition that a body states; None if it only switches a preset on or off. `own` are the tenant's latest ones.

    Raises UnknownPreset for an unknown preset without a definition, and Unprocessable for one that can't be defined.
    """
    switches = body.switches
    if preset in PRESETS and (switches is not None or body.name is not None):
        raise Unprocessable(f"{preset} is the definition of another system; define a preset under an id of your own")
    if switches is None and preset not in PRESETS and preset not in own:
        suggestion = "".join(f'; did you mean "{match}"?' for match in closest(preset, [*PRESETS, *own]))
        raise UnknownPreset(
            f'there is no preset "{preset}"{suggestion or "."} GET /v1/presets lists them all; a body with switches defines one'
        )
    if preset in PRESETS:
        return None
    if not PRESET_ID.fullmatch(preset):
        raise Unprocessable(f"{preset!r} is not an id: a lower-case letter, then up to 39 lower-case letters, digits or _")
    last = own.get(preset)
    name = body.name or (last.name if last else preset)
    return OwnPreset(preset, name, switches if switches is not None else own[preset].switches)
