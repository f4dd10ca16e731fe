"""KPIs over HTTP: the catalogue, a KPI's value, breakdown or series, and the records behind it."""

from asyncio import to_thread
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.metrics.api.dependencies import MetricsState, UnknownKpi, kpi_turn, turn
from services.metrics.api.encoding import encode_records, encode_result
from services.metrics.api.parameters import FILTERS, ParsedQueryRoute
from services.metrics.api.queries import RequestedKpi, RequestedRecords, kpi_request, records_request
from services.metrics.api.schemas import Catalogue, KpiEntry, KpiResult, RecordsPage
from services.metrics.domain.kpis import KPIS
from services.metrics.evaluation.presets import evaluate
from services.metrics.evaluation.records import list_records
from services.metrics.evaluation.scans import TooManyContributions, TooSlow
from services.metrics.store.presets import own_presets
from services.metrics.store.progress import Freshness
from services.metrics.store.promotions import current_tenant
from services.metrics.store.query import snapshot
from shared.database import outage_is_503
from shared.disconnects import ClientMessages
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, responses
from shared.routes import TypedRoute

REVISION = "X-Earshot-Revision"
WATERMARK = "X-Earshot-Watermark"
MOVES = "X-Earshot-Moves"

FRESHNESS_HEADERS = {
    REVISION: {"description": "The state that the result is computed from", "schema": {"type": "string"}},
    WATERMARK: {
        "description": "Everything received before it is counted; left out if that is unknown",
        "schema": {"type": "string", "format": "date-time"},
    },
}
MOVES_HEADER = {
    MOVES: {
        "description": "Present if the result changes with the clock, although its window is in the past: a value is maturing",
        "schema": {"type": "string"},
    }
}

TOO_MANY_CONTRIBUTIONS = responses(TooManyContributions)[413] | {
    "description": "No stored counts answer the query, and the window has too many contributions to read them one by one (Too"
    " many contributions)"
}

catalogue_routes = APIRouter(route_class=TypedRoute, prefix="/v1/kpis", tags=["kpis"])
routes = APIRouter(route_class=ParsedQueryRoute, prefix="/v1/kpis", tags=["kpis"])


@catalogue_routes.get(
    "",
    operation_id="list_kpis",
    summary="List the KPIs with their definitions",
    responses=responses(NotAuthenticated, BadRequest),
)
async def list_kpis(tenant: TenantName, state: MetricsState) -> Catalogue:
    """The definitions are the same for every tenant; only the tenant's own dimensions and presets differ."""
    async with outage_is_503(), snapshot(state.source.pool) as connection:
        current = await current_tenant(connection, tenant, state.source.default_model)
        own = [] if current.number is None else sorted(await own_presets(connection, current.number, current.own_presets))
    entries = [kpi.entry() | {"presets": [*kpi.presets, *(own if kpi.is_of_tickets else ())]} for kpi in KPIS.values()]
    return Catalogue(kpis=[KpiEntry.model_validate(entry) for entry in entries], own_dimensions=list(current.dimensions))


@routes.get(
    "/{kpi}",
    operation_id="get_kpi",
    summary="Get a KPI's value, a breakdown by groups or a series over time",
    description="Without `grain` and `group_by` the result has one row. Nothing after the present is counted.\n\n"
    "Stored counts answer groups and filters of one dimension, and of some pairs. Other queries read contributions one by one:"
    " they are slower, few of them run at a time, and a long window may answer 413 or 503, with a remedy in `detail`.",
    response_class=Response,
    responses={
        **responses(NotAuthenticated, UnknownKpi, BadRequest, TooManyContributions, TooSlow),
        413: TOO_MANY_CONTRIBUTIONS,
        200: {"model": KpiResult, "headers": FRESHNESS_HEADERS | MOVES_HEADER},
    },
    openapi_extra=FILTERS,
)
async def get_kpi(
    tenant: TenantName, client: ClientMessages, state: MetricsState, requested: Annotated[RequestedKpi, Depends(kpi_request)]
) -> Response:
    """Evaluate the KPI and encode the result as JSON."""
    async with kpi_turn(client, state, tenant, requested.query) as source:
        async with outage_is_503():
            result, sides = await evaluate(source, tenant, requested.query, state.clock(), requested.fields)
        body = await encode_result(result, sides, requested.fields)
    response = json_response(body, result.freshness)
    if any(result.query.kpi.is_maturing(bucket.end, result.now) for bucket in result.series[0].period.buckets):
        response.headers[MOVES] = "maturing"
    return response


@routes.get(
    "/{kpi}/records",
    operation_id="list_kpi_records",
    summary="List the records behind a KPI's value, newest first",
    description="The records of the whole window, whatever the `grain`; for the backlog, the tickets that are open at its "
    "end.\n\n"
    "A record of a comment has its `text_hash`, which identifies the text to `/v1/overrides`, its label, score, themes and "
    "urgency, and who judged it.",
    response_class=Response,
    responses={
        **responses(NotAuthenticated, UnknownKpi, BadRequest, TooSlow),
        200: {"model": RecordsPage, "headers": FRESHNESS_HEADERS},
    },
    openapi_extra=FILTERS,
)
async def list_kpi_records(
    tenant: TenantName,
    client: ClientMessages,
    state: MetricsState,
    requested: Annotated[RequestedRecords, Depends(records_request)],
) -> Response:
    """List a page of records and encode it as JSON."""
    async with turn(client, state, tenant), outage_is_503():
        page = await list_records(state.source, tenant, requested.query, state.clock(), requested.limit, requested.after)
        body = await to_thread(encode_records, page, requested.fields)
    return json_response(body, page.freshness)


def json_response(body: bytes, fresh: Freshness) -> Response:
    """The response with the revision and the watermark as headers."""
    headers = {REVISION: fresh.revision}
    if fresh.watermark:
        headers[WATERMARK] = fresh.watermark.isoformat()
    return Response(body, media_type="application/json", headers=headers)
