"""Calls that are checked here and answered elsewhere: one table says what passes, to whom, and with which scope."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import httpx
from fastapi import APIRouter, Depends, Request, Response

from services.gateway.api import requests
from services.gateway.api.callers import BEARER, caller_with
from services.gateway.api.document import BASED_ON, OVERRIDE, OVERRIDING, POSTING, POSTING_MANY, TAXONOMY, refusals, revision
from services.gateway.api.requests import MIB
from services.gateway.api.state import gateway_of
from services.gateway.domain.keys import Key, Scope

REQUEST_HEADERS = ("accept", "content-type", "content-encoding", "idempotency-key", "traceparent", "tracestate")
RESPONSE_HEADERS = ("content-type", "retry-after", "location", "link", "allow")


@dataclass(frozen=True, slots=True)
class Passage:
    """One call that is passed on. `{id}` in `path` is an id, checked before it goes into the other path."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    upstream: Literal["ingest", "metrics", "sentiment"]
    scope: Scope
    summary: str
    limit: int = MIB
    description: str | None = None
    body: dict[str, Any] | None = None
    """The JSON schema of its body, where the document tells it."""
    parameters: tuple[dict[str, Any], ...] = ()
    """What its query may hold, where the document tells it."""

    @property
    def stores(self) -> bool:
        """Whether the call changes anything: then it goes on when its client leaves, as it would if only the answer were lost."""
        return self.method != "GET" and self.upstream != "sentiment"


PASSAGES = (
    Passage("GET", "/v1/connections", "ingest", "admin", "List the connected tools"),
    Passage("POST", "/v1/connections", "ingest", "admin", "Connect a tool; its secret is shown this once"),
    Passage("GET", "/v1/connections/{id}", "ingest", "admin", "One connected tool"),
    Passage("PATCH", "/v1/connections/{id}", "ingest", "admin", "Change a connection"),
    Passage("DELETE", "/v1/connections/{id}", "ingest", "admin", "Disconnect a tool"),
    Passage("POST", "/v1/connections/{id}:test", "ingest", "admin", "What a delivery would become, storing nothing", 2 * MIB),
    Passage("POST", "/v1/feedback", "ingest", "ingest:write", "Post one canonical record", MIB, POSTING),
    Passage("POST", "/v1/feedback:batch", "ingest", "ingest:write", "Post up to 5,000 canonical records", 8 * MIB, POSTING_MANY),
    Passage("POST", "/v1/overrides", "ingest", "ingest:write", "Judge a comment", MIB, OVERRIDING, OVERRIDE),
    Passage("GET", "/v1/quarantine", "ingest", "admin", "What could not be understood, and why"),
    Passage("GET", "/v1/quarantine/{id}", "ingest", "pii:read", "One delivery that could not be understood, with its body"),
    Passage("POST", "/v1/quarantine/{id}:retry", "ingest", "admin", "Try a quarantined delivery again"),
    Passage("POST", "/v1/replay", "ingest", "admin", "Publish again from the inbox"),
    Passage(
        "GET",
        "/v1/taxonomy",
        "ingest",
        "records:read",
        "The themes that comments are read for, with their revision",
        parameters=(revision("The one to show; left out: the one in force"),),
    ),
    Passage(
        "PUT",
        "/v1/taxonomy",
        "ingest",
        "admin",
        "Set themes of your own; the answer tells their revision",
        2 * MIB,
        body=TAXONOMY,
    ),
    Passage(
        "DELETE",
        "/v1/taxonomy",
        "ingest",
        "admin",
        "Return to the themes that ship, as a revision of its own",
        parameters=(revision(BASED_ON),),
    ),
    Passage("GET", "/v1/models", "metrics", "metrics:read", "The models of sentiment, and how much each has scored"),
    Passage(
        "POST", "/v1/models/{id}:promote", "metrics", "admin", "Let KPIs read this model's scores; 409 while some are missing"
    ),
    Passage(
        "POST",
        "/v1/score",
        "sentiment",
        "records:read",
        "Try the sentiment model on up to 256 texts, 200,000 characters",
        8 * MIB,
    ),
)


def router() -> APIRouter:
    """Routes for all of PASSAGES. A longer path comes first, since `{id}` would match `{id}:test` too."""
    routes = APIRouter(dependencies=[Depends(BEARER)])
    for passage in sorted(PASSAGES, key=lambda passage: -len(passage.path)):
        routes.add_api_route(
            passage.path,
            endpoint(passage),
            methods=[passage.method],
            summary=passage.summary,
            description=passage.description,
            tags=[passage.upstream],
            response_class=Response,
            responses=refusals(),
            openapi_extra=documented(passage),
            operation_id=f"{passage.method}_{passage.path}".lower().translate(str.maketrans("/:{}", "____")),
        )
    return routes


def documented(passage: Passage) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if passage.parameters:
        told["parameters"] = list(passage.parameters)
    if passage.body:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": passage.body}}}
    return told


def endpoint(passage: Passage) -> Callable[..., Awaitable[Response]]:
    async def pass_on(request: Request, caller: Annotated[Key, Depends(caller_with(passage.scope))]) -> Response:
        ids = {name: requests.clean(value) for name, value in request.path_params.items()}
        gateway = gateway_of(request)
        with gateway.rooms.room(caller.tenant) as room:
            call = gateway.upstream(passage.upstream).call(
                passage.method,
                passage.path.format(**ids),
                tenant=caller.tenant,
                query=requests.query(request),
                headers=passed(request),
                body=await requests.body(request, passage.limit, room),
            )
            return answered(await (call if passage.stores else requests.while_connected(request, call)))

    return pass_on


def passed(request: Request) -> dict[str, str]:
    """The caller's headers that go on, byte for byte; all others end here."""
    return {name: request.headers[name] for name in REQUEST_HEADERS if name in request.headers}


def answered(answer: httpx.Response) -> Response:
    """An upstream's answer as ours."""
    headers = {name: answer.headers[name] for name in RESPONSE_HEADERS if name in answer.headers}
    return Response(answer.content, answer.status_code, headers)
