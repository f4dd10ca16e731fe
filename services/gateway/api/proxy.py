"""Routes that the gateway authorises and another service answers: a table of their services, scopes and limits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.api.auth import BEARER, require
from services.gateway.api.document import BASED_ON, OVERRIDE, OVERRIDING, POSTING, POSTING_MANY, TAXONOMY, revision
from services.gateway.api.forwarding import checked_id, forwarded_headers, forwarded_query, pass_through
from services.gateway.api.openapi import UpstreamRoute, import_operation
from services.gateway.api.state import UpstreamName, gateway_of
from services.gateway.domain.keys import Key, Scope
from shared.bodies import MIB, headers_of, read_body
from shared.disconnects import cancelled_on_disconnect
from shared.problems import BadRequest, Forbidden, NotAuthenticated, NotFound, TooManyRequests, responses

PROBLEMS = responses(BadRequest, NotAuthenticated, Forbidden, NotFound, TooManyRequests)

IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Identifies the call: a retry with the same key is not stored again",
    "schema": {"type": "string"},
}


@dataclass(frozen=True, slots=True)
class ProxiedRoute:
    """A route that another service answers, under the same path. Its ids are validated before they become part of that path."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    upstream: UpstreamName
    scope: Scope
    max_bytes: int = MIB
    headers: tuple[dict[str, Any], ...] = ()
    """Header parameters for the OpenAPI document that the service doesn't declare."""
    fallback: dict[str, Any] = field(default_factory=dict)
    """Parts of the operation for the OpenAPI document, where the service's own document lacks them."""

    @property
    def stores(self) -> bool:
        """Whether the call changes data. Then it is not cancelled when its client disconnects."""
        return self.method != "GET" and self.upstream != "sentiment"


def body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


PROXIED_ROUTES = (
    ProxiedRoute("GET", "/v1/connections", "ingest", "admin", fallback={"summary": "List the connected tools"}),
    ProxiedRoute(
        "POST", "/v1/connections", "ingest", "admin", fallback={"summary": "Connect a tool; its secret is shown this once"}
    ),
    ProxiedRoute("GET", "/v1/connections/{id}", "ingest", "admin", fallback={"summary": "One connected tool"}),
    ProxiedRoute("PATCH", "/v1/connections/{id}", "ingest", "admin", fallback={"summary": "Change a connection"}),
    ProxiedRoute("DELETE", "/v1/connections/{id}", "ingest", "admin", fallback={"summary": "Disconnect a tool"}),
    ProxiedRoute(
        "POST",
        "/v1/connections/{id}:test",
        "ingest",
        "admin",
        2 * MIB,
        fallback={"summary": "What a delivery would become, storing nothing"},
    ),
    ProxiedRoute(
        "POST",
        "/v1/feedback",
        "ingest",
        "ingest:write",
        MIB,
        (IDEMPOTENCY_KEY,),
        fallback={"summary": "Post one canonical record", "description": POSTING},
    ),
    ProxiedRoute(
        "POST",
        "/v1/feedback:batch",
        "ingest",
        "ingest:write",
        8 * MIB,
        (IDEMPOTENCY_KEY,),
        fallback={"summary": "Post up to 5,000 canonical records", "description": POSTING_MANY},
    ),
    ProxiedRoute(
        "POST",
        "/v1/overrides",
        "ingest",
        "ingest:write",
        MIB,
        (IDEMPOTENCY_KEY,),
        fallback={"summary": "Judge a comment", "description": OVERRIDING, "requestBody": body(OVERRIDE)},
    ),
    ProxiedRoute("GET", "/v1/quarantine", "ingest", "admin", fallback={"summary": "What could not be understood, and why"}),
    ProxiedRoute(
        "GET",
        "/v1/quarantine/{id}",
        "ingest",
        "pii:read",
        fallback={"summary": "One delivery that could not be understood, with its body"},
    ),
    ProxiedRoute(
        "POST", "/v1/quarantine/{id}:retry", "ingest", "admin", fallback={"summary": "Try a quarantined delivery again"}
    ),
    ProxiedRoute("POST", "/v1/replay", "ingest", "admin", fallback={"summary": "Publish again from the inbox"}),
    ProxiedRoute(
        "GET",
        "/v1/taxonomy",
        "ingest",
        "records:read",
        fallback={
            "summary": "The themes that comments are read for, with their revision",
            "parameters": [revision("The one to show; left out: the one in force")],
        },
    ),
    ProxiedRoute(
        "PUT",
        "/v1/taxonomy",
        "ingest",
        "admin",
        2 * MIB,
        fallback={"summary": "Set themes of your own; the answer tells their revision", "requestBody": body(TAXONOMY)},
    ),
    ProxiedRoute(
        "DELETE",
        "/v1/taxonomy",
        "ingest",
        "admin",
        fallback={"summary": "Return to the themes that ship, as a revision of its own", "parameters": [revision(BASED_ON)]},
    ),
    ProxiedRoute("GET", "/v1/terms", "metrics", "metrics:read"),
    ProxiedRoute("PUT", "/v1/dimensions", "metrics", "admin"),
    ProxiedRoute(
        "GET",
        "/v1/models",
        "metrics",
        "metrics:read",
        fallback={"summary": "The models of sentiment, and how much each has scored"},
    ),
    ProxiedRoute(
        "POST",
        "/v1/models/{id}:promote",
        "metrics",
        "admin",
        fallback={"summary": "Let KPIs read this model's scores; 409 while some are missing"},
    ),
    ProxiedRoute(
        "POST",
        "/v1/score",
        "sentiment",
        "records:read",
        3 * MIB,
    ),
)


def router() -> APIRouter:
    """Routes for all of PROXIED_ROUTES, longer paths first, because `{id}` would match `{id}:test` too."""
    routes = APIRouter(route_class=UpstreamRoute, dependencies=[Depends(BEARER)])
    for route in sorted(PROXIED_ROUTES, key=lambda route: -len(route.path)):
        routes.add_api_route(
            route.path,
            endpoint(route),
            methods=[route.method],
            tags=[route.upstream],
            response_class=Response,
            responses=PROBLEMS,
            openapi_extra=import_operation(route.upstream, headers=route.headers, fallback=route.fallback),
        )
    return routes


def endpoint(route: ProxiedRoute) -> Callable[..., Awaitable[Response]]:
    async def forward(request: Request, caller: Annotated[Key, Depends(require(route.scope))]) -> Response:
        ids = {name: checked_id(value) for name, value in request.path_params.items()}
        gateway = gateway_of(request)
        with request.app.state.bodies.memory.reserve(caller.tenant) as reservation:
            call = partial(
                gateway.upstream(route.upstream).call,
                route.method,
                route.path.format(**ids),
                tenant=caller.tenant,
                query=forwarded_query(request),
                headers=forwarded_headers(request),
                body=await read_body(headers_of(request.scope), request.receive, reservation, route.max_bytes),
            )
            if route.stores:
                return pass_through(await call())
            async with cancelled_on_disconnect(request):
                response = await call()
            return pass_through(response)

    return forward
