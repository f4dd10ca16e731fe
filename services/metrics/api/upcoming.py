"""`GET /v1/sla/upcoming`: open tickets with an SLA target that is not met, by the time that is left until the deadline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.metrics.api.dependencies import DEFAULT_PAGE, Limit, MetricsState, OptionalText, parse_cursor, turn
from services.metrics.api.encoding import local, names_in
from services.metrics.api.filters import parse_filter
from services.metrics.api.parameters import FILTERS, ParsedQueryRoute, check_names, described
from services.metrics.api.queries import choice
from services.metrics.api.schemas import Instant, TermsRevision, ValueNames
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.query import Filter
from services.metrics.domain.query import Query as KpiQuery
from services.metrics.domain.sla_rows import DUE
from services.metrics.domain.sla_targets import METRICS, Metric
from services.metrics.domain.windows import BadQuery
from services.metrics.evaluation.scans import TooSlow
from services.metrics.evaluation.selections import selection_of
from services.metrics.evaluation.unknown_values import find_unknown_values
from services.metrics.store.names import Directory, names_of
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.selection import resolve
from services.metrics.store.upcoming import DueTicket, UpcomingCursor, due_tickets
from shared.database import outage_is_503
from shared.disconnects import ClientMessages
from shared.events import NAMED_DIMENSIONS
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, responses
from shared.windows import LENGTH, MAX_DAYS, parse_length

routes = APIRouter(route_class=ParsedQueryRoute, prefix="/v1/sla", tags=["terms"])

BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)

State = Literal["running", "breached"]
MICROSECOND, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
STATES: tuple[State, ...] = ("running", "breached")

MEMBER = KPIS["sla_breached_open"]
"""The KPI whose dimensions the tickets have."""


class UpcomingParameters(BaseModel):
    """The parameters of a list of upcoming deadlines, except `filter[<dimension>]`: see FILTERS."""

    within: OptionalText = described(
        f"Only deadlines at most this many minutes, hours or days from now (`30m`, `4h`, `2d`; up to {MAX_DAYS} days), and "
        f"those that have passed; left out: all",
        examples=["4h"],
        pattern=f"^{LENGTH.pattern}$",
    )
    state: OptionalText = described(
        "Only tickets whose deadline has not passed (`running`), or has (`breached`); left out: both", enum=list(STATES)
    )
    metric: OptionalText = described(
        "Only deadlines of this target; left out: all, so that a ticket may be listed several times", enum=list(METRICS)
    )
    limit: Limit = Field(DEFAULT_PAGE, description="Rows on a page")
    cursor: OptionalText = described("`next` of the page before; left out: the first page")


class UpcomingRow(BaseModel):
    """An open ticket and a target that it has not met."""

    subject: str = Field(description="The ticket", examples=["c1/ticket/T-9"])
    metric: Metric = Field(description="The target: what is due")
    policy: str = Field(description="The id of the policy that applies to the ticket", examples=["urgent"])
    deadline: Instant = Field(description="The last instant at which the reply or the solve meets the target")
    seconds_left: int = Field(description="Whole seconds until the deadline; negative once it has passed")
    state: State = Field(description="`breached` once the deadline has passed")
    dims: dict[str, str | None] = Field(
        description="The value of each dimension; null is no value. Team and agent are the present ones; the priority is the "
        "one that the ticket had when the policy applied"
    )
    names: ValueNames


class Upcoming(BaseModel):
    """A page of open tickets with a target that is not met, by time left: those past their deadline come first."""

    now: Instant = Field(description="The time that `seconds_left` counts from")
    rows: list[UpcomingRow] = Field(description="The tickets, each once for each target")
    next: str | None = Field(description="`cursor` of the next page; null on the last page")
    unknown_filter_values: dict[str, list[str]] = Field(
        description="By dimension, values of filters that no record of the tenant has ever had"
    )
    suggested_filter_values: dict[str, dict[str, list[str]]] = Field(
        description="By dimension and unknown value, similar values that records of the tenant have had"
    )
    terms: TermsRevision = Field(description="The terms of the tenant that the deadlines are computed under")


@dataclass(frozen=True, slots=True)
class RequestedUpcoming:
    """A request for a page of upcoming deadlines."""

    within: timedelta | None
    state: State | None
    metric: Metric | None
    filters: tuple[Filter, ...]
    limit: int
    after: UpcomingCursor | None

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """The first and the last deadline that are listed."""
        first = now if self.state == "running" else BEGINNING
        if self.state == "breached":
            return first, now - MICROSECOND
        return first, END if self.within is None else now + self.within


async def upcoming_request(
    tenant: TenantName, request: Request, parameters: Annotated[UpcomingParameters, Query()]
) -> RequestedUpcoming:
    """Parse a request. `tenant` is authenticated before anything is parsed."""
    filters = check_names(request, UpcomingParameters)
    return RequestedUpcoming(
        parse_within(parameters.within),
        choice("state", parameters.state, STATES),
        choice("metric", parameters.metric, METRICS),
        tuple(parse_filter(MEMBER, dimension, text) for dimension, text in filters.items()),
        parameters.limit,
        parse_cursor(parameters.cursor, UpcomingCursor),
    )


def parse_within(text: str | None) -> timedelta | None:
    """The length of time that `within` states; None without it. Raises BadQuery."""
    if text is None:
        return None
    length = parse_length(text)
    if length is None:
        raise BadQuery("within", f"is not a number of minutes, hours or days up to {MAX_DAYS} days, such as 30m, 4h or 2d")
    return length


@routes.get(
    "/upcoming",
    operation_id="list_upcoming_deadlines",
    summary="List open tickets by the time that is left until their SLA deadlines",
    description="Tickets that are neither solved nor closed, to which an SLA policy applies: one row for each first reply, next"
    " reply or resolution that is due. Those past their deadline come first. A resolution whose time is paused has no deadline,"
    " and is not listed unless the deadline has passed.\n\n`/v1/live?sla=upcoming` streams this list.",
    responses=responses(NotAuthenticated, BadRequest, TooSlow),
    openapi_extra=FILTERS,
)
async def list_upcoming_deadlines(
    tenant: TenantName,
    client: ClientMessages,
    state: MetricsState,
    requested: Annotated[RequestedUpcoming, Depends(upcoming_request)],
) -> Upcoming:
    """Read a page of deadlines in one snapshot."""
    now, source = state.clock(), state.source
    async with turn(client, state, tenant), outage_is_503(), snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model)
        query = KpiQuery(kpi=MEMBER, filters=requested.filters)
        selection = replace(selection_of(query, current), measures=tuple(DUE.values()))
        scope = await resolve(connection, tenant, selection)
        first, last = requested.bounds(now)
        metrics = METRICS if requested.metric is None else (requested.metric,)
        tickets, following = await due_tickets(connection, scope, metrics, first, last, requested.limit, requested.after)
        unknown = await find_unknown_values(connection, selection, scope)
        names = await names_of_tickets(connection, current, tickets)
    zone = ZoneInfo(current.zone)
    return Upcoming(
        now=local(now, zone),
        rows=[row_of(ticket, now, zone, names) for ticket in tickets],
        next=str(following) if following else None,
        unknown_filter_values=unknown.values,
        suggested_filter_values=unknown.suggestions,
        terms=TermsRevision(revision=current.terms_revision),
    )


async def names_of_tickets(connection: asyncpg.Connection, current: CurrentTenant, tickets: Sequence[DueTicket]) -> Directory:
    """The names of the teams and agents of tickets."""
    if current.number is None or not current.names_revision:
        return {}
    values = {(name, value) for ticket in tickets for name in NAMED_DIMENSIONS if (value := ticket.dims[name]) is not None}
    return await names_of(connection, current.number, values)


def row_of(ticket: DueTicket, now: datetime, zone: ZoneInfo, names: Directory) -> UpcomingRow:
    """A ticket as the API returns it at `now`."""
    return UpcomingRow(
        subject=ticket.subject,
        metric=ticket.metric,
        policy=ticket.policy,
        deadline=local(ticket.deadline, zone),
        seconds_left=(ticket.deadline - now) // SECOND,
        state="breached" if now > ticket.deadline else "running",
        dims=ticket.dims,
        names=names_in(ticket.dims, names),
    )
