"""KPIs: the catalogue, a KPI's value, breakdown or series, and the records behind it. Metrics computes them.

The entity tag of an answer is weak: it covers the numbers, not the watermark, which moves on while they stay.
`X-Earshot-Watermark` has the watermark on a 200 and on a 304 alike, so a client that keeps an answer knows how complete it is
now. The one in a body that was kept is older, and still true: everything received before it is in the numbers.
"""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.api import requests
from services.gateway.api.callers import BEARER, caller_with
from services.gateway.api.conditions import matches, tags, weak
from services.gateway.api.document import PAGING, QUESTION, RECORD_FORMS, VALUE_FORMS, refusals
from services.gateway.api.passing import answered
from services.gateway.api.rendering import JSON, MEDIA_TYPES, rendered
from services.gateway.api.state import gateway_of
from services.gateway.clients.kpis import revision
from services.gateway.domain.freshness import Question, may_stand, stands, tag
from services.gateway.domain.keys import Key
from services.gateway.domain.media import media_type

routes = APIRouter(dependencies=[Depends(BEARER)], tags=["kpis"])

Reader = Annotated[Key, Depends(caller_with("metrics:read"))]
RecordsReader = Annotated[Key, Depends(caller_with("records:read"))]

FORMS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The answer", "content": {media_type: {} for media_type in MEDIA_TYPES}},
    304: {
        "description": "The numbers under `If-None-Match` are still the answer; `X-Earshot-Watermark` has the present watermark"
    },
}

REVALIDATED = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
"""A client may keep an answer, but must ask whether it is still valid before showing it again."""

REVISION_HEADER = "x-earshot-revision"
WATERMARK_HEADER = "X-Earshot-Watermark"


@routes.get("/v1/kpis", summary="The catalogue", responses=refusals(401, 403, 429, 503))
async def catalogue(request: Request, caller: Reader) -> Response:
    answer = (
        await gateway_of(request).upstream("metrics").call("GET", "/v1/kpis", tenant=caller.tenant, query=requests.query(request))
    )
    if answer.status_code != 200:
        return answered(answer)
    name = f'"{blake2b(answer.content, digest_size=12).hexdigest()}"'
    headers = REVALIDATED | {"ETag": name}
    if matches(request.headers.get("if-none-match"), name):
        return Response(status_code=304, headers=headers)
    return Response(answer.content, headers=headers, media_type=JSON)


@routes.get(
    "/v1/kpis/{kpi}",
    summary="A number, a breakdown or a series, as JSON, CSV or NDJSON",
    responses=FORMS | refusals(),
    description=VALUE_FORMS,
    openapi_extra={"parameters": QUESTION},
)
async def kpi(request: Request, kpi: str, caller: Reader) -> Response:
    return await asked(request, caller, requests.clean(kpi), "")


@routes.get(
    "/v1/kpis/{kpi}/records",
    summary="The records behind a number",
    responses=FORMS | refusals(),
    description=RECORD_FORMS,
    openapi_extra={"parameters": [*QUESTION, *PAGING]},
)
async def records(request: Request, kpi: str, caller: RecordsReader) -> Response:
    return await asked(request, caller, requests.clean(kpi), "/records")


async def asked(request: Request, caller: Key, kpi: str, below: str) -> Response:
    """The answer of metrics at `/v1/kpis/{kpi}{below}` in the media type that the client accepts; 304 if the client has it."""
    chosen = media_type(request.headers.get("accept", ""), MEDIA_TYPES)
    path = f"/v1/kpis/{kpi}{below}"
    question = Question(caller.tenant, caller.zone, path, requests.query(request), chosen)
    if (current := await still_current(request, question, kpi)) is not None:
        return Response(status_code=304, headers=REVALIDATED | current)
    now = datetime.now(UTC)
    call = gateway_of(request).upstream("metrics").call("GET", path, tenant=caller.tenant, query=question.query)
    answer = await requests.while_connected(request, call)
    if answer.status_code != 200:
        return answered(answer)
    body, headers = await rendered(answer.content, chosen, path, question.query)
    if made_of := answer.headers.get(REVISION_HEADER):
        headers["ETag"] = weak(tag(question, made_of, now))
    if watermark := answer.headers.get(WATERMARK_HEADER):
        headers[WATERMARK_HEADER] = watermark
    return Response(body, headers=REVALIDATED | headers)


async def still_current(request: Request, question: Question, kpi: str) -> dict[str, str] | None:
    """The headers of a 304: that entity tag of the client which is still valid, and the watermark. None: there is no such tag.

    Costs a call for the revision if the client has a tag that may be valid, else nothing.
    """
    now = datetime.now(UTC)
    held = [given for given in tags(request.headers.get("if-none-match")) if may_stand(given, question, now)]
    if not held:
        return None
    current = await revision(gateway_of(request).upstream("metrics"), question.tenant, kpi)
    valid = next((given for given in held if stands(given, question, current.revision, now)), None)
    if valid is None:
        return None
    return {"ETag": weak(valid)} | ({WATERMARK_HEADER: current.watermark} if current.watermark else {})
