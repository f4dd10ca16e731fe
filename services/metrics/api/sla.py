"""The SLA policies of a tenant: `PUT /v1/sla`, `GET /v1/sla`."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from services.metrics.api.calendars import FIRST_YEAR, LAST_YEAR, Line
from services.metrics.api.dependencies import MetricsState, UnknownTenant, read_history, tenant_number
from services.metrics.api.terms import TermsStatus, status_of
from services.metrics.domain.calendar import day_start
from services.metrics.domain.sla import MOST_POLICIES, MOST_SECONDS, Conditions, Policy, PolicyVersion, Target
from services.metrics.domain.sla_targets import METRICS
from services.metrics.store.terms import MOST_POLICY_VERSIONS, POLICIES, TooManyVersions, change_policies, read_status
from shared.bodies import KIB
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, Conflict, NotAuthenticated, TooLarge, Unprocessable, UnsupportedMedia, responses
from shared.routes import JsonBody, TypedRoute
from shared.windows import parse_time

routes = APIRouter(route_class=TypedRoute, prefix="/v1", tags=["terms"])

MOST_VALUES = 200
"""The most values of one condition."""
MAX_BYTES, MAX_BODY_VALUES = 128 * KIB, 5_000
"""Limits of a body."""


class TooManyPolicies(Conflict):
    title = "Too many SLA policies"


def checked_time(text: str) -> str:
    """The text. Raises ValueError unless it is a date or a time that can be computed with."""
    if not FIRST_YEAR <= parse_time(text).year <= LAST_YEAR:
        raise ValueError(f"must be between {FIRST_YEAR} and {LAST_YEAR}")
    return text


Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Time = Annotated[str, AfterValidator(checked_time)]


def condition_values(dimension: str, example: str) -> Any:
    """The field of a condition."""
    return Field(
        None,
        min_length=1,
        max_length=MOST_VALUES,
        description=f"Values of {dimension}: the ticket must have one of them; null: any value, or none",
        examples=[[example]],
    )


# --- the body -------------------------------------------------------------------------------------------------------------
class ConditionsBody(BaseModel):
    """Conditions that must all hold. A policy without conditions applies to every ticket."""

    model_config = ConfigDict(extra="forbid")
    priority: list[Line] | None = condition_values("the priority", "high")
    team: list[Line] | None = condition_values("the team", "billing")
    channel: list[Line] | None = condition_values("the channel", "email")
    segment: list[Line] | None = condition_values("the segment", "enterprise")


class TargetBody(BaseModel):
    """A time that must not be exceeded."""

    model_config = ConfigDict(extra="forbid")
    seconds: int = Field(
        strict=True,
        ge=1,
        le=MOST_SECONDS,
        description="A reply or solve after exactly this time meets the target",
        examples=[3600],
    )
    hours: Literal["calendar", "business"] = Field(
        "calendar", description="Whether all seconds count, or those of business hours"
    )


class TargetsBody(BaseModel):
    """The targets of a policy, at least one."""

    model_config = ConfigDict(extra="forbid")
    first_reply: TargetBody | None = Field(
        None, description="From the opening by a customer to the first public message by a human agent"
    )
    next_reply: TargetBody | None = Field(
        None,
        description="From the first public message of the customer after a human agent's to the next public message by a human"
        " agent, each time",
    )
    resolution: TargetBody | None = Field(
        None, description="From the opening to the last change to solved or closed, without the time in a status of `pause`"
    )

    @model_validator(mode="after")
    def have_one(self) -> Self:
        """Raise ValueError if there is no target."""
        if self.first_reply is None and self.next_reply is None and self.resolution is None:
            raise ValueError("state at least one of first_reply, next_reply and resolution")
        return self


class PolicyBody(BaseModel):
    """One policy."""

    model_config = ConfigDict(extra="forbid")
    id: Id = Field(description="Up to 40 lower-case letters, digits, `_` or `-`; each once", examples=["urgent"])
    name: Line = Field(description="The name for people", examples=["Urgent tickets"])
    when: ConditionsBody = Field(ConditionsBody(), description="The tickets that it applies to")
    targets: TargetsBody = Field(description="Its targets", examples=[{"first_reply": {"seconds": 3600, "hours": "calendar"}}])
    pause: list[Literal["pending", "on_hold"]] = Field(
        [],
        max_length=2,
        description="Statuses of a ticket in which the time of its resolution does not run; the time of replies always runs",
        examples=[["pending"]],
    )


class PoliciesBody(BaseModel):
    """One version of the SLA policies. The first policy whose conditions hold applies to a ticket."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    from_: Time = Field(
        alias="from",
        description="It applies to tickets opened from this time on: a time with an offset, or a date in the tenant's zone",
        examples=["2026-01-01", "2026-01-01T00:00:00+01:00"],
    )
    policies: list[PolicyBody] = Field(
        max_length=MOST_POLICIES, description="In the order in which they are tried; empty: no targets from then on"
    )

    @field_validator("policies")
    @classmethod
    def have_different_ids(cls, policies: list[PolicyBody]) -> list[PolicyBody]:
        """Raise ValueError if two policies have one id."""
        ids = [policy.id for policy in policies]
        if repeated := next((identity for identity in ids if ids.count(identity) > 1), None):
            raise ValueError(f"the id {repeated!r} is given more than once")
        return policies


