"""KPIs over HTTP: the catalogue, a KPI's value, breakdown or series, and the records behind it."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from services.metrics.api.dependencies import Service, UnknownKpi, kpi_turn, turn
from services.metrics.api.parameters import FILTERS, ParsedQueryRoute
from services.metrics.api.queries import RequestedKpi, RequestedRecords, kpi_request, records_request
from services.metrics.api.schemas import Catalogue, KpiEntry, KpiResult, RecordsPage
from services.metrics.domain.estimators import Estimate
from services.metrics.domain.intervals import Interval
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.query import Query
from services.metrics.domain.windows import Window
from services.metrics.evaluation.presets import Side, evaluate
from services.metrics.evaluation.records import RecordEntry, RecordPage, list_records
from services.metrics.evaluation.results import Compared, Result, Row
from services.metrics.evaluation.scans import TooManyContributions, TooSlow
from services.metrics.evaluation.unknown_values import UnknownValues
from services.metrics.store.names import Directory
from services.metrics.store.presets import own_presets
from services.metrics.store.progress import Freshness
from services.metrics.store.promotions import current_tenant
from services.metrics.store.query import snapshot
from shared.database import outage_is_503
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
async def list_kpis(tenant: TenantName, state: Service) -> Catalogue:
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
    tenant: TenantName, request: Request, state: Service, requested: Annotated[RequestedKpi, Depends(kpi_request)]
) -> Response:
    """Evaluate the KPI and encode the result as JSON."""
    async with kpi_turn(request, state, tenant, requested.query) as source:
        async with outage_is_503():
            result, sides = await evaluate(source, tenant, requested.query, state.clock())
        body = await encode_result(result, sides, requested.fields)
    response = json_response(body, result.freshness)
    if any(result.query.kpi.is_maturing(bucket.end, result.now) for bucket in result.series[0].period.buckets):
        response.headers[MOVES] = "maturing"
    return response


@routes.get(
    "/{kpi}/records",
    operation_id="list_kpi_records",
    summary="List the records behind a KPI's value, newest first",
    description="The records of the whole window, whatever the `grain`; of the backlog the tickets that are open at its end.\n\n"
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
    request: Request,
    state: Service,
    requested: Annotated[RequestedRecords, Depends(records_request)],
) -> Response:
    """List a page of records and encode it as JSON."""
    async with turn(request, state, tenant), outage_is_503():
        page = await list_records(state.source, tenant, requested.query, state.clock(), requested.limit, requested.after)
        body = await to_thread(encode_records, page, requested.fields)
    return json_response(body, page.freshness)


# --- encoding -------------------------------------------------------------------------------------------------------------
async def encode_result(result: Result, sides: Sequence[Side], fields: Sequence[str]) -> bytes:
    """The result as JSON, with these fields of its rows, beside those of the other presets; rows are encoded as they are made."""
    head = head_of(result.query, result.window, result.freshness, result.unknown)
    if sides:
        head["compare_presets"] = [side_of(side) for side in sides]
    beside = [side.result.rows() for side in sides]
    rows = []
    async for row in result.rows():
        others = [(side, await anext(values)) for side, values in zip(sides, beside, strict=True)]
        rows.append(msgspec.json.encode(only(row_of(result, row) | values_beside(row, others), fields)))
    return msgspec.json.encode(head)[:-1] + b',"rows":[' + b",".join(rows) + b"]}"


def encode_records(page: RecordPage, fields: Sequence[str]) -> bytes:
    """A page of records as JSON, with these fields of the records."""
    head = head_of(page.query, page.window, page.freshness, page.unknown)
    body = {
        **head,
        "dimensions": page.own_dimensions,
        "next": str(page.next) if page.next else None,
        "records": [only(record_of(entry, page.window.zone, page.names), fields) for entry in page.entries],
    }
    return msgspec.json.encode(body)


def only(entry: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """The fields of an entry that are selected; it may lack some of them."""
    return {name: value for name, value in entry.items() if name in fields}


def head_of(query: Query, window: Window, fresh: Freshness, unknown: UnknownValues) -> dict[str, Any]:
    """The fields beside the rows or records."""
    return {
        "kpi": query.kpi.id,
        "version": query.kpi.version,
        "unit": query.kpi.unit,
        "window": window_of(window),
        "watermark": fresh.watermark.isoformat() if fresh.watermark else None,
        "unknown_filter_values": unknown.values,
        "suggested_filter_values": unknown.suggestions,
        "terms": terms_of(query, fresh),
    }


def terms_of(query: Query, fresh: Freshness) -> dict[str, Any]:
    """The revision of the terms, and the preset of the query if it has one."""
    return {"revision": fresh.terms_revision} | ({"preset": query.preset} if query.preset else {})


def window_of(window: Window) -> dict[str, str]:
    """The bounds of a window in its zone, as JSON."""
    return {"from": local(window.start, window.zone), "to": local(window.end, window.zone), "tz": window.zone.key}


def local(at: datetime, zone: ZoneInfo) -> str:
    """An instant in ISO 8601, with the offset of `zone`."""
    return at.astimezone(zone).isoformat()


def row_of(result: Result, row: Row) -> dict[str, Any]:
    """One row of a result as JSON, with its comparisons if the query has any."""
    zone, estimate = result.window.zone, row.estimate
    fields: dict[str, Any] = {
        "from": local(row.bucket.start, zone),
        "to": local(row.bucket.end, zone),
        "dims": (dims := dict(zip(result.query.group_by, row.group, strict=True))),
        "names": names_in(dims, result.names),
        "value": estimate.value,
        "n": estimate.n,
        "numerator": estimate.numerator,
        "denominator": estimate.denominator,
        "interval": interval_of(estimate.interval),
        "distribution": distribution_of(estimate),
        "flags": row.flags,
    }
    if row.compared:
        fields["compare"] = [compared_of(one) for one in row.compared]
    return fields


def side_of(side: Side) -> dict[str, Any]:
    """A preset that a result is compared with, as JSON."""
    return {
        "preset": side.preset.id,
        "name": side.preset.name,
        "difference": side.difference,
        "tickets": side.tickets,
        "different_tickets": side.different,
    }


def values_beside(row: Row, others: Sequence[tuple[Side, Row]]) -> dict[str, Any]:
    """The field of a row with its values under other presets; nothing without any."""
    value = row.estimate.value
    values = [
        {
            "preset": side.preset.id,
            "value": other.estimate.value,
            "n": other.estimate.n,
            "delta": None if value is None or other.estimate.value is None else other.estimate.value - value,
            "interval": interval_of(other.estimate.interval),
            "flags": other.flags,
        }
        for side, other in others
    ]
    return {"presets": values} if values else {}


def names_in(dims: Mapping[str, str | None], names: Directory) -> dict[str, str]:
    """The names of the values in `dims`, by dimension; values without a name are left out."""
    return {
        name: by_value[value] for name, by_value in names.items() if (value := dims.get(name)) is not None and value in by_value
    }


def interval_of(interval: Interval | None) -> dict[str, Any] | None:
    """A confidence interval as JSON."""
    if interval is None:
        return None
    return {"low": interval.low, "high": interval.high, "level": interval.level, "method": interval.method}


def distribution_of(estimate: Estimate) -> dict[str, int] | None:
    """Counts by place on the scale, in ascending order; JSON keys are strings."""
    if estimate.distribution is None:
        return None
    return {str(place): n for place, n in sorted(estimate.distribution.items())}


def compared_of(one: Compared) -> dict[str, Any]:
    """The comparison with another window as JSON."""
    return {
        "to": one.to,
        "value": one.estimate.value,
        "n": one.estimate.n,
        "delta": one.delta,
        "significant": one.significant,
    }


def record_of(entry: RecordEntry, zone: ZoneInfo, names: Directory) -> dict[str, Any]:
    """A record as JSON, with the fields of its comment if it has one."""
    fields: dict[str, Any] = {
        "subject": entry.subject,
        "at": local(entry.at, zone),
        "measure": entry.measure,
        "value": entry.value,
        "dims": entry.dims,
        "names": names_in(entry.dims, names),
        "text": entry.text,
    }
    return fields if entry.comment is None else fields | msgspec.structs.asdict(entry.comment)


def json_response(body: bytes, fresh: Freshness) -> Response:
    """The response with the revision and the watermark as headers."""
    headers = {REVISION: fresh.revision}
    if fresh.watermark:
        headers[WATERMARK] = fresh.watermark.isoformat()
    return Response(body, media_type="application/json", headers=headers)
