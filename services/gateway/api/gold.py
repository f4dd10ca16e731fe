"""`/v1/gold`: human labels of comments, page by page as JSON or all of them as one NDJSON stream. Metrics holds them."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from services.gateway.api.auth import require
from services.gateway.api.dependencies import GatewayState
from services.gateway.api.forwarding import Requested, pass_through
from services.gateway.api.head_requests import IsHead
from services.gateway.api.openapi import UpstreamRoute, import_operation
from services.gateway.api.rendering import JSON, NDJSON, decode_object
from services.gateway.clients.upstream import Upstream
from services.gateway.domain.keys import Key
from services.gateway.domain.lines import to_ndjson
from services.gateway.domain.media import choose_media_type
from shared.problems import BadRequest, Forbidden, NotAuthenticated, TooManyRequests, responses

routes = APIRouter(route_class=UpstreamRoute, tags=["gold"])

RecordsReader = Annotated[Key, Depends(require("records:read"))]
PATH = "/v1/gold"
STREAM_PAGE_SIZE = 200
"""Rows of each page that a stream fetches."""

PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Accept, Authorization"}

PROBLEMS = responses(BadRequest, NotAuthenticated, Forbidden, TooManyRequests)
FORMATS = """With `Accept: application/x-ndjson` all rows from `cursor` on come in one stream, one row a line; `limit` is not
allowed. A stream that breaks off is not complete."""


@routes.get(
    PATH,
    description=FORMATS,
    responses=PROBLEMS,
    openapi_extra=import_operation(
        "metrics",
        row_formats=(NDJSON,),
    ),
)
async def list_gold(
    gateway: GatewayState,
    caller: RecordsReader,
    requested: Requested,
    is_head: IsHead,
    limit: Annotated[str | None, Query(include_in_schema=False)] = None,
) -> Response:
    """One page as JSON, or all rows as NDJSON."""
    metrics = gateway.upstream("metrics")
    streams = choose_media_type(requested.accept, (JSON, NDJSON)) == NDJSON
    if streams and limit is not None:
        raise BadRequest(invalid_params=[{"name": "limit", "reason": "not allowed: NDJSON streams all rows"}])
    query = f"{requested.query}&limit={STREAM_PAGE_SIZE}".lstrip("&") if streams else requested.query
    first = await metrics.call("GET", PATH, tenant=caller.tenant, query=query)
    if first.status_code != 200:
        return pass_through(first)
    if not streams:
        return Response(first.content, headers=PRIVATE, media_type=JSON)
    if is_head:
        return StreamingResponse(iter(()), headers=PRIVATE, media_type=NDJSON)
    pages = stream_pages(metrics, caller.tenant, decode_object(first.content))
    return StreamingResponse(pages, headers=PRIVATE, media_type=NDJSON)


async def stream_pages(metrics: Upstream, tenant: str, page: dict[str, Any]) -> AsyncIterator[bytes]:
    """`page` and all pages after it as NDJSON. Fetches a page when the one before has been sent. An error aborts the stream, so
    that a client can't mistake a part for the whole."""
    yield to_ndjson(page["rows"])
    while page["next"]:
        query = urlencode({"cursor": page["next"], "limit": STREAM_PAGE_SIZE})
        response = await metrics.call("GET", PATH, tenant=tenant, query=query)
        page = decode_object(response.raise_for_status().content)
        yield to_ndjson(page["rows"])
