"""`GET /v1/tickets`: the ticket export, as JSON, CSV, NDJSON or Parquet. Metrics computes it."""

from asyncio import to_thread

import msgspec
from fastapi import APIRouter, Response

from services.gateway.api.dependencies import GatewayState
from services.gateway.api.documents import IF_NONE_MATCH, document_responses, respond_tagged, tag_of_document
from services.gateway.api.forwarding import Requested, get_from_metrics, pass_through
from services.gateway.api.kpis import PROBLEMS, RecordsReader
from services.gateway.api.openapi import UpstreamRoute, import_operation
from services.gateway.api.parquet import PARQUET, parquet_of
from services.gateway.api.rendering import CSV, JSON, MEDIA_TYPES, NDJSON, Format, accepted_format, join, next_page
from services.gateway.api.ticket_lines import lines_of_csv, ndjson_lines
from services.gateway.domain.etags import content_etag
from services.gateway.domain.ticket_table import TicketPage, decode_page
from shared.problems import Unavailable

routes = APIRouter(route_class=UpstreamRoute, tags=["kpis"])

PATH = "/v1/tickets"
FORMATS = f"""`Accept: text/csv` returns the same columns in the same order, `Accept: application/x-ndjson` a line for each
ticket, `Accept: {PARQUET}` an Apache Parquet file. In these formats the header `Link` has the URL of the next page.
In CSV and NDJSON all times have one format, in UTC: `2026-11-01T09:00:00.000000Z`; with `Accept: text/csv; charset=utf-8-sig` the
CSV begins with a byte order mark, by which Excel recognises UTF-8. In Parquet times are timestamps in UTC."""


@routes.get(
    PATH,
    description=FORMATS,
    responses=document_responses("The tickets", "the tickets and their columns, not of the window") | PROBLEMS,
    openapi_extra=import_operation(
        "metrics", row_formats=(CSV, NDJSON), file_formats=(PARQUET,), rows="tickets", headers=[IF_NONE_MATCH]
    ),
)
async def list_tickets(gateway: GatewayState, caller: RecordsReader, requested: Requested) -> Response:
    """A page of tickets in the media type that the client accepts."""
    format_ = accepted_format(requested.accept, (*MEDIA_TYPES, PARQUET))
    response = await get_from_metrics(gateway, caller, requested, PATH)
    if response.status_code != 200:
        return pass_through(response)
    headers = {"Content-Type": format_.content_type}
    if format_.media_type == JSON:
        return respond_tagged(requested, response, response.content, tag_of_document(response.content, "window"), headers)
    try:
        page = decode_page(response.content)
        body = await render(page, format_)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unavailable("metrics responded with invalid tickets") from error
    if page.next:
        headers["Link"] = f'<{next_page(PATH, requested.query, page.next)}>; rel="next"'
    return respond_tagged(requested, response, body, content_etag(body, headers.get("Link", "").encode()), headers)


async def render(page: TicketPage, format_: Format) -> bytes:
    """The tickets of a page in a format other than JSON."""
    if format_.media_type == PARQUET:
        return await to_thread(parquet_of, page)
    return await join(ndjson_lines(page) if format_.media_type == NDJSON else lines_of_csv(page, format_))
