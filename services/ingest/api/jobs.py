"""`/v1/jobs`: jobs in the background that work through a tenant's stored deliveries, or fetch the history of a tool."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.ingest.api.dependencies import Ingest, IngestState
from services.ingest.api.paging import PAGE, Cursor, next_cursor, parse_number, upper_bound
from services.ingest.domain.reason_codes import ReasonCode
from services.ingest.inbox.jobs import Job, Kind
from services.ingest.inbox.selection import Selection
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, NotFound, responses
from shared.routes import TypedRoute

routes = APIRouter(route_class=TypedRoute, tags=["quarantine"])


class JobFilter(BaseModel):
    """The filter of a job; a field that is null doesn't filter. `since` is a time of receipt, for a back-fill a time at the
    tool."""

    connection: str | None
    provider: str | None
    reason_code: ReasonCode | None
    subject: str | None
    since: datetime | None
    until: datetime | None


class JobView(BaseModel):
    """A job."""

    id: str = Field(examples=["7"])
    kind: Kind = Field(
        description="`retry` and `discard` of quarantined deliveries; `reread` of accepted ones (`POST /v1/replay`); `backfill` "
        "of a connection (`POST /v1/connections/{id}:backfill`)",
        examples=["retry"],
    )
    state: Literal["running", "done", "failed", "canceled"] = Field(
        description="A running job continues after a restart. `failed`: it could not be finished, see `problem`",
        examples=["running"],
    )
    filter: JobFilter
    delivery: str | None = Field(
        description="The single delivery that the job was about; null if it had a filter", examples=[None]
    )
    deliveries: int = Field(
        description="Deliveries that matched when the job was added; for a back-fill the records that the tool has announced so "
        "far",
        examples=[1280],
    )
    done: int = Field(description="Deliveries or records that are done", examples=[640])
    results: dict[str, int] = Field(
        description="Deliveries or records that are done, by outcome. `retry`: `accepted`, `quarantined` (still), `ignored`, "
        "`held`, `pending`, `erased`; `discard`: `discarded`; `reread`: `changed`, `unchanged`, `deleted` (the body is "
        "deleted); `backfill`: `accepted`, `duplicate`, `quarantined`, `ignored`, `unstorable`",
        examples=[{"accepted": 600, "quarantined": 40}],
    )
    problem: str | None = Field(description="Why a job waits or failed, such as the tool's answer", examples=[None])
    requested_by: str | None = Field(description="The id of the API key; null: the operator", examples=["key_5f0e8c2b1f7be4a9"])
    created_at: datetime
    finished_at: datetime | None


class JobPage(BaseModel):
    """Jobs, the newest first."""

    items: list[JobView]
    cursor: str | None = Field(description="For the next page; null on the last one", examples=["6"])


@routes.get(
    "/v1/jobs",
    operation_id="list_jobs",
    summary="List the jobs in the background",
    responses=responses(BadRequest, NotAuthenticated),
)
async def list_jobs(
    ingest: IngestState,
    tenant: TenantName,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=PAGE, description="Jobs on a page")] = PAGE,
) -> JobPage:
    """The newest first: running ones, the last 1,000 that ended, and all that discarded deliveries, as a record of who did it."""
    async with outage_is_503():
        jobs = await ingest.jobs.list(tenant, upper_bound(cursor), limit)
    return JobPage(items=[as_view(job) for job in jobs], cursor=next_cursor([job.id for job in jobs], limit))


@routes.get(
    "/v1/jobs/{job}",
    operation_id="get_job",
    summary="Get the progress of a job",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def get_job(ingest: IngestState, tenant: TenantName, job: str) -> JobView:
    """`done` grows to about `deliveries`: some may have left quarantine before the job came to them."""
    number = parse_number(job)
    async with outage_is_503():
        one = await ingest.jobs.find(tenant, number)
    if one is None:
        raise NotFound("the job does not exist")
    return as_view(one)


@routes.delete(
    "/v1/jobs/{job}",
    operation_id="cancel_job",
    summary="Cancel a job",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def cancel_job(ingest: IngestState, tenant: TenantName, job: str) -> JobView:
    """Ends it before its next step. Its results so far stay: a back-fill that is started again stores only what is missing. A job
    that has ended is not changed."""
    number = parse_number(job)
    async with outage_is_503():
        one = await ingest.jobs.cancel(tenant, number)
    if one is None:
        raise NotFound("the job does not exist")
    return as_view(one)


async def add_job(ingest: Ingest, requester: str | None, response: Response, kind: Kind, selection: Selection) -> JobView:
    """Add a job, and set the URL of its progress as `Location`. Raises Conflict if the tenant has too many."""
    async with outage_is_503():
        job = await ingest.jobs.add(kind, selection, requester)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return as_view(job)


def state_of(job: Job) -> Literal["running", "done", "failed", "canceled"]:
    """The state of a job."""
    if job.finished is None:
        return "running"
    if job.canceled:
        return "canceled"
    return "failed" if job.problem else "done"


def as_view(job: Job) -> JobView:
    """The job as the API returns it."""
    selection: dict[str, Any] = {name: getattr(job.selection, name) for name in JobFilter.model_fields}
    return JobView(
        id=str(job.id),
        kind=job.kind,
        state=state_of(job),
        filter=JobFilter(**selection),
        delivery=None if job.quarantined is None else str(job.quarantined),
        deliveries=job.matched,
        done=sum(job.results.values()),
        results=dict(job.results),
        problem=job.problem,
        requested_by=job.requested_by,
        created_at=job.added,
        finished_at=job.finished,
    )