class PoliciesVersion(BaseModel):
    """One version of the SLA policies, as it was added."""

    from_: datetime = Field(alias="from", description="It applies to tickets opened from this time on")
    policies: list[PolicyBody] = Field(description="In the order in which they are tried")
    added_at: datetime = Field(description="When it was added")

    model_config = ConfigDict(populate_by_name=True)


class PoliciesHistory(BaseModel):
    """Every version of the SLA policies, in the order in which they were added."""

    versions: list[PoliciesVersion] = Field(description="The versions")


def version_from(body: PoliciesBody, zone: ZoneInfo) -> PolicyVersion:
    """The version that the body states, for a tenant in this zone."""
    time = parse_time(body.from_)
    return PolicyVersion(
        time if isinstance(time, datetime) else day_start(time, zone), tuple(policy_from(policy) for policy in body.policies)
    )


def policy_from(body: PolicyBody) -> Policy:
    """The policy that the body states."""
    conditions = {name: None if listed is None else tuple(sorted(set(listed))) for name, listed in body.when}
    targets = {
        name: None if target is None else Target(target.seconds, target.hours == "business") for name, target in body.targets
    }
    return Policy(body.id, body.name, Conditions(**conditions), **targets, pause=tuple(sorted(set(body.pause))))


def version_of(version: PolicyVersion, added_at: datetime) -> PoliciesVersion:
    """A stored version as the API returns it."""
    return PoliciesVersion(from_=version.starts, policies=[policy_of(policy) for policy in version.policies], added_at=added_at)


def policy_of(policy: Policy) -> PolicyBody:
    """A stored policy as the API returns it."""
    return PolicyBody(
        id=policy.id,
        name=policy.name,
        when=ConditionsBody.model_validate(policy.when, from_attributes=True),
        targets=TargetsBody(**{metric: target_of(getattr(policy, metric)) for metric in METRICS}),
        pause=list(policy.pause),
    )


def target_of(target: Target | None) -> TargetBody | None:
    """A stored target as the API returns it."""
    if target is None:
        return None
    return TargetBody(seconds=target.seconds, hours="business" if target.business else "calendar")


# --- routes ---------------------------------------------------------------------------------------------------------------
@routes.get(
    "/sla",
    operation_id="list_sla_policies",
    summary="List the versions of the SLA policies",
    responses=responses(NotAuthenticated, BadRequest),
)
async def list_sla_policies(tenant: TenantName, state: MetricsState) -> PoliciesHistory:
    """The SLA policies of the caller's tenant."""
    versions = await read_history(state.source.pool, POLICIES, tenant)
    return PoliciesHistory(versions=[version_of(version, added_at) for version, added_at in versions])


@routes.put(
    "/sla",
    operation_id="put_sla_policies",
    summary="Add a version of the SLA policies",
    description="The first policy whose conditions hold applies to a ticket, from the moment at which they first hold; its target"
    " then stays, whatever changes later. Versions are never changed: of several that apply to a ticket, the one added last is "
    "used. Contributions are computed again in the background; until that is done, all results are of the old policies. "
    "`GET /v1/terms` shows the progress.",
    responses=responses(NotAuthenticated, UnknownTenant, BadRequest, TooManyPolicies, UnsupportedMedia, TooLarge, Unprocessable),
)
async def put_sla_policies(
    tenant: TenantName,
    state: MetricsState,
    body: Annotated[PoliciesBody, JsonBody(PoliciesBody, max_bytes=MAX_BYTES, max_values=MAX_BODY_VALUES)],
) -> TermsStatus:
    """Store the version and start the build."""
    async with outage_is_503(), state.source.pool.acquire() as connection, connection.transaction():
        number = await tenant_number(connection, tenant)
        zone = ZoneInfo(await connection.fetchval("SELECT zone FROM tenants WHERE id = $1", number))
        try:
            await change_policies(connection, number, version_from(body, zone), state.clock())
        except TooManyVersions:
            raise TooManyPolicies(f"{MOST_POLICY_VERSIONS} versions of SLA policies are stored, and no more can be") from None
        return status_of(await read_status(connection, tenant))
