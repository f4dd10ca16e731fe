"""The terms of a tenant: which revision its numbers are made under, and dimensions of its own."""

from collections.abc import Collection, Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator

from services.metrics.api.dependencies import MetricsState, UnknownTenant, tenant_number
from services.metrics.domain.dimensions import Dimension, all_dimensions
from services.metrics.domain.terms import own_dimensions
from services.metrics.store.query import snapshot
from services.metrics.store.terms import Status, change_dimensions, declared_dimensions, read_status
from shared.bodies import KIB
from shared.database import outage_is_503
from shared.events import MOST_OWN_DIMENSIONS
from shared.fields import RESERVED_NAMES, is_reserved
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, TooLarge, Unprocessable, UnsupportedMedia, responses
from shared.routes import JsonBody, TypedRoute

routes = APIRouter(route_class=TypedRoute, prefix="/v1", tags=["terms"])


class TermsBuild(BaseModel):
    """A build in progress: the contributions of each subject of the tenant are computed again."""

    revision: int = Field(description="The revision that is served when the build is finished", examples=[8])
    done: int = Field(description="Subjects that are done", examples=[1200])
    total: int = Field(description="Subjects of the tenant", examples=[30_000])


class TermsStatus(BaseModel):
    """The revision of the terms that all results are made under. Until a build is finished, results are of the old revision."""

    revision: int = Field(description="Counts from 1", examples=[7])
    building: TermsBuild | None = Field(description="null: no change of the terms is being applied")


class OwnDimension(BaseModel):
    """A dimension of the tenant's own."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(
        description="A lower-case letter, then up to 39 lower-case letters, digits or `_`; no name of a field of results or of a "
        "column of CSV, such as `value`",
        examples=["plan"],
    )


class OwnDimensions(RootModel[list[OwnDimension]]):
    """The dimensions of the tenant's own, beside those that every tenant has."""

    root: list[OwnDimension] = Field(max_length=MOST_OWN_DIMENSIONS, examples=[[{"name": "plan"}]])

    @field_validator("root")
    @classmethod
    def are_names(cls, dimensions: list[OwnDimension]) -> list[OwnDimension]:
        """Raise ValueError unless these can be a tenant's own dimensions."""
        own_dimensions([dimension.name for dimension in dimensions])
        return dimensions


@routes.get(
    "/terms",
    operation_id="get_terms",
    summary="Get the revision of the tenant's terms, and the progress of a change",
    responses=responses(NotAuthenticated, BadRequest),
)
async def get_terms(tenant: TenantName, state: MetricsState) -> TermsStatus:
    """The status of the caller's tenant."""
    async with outage_is_503():
        return status_of(await read_status(state.source.pool, tenant))


class DimensionEntry(BaseModel):
    """A dimension by which KPIs can be grouped and filtered."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="The name in `group_by`, `filter[…]` and `dims`", examples=["team"])
    title: str = Field(description="The name for people", examples=["Team"])
    description: str = Field(description="The meaning of its values", examples=["The product that the record is about"])
    own: bool = Field(description="Whether the tenant declared it; else every tenant has it")
    multi_valued: bool = Field(description="Whether a record may have several of its values, and then counts once in each group")
    named: bool = Field(description="Whether its values can have names: see `/v1/names`")
    available: bool = Field(
        description="false: it was declared, but results have it only when a build is finished, whose progress is in `/v1/terms`"
    )


class DimensionList(BaseModel):
    """Those that every tenant has, then the tenant's own."""

    dimensions: list[DimensionEntry] = Field(
        description="The dimensions; `dimensions` of each KPI in `/v1/kpis` says which it has"
    )


@routes.get(
    "/dimensions",
    operation_id="list_dimensions",
    summary="List the dimensions",
    description="Those that every tenant has and those of the tenant's own. KPIs are grouped by `group_by` and filtered by "
    "`filter[…]` with their names.",
    responses=responses(NotAuthenticated, BadRequest),
)
async def list_dimensions(tenant: TenantName, state: MetricsState) -> DimensionList:
    """The dimensions of the caller's tenant."""
    async with outage_is_503(), snapshot(state.source.pool) as connection:
        served, declared = await declared_dimensions(connection, tenant)
    return DimensionList(dimensions=[entry_of(dimension) for dimension in all_dimensions(sorted({*served, *declared}), served)])


@routes.put(
    "/dimensions",
    operation_id="put_dimensions",
    summary="Set the dimensions of the tenant's own",
    description="They replace those set before. Contributions are computed again in the background; until that is done, all "
    "results are of the old dimensions. `GET /v1/terms` shows the progress.",
    responses=responses(NotAuthenticated, UnknownTenant, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def put_dimensions(
    tenant: TenantName, state: MetricsState, body: Annotated[OwnDimensions, JsonBody(OwnDimensions, max_bytes=64 * KIB)]
) -> TermsStatus:
    """Store the dimensions and start the build."""
    names = own_dimensions([dimension.name for dimension in body.root])
    async with outage_is_503(), state.source.pool.acquire() as connection, connection.transaction():
        number = await tenant_number(connection, tenant)
        declared = {name for known in await declared_dimensions(connection, tenant) for name in known}
        refuse_reserved_names([dimension.name for dimension in body.root], declared)
        await change_dimensions(connection, number, names, state.clock())
        return status_of(await read_status(connection, tenant))


def refuse_reserved_names(names: Sequence[str], declared: Collection[str]) -> None:
    """Raise Unprocessable for names of fields and columns, unless they are `declared` already: earlier versions allowed them."""
    allowed = f"; reserved are {', '.join(RESERVED_NAMES)}, and names that begin with compare_"
    if refused := [place for place, name in enumerate(names) if is_reserved(name) and name not in declared]:
        reasons = {f"{place}.name": f"{names[place]!r} is the name of a field or a column{allowed}" for place in refused}
        raise Unprocessable(invalid_params=[{"name": place, "reason": reason} for place, reason in reasons.items()])


def entry_of(dimension: Dimension) -> DimensionEntry:
    """The dimension as the API returns it."""
    return DimensionEntry.model_validate(dimension)


def status_of(status: Status) -> TermsStatus:
    """The status as the API returns it."""
    if status.building is None:
        return TermsStatus(revision=status.revision, building=None)
    revision, done, total = status.building
    return TermsStatus(revision=status.revision, building=TermsBuild(revision=revision, done=done, total=total))
