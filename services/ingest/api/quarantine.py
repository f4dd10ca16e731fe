"""`/v1/quarantine`: list, count, show, retry and discard deliveries that could not be read."""

from base64 import b64encode
from datetime import datetime
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.api.dependencies import IngestState, Requester
from services.ingest.api.jobs import JobView, add_job
from services.ingest.api.paging import PAGE, Cursor, next_cursor, parse_number, upper_bound
from services.ingest.domain.delivery import Outcome
from services.ingest.domain.fields import Model, Name, Time
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.reason_codes import REASON_CODES, ReasonCode
from services.ingest.domain.receive import receive_again
from services.ingest.domain.tombstone import CUSTOMER_ERASED
from services.ingest.inbox.quarantine import MOST_COUNTED, DeliverySummary, UnreadVerdict
from services.ingest.inbox.selection import Selection
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, Conflict, NotAuthenticated, NotFound, Unprocessable, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute
from shared.suggestions import refusal

log = structlog.get_logger()

routes = APIRouter(route_class=TypedRoute, tags=["quarantine"])

NOT_QUARANTINED = "no delivery with this id is in quarantine"
CODES = "; ".join(f"`{code}`: {meaning}" for code, meaning in REASON_CODES.items())
REASON_CODE = f"The kind of reason. {CODES}"


