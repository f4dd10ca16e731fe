"""`/v1/replay`: publish stored events again, or read stored bodies again under the current settings."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import uuid4

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, model_validator

from services.ingest.api.dependencies import Ingest, IngestState, Requester
from services.ingest.api.retention import refuse_deleted
from services.ingest.domain.fields import Model, Name, Time
from services.ingest.inbox.replays import Replay
from services.ingest.inbox.retention import find_retention
from services.ingest.inbox.selection import Selection
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, Conflict, NotAuthenticated, NotFound, Unprocessable, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute

routes = APIRouter(route_class=TypedRoute, tags=["quarantine"])

WAIT_SECONDS = 5.0
"""How long a request waits for the end of its replay."""
REPLAY_ID = r"^[A-Za-z0-9._:-]{1,100}$"

ReplayId = Annotated[str, Path(pattern=REPLAY_ID, examples=["6f1c0e3a5d6b4c7e8f90a1b2c3d4e5f6"])]


class ReplayRequest(Model):
    """The events to publish again. Fields that are left out don't filter."""

    since: Time | None = Field(None, description="Received at or after this time", examples=["2026-11-20T00:00:00Z"])
    until: Time | None = Field(None, description="Received before this time")
    connection: Name | None = Field(None, description="Only events of this connection")
    subject: Name | None = Field(None, description="Only events about this subject")
    reread: bool = Field(
        False,
        description="true: read the stored bodies again under the current settings of their connections, and publish only the "
        "events that differ",
    )
    id: Annotated[str, Field(pattern=REPLAY_ID)] | None = Field(
        None,
        description="An id of your choice: a request with the same one adds no further replay. Without effect with `reread`",
        examples=["after-the-outage-of-20-november"],
    )

    @model_validator(mode="after")
    def _check_period(self) -> Self:
        if self.since and self.until and self.since >= self.until:
            raise ValueError("since is before until")
        return self


class QueuedReplay(BaseModel):
    """The size of a replay."""

    job: str | None = Field(
        None, description="The job that reads them again, for `GET /v1/jobs/{id}`; null without `reread`", examples=[None]
    )
    id: str | None = Field(
        None, description="For `GET /v1/replay/{id}`; null with `reread`", examples=["6f1c0e3a5d6b4c7e8f90a1b2c3d4e5f6"]
    )
    state: Literal["running", "done"] | None = Field(
        None, description="`done`: all of its deliveries are queued; null with `reread`", examples=["done"]
    )
    deliveries: int = Field(
        description="Deliveries that were queued so far, except those that were queued already; with `reread` the deliveries "
        "that will be read again",
        examples=[1280],
    )
    deleted_before: datetime | None = Field(
        None,
        description="With `reread`: bodies received before this time are deleted by age (`GET /v1/retention`), so their "
        "deliveries are not read again; null: none is",
        examples=[None],
    )


class ReplayView(BaseModel):
    """A replay."""

    id: str = Field(examples=["6f1c0e3a5d6b4c7e8f90a1b2c3d4e5f6"])
    state: Literal["running", "done"] = Field(description="A running replay continues after a restart", examples=["running"])
    since: datetime | None = Field(description="Received at or after this time; null: all")
    until: datetime | None = Field(description="Received before this time; null: all")
    connection: str | None = Field(description="Of this connection; null: of all", examples=[None])
    subject: str | None = Field(description="About this subject; null: about all", examples=[None])
    deliveries: int = Field(description="Deliveries that were queued so far", examples=[640])
    progress: float = Field(description="The share of the stored deliveries that it has passed, from 0 to 1", examples=[0.5])
    requested_by: str | None = Field(description="The id of the API key; null: the operator", examples=["key_5f0e8c2b1f7be4a9"])
    created_at: datetime
    finished_at: datetime | None


def as_view(replay: Replay) -> ReplayView:
    """The replay as the API returns it."""
    selection = replay.selection
    return ReplayView(
        id=replay.id,
        state=replay.state,
        since=selection.since,
        until=selection.until,
        connection=selection.connection,
        subject=selection.subject,
        deliveries=replay.queued,
        progress=replay.progress,
        requested_by=replay.requested_by,
        created_at=replay.added,
        finished_at=replay.finished,
    )


@routes.post(
    "/v1/replay",
    status_code=202,
    operation_id="replay_events",
    summary="Publish stored events again",
    responses=responses(NotAuthenticated, Conflict, *BODY_PROBLEMS),
)
async def replay_events(
    ingest: IngestState,
    tenant: TenantName,
    requester: Requester,
    response: Response,
    replay: Annotated[ReplayRequest, JsonBody(ReplayRequest)],
) -> QueuedReplay:
    """Consumers count each event once, so a replay restores what they lost and changes nothing else.

    A worker queues the deliveries in the order of their receipt. It continues after a restart. A small replay is `done` in the
    answer. `GET /v1/replay/{id}` returns the progress of a large one. A request with the `id` of an earlier replay adds no other.

    With `reread` a worker reads accepted deliveries again if the mapping or the dimensions of their connection changed after they
    were read: answers to a question that is mapped now are added, those to one that is ignored now are removed.
    `health.rereading` of the connection is true until it is done. A delivery that can't be read any more stays as it is. So does
    one whose body is deleted, by an erasure or by age (`deleted_before`); 422 if all bodies received before `until` are.

    409: the tenant has ten replays, or ten jobs, in progress, or another replay has this `id`.
    """
    selection = Selection(tenant, replay.connection, subject=replay.subject, since=replay.since, until=replay.until)
    async with outage_is_503():
        if replay.reread:
            retention = await find_retention(ingest.reads, tenant)
            refuse_deleted(retention, replay.until)
            job = await ingest.jobs.add("reread", selection, requester)
            return QueuedReplay(job=str(job.id), deliveries=job.matched, deleted_before=retention.deleted_before)
        one = await ingest.replays.add(selection, replay.id or uuid4().hex, requester)
        one = await ingest.replays.wait(one, WAIT_SECONDS)
    response.headers["Location"] = f"/v1/replay/{one.id}"
    return QueuedReplay(id=one.id, state=one.state, deliveries=one.queued)


@routes.get(
    "/v1/replay/{replay}",
    operation_id="get_replay",
    summary="Get the progress of a replay",
    responses=responses(BadRequest, NotAuthenticated, NotFound, Unprocessable),
)
async def get_replay(ingest: IngestState, tenant: TenantName, replay: ReplayId) -> ReplayView:
    """The last 1,000 that ended can be read. One with `reread` is a job: `GET /v1/jobs/{id}`."""
    return await find_replay(ingest, tenant, replay)


async def find_replay(ingest: Ingest, tenant: str, replay: str) -> ReplayView:
    """A replay of a tenant, or of ALL_TENANTS. Raises NotFound if there is none with this id."""
    async with outage_is_503():
        stored = await ingest.replays.find(tenant, replay)
    if stored is None:
        raise NotFound("the replay does not exist")
    return as_view(stored)
