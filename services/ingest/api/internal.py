"""Routes for Earshot's own services alone: tenants, their themes, the events of the inbox, how far it has come, and again."""

from collections.abc import AsyncIterator
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints

from services.ingest.api.requests import inside, known_query, read_model, whole
from services.ingest.api.state import ingest_of
from services.ingest.domain.fields import Model, Time
from services.ingest.store.event_log import MAX_SEQ
from shared.database import outage_is_503
from shared.problems import Unprocessable

routes = APIRouter(prefix="/internal", dependencies=[Depends(inside)])

TENANT_ID = r"^[a-z0-9-]{1,40}$"


class TenantBody(Model):
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    zone: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Replay(Model):
    """Receipt times from `since` (null: from the beginning); of one tenant or of all."""

    since: Time | None = None
    tenant: Annotated[str, Field(pattern=TENANT_ID)] | None = None


class TenantId(Model):
    id: Annotated[str, StringConstraints(pattern=TENANT_ID)]


@routes.put("/tenants/{tenant}", status_code=204)
async def put_tenant(request: Request, tenant: str) -> Response:
    body = await read_model(request, TenantBody)
    check_id(tenant)
    async with outage_is_503():
        await ingest_of(request).tenants.put(tenant, body.name, body.zone)
    return Response(status_code=204)


@routes.get("/taxonomies/{tenant}")
async def taxonomy(request: Request, tenant: str) -> Response:
    """`shared.taxonomy.TenantTaxonomy`, the one in force; 304 where the caller has it."""
    check_id(tenant)
    async with outage_is_503():
        body = msgspec.json.encode(await ingest_of(request).taxonomies.current(tenant))
    tag = {"etag": f'"{blake2b(body, digest_size=16).hexdigest()}"'}
    if request.headers.get("if-none-match") == tag["etag"]:
        return Response(status_code=304, headers=tag)
    return Response(body, media_type="application/json", headers=tag)


@routes.get("/head")
async def head(request: Request) -> dict[str, int]:
    async with outage_is_503():
        found = await ingest_of(request).event_log.head()
    return {"seq": found.seq, "unpublished": found.unpublished}


@routes.get("/events")
async def events(request: Request) -> StreamingResponse:
    """NDJSON of `shared.events.Event`, ordered by (seq, position), with after < seq ≤ upto."""
    known_query(request, {"tenant", "after", "upto", "limit"})
    after, upto, limit = (whole(request, name) for name in ("after", "upto", "limit"))
    pages = ingest_of(request).event_log.pages(
        request.query_params.get("tenant"), after or 0, MAX_SEQ if upto is None else upto, limit
    )
    async with outage_is_503():
        first = await anext(pages, b"")
    return StreamingResponse(from_the_first(first, pages), media_type="application/x-ndjson")


async def from_the_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The page that decided the status, then the others."""
    yield first
    async for page in rest:
        yield page


@routes.post("/replay")
async def replay(request: Request) -> dict[str, Any]:
    asked = await read_model(request, Replay)
    async with outage_is_503():
        return {"deliveries": await ingest_of(request).event_log.replay(asked.tenant, asked.since)}


def check_id(tenant: str) -> None:
    """Unprocessable: no tenant has such an id."""
    try:
        TenantId(id=tenant)
    except ValueError:
        raise Unprocessable(invalid_params=[{"name": "tenant", "reason": TENANT_ID}]) from None
