"""`/v1/replay`: publish stored events again, or read stored bodies again under the current settings."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from services.ingest.api.jobs import requester
from services.ingest.api.retention import refuse_deleted
from services.ingest.api.state import ingest_of
from services.ingest.domain.fields import Model, Name, Time
from services.ingest.inbox.retention import find_retention
from services.ingest.inbox.selection import Selection
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import Conflict, NotAuthenticated, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute

routes = APIRouter(route_class=TypedRoute, tags=["quarantine"])


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

    job: str | None = Field(
        None, description="The job that reads them again, for `GET /v1/jobs/{id}`; null without `reread`", examples=[None]
    )
    deliveries: int = Field(
        description="Deliveries that were queued, without those that waited already; with `reread` those that will be read again",
        examples=[1280],
    )
    deleted_before: datetime | None = Field(
        None,
        description="With `reread`: bodies received before this time are deleted by age (`GET /v1/retention`), so their "
        "deliveries are not read again; null: none is",
        examples=[None],
    )


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
    true until it is done. A delivery that can't be read any more stays as it is. So does one whose body is deleted, by an erasure
    or by age (`deleted_before`); 422 if all bodies received before `until` are. 409: the tenant has ten jobs in progress.
    """
    ingest = ingest_of(request)
    async with outage_is_503():
        if replay.reread:
            selection = Selection(tenant, replay.connection, subject=replay.subject, since=replay.since, until=replay.until)
            retention = await find_retention(ingest.reads, tenant)
            refuse_deleted(retention, replay.until)
            job = await ingest.jobs.add("reread", selection, requester(request))
            return QueuedReplay(job=str(job.id), deliveries=job.matched, deleted_before=retention.deleted_before)
        queued = await ingest.event_log.replay(tenant, replay.since, replay.until, replay.connection, replay.subject)
    return QueuedReplay(deliveries=queued)
