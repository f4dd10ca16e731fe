"""`/v1/quarantine`: list, show and retry deliveries that could not be read. `/v1/replay`: publish stored events again."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from services.ingest.api.state import ingest_of
from services.ingest.domain.delivery import Outcome, StoredDelivery
from services.ingest.domain.fields import Model, Name, Time
from services.ingest.domain.receive import receive_again
from services.ingest.domain.tombstone import CUSTOMER_ERASED
from services.ingest.inbox.rereading import Selection
from services.ingest.store.deliveries import QuarantinedSummary
from services.ingest.store.event_log import MAX_SEQ
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, Conflict, NotAuthenticated, NotFound, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute

routes = APIRouter(route_class=TypedRoute, tags=["quarantine"])

PAGE = 100
NUMBER = r"^[0-9]{1,18}$"
NOT_QUARANTINED = "no delivery with this id is in quarantine"


class QuarantinedView(BaseModel):
    """A delivery whose signature was valid but which could not be read."""

    id: str = Field(examples=["10482"])
    connection: str = Field(examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"])
    delivery: str | None = Field(description="The tool's id of the delivery", examples=["msg_2bT7"])
    received_at: datetime
    reason: str = Field(description="Why it could not be read", examples=["answers.0.value: outside its scale 1..5"])
    revision: int = Field(description="Of the connection's mapping when it was read", examples=[1])


class QuarantinePage(BaseModel):
    """Quarantined deliveries, the newest first."""

    items: list[QuarantinedView]
    cursor: str | None = Field(description="For the next page; null on the last one", examples=["10383"])


class QuarantinedDelivery(QuarantinedView):
    """A quarantined delivery with its body."""

    body: str = Field(description="As received; bytes that are not UTF-8 are replaced")


class RetryResult(BaseModel):
    """The outcome of a retry."""

    id: str = Field(examples=["10482"])
    status: Outcome = Field(description="`duplicate`: it left quarantine meanwhile", examples=["accepted"])
    reason: str | None = Field(description="Why it is not accepted")


class ReplayRequest(Model):
    """The events to publish again. Fields that are left out don't narrow."""

    since: Time | None = Field(None, description="Received at or after this time", examples=["2026-11-20T00:00:00Z"])
    until: Time | None = Field(None, description="Received before this time")
    connection: Name | None = Field(None, description="Of this connection")
    subject: Name | None = Field(None, description="About this subject")
    reread: bool = Field(
        False,
        description="true: read the stored bodies again under the current settings of their connections, and publish only the "
        "events that differ",
    )


class QueuedReplay(BaseModel):
    """The size of a replay."""

    deliveries: int = Field(
        description="Deliveries that were queued, without those that waited already; with `reread` those that will be read again",
        examples=[1280],
    )


@routes.get(
    "/v1/quarantine",
    operation_id="list_quarantined",
    summary="List deliveries that could not be read",
    responses=responses(BadRequest, NotAuthenticated),
)
async def list_quarantined(
    request: Request,
    tenant: TenantName,
    cursor: Annotated[str | None, Query(pattern=NUMBER, description="`cursor` of the page before")] = None,
    connection: Annotated[str | None, Query(description="Only of this connection")] = None,
) -> QuarantinePage:
    """The newest first, 100 a page. Bodies are not included."""
    before = MAX_SEQ if cursor is None else int(cursor)
    async with outage_is_503():
        items = await ingest_of(request).deliveries.list_quarantined(tenant, before, connection, PAGE)
    next_cursor = str(items[-1].seq) if len(items) == PAGE else None
    return QuarantinePage(items=[QuarantinedView(**as_view(item)) for item in items], cursor=next_cursor)


@routes.get(
    "/v1/quarantine/{quarantined}",
    operation_id="get_quarantined",
    summary="Get one delivery that could not be read, with its body",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def get_quarantined(request: Request, tenant: TenantName, quarantined: str) -> QuarantinedDelivery:
    """The body is as the tool sent it, so it may identify customers."""
    async with outage_is_503():
        stored = await ingest_of(request).deliveries.find_quarantined(tenant, parse_id(quarantined))
    if stored is None:
        raise NotFound(NOT_QUARANTINED)
    return QuarantinedDelivery(**as_view(stored), body=stored.raw.decode(errors="replace"))


@routes.post(
    "/v1/quarantine/{quarantined}:retry",
    operation_id="retry_quarantined",
    summary="Read a quarantined delivery again",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def retry_quarantined(request: Request, tenant: TenantName, quarantined: str) -> RetryResult:
    """Reads it under the connection's current mapping. While the connection is paused it becomes `held`; a thin event whose
    content is not fetched yet becomes `pending`."""
    ingest = ingest_of(request)
    async with outage_is_503():
        stored = await ingest.deliveries.find_quarantined(tenant, parse_id(quarantined))
        connection = await ingest.connections.find(stored.connection) if stored else None
    if stored is None or connection is None or connection.state == "deleted":
        raise NotFound(NOT_QUARANTINED)
    delivery = await ingest.threads.read(tenant, len(stored.raw), lambda: receive_again(connection, stored, ingest.now()))
    outcome = await ingest.committer.commit_again(stored.seq, delivery)
    if outcome == "accepted":
        ingest.observer.stored(connection, delivery, outcome)
    if outcome == "pending":
        ingest.enricher.wake()
    return RetryResult(id=quarantined, status=outcome, reason=CUSTOMER_ERASED if outcome == "erased" else delivery.reason)


@routes.post(
    "/v1/replay",
    status_code=202,
    operation_id="replay_events",
    summary="Publish stored events again",
    responses=responses(NotAuthenticated, Conflict, *BODY_PROBLEMS),
)
async def replay_events(
    request: Request, tenant: TenantName, replay: Annotated[ReplayRequest, JsonBody(ReplayRequest)]
) -> QueuedReplay:
    """Consumers count each event once, so a replay restores what they lost and changes nothing else.

    With `reread` a worker reads accepted deliveries again if the mapping or the dimensions of their connection changed after they
    were read: a question that was mapped later comes in, one that is ignored now goes. `health.rereading` of the connection is
    true until it is done. A delivery that can't be read any more stays as it is. 409: the tenant has ten of them in progress.
    """
    ingest = ingest_of(request)
    async with outage_is_503():
        if replay.reread:
            selection = Selection(tenant, replay.connection, replay.subject, replay.since, replay.until)
            return QueuedReplay(deliveries=await ingest.rereader.add(selection))
        queued = await ingest.event_log.replay(tenant, replay.since, replay.until, replay.connection, replay.subject)
    return QueuedReplay(deliveries=queued)


def as_view(delivery: QuarantinedSummary | StoredDelivery) -> dict[str, Any]:
    """The fields of QuarantinedView."""
    return {
        "id": str(delivery.seq),
        "connection": delivery.connection,
        "delivery": delivery.delivery,
        "received_at": delivery.received_at,
        "reason": delivery.reason,
        "revision": delivery.revision,
    }


def parse_id(text: str) -> int:
    """The sequence number of a quarantined delivery. Raises BadRequest if `text` is no such id."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(invalid_params=[{"name": "id", "reason": "must be a whole number of at most 18 digits"}])
    return int(text)
