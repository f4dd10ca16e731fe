"""KPIs: the catalogue, a KPI's value, breakdown or series, and the records behind it. Metrics answers; the door is here."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.api import requests
from services.gateway.api.callers import BEARER, caller_with
from services.gateway.api.conditions import matches, tags
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
    304: {"description": "What `If-None-Match` names would be answered again; costs no aggregation"},
}

REVALIDATED = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
"""An answer may be kept by its reader, but not shown again without asking whether it still stands."""

REVISION_HEADER = "x-earshot-revision"


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
    return await asked(request, caller, f"/v1/kpis/{requests.clean(kpi)}")


@routes.get(
    "/v1/kpis/{kpi}/records",
    summary="The records behind a number",
    responses=FORMS | refusals(),
    description=RECORD_FORMS,
    openapi_extra={"parameters": [*QUESTION, *PAGING]},
)
async def records(request: Request, kpi: str, caller: RecordsReader) -> Response:
    return await asked(request, caller, f"/v1/kpis/{requests.clean(kpi)}/records")


async def asked(request: Request, caller: Key, path: str) -> Response:
    """The answer of metrics in the form asked for, or 304 without asking for it."""
    chosen = media_type(request.headers.get("accept", ""), MEDIA_TYPES)
    question = Question(caller.tenant, caller.zone, path, requests.query(request), chosen)
    if standing := await still_standing(request, question):
        return Response(status_code=304, headers=REVALIDATED | {"ETag": standing})
    now = datetime.now(UTC)
    answer = await gateway_of(request).upstream("metrics").call("GET", path, tenant=caller.tenant, query=question.query)
    if answer.status_code != 200:
        return answered(answer)
    body, headers = rendered(answer.content, chosen, path, question.query)
    if made_of := answer.headers.get(REVISION_HEADER):
        headers["ETag"] = tag(question, made_of, now)
    return Response(body, headers=REVALIDATED | headers)


async def still_standing(request: Request, question: Question) -> str | None:
    """The client's entity tag that still stands. Costs nothing where none can, else one look at the revision."""
    now = datetime.now(UTC)
    held = [given for given in tags(request.headers.get("if-none-match")) if may_stand(given, question, now)]
    if not held:
        return None
    current = await revision(gateway_of(request).upstream("metrics"), question.tenant)
    return next((given for given in held if stands(given, question, current, now)), None)
