"""`/v1/gold`: what humans judged, page by page as JSON, or all of it as one stream of NDJSON. Metrics has it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from services.gateway.api import requests
from services.gateway.api.callers import BEARER, caller_with
from services.gateway.api.document import GOLD_FORMS, GOLD_ROW, PAGING, refusals
from services.gateway.api.passing import answered
from services.gateway.api.rendering import JSON, NDJSON, decoded
from services.gateway.api.state import gateway_of
from services.gateway.clients.upstream import Upstream
from services.gateway.domain.keys import Key
from services.gateway.domain.media import media_type
from services.gateway.domain.tables import as_ndjson
from shared.problems import BadRequest

routes = APIRouter(dependencies=[Depends(BEARER)], tags=["gold"])

RecordsReader = Annotated[Key, Depends(caller_with("records:read"))]
PATH = "/v1/gold"
AT_ONCE = 200
"""Rows asked for at a time while they are streamed."""

PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Accept, Authorization"}

PAGE: dict[str, Any] = {
    "type": "object",
    "properties": {"rows": {"type": "array", "items": GOLD_ROW}, "next": {"type": ["string", "null"]}},
}
FORMS: dict[int | str, dict[str, Any]] = {
    200: {"description": "What humans judged", "content": {JSON: {"schema": PAGE}, NDJSON: {"schema": GOLD_ROW}}}
}


@routes.get(
    PATH,
    summary="What humans judged, to teach and to measure models with",
    description=GOLD_FORMS,
    responses=FORMS | refusals(400, 401, 403, 429, 503),
    openapi_extra={"parameters": PAGING},
)
async def gold(request: Request, caller: RecordsReader) -> Response:
    metrics = gateway_of(request).upstream("metrics")
    streamed = media_type(request.headers.get("accept", ""), (JSON, NDJSON)) == NDJSON
    if streamed and "limit" in request.query_params:
        raise BadRequest(invalid_params=[{"name": "limit", "reason": "as NDJSON all rows come in one stream"}])
    query = f"{requests.query(request)}&limit={AT_ONCE}".lstrip("&") if streamed else requests.query(request)
    first = await metrics.call("GET", PATH, tenant=caller.tenant, query=query)
    if first.status_code != 200:
        return answered(first)
    if not streamed:
        return Response(first.content, headers=PRIVATE, media_type=JSON)
    return StreamingResponse(lines(metrics, caller.tenant, decoded(first.content)), headers=PRIVATE, media_type=NDJSON)


async def lines(metrics: Upstream, tenant: str, page: dict[str, Any]) -> AsyncIterator[bytes]:
    """This page and all behind it, each asked for when the one before has been sent. An outage breaks the stream off, so that
    nobody takes a part for the whole."""
    yield as_ndjson(page["rows"])
    while page["next"]:
        query = urlencode({"cursor": page["next"], "limit": AT_ONCE})
        answer = await metrics.call("GET", PATH, tenant=tenant, query=query)
        page = decoded(answer.raise_for_status().content)
        yield as_ndjson(page["rows"])
