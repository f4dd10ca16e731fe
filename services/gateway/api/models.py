"""What a model would change if it were promoted. Metrics compares; customers' words are for keys that may read records."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from services.gateway.api import requests
from services.gateway.api.callers import BEARER, caller_with
from services.gateway.api.document import QUESTION, refusals
from services.gateway.api.passing import answered
from services.gateway.api.rendering import decoded
from services.gateway.api.state import gateway_of
from services.gateway.domain.keys import Key

routes = APIRouter(dependencies=[Depends(BEARER)], tags=["metrics"])

Reader = Annotated[Key, Depends(caller_with("metrics:read"))]

PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Authorization"}

WINDOW = [parameter for parameter in QUESTION if parameter["name"] in {"window", "from", "to", "tz"}]


@routes.get(
    "/v1/models/{model}/shadow",
    summary="What would change if this model were promoted: labels, KPIs, and what it has yet to score",
    description="The comments' texts among the examples need the scope `records:read`.",
    responses=refusals(),
    openapi_extra={"parameters": WINDOW},
)
async def shadow(request: Request, model: str, caller: Reader) -> Response:
    path = f"/v1/models/{requests.clean(model)}/shadow"
    answer = await gateway_of(request).upstream("metrics").call("GET", path, tenant=caller.tenant, query=requests.query(request))
    if answer.status_code != 200:
        return answered(answer)
    report = decoded(answer.content)
    return JSONResponse(report if caller.may("records:read") else wordless(report), headers=PRIVATE)


def wordless(report: dict[str, Any]) -> dict[str, Any]:
    """The report without what customers said."""
    examples = [{name: value for name, value in example.items() if name != "text"} for example in report.get("examples", ())]
    return report | {"examples": examples}
