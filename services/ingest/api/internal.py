"""`/internal`: routes for Earshot's own services. Tenants, taxonomies, stored events, the head of the inbox, replays."""

from collections.abc import AsyncIterator
from hashlib import blake2b
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from services.ingest.api.dependencies import IngestState
from services.ingest.api.replay import REPLAY_ID, QueuedReplay, ReplayId, ReplayView, find_replay
from services.ingest.api.taxonomy import TaxonomyView
from services.ingest.domain.fields import Model, Time
from services.ingest.inbox.replays import ALL_TENANTS
from services.ingest.inbox.selection import Selection
from services.ingest.store.event_log import MAX_SEQ
from shared.database import outage_is_503
from shared.http import InternalOnly
from shared.problems import BadRequest, Conflict, NotAuthenticated, NotFound, Unprocessable, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute, WholeNumber

routes = APIRouter(route_class=TypedRoute, prefix="/internal", tags=["internal"], dependencies=[InternalOnly])

TENANT_ID = r"^[a-z0-9-]{1,40}$"
NDJSON = "application/x-ndjson"

TenantId = Annotated[str, Path(pattern=TENANT_ID, examples=["acme"])]
ETAG_HEADER = {"ETag": {"description": "For `If-None-Match`", "schema": {"type": "string"}}}
EVENT_LINES = {
    "description": "`shared.events.Event`, one a line, ordered by (seq, position)",
    "content": {NDJSON: {"schema": {"type": "string"}}},
}


class TenantSettings(Model):
    """A tenant, as ingest needs it."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(examples=["Acme"])
    zone: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="IANA time zone", examples=["Europe/Berlin"]
    )


class InboxHead(BaseModel):
    """The progress of the inbox."""

    seq: int = Field(description="Every delivery up to this sequence number is stored", examples=[10482])
    unpublished: int = Field(
        description="Deliveries that are not known to be in Kafka, plus an upper bound of those that running replays have yet "
        "to publish",
        examples=[0],
    )


class LatestSeq(BaseModel):
    """The latest delivery."""

    seq: int = Field(description="The highest sequence number that is stored; 0: none is", examples=[10482])


class InternalReplay(Model):
    """Events to publish again."""

    since: Time | None = Field(None, description="Received at or after this time; null: all")
    tenant: Annotated[str, Field(pattern=TENANT_ID)] | None = Field(
        None, description="Only events of this tenant; null: of all tenants"
    )


@routes.put(
    "/tenants/{tenant}",
    status_code=204,
    operation_id="put_tenant",
    summary="Create a tenant, or change its name and zone",
    responses=responses(NotAuthenticated, *BODY_PROBLEMS),
)
async def put_tenant(
    ingest: IngestState, tenant: TenantId, settings: Annotated[TenantSettings, JsonBody(TenantSettings)]
) -> Response:
    """The tenant's pseudonym key and built-in connection are created once."""
    async with outage_is_503():
        await ingest.tenants.put(tenant, settings.name, settings.zone)
    return Response(status_code=204)


@routes.get(
    "/taxonomies/{tenant}",
    operation_id="get_current_taxonomy",
    summary="Get a tenant's current taxonomy",
    responses={
        200: {"model": TaxonomyView, "headers": ETAG_HEADER, "description": "The current taxonomy"},
        304: {"description": "The caller has it"},
        **responses(NotAuthenticated, Unprocessable),
    },
)
async def get_current_taxonomy(
    ingest: IngestState, tenant: TenantId, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """With `If-None-Match` the answer is 304 if the taxonomy is unchanged."""
    async with outage_is_503():
        body = msgspec.json.encode(await ingest.taxonomies.current(tenant))
    tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    if if_none_match == tag:
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, media_type="application/json", headers={"etag": tag})


@routes.get(
    "/head",
    operation_id="get_head",
    summary="Get the progress of the inbox",
    responses=responses(NotAuthenticated),
)
async def get_head(ingest: IngestState) -> InboxHead:
    """Waits for the transactions that hold lower sequence numbers."""
    async with outage_is_503():
        head = await ingest.event_log.head()
    return InboxHead(seq=head.seq, unpublished=head.unpublished)


@routes.get(
    "/latest",
    operation_id="get_latest_seq",
    summary="Get the sequence number of the latest delivery",
    responses=responses(NotAuthenticated),
)
async def get_latest_seq(ingest: IngestState) -> LatestSeq:
    """Unlike `/internal/head` it waits for no transaction, and counts nothing."""
    async with outage_is_503():
        return LatestSeq(seq=await ingest.event_log.latest_seq())


@routes.get(
    "/events",
    operation_id="stream_events",
    summary="Stream stored events",
    response_class=StreamingResponse,
    responses={200: EVENT_LINES, **responses(BadRequest, NotAuthenticated)},
)
async def stream_events(
    ingest: IngestState,
    tenant: Annotated[str | None, Query(description="Only events of this tenant; left out: of all tenants")] = None,
    after: Annotated[WholeNumber, Query(description="Only events with a larger `seq`")] = 0,
    upto: Annotated[WholeNumber | None, Query(description="Only events with at most this `seq`; left out: all")] = None,
    limit: Annotated[
        WholeNumber | None, Query(description="Number of events, rounded up to whole deliveries; left out: all")
    ] = None,
) -> StreamingResponse:
    """NDJSON of `shared.events.Event`, ordered by (seq, position), with after < seq ≤ upto."""
    pages = ingest.event_log.pages(tenant, after, MAX_SEQ if upto is None else upto, limit)
    async with outage_is_503():
        first = await anext(pages, b"")
    return StreamingResponse(chain_pages(first, pages), media_type=NDJSON)


async def chain_pages(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The first page, which was read before the status was sent, then the others."""
    yield first
    async for page in rest:
        yield page


@routes.post(
    "/replay",
    status_code=202,
    operation_id="replay_all",
    summary="Publish stored events again",
    responses=responses(NotAuthenticated, Conflict, *BODY_PROBLEMS),
)
async def replay_all(
    ingest: IngestState,
    replay: Annotated[InternalReplay, JsonBody(InternalReplay)],
    idempotency_key: Annotated[
        str | None,
        Header(pattern=REPLAY_ID, description="The id of the replay: a repeated request adds none until that one has begun"),
    ] = None,
) -> QueuedReplay:
    """Adds a replay, and does not wait for it. 409: ten are in progress, or another one has this id.

    A repeated request extends the replay of the first one to the present end of the inbox. If that one has begun, it adds another
    and returns its `id`: Kafka may have lost again the events that were published meanwhile.
    """
    selection = Selection(replay.tenant or ALL_TENANTS, since=replay.since)
    async with outage_is_503():
        one = await ingest.replays.add(selection, idempotency_key, renews=True)
    return QueuedReplay(id=one.id, state=one.state, deliveries=one.queued)


@routes.get(
    "/replay/{replay}",
    operation_id="get_replay_of_all",
    summary="Get the progress of a replay of all tenants",
    responses=responses(BadRequest, NotAuthenticated, NotFound, Unprocessable),
)
async def get_replay_of_all(ingest: IngestState, replay: ReplayId) -> ReplayView:
    """It is `done` when all of its deliveries are in the outbox or published."""
    return await find_replay(ingest, ALL_TENANTS, replay)
