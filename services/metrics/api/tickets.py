"""`GET /v1/tickets`: one row for each ticket, with every duration, flag and state that KPIs count."""

from asyncio import to_thread
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.metrics.api.dependencies import MetricsState, OptionalText, parse_cursor, turn
from services.metrics.api.encoding import local, terms_of, window_of
from services.metrics.api.filters import parse_filter
from services.metrics.api.kpis import FRESHNESS_HEADERS, json_response
from services.metrics.api.parameters import FILTERS, ParsedQueryRoute, WindowParameters, check_names, described
from services.metrics.api.queries import choice, parse_preset, parse_window, parse_zone
from services.metrics.api.schemas import Instant, TermsRevision, Window
from services.metrics.domain.query import Query as KpiQuery
from services.metrics.domain.ticket_columns import COLUMNS, NAME_COLUMNS, ColumnType
from services.metrics.evaluation.scans import TooSlow
from services.metrics.evaluation.tickets import FILED_BY, TICKETS, FiledBy, TicketPage, list_tickets
from services.metrics.store.records import RecordCursor
from shared.database import outage_is_503
from shared.disconnects import ClientMessages
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, responses
from shared.routes import require_digits

routes = APIRouter(route_class=ParsedQueryRoute, prefix="/v1/tickets", tags=["kpis"])

DEFAULT_PAGE, MAX_PAGE = 100, 2_000

JSON_TYPES: dict[ColumnType, dict[str, str]] = {
    "string": {"type": "string"},
    "time": {"type": "string", "format": "date-time"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}


class TicketParameters(WindowParameters):
    """The parameters of a page of tickets, except `filter[<dimension>]`: see FILTERS."""

    filed_by: OptionalText = described(
        "Which tickets the window selects: those `opened` in it (the default), or those that are solved or closed now and were"
        " last `solved` in it",
        enum=list(FILED_BY),
    )
    preset: OptionalText = described(
        "The values under the definitions of a preset that is switched on: `GET /v1/presets`", examples=["dbt_zendesk"]
    )
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE), BeforeValidator(require_digits)] = Field(
        DEFAULT_PAGE, description="Tickets on a page"
    )
    cursor: OptionalText = described("`next` of the page before; left out: the first page")


def with_columns(schema: dict[str, Any]) -> None:
    """Describe the columns that every tenant has, each of which may be null, and allow those of own dimensions."""
    properties = {
        column.name: {"anyOf": [JSON_TYPES[column.type], {"type": "null"}], "description": column.description}
        for column in COLUMNS
    }
    names = {
        name: {"anyOf": [{"type": "string"}, {"type": "null"}], "description": f"The name of the {dimension}"}
        for dimension, name in NAME_COLUMNS.items()
    }
    schema.update(
        properties=properties | names, required=[*properties, *names], additionalProperties={"type": ["string", "null"]}
    )


class TicketRow(BaseModel):
    """A ticket. The tenant's own dimensions are further fields."""

    model_config = ConfigDict(extra="allow", json_schema_extra=with_columns)


class TicketColumn(BaseModel):
    """A column of the tickets."""

    name: str = Field(description="The name of the field", examples=["first_reply_seconds"])
    type: ColumnType = Field(description="The type of its values, any of which may be null")


class Tickets(BaseModel):
    """A page of tickets, the latest first."""

    window: Window = Field(description="The window of the query")
    watermark: Instant | None = Field(
        description="Everything received before it is counted; null until every partition has been read"
    )
    unknown_filter_values: dict[str, list[str]] = Field(
        description="By dimension, values of filters that no record of the tenant has ever had"
    )
    suggested_filter_values: dict[str, dict[str, list[str]]] = Field(
        description="By dimension and unknown value, similar values that records of the tenant have had"
    )
    terms: TermsRevision = Field(description="The terms of the tenant that the values are computed under")
    columns: list[TicketColumn] = Field(
        description="The columns in the order that CSV and Parquet have. Later versions add columns, so read them by name"
    )
    next: str | None = Field(description="The `cursor` of the next page; null on the last one")
    tickets: list[TicketRow] = Field(description="The latest first")


@dataclass(frozen=True, slots=True)
class RequestedTickets:
    """A request for a page of tickets."""

    query: KpiQuery
    filed_by: FiledBy
    limit: int
    after: RecordCursor | None


async def tickets_request(
    tenant: TenantName, request: Request, parameters: Annotated[TicketParameters, Query()]
) -> RequestedTickets:
    """Parse a request. `tenant` is authenticated before anything is parsed."""
    filters = check_names(request, TicketParameters)
    query = KpiQuery(
        kpi=TICKETS,
        window=parse_window(parameters),
        zone=None if parameters.tz is None else parse_zone(parameters.tz),
        filters=tuple(parse_filter(TICKETS, dimension, text) for dimension, text in filters.items()),
        preset=parse_preset(TICKETS, "preset", parameters.preset),
    )
    filed_by = choice("filed_by", parameters.filed_by, tuple(FILED_BY)) or "opened"
    return RequestedTickets(query, filed_by, parameters.limit, parse_cursor(parameters.cursor, RecordCursor))


@routes.get(
    "",
    operation_id="list_tickets",
    summary="List tickets, one row each, with every duration, flag and state that KPIs count",
    description="For checks in a spreadsheet or a warehouse. Merged, spam and deleted tickets are left out, as from every KPI."
    " Filters select by the dimensions at the opening, or with `filed_by=solved` at the last solve; team and agent in a row are"
    " the latest.",
    response_class=Response,
    responses={
        **responses(NotAuthenticated, BadRequest, TooSlow),
        200: {"model": Tickets, "headers": FRESHNESS_HEADERS},
    },
    openapi_extra=FILTERS,
)
async def list_tickets_route(
    tenant: TenantName,
    client: ClientMessages,
    state: MetricsState,
    requested: Annotated[RequestedTickets, Depends(tickets_request)],
) -> Response:
    """List a page of tickets and encode it as JSON."""
    async with turn(client, state, tenant):
        async with outage_is_503():
            page = await list_tickets(
                state.source, tenant, requested.query, requested.filed_by, state.clock(), requested.limit, requested.after
            )
        body = await to_thread(encode_tickets, page)
    return json_response(body, page.freshness)


def encode_tickets(page: TicketPage) -> bytes:
    """A page of tickets as JSON."""
    zone, fresh = page.window.zone, page.freshness
    body = {
        "window": window_of(page.window),
        "watermark": fresh.watermark.isoformat() if fresh.watermark else None,
        "unknown_filter_values": page.unknown.values,
        "suggested_filter_values": page.unknown.suggestions,
        "terms": terms_of(page.query, fresh),
        "columns": [{"name": column.name, "type": column.type} for column in page.columns],
        "next": str(page.next) if page.next else None,
        "tickets": [{name: in_json(value, zone) for name, value in ticket.items()} for ticket in page.tickets],
    }
    return msgspec.json.encode(body)


def in_json(value: object, zone: ZoneInfo) -> object:
    """A value of a ticket; a time in `zone`."""
    return local(value, zone) if isinstance(value, datetime) else value
