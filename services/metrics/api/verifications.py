"""`/v1/verifications`: whether the tenant's numbers are equal to those computed again from the events behind them."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.metrics.api.dependencies import MetricsState, UnknownTenant, find_tenant, tenant_number
from services.metrics.store import verifications as store
from services.metrics.store.verifications import Part, Verification
from shared.bodies import KIB
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, TooLarge, Unprocessable, UnsupportedMedia, responses
from shared.routes import JsonBody, TypedRoute

routes = APIRouter(route_class=TypedRoute, prefix="/v1", tags=["verifications"])


class VerificationRequest(BaseModel):
    """A request to verify."""

    model_config = ConfigDict(extra="forbid")
    share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="The share of subjects and of sealed spans to compare, chosen at random; 1: all",
        examples=[0.1],
    )


class VerificationEntry(BaseModel):
    """A verification: the numbers of things compared so far, and how many of them differ."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(description="Later ones have higher ids", examples=[12])
    state: Literal["running", "finished"] = Field(description="A running one compares a piece at a time, in the background")
    part: Part = Field(
        description="The part that is running or was the last: contributions of subjects, sealed histograms, events of ingest"
    )
    share: float = Field(description="The share of subjects and sealed spans that is compared", examples=[1.0])
    started_at: datetime = Field(description="The time at which it was started", examples=["2026-11-28T02:00:00Z"])
    finished_at: datetime | None = Field(description="null: it is running", examples=["2026-11-28T02:04:10Z"])
    subjects: int = Field(description="Subjects whose contributions were computed again", examples=[30_000])
    contributions: int = Field(description="Contributions of these subjects", examples=[210_000])
    seals: int = Field(description="Spans whose histograms were counted again", examples=[9_120])
    events: int = Field(description="Events of ingest that were looked for in the subjects", examples=[64_000])
    differences: int = Field(description="0: everything compared is equal", examples=[0])
    first_difference: str | None = Field(
        description="The first subject or span that differs, and how", examples=["con_1/response/7: isn't there"]
    )


class VerificationList(BaseModel):
    """The last verifications, the newest first."""

    verifications: list[VerificationEntry] = Field(description="Running and finished ones")


@routes.get(
    "/verifications",
    operation_id="list_verifications",
    summary="List the verifications of the tenant's numbers",
    description="Metrics compares each tenant's numbers on a schedule (METRICS_VERIFY_EVERY_HOURS) with what is computed again "
    "from the stored statements and from ingest's events.",
    responses=responses(NotAuthenticated, BadRequest),
)
async def list_verifications(tenant: TenantName, state: MetricsState) -> VerificationList:
    """The verifications of the caller's tenant."""
    async with outage_is_503(), state.source.pool.acquire() as connection:
        number = await find_tenant(connection, tenant)
        history = [] if number is None else await store.history(connection, number)
    return VerificationList(verifications=[entry_of(verification) for verification in history])


@routes.post(
    "/verifications",
    operation_id="start_verification",
    summary="Verify the tenant's numbers now",
    description="It runs in the background, at most one at a time for a tenant: while one runs, that one is returned.",
    status_code=202,
    responses=responses(NotAuthenticated, UnknownTenant, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def start_verification(
    tenant: TenantName, state: MetricsState, body: Annotated[VerificationRequest, JsonBody(VerificationRequest, max_bytes=KIB)]
) -> VerificationEntry:
    """Start a verification, unless one is running."""
    async with outage_is_503(), state.source.pool.acquire() as connection:
        number = await tenant_number(connection, tenant)
        await store.start(connection, number, body.share)
        return entry_of((await store.history(connection, number))[0])


def entry_of(verification: Verification) -> VerificationEntry:
    """The verification as the API returns it."""
    state = "finished" if verification.finished_at else "running"
    values = {name: getattr(verification, name) for name in VerificationEntry.model_fields if name != "state"}
    return VerificationEntry(state=state, **values)
