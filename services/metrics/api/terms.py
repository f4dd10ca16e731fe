"""The terms of a tenant: which revision its numbers are made under, and dimensions of its own."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator

from services.metrics.api.dependencies import Service, UnknownTenant, tenant_number
from services.metrics.domain.terms import own_dimensions
from services.metrics.store.terms import Status, change_dimensions, read_status
from shared.bodies import KIB
from shared.database import outage_is_503
from shared.events import MOST_OWN_DIMENSIONS
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
    name: str = Field(description="A lower-case letter, then up to 39 lower-case letters, digits or `_`", examples=["plan"])


class OwnDimensions(RootModel[list[OwnDimension]]):
    """The dimensions of the tenant's own, beside those that every tenant has."""

    root: list[OwnDimension] = Field(max_length=MOST_OWN_DIMENSIONS, examples=[[{"name": "plan"}]])

    @field_validator("root")
    @classmethod
    def are_names(cls, dimensions: list[OwnDimension]) -> list[OwnDimension]:
        """Raise ValueError unless these can be a tenant's own dimensions."""
        own_dimensions([one.name for one in dimensions])
        return dimensions


@routes.get(
    "/terms",
    operation_id="get_terms",
    summary="Get the revision of the tenant's terms, and the progress of a change",
    responses=responses(NotAuthenticated, BadRequest),
)
async def get_terms(tenant: TenantName, state: Service) -> TermsStatus:
    """The status of the caller's tenant."""
    async with outage_is_503():
        return status_of(await read_status(state.source.pool, tenant))


@routes.put(
    "/dimensions",
    operation_id="put_dimensions",
    summary="Set the dimensions of the tenant's own",
    description="They replace those set before. Contributions are computed again in the background; until that is done, all "
    "results are of the old dimensions. `GET /v1/terms` shows the progress.",
    responses=responses(NotAuthenticated, UnknownTenant, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def put_dimensions(
    tenant: TenantName, state: Service, body: Annotated[OwnDimensions, JsonBody(OwnDimensions, max_bytes=64 * KIB)]
) -> TermsStatus:
    """Store the dimensions and start the build."""
    names = own_dimensions([one.name for one in body.root])
    async with outage_is_503(), state.source.pool.acquire() as connection, connection.transaction():
        number = await tenant_number(connection, tenant)
        await change_dimensions(connection, number, names, state.clock())
        return status_of(await read_status(connection, tenant))


def status_of(status: Status) -> TermsStatus:
    """The status as it is returned."""
    if status.building is None:
        return TermsStatus(revision=status.revision, building=None)
    revision, done, total = status.building
    return TermsStatus(revision=status.revision, building=TermsBuild(revision=revision, done=done, total=total))
