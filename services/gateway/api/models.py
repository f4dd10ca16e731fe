"""`/v1/models/{model}/shadow`: the report on a candidate model. Comment texts in it require the scope `records:read`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from services.gateway.api.auth import require
from services.gateway.api.dependencies import GatewayState
from services.gateway.api.forwarding import Requested, checked_id, pass_through
from services.gateway.api.openapi import UpstreamRoute, import_operation
from services.gateway.api.rendering import decode_object
from services.gateway.domain.keys import Key
from shared.problems import BadRequest, Forbidden, NotAuthenticated, NotFound, TooManyRequests, responses

routes = APIRouter(route_class=UpstreamRoute, tags=["metrics"])

MetricsReader = Annotated[Key, Depends(require("metrics:read"))]

PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Authorization"}

PROBLEMS = responses(BadRequest, NotAuthenticated, Forbidden, NotFound, TooManyRequests)


@routes.get(
    "/v1/models/{model}/shadow",
    responses=PROBLEMS,
    openapi_extra=import_operation(
        "metrics",
    ),
)
async def get_shadow_report(gateway: GatewayState, caller: MetricsReader, requested: Requested, model: str) -> Response:
    """The shadow report of metrics, without texts unless the key may read records."""
    path = f"/v1/models/{checked_id(model)}/shadow"
    response = await gateway.upstream("metrics").call("GET", path, tenant=caller.tenant, query=requested.query)
    if response.status_code != 200:
        return pass_through(response)
    report = decode_object(response.content)
    return JSONResponse(report if caller.has("records:read") else without_texts(report), headers=PRIVATE)


def without_texts(report: dict[str, Any]) -> dict[str, Any]:
    """The report without the texts of its example comments."""
    examples = [{name: value for name, value in example.items() if name != "text"} for example in report.get("examples", ())]
    return report | {"examples": examples}
