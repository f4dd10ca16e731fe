"""`/v1/retention`: for how long a tenant's received bodies are stored."""

from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.api.dependencies import IngestState, Requester
from services.ingest.domain.fields import Model
from services.ingest.inbox.retention import Retention, find_retention, set_retention
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import NotAuthenticated, NotFound, Unprocessable, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute

log = structlog.get_logger()

routes = APIRouter(route_class=TypedRoute, tags=["retention"])

MOST_DAYS = 3_650

BODY_DAYS = "Days after their receipt for which bodies are stored; null: always"
QUARANTINE_DAYS = "Days after its receipt at which a quarantined delivery is discarded; null: never"


class NewRetention(Model):
    """For how long bodies are stored. A field that is left out is null."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"body_days": 30, "quarantine_days": 90}]})
    body_days: int | None = Field(None, ge=1, le=MOST_DAYS, description=BODY_DAYS, examples=[30])
    quarantine_days: int | None = Field(None, ge=1, le=MOST_DAYS, description=QUARANTINE_DAYS, examples=[90])


class RetentionView(BaseModel):
    """For how long bodies are stored."""

    body_days: int | None = Field(description=BODY_DAYS, examples=[30])
    quarantine_days: int | None = Field(description=QUARANTINE_DAYS, examples=[90])
    deleted_before: datetime | None = Field(
        description="Bodies received before this time are deleted and can't be read again; null: none was deleted by age"
    )
    changed_at: datetime | None = Field(description="The latest change; null: it was never set, so everything is kept")


@routes.get(
    "/v1/retention",
    operation_id="get_retention",
    summary="Get for how long received bodies are stored",
    responses=responses(NotAuthenticated),
)
async def get_retention(ingest: IngestState, tenant: TenantName) -> RetentionView:
    """The default is to keep them."""
    async with outage_is_503():
        return as_view(await find_retention(ingest.reads, tenant))


@routes.put(
    "/v1/retention",
    operation_id="set_retention",
    summary="Set for how long received bodies are stored",
    responses=responses(NotAuthenticated, NotFound, *BODY_PROBLEMS),
)
async def put_retention(
    ingest: IngestState, tenant: TenantName, requester: Requester, new: Annotated[NewRetention, JsonBody(NewRetention)]
) -> RetentionView:
    """Bodies of that age are deleted for good: now, and later ones within an hour of reaching it. Numbers don't change: the
    events that were read from a body stay, and `POST /v1/replay` publishes them as before. With `reread` it reads only bodies
    that are left.

    Deliveries in quarantine have a rule of their own, since nothing is left of them without their body: they stay until they are
    retried or discarded, or for `quarantine_days`. Then they are `discarded`. Held and pending deliveries stay until they are
    read; the days then count from their receipt.
    """
    async with outage_is_503():
        retention = await set_retention(ingest.reads, tenant, new.body_days, new.quarantine_days)
    if retention is None:
        raise NotFound("the tenant does not exist")
    ingest.expirer.wake()
    log.info("retention.set", tenant=tenant, **new.model_dump(), requested_by=requester)
    return as_view(retention)


def refuse_deleted(retention: Retention, until: datetime | None) -> None:
    """Raise Unprocessable if all bodies received before `until` are deleted."""
    if retention.deleted_before and until and until <= retention.deleted_before:
        before = retention.deleted_before.isoformat(timespec="seconds")
        reason = f"bodies received before {before} are deleted (GET /v1/retention), so none can be read again"
        raise Unprocessable(invalid_params=[{"name": "until", "reason": reason}])


def as_view(retention: Retention) -> RetentionView:
    """The setting as the API returns it."""
    return RetentionView.model_validate(retention, from_attributes=True)
