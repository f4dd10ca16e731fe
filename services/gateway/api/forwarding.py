"""Forward requests to the services behind the gateway: the parts that are forwarded, and responses that are passed through."""

import re
from dataclasses import dataclass
from typing import Annotated

import httpx
from fastapi import Depends, Request, Response
from starlette.types import Receive

from services.gateway.api.dependencies import Gateway
from services.gateway.domain.keys import Key
from shared.disconnects import cancelled_on_disconnect
from shared.problems import BadRequest, NotFound

REQUEST_HEADERS = ("accept", "content-type", "content-encoding", "idempotency-key", "tracestate", "ce-specversion")
RESPONSE_HEADERS = ("content-type", "retry-after", "location", "link", "allow")

ENCODED_QUERY = re.compile(r"[\x21-\x7e]*")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]{0,127}")


def forwarded_headers(request: Request) -> dict[str, str]:
    """The caller's headers that are forwarded, byte for byte. All others are dropped."""
    return {name: request.headers[name] for name in REQUEST_HEADERS if name in request.headers}


def forwarded_query(request: Request) -> str:
    """The query string verbatim. Raises BadRequest if it holds bytes that a URL may not hold."""
    raw: str = request.scope["query_string"].decode("latin-1")
    if not ENCODED_QUERY.fullmatch(raw):
        raise BadRequest("the query holds bytes that must be percent-encoded")
    return raw


@dataclass(frozen=True, slots=True)
class GetRequest:
    """The parts of a GET request that decide its response."""

    query: str
    """Verbatim, for the service that answers."""
    accept: str
    if_none_match: str | None
    client: Receive
    """The client's further messages, for `cancelled_on_disconnect`."""


async def get_request_of(request: Request) -> GetRequest:
    """The parts of a request. Raises BadRequest if its query holds bytes that a URL may not hold."""
    headers = request.headers
    return GetRequest(forwarded_query(request), headers.get("accept", ""), headers.get("if-none-match"), request.receive)


Requested = Annotated[GetRequest, Depends(get_request_of)]
"""A parameter of a route, after the one that authenticates."""


def checked_id(identifier: str, problem: type[NotFound] = NotFound) -> str:
    """An id from a path, which is safe in another path. Raises `problem` if it does not have the format of an id."""
    if not ID.fullmatch(identifier):
        raise problem
    return identifier


def pass_through(response: httpx.Response) -> Response:
    """A service's response as the gateway's."""
    headers = {name: response.headers[name] for name in RESPONSE_HEADERS if name in response.headers}
    return Response(response.content, response.status_code, headers)


async def get_from_metrics(gateway: Gateway, caller: Key, requested: GetRequest, path: str) -> httpx.Response:
    """The response of metrics at `path` to the query of a request; cancelled when the client disconnects."""
    async with cancelled_on_disconnect(requested.client):
        return await gateway.upstream("metrics").call("GET", path, tenant=caller.tenant, query=requested.query)
