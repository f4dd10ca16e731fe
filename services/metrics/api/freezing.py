"""`/v1/freezing`: how long after their last statement responses, reviews and tickets are frozen, which means stored
compressed."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.metrics.api.dependencies import MetricsState, UnknownTenant, tenant_number
from services.metrics.store.freezing import Freezing, read_freezing, set_freezing
from shared.bodies import KIB
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, TooLarge, Unprocessable, UnsupportedMedia, responses
from shared.routes import JsonBody, TypedRoute

routes = APIRouter(route_class=TypedRoute, prefix="/v1", tags=["retention"])

MOST_MONTHS = 120

AFTER_MONTHS = "Months without a statement after which a response, review or ticket is frozen; null: never"


class NewFreezing(BaseModel):
    """After how long responses, reviews and tickets are frozen."""

    model_config = ConfigDict(extra="forbid")
    after_months: int | None = Field(ge=1, le=MOST_MONTHS, description=AFTER_MONTHS, examples=[12])


class FreezingStatus(BaseModel):
    """After how long responses, reviews and tickets are frozen, and how many are."""

    model_config = ConfigDict(from_attributes=True)

    after_months: int | None = Field(description=AFTER_MONTHS, examples=[12])
    frozen: int = Field(description="Responses, reviews and tickets that are frozen now", examples=[120_000])
    frozen_before: datetime | None = Field(
        description="At the end of the last pass everything was frozen that had no statement since this time; null: no pass has"
        " ended yet"
    )
    running: bool = Field(description="Whether a pass, which freezes or thaws in the background, is running or due")


@routes.get(
    "/freezing",
    operation_id="get_freezing",
    summary="Get after how long responses, reviews and tickets are frozen",
    responses=responses(NotAuthenticated, BadRequest),
)
async def get_freezing(tenant: TenantName, state: MetricsState) -> FreezingStatus:
    """The default is never."""
    async with outage_is_503(), state.source.pool.acquire() as connection:
        return status_of(await read_freezing(connection, tenant, state.clock()))


@routes.put(
    "/freezing",
    operation_id="set_freezing",
    summary="Set after how long responses, reviews and tickets are frozen",
    description="What is frozen is stored compressed, in about a quarter of the space. Every number, record, explanation and"
    " history stays available, and a later event thaws what it is about. Freezing runs in the background once a week, and at once"
    " after a change. `null` thaws everything.",
    responses=responses(NotAuthenticated, UnknownTenant, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def put_freezing(
    tenant: TenantName, state: MetricsState, body: Annotated[NewFreezing, JsonBody(NewFreezing, max_bytes=KIB)]
) -> FreezingStatus:
    """Store the setting and start a pass."""
    async with outage_is_503(), state.source.pool.acquire() as connection:
        await set_freezing(connection, await tenant_number(connection, tenant), body.after_months, state.clock())
        return status_of(await read_freezing(connection, tenant, state.clock()))


def status_of(freezing: Freezing) -> FreezingStatus:
    """The setting as the API returns it."""
    return FreezingStatus.model_validate(freezing)
