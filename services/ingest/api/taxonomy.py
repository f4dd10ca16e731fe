"""`/v1/taxonomy`: the themes that comments of a tenant are classified by. They are set as a whole; every revision is stored."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.ingest.api.dependencies import Ingest, IngestState
from services.ingest.domain.fields import Model
from services.ingest.domain.themes import Themes, to_definitions
from services.ingest.store.taxonomies import Superseded
from shared.bodies import MIB
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, Conflict, NotAuthenticated, NotFound, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute, WholeNumber
from shared.taxonomy import TenantTaxonomy, ThemeDefinition

routes = APIRouter(route_class=TypedRoute, tags=["taxonomy"])

MAX_REVISION = 2**31 - 1
MAX_BYTES = 2 * MIB
MAX_VALUES = 3_000
"""Values of a taxonomy's body. 60 themes with 40 examples each have 2,760."""

BASED_ON = "The revision that this change is based on; 409 if another one is current. Left out, it replaces any revision"


class NewTaxonomy(Model):
    """The themes of a tenant."""

    themes: Themes = Field(description="1 to 60 themes. Comments are classified by their descriptions and examples")
    revision: int | None = Field(None, ge=0, le=MAX_REVISION, description=BASED_ON, examples=[3])


class StoredTheme(BaseModel):
    """One theme, with identities redacted."""

    id: str = Field(examples=["delivery"])
    name: str = Field(examples=["Delivery"])
    description: str = Field(examples=["Parcels that arrive late"])
    examples: list[str] = Field(examples=[["Still not here"]])


class TaxonomyView(BaseModel):
    """One revision of a tenant's themes."""

    revision: int = Field(description="0 until the tenant's first change", examples=[4])
    themes: list[StoredTheme] | None = Field(description="null: the themes that Earshot ships")


Revision = Annotated[WholeNumber | None, Query(description="The revision to get; left out: the current one")]
BasedOn = Annotated[WholeNumber | None, Query(description=BASED_ON)]


@routes.get(
    "/v1/taxonomy",
    operation_id="get_taxonomy",
    summary="Get the themes that comments are classified by",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def get_taxonomy(ingest: IngestState, tenant: TenantName, revision: Revision = None) -> TaxonomyView:
    """A tenant that never set its own has revision 0, the themes that Earshot ships."""
    taxonomies = ingest.taxonomies
    async with outage_is_503():
        taxonomy = await (
            taxonomies.current(tenant) if revision is None else taxonomies.find(tenant, storable_revision(revision))
        )
    if taxonomy is None:
        raise NotFound("the taxonomy has no such revision")
    return as_view(taxonomy)


@routes.put(
    "/v1/taxonomy",
    operation_id="set_taxonomy",
    summary="Set themes of your own",
    responses=responses(NotAuthenticated, NotFound, Conflict, *BODY_PROBLEMS),
)
async def set_taxonomy(
    ingest: IngestState,
    tenant: TenantName,
    new: Annotated[NewTaxonomy, JsonBody(NewTaxonomy, max_bytes=MAX_BYTES, max_values=MAX_VALUES)],
) -> TaxonomyView:
    """The answer has the new revision. Setting the current themes again changes nothing."""
    themes = await ingest.threads.run(tenant, lambda: to_definitions(new.themes))
    return as_view(await change_taxonomy(ingest, tenant, themes, new.revision))


@routes.delete(
    "/v1/taxonomy",
    operation_id="reset_taxonomy",
    summary="Return to the themes that Earshot ships",
    responses=responses(BadRequest, NotAuthenticated, NotFound, Conflict),
)
async def reset_taxonomy(ingest: IngestState, tenant: TenantName, revision: BasedOn = None) -> TaxonomyView:
    """A reset is a revision of its own."""
    based_on = None if revision is None else storable_revision(revision)
    return as_view(await change_taxonomy(ingest, tenant, None, based_on))


async def change_taxonomy(
    ingest: Ingest, tenant: str, themes: tuple[ThemeDefinition, ...] | None, based_on: int | None
) -> TenantTaxonomy:
    """Store the themes and return the current taxonomy.

    Raises Conflict if `based_on` is not current, NotFound if the tenant does not exist.
    """
    try:
        async with outage_is_503():
            taxonomy = await ingest.taxonomies.set(tenant, themes, based_on)
    except Superseded as superseded:
        raise Conflict(f"{superseded}: read it and base the change on it") from None
    if taxonomy is None:
        raise NotFound("the tenant does not exist")
    return taxonomy


def storable_revision(revision: int) -> int:
    """The revision, or the largest one that the database can store if that is smaller."""
    return min(revision, MAX_REVISION)


def as_view(taxonomy: TenantTaxonomy) -> TaxonomyView:
    """The taxonomy as JSON."""
    return TaxonomyView.model_validate(msgspec.to_builtins(taxonomy))