class QuarantinedView(BaseModel):
    """A delivery whose signature was valid but which could not be read."""

    id: str = Field(examples=["10482"])
    connection: str = Field(examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"])
    provider: str = Field(description="The provider of the connection", examples=["typeform"])
    delivery: str | None = Field(description="The tool's id of the delivery", examples=["msg_2bT7"])
    received_at: datetime
    reason: str = Field(description="Why it could not be read", examples=["answers.0.value: outside its scale 1..5"])
    reason_code: ReasonCode = Field(description=REASON_CODE, examples=["outside_scale"])
    revision: int = Field(description="The revision of the connection's mapping when the delivery was read", examples=[1])


class QuarantinePage(BaseModel):
    """Deliveries, the newest first."""

    items: list[QuarantinedView]
    cursor: str | None = Field(description="For the next page; null on the last one", examples=["10383"])


class QuarantinedDelivery(QuarantinedView):
    """A quarantined delivery with its body."""

    body: str = Field(description="As received; bytes that are not UTF-8 are replaced")
    body_base64: str | None = Field(description="The same bytes in base64, if they are not UTF-8; else null", examples=[None])
    body_unreadable: bool = Field(
        description="Whether the stored body can't be decrypted, since its key is lost; then `body` is empty", examples=[False]
    )
    headers: dict[str, str] = Field(
        description="The headers that are stored because reading needs them. Signatures and secrets are never stored",
        examples=[{"x-hook-id": "6f3a"}],
    )


class ReasonCountView(BaseModel):
    """The deliveries of a connection that are in quarantine for one reason."""

    reason_code: ReasonCode = Field(description=REASON_CODE, examples=["outside_scale"])
    connection: str = Field(examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"])
    provider: str = Field(examples=["typeform"])
    deliveries: int = Field(examples=[12])
    oldest: datetime = Field(description="Receipt of the oldest")
    newest: datetime = Field(description="Receipt of the newest")


class QuarantineCount(BaseModel):
    """The number of deliveries in quarantine."""

    deliveries: int = Field(description="The total number", examples=[12])
    complete: bool = Field(
        description=f"Whether all are counted; false if there are {MOST_COUNTED:,} or more: then the latest {MOST_COUNTED:,} are",
        examples=[True],
    )
    counts: list[ReasonCountView] = Field(description="By reason and connection, the largest first")


class QuarantineFilter(Model):
    """The quarantined deliveries to work through. Fields that are left out don't filter; a delivery must match all others."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"provider": "typeform", "reason_code": "mapping_mismatch"}]})
    connection: Name | None = Field(None, description="Of this connection")
    provider: Name | None = Field(None, description="Of connections of this provider", examples=["typeform"])
    reason_code: ReasonCode | None = Field(None, description=REASON_CODE, examples=["mapping_mismatch"])
    since: Time | None = Field(None, description="Received at or after this time", examples=["2026-11-20T00:00:00Z"])
    until: Time | None = Field(None, description="Received before this time")

    def selection(self, tenant: str) -> Selection:
        """The selection of a job. Raises Unprocessable if the provider is unknown."""
        if refused := refuse_provider(self.provider):
            raise Unprocessable(invalid_params=[{"name": "provider", "reason": refused}])
        return Selection(tenant, self.connection, self.provider, self.reason_code, since=self.since, until=self.until)


class DiscardResult(BaseModel):
    """The delivery is discarded."""

    id: str = Field(examples=["10482"])
    status: Literal["discarded"] = "discarded"


class RetryResult(BaseModel):
    """The outcome of a retry."""

    id: str = Field(examples=["10482"])
    status: Outcome = Field(description="`duplicate`: it was no longer in quarantine", examples=["accepted"])
    reason: str | None = Field(description="Why it is not accepted")


async def selection_of(
    tenant: TenantName,
    connection: Annotated[str | None, Query(description="Only of this connection")] = None,
    provider: Annotated[str | None, Query(description="Only of connections of this provider")] = None,
    reason_code: Annotated[ReasonCode | None, Query(description="Only with this kind of reason")] = None,
    since: Annotated[Time | None, Query(description="Received at or after this time")] = None,
    until: Annotated[Time | None, Query(description="Received before this time")] = None,
) -> Selection:
    """The deliveries that the query selects. Raises BadRequest if the provider is unknown."""
    if refused := refuse_provider(provider):
        raise BadRequest(invalid_params=[{"name": "provider", "reason": refused}])
    return Selection(tenant, connection, provider, reason_code, since=since, until=until)


Selected = Annotated[Selection, Depends(selection_of)]
FilterBody = Annotated[QuarantineFilter, JsonBody(QuarantineFilter)]


def refuse_provider(provider: str | None) -> str | None:
    """Why no connection can be of this provider; None if one can."""
    if provider is None or provider in PROVIDERS:
        return None
    return refusal("is not allowed", provider, sorted(PROVIDERS))


@routes.get(
    "/v1/quarantine",
    operation_id="list_quarantined",
    summary="List deliveries that could not be read",
    responses=responses(BadRequest, NotAuthenticated),
)
async def list_quarantined(
    ingest: IngestState,
    selection: Selected,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=PAGE, description="Deliveries on a page")] = PAGE,
    verdict: Annotated[
        UnreadVerdict, Query(description="`discarded`: those that were discarded, whose bodies are deleted")
    ] = "quarantined",
) -> QuarantinePage:
    """The newest first. Bodies are not included. Filters combine. A cursor stays valid while deliveries arrive and leave."""
    async with outage_is_503():
        items = await ingest.quarantine.page(selection, verdict, upper_bound(cursor), limit)
    views = [QuarantinedView(**as_view(item)) for item in items]
    return QuarantinePage(items=views, cursor=next_cursor([item.seq for item in items], limit))


@routes.get(
    "/v1/quarantine:count",
    operation_id="count_quarantined",
    summary="Count deliveries that could not be read, by reason and connection",
    responses=responses(BadRequest, NotAuthenticated),
)
async def count_quarantined(ingest: IngestState, selection: Selected) -> QuarantineCount:
    """Takes the filters of the list."""
    async with outage_is_503():
        counts = await ingest.quarantine.count(selection)
    deliveries = sum(count.deliveries for count in counts)
    views = [ReasonCountView.model_validate(count, from_attributes=True) for count in counts]
    return QuarantineCount(deliveries=deliveries, complete=deliveries < MOST_COUNTED, counts=views)


@routes.get(
    "/v1/quarantine/{quarantined}",
    operation_id="get_quarantined",
    summary="Get one delivery that could not be read, with its body",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def get_quarantined(ingest: IngestState, tenant: TenantName, quarantined: str) -> QuarantinedDelivery:
    """The body is as the tool sent it, so it may identify customers."""
    async with outage_is_503():
        whole = await ingest.quarantine.find(tenant, parse_number(quarantined))
    if whole is None:
        raise NotFound(NOT_QUARANTINED)
    body = whole.raw.decode(errors="replace")
    encoded = None if body.encode() == whole.raw else b64encode(whole.raw).decode()
    return QuarantinedDelivery(
        **as_view(whole.summary),
        body=body,
        body_base64=encoded,
        body_unreadable=whole.is_unreadable,
        headers=whole.headers,
    )


@routes.post(
    "/v1/quarantine/{quarantined}:retry",
    operation_id="retry_quarantined",
    summary="Read a quarantined delivery again",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def retry_quarantined(ingest: IngestState, tenant: TenantName, quarantined: str) -> RetryResult:
    """Reads it under the connection's current mapping. While the connection is paused it becomes `held`; a thin event whose
    content is not fetched yet becomes `pending`."""
    async with outage_is_503():
        whole = await ingest.quarantine.find(tenant, parse_number(quarantined))
        connection = await ingest.connections.find(whole.summary.connection) if whole else None
    if whole is None or connection is None or connection.state == "deleted":
        raise NotFound(NOT_QUARANTINED)
    stored = whole.stored
    delivery = await ingest.threads.read(tenant, len(stored.raw), lambda: receive_again(connection, stored, ingest.now()))
    outcome = await ingest.committer.commit_again(stored.seq, delivery)
    if outcome == "accepted":
        ingest.observer.stored(connection, delivery, outcome)
    if outcome == "pending":
        ingest.enricher.wake()
    return RetryResult(id=quarantined, status=outcome, reason=CUSTOMER_ERASED if outcome == "erased" else delivery.reason)


@routes.post(
    "/v1/quarantine/{quarantined}:discard",
    operation_id="discard_quarantined",
    summary="Discard a quarantined delivery",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def discard_quarantined(ingest: IngestState, tenant: TenantName, requester: Requester, quarantined: str) -> DiscardResult:
    """Deletes its body and headers for good. Its id stays, so that a tool that sends it again gets `duplicate`. `GET /v1/jobs`
    returns who discarded it. Discarding it again changes nothing."""
    async with outage_is_503():
        discarded = await ingest.quarantine.discard_one(tenant, parse_number(quarantined), requester)
    if not discarded:
        raise NotFound(NOT_QUARANTINED)
    log.info("quarantine.discarded", tenant=tenant, seq=int(quarantined), requested_by=requester)
    return DiscardResult(id=quarantined)


@routes.post(
    "/v1/quarantine:retry",
    status_code=202,
    operation_id="retry_all_quarantined",
    summary="Read all quarantined deliveries that match a filter again",
    responses=responses(NotAuthenticated, Conflict, *BODY_PROBLEMS),
)
async def retry_all_quarantined(
    ingest: IngestState, tenant: TenantName, requester: Requester, response: Response, body: FilterBody
) -> JobView:
    """A job reads them in the background under the current mappings: correct these first. Deliveries that still can't be read
    stay, with their present reason. `GET /v1/jobs/{id}` returns its progress. Deliveries that arrive later are not
    part of it. An empty object means all. 409: the tenant has ten jobs in progress."""
    return await add_job(ingest, requester, response, "retry", body.selection(tenant))


@routes.post(
    "/v1/quarantine:discard",
    status_code=202,
    operation_id="discard_all_quarantined",
    summary="Discard all quarantined deliveries that match a filter",
    responses=responses(NotAuthenticated, Conflict, *BODY_PROBLEMS),
)
async def discard_all_quarantined(
    ingest: IngestState, tenant: TenantName, requester: Requester, response: Response, body: FilterBody
) -> JobView:
    """A job deletes their bodies and headers in the background, for good. At least one field is needed;
    `GET /v1/quarantine:count` returns how many deliveries a filter matches. Deliveries that arrive later are not part of it. The
    job stays as the record of who discarded how many. 409: the tenant has ten jobs in progress."""
    if body == QuarantineFilter():
        raise Unprocessable(f"at least one field is needed: {', '.join(QuarantineFilter.model_fields)}")
    return await add_job(ingest, requester, response, "discard", body.selection(tenant))


def as_view(summary: DeliverySummary) -> dict[str, Any]:
    """The fields of QuarantinedView."""
    return {
        "id": str(summary.seq),
        "connection": summary.connection,
        "provider": summary.provider,
        "delivery": summary.delivery,
        "received_at": summary.received_at,
        "reason": summary.reason,
        "reason_code": summary.reason_code,
        "revision": summary.revision,
    }
