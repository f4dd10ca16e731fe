"""`GET /v1/feedback/{subject}`: the history of a response, review or ticket. Metrics answers it."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Response

from services.gateway.api.auth import require
from services.gateway.api.dependencies import GatewayState
from services.gateway.api.documents import IF_NONE_MATCH, document_responses, respond_with_document
from services.gateway.api.forwarding import Requested, get_from_metrics
from services.gateway.api.openapi import UpstreamRoute, import_operation
from services.gateway.domain.keys import Key
from shared.problems import BadRequest, Forbidden, NotAuthenticated, NotFound, TooManyRequests, responses

routes = APIRouter(route_class=UpstreamRoute, tags=["kpis"])

PROBLEMS = responses(BadRequest, NotAuthenticated, Forbidden, NotFound, TooManyRequests)

SUBJECT = re.compile(r"([A-Za-z0-9][A-Za-z0-9_~-]{0,127})/(response|review|ticket)/(.{1,1000})", re.DOTALL)
"""Connection, type and id. The id is any text of a tool: it is encoded as one segment of the path."""


@routes.get(
    "/v1/feedback/{subject:path}",
    responses=document_responses("The history", "the whole history", watermark=False) | PROBLEMS,
    openapi_extra=import_operation("metrics", headers=[IF_NONE_MATCH]),
)
async def get_feedback(
    gateway: GatewayState,
    caller: Annotated[Key, Depends(require("records:read"))],
    requested: Requested,
    subject: str,
) -> Response:
    """The history of a subject of the key's tenant."""
    match = SUBJECT.fullmatch(subject)
    if match is None:
        raise NotFound("a subject is <connection>/<response, review or ticket>/<id>, as records name it")
    connection, kind, identifier = match.groups()
    path = f"/v1/feedback/{connection}/{kind}/{quote(identifier, safe='').replace('.', '%2E')}"
    response = await get_from_metrics(gateway, caller, requested, path)
    return respond_with_document(requested, response)
