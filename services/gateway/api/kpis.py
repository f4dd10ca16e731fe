"""KPI routes: the catalogue, a KPI's result, its explanation, and the records behind it. Metrics computes them.

The entity tag of a result is weak: it covers the numbers but not the watermark, which advances while the numbers stay.
`X-Earshot-Watermark` carries the watermark of a 200 and of a 304, so a client that keeps a result knows how complete it is now.
The watermark in a cached body is older and still true: everything received before it is counted.
"""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from services.gateway.api.auth import require
from services.gateway.api.dependencies import Gateway, GatewayState
from services.gateway.api.documents import (
    IF_NONE_MATCH,
    REVALIDATE,
    WATERMARK,
    WATERMARK_HEADER,
    document_responses,
    etag_header,
    respond_with_document,
)
from services.gateway.api.forwarding import GetRequest, Requested, checked_id, get_from_metrics, pass_through
from services.gateway.api.openapi import UpstreamRoute, import_operation
from services.gateway.api.rendering import CSV, JSON, NDJSON, accepted_format, render
from services.gateway.clients.metrics import UnknownKpi, fetch_revision
from services.gateway.domain.etags import (
    ResultKey,
    is_valid,
    matches,
    may_be_valid,
    parse_if_none_match,
    result_etag,
    weak,
)
from services.gateway.domain.keys import Key
from services.gateway.domain.tables import kpi_table, records_table
from shared.problems import BadRequest, Forbidden, NotAuthenticated, NotFound, TooManyRequests, responses

routes = APIRouter(route_class=UpstreamRoute, tags=["kpis"])

MetricsReader = Annotated[Key, Depends(require("metrics:read"))]
RecordsReader = Annotated[Key, Depends(require("records:read"))]

PROBLEMS = responses(BadRequest, NotAuthenticated, Forbidden, NotFound, TooManyRequests)
NOT_MODIFIED = {
    "description": "The entity tag in `If-None-Match` is valid: the numbers are the same. `X-Earshot-Watermark` has the current "
    "watermark"
}
CATALOGUE_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The entity tag in `If-None-Match` is valid"}}
RESULTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The result",
        "headers": {
            "ETag": etag_header("the numbers"),
            WATERMARK_HEADER: WATERMARK,
        },
    },
    304: NOT_MODIFIED,
}

TIMES_AND_FORMATS = """In CSV and NDJSON all times have one format, in UTC: `2026-11-01T09:00:00.000000Z`. With
`Accept: text/csv; charset=utf-8-sig` the CSV begins with a byte order mark, by which Excel recognises UTF-8; with
`header=absent` it has no header. `fields` selects columns of CSV as it selects fields of JSON."""

VALUE_COLUMNS = ", ".join(kpi_table({}, ["<a column for each dimension of group_by>"], comparisons=1, presets=1).header)
CSV_AND_NDJSON = f"""With `Accept: text/csv` the rows have these columns in this order: `{VALUE_COLUMNS}`;
those of `compare_1_` for each `compare`, and those of `compare_preset_1_` for each of `compare_presets`, numbered from 1.
`sla_breached_open` has the column `next_breach` at the end.
`distribution` is JSON; a text that a spreadsheet would read as a
formula begins with an apostrophe. With `Accept: application/x-ndjson` each line is one row. {TIMES_AND_FORMATS}"""

RECORDS_HEADER = ", ".join(records_table(["<a column for each of the tenant's own dimensions>"]).header)
RECORDS_AS_CSV_AND_NDJSON = f"""With `Accept: text/csv` the records have these columns, in this order: `{RECORDS_HEADER}`.
With `Accept: application/x-ndjson` each line is one record. In both formats the header `Link` has the URL of the next page.
{TIMES_AND_FORMATS}"""

EXPLANATION = """The tag covers the whole explanation except its watermark. Every request recomputes the explanation,
also one with `If-None-Match`: a 304 says that it has not changed."""

REVISION_HEADER = "x-earshot-revision"
MOVES_HEADER = "x-earshot-moves"
"""Present if the result changes with the clock, although its window is closed."""


