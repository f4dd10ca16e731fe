"""`/v1/taxonomy`: the themes that a tenant tells apart, set as a whole and kept by revision."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from pydantic import Field

from services.ingest.api.requests import Tenant, known_query, read_model, whole
from services.ingest.api.state import ingest_of
from services.ingest.domain.fields import Model
from services.ingest.domain.themes import Themes, to_definitions
from services.ingest.store.taxonomies import Superseded
from shared.database import outage_is_503
from shared.problems import Conflict, NotFound
from shared.taxonomy import TenantTaxonomy, ThemeDefinition

routes = APIRouter()

LARGEST_REVISION = 2**31 - 1


class NewTaxonomy(Model):
    """`revision`: the one that this is a change of; left out, it replaces whichever is in force."""

    themes: Themes
    revision: Annotated[int, Field(ge=0, le=LARGEST_REVISION)] | None = None


@routes.get("/v1/taxonomy")
async def show(request: Request, tenant: Tenant) -> dict[str, Any]:
    known_query(request, {"revision"})
    kept, revision = ingest_of(request).taxonomies, asked_revision(request)
    async with outage_is_503():
        found = await (kept.current(tenant) if revision is None else kept.find(tenant, revision))
    if found is None:
        raise NotFound("the taxonomy has no such revision")
    return shown(found)


@routes.put("/v1/taxonomy")
async def put(request: Request, tenant: Tenant) -> dict[str, Any]:
    known_query(request, set())
    new = await read_model(request, NewTaxonomy)
    themes = await ingest_of(request).threads.run(tenant, lambda: to_definitions(new.themes))
    return shown(await changed(request, tenant, themes, new.revision))


@routes.delete("/v1/taxonomy")
async def reset(request: Request, tenant: Tenant) -> dict[str, Any]:
    """Put the themes that ship in force again, as a revision of its own."""
    known_query(request, {"revision"})
    return shown(await changed(request, tenant, None, asked_revision(request)))


async def changed(
    request: Request, tenant: str, themes: tuple[ThemeDefinition, ...] | None, based_on: int | None
) -> TenantTaxonomy:
    """What is in force then. Conflict: somebody else changed it first. NotFound: there is no such tenant."""
    try:
        async with outage_is_503():
            found = await ingest_of(request).taxonomies.set(tenant, themes, based_on)
    except Superseded as superseded:
        raise Conflict(f"{superseded}: read it and change that") from None
    if found is None:
        raise NotFound("no such tenant")
    return found


def asked_revision(request: Request) -> int | None:
    """The revision that the query names; a number that no revision can have is as good as the largest."""
    named = whole(request, "revision")
    return named if named is None else min(named, LARGEST_REVISION)


def shown(taxonomy: TenantTaxonomy) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.to_builtins(taxonomy)
    return content