@routes.get(
    "/v1/kpis",
    responses=CATALOGUE_NOT_MODIFIED | PROBLEMS,
    openapi_extra=import_operation("metrics", headers=[IF_NONE_MATCH]),
)
async def list_kpis(gateway: GatewayState, caller: MetricsReader, requested: Requested) -> Response:
    """The catalogue of metrics, with an entity tag."""
    response = await gateway.upstream("metrics").call("GET", "/v1/kpis", tenant=caller.tenant, query=requested.query)
    if response.status_code != 200:
        return pass_through(response)
    etag = f'"{blake2b(response.content, digest_size=12).hexdigest()}"'
    headers = REVALIDATE | {"ETag": etag}
    if matches(requested.if_none_match, etag):
        return Response(status_code=304, headers=headers)
    return Response(response.content, headers=headers, media_type=JSON)


@routes.get(
    "/v1/kpis/{kpi}",
    description=CSV_AND_NDJSON,
    responses=RESULTS | PROBLEMS,
    openapi_extra=import_operation(
        "metrics",
        row_formats=(CSV, NDJSON),
        headers=[IF_NONE_MATCH],
    ),
)
async def get_kpi(gateway: GatewayState, caller: MetricsReader, requested: Requested, kpi: str) -> Response:
    """A KPI's result."""
    return await respond(gateway, caller, requested, checked_id(kpi, UnknownKpi), "")


@routes.get(
    "/v1/kpis/{kpi}/records",
    description=RECORDS_AS_CSV_AND_NDJSON,
    responses=RESULTS | PROBLEMS,
    openapi_extra=import_operation(
        "metrics",
        row_formats=(CSV, NDJSON),
        rows="records",
        headers=[IF_NONE_MATCH],
    ),
)
async def list_records(gateway: GatewayState, caller: RecordsReader, requested: Requested, kpi: str) -> Response:
    """A page of the records behind a result."""
    return await respond(gateway, caller, requested, checked_id(kpi, UnknownKpi), "/records")


@routes.get(
    "/v1/kpis/{kpi}/explain",
    description=EXPLANATION,
    responses=document_responses("The explanation", "the explanation, its recomputation included") | PROBLEMS,
    openapi_extra=import_operation("metrics", headers=[IF_NONE_MATCH]),
)
async def explain_kpi(gateway: GatewayState, caller: MetricsReader, requested: Requested, kpi: str) -> Response:
    """The explanation of a KPI's value."""
    path = f"/v1/kpis/{checked_id(kpi, UnknownKpi)}/explain"
    response = await get_from_metrics(gateway, caller, requested, path)
    return respond_with_document(requested, response)


async def respond(gateway: Gateway, caller: Key, requested: GetRequest, kpi: str, suffix: str) -> Response:
    """The result of metrics at `/v1/kpis/{kpi}{suffix}` in the media type that the client accepts; 304 if the client has it."""
    format_ = accepted_format(requested.accept)
    path = f"/v1/kpis/{kpi}{suffix}"
    key = ResultKey(caller.tenant, caller.zone, path, requested.query, str(format_))
    if (headers := await not_modified_headers(gateway, requested, key, kpi)) is not None:
        return Response(status_code=304, headers=REVALIDATE | headers)
    now = datetime.now(UTC)
    response = await get_from_metrics(gateway, caller, requested, path)
    if response.status_code != 200:
        return pass_through(response)
    body, headers = await render(response.content, format_, path, key.query)
    if revision := response.headers.get(REVISION_HEADER):
        headers["ETag"] = weak(result_etag(key, revision, now, moves=MOVES_HEADER in response.headers))
    if watermark := response.headers.get(WATERMARK_HEADER):
        headers[WATERMARK_HEADER] = watermark
    return Response(body, headers=REVALIDATE | headers)


async def not_modified_headers(gateway: Gateway, requested: GetRequest, key: ResultKey, kpi: str) -> dict[str, str] | None:
    """The headers of a 304: the client's valid entity tag and the watermark. None if the client has no valid tag.

    Fetches the revision only if the client sent a tag that may be valid.
    """
    now = datetime.now(UTC)
    candidates = [etag for etag in parse_if_none_match(requested.if_none_match) if may_be_valid(etag, key, now)]
    if not candidates:
        return None
    current = await fetch_revision(gateway.upstream("metrics"), key.tenant, kpi)
    valid = next((etag for etag in candidates if is_valid(etag, key, current.revision, now)), None)
    if valid is None:
        return None
    return {"ETag": weak(valid)} | ({WATERMARK_HEADER: current.watermark} if current.watermark else {})
