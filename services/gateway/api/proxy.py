"""Routes that the gateway authorises and another service answers: a table of their services, scopes and limits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.api.auth import BEARER, require
from services.gateway.api.forwarding import checked_id, forwarded_headers, forwarded_query, pass_through
from services.gateway.api.openapi import BASED_ON, OVERRIDE, OVERRIDING, POSTING, POSTING_MANY, TAXONOMY, refusals, revision
from services.gateway.api.state import gateway_of
from services.gateway.domain.keys import Key, Scope
from shared.bodies import MIB, headers_of, read_body
from shared.disconnects import cancelled_on_disconnect


@dataclass(frozen=True, slots=True)
class ProxiedRoute:
    """A route that another service answers. `{id}` in `path` is validated before it becomes part of the service's path."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    upstream: Literal["ingest", "metrics", "sentiment"]
    scope: Scope
    summary: str
    limit: int = MIB
    description: str | None = None
    body: dict[str, Any] | None = None
    """The JSON schema of the body."""
    parameters: tuple[dict[str, Any], ...] = ()
    """OpenAPI parameters of the query."""

    @property
    def stores(self) -> bool:
        """Whether the call changes data. Then it is not cancelled when its client disconnects."""
        return self.method != "GET" and self.upstream != "sentiment"


PROXIED_ROUTES = (
    ProxiedRoute("GET", "/v1/connections", "ingest", "admin", "List the connected tools"),
    ProxiedRoute("POST", "/v1/connections", "ingest", "admin", "Connect a tool; its secret is shown this once"),
    ProxiedRoute("GET", "/v1/connections/{id}", "ingest", "admin", "One connected tool"),
    ProxiedRoute("PATCH", "/v1/connections/{id}", "ingest", "admin", "Change a connection"),
    ProxiedRoute("DELETE", "/v1/connections/{id}", "ingest", "admin", "Disconnect a tool"),
    ProxiedRoute(
        "POST", "/v1/connections/{id}:test", "ingest", "admin", "What a delivery would become, storing nothing", 2 * MIB
    ),
    ProxiedRoute("POST", "/v1/feedback", "ingest", "ingest:write", "Post one canonical record", MIB, POSTING),
    ProxiedRoute(
        "POST", "/v1/feedback:batch", "ingest", "ingest:write", "Post up to 5,000 canonical records", 8 * MIB, POSTING_MANY
    ),
    ProxiedRoute("POST", "/v1/overrides", "ingest", "ingest:write", "Judge a comment", MIB, OVERRIDING, OVERRIDE),
    ProxiedRoute("GET", "/v1/quarantine", "ingest", "admin", "What could not be understood, and why"),
    ProxiedRoute("GET", "/v1/quarantine/{id}", "ingest", "pii:read", "One delivery that could not be understood, with its body"),
    ProxiedRoute("POST", "/v1/quarantine/{id}:retry", "ingest", "admin", "Try a quarantined delivery again"),
    ProxiedRoute("POST", "/v1/replay", "ingest", "admin", "Publish again from the inbox"),
    ProxiedRoute(
        "GET",
        "/v1/taxonomy",
        "ingest",
        "records:read",
        "The themes that comments are read for, with their revision",
        parameters=(revision("The one to show; left out: the one in force"),),
    ),
    ProxiedRoute(
        "PUT",
        "/v1/taxonomy",
        "ingest",
        "admin",
        "Set themes of your own; the answer tells their revision",
        2 * MIB,
        body=TAXONOMY,
    ),
    ProxiedRoute(
        "DELETE",
        "/v1/taxonomy",
        "ingest",
        "admin",
        "Return to the themes that ship, as a revision of its own",
        parameters=(revision(BASED_ON),),
    ),
    ProxiedRoute("GET", "/v1/models", "metrics", "metrics:read", "The models of sentiment, and how much each has scored"),
    ProxiedRoute(
        "POST", "/v1/models/{id}:promote", "metrics", "admin", "Let KPIs read this model's scores; 409 while some are missing"
    ),
    ProxiedRoute(
        "POST",
        "/v1/score",
        "sentiment",
        "records:read",
        "Try the sentiment model on up to 256 texts, 200,000 characters",
        3 * MIB,
    ),
)


def router() -> APIRouter:
    """Routes for all of PROXIED_ROUTES, longer paths first, because `{id}` would match `{id}:test` too."""
    routes = APIRouter(dependencies=[Depends(BEARER)])
    for route in sorted(PROXIED_ROUTES, key=lambda route: -len(route.path)):
        routes.add_api_route(
            route.path,
            endpoint(route),
            methods=[route.method],
            summary=route.summary,
            description=route.description,
            tags=[route.upstream],
            response_class=Response,
            responses=refusals(),
            openapi_extra=openapi_extra(route),
            operation_id=f"{route.method}_{route.path}".lower().translate(str.maketrans("/:{}", "____")),
        )
    return routes


def openapi_extra(route: ProxiedRoute) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if route.parameters:
        extra["parameters"] = list(route.parameters)
    if route.body:
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": route.body}}}
    return extra


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
                body=await read_body(headers_of(request.scope), request.receive, reservation, route.limit),
            )
            if route.stores:
                return pass_through(await call())
            async with cancelled_on_disconnect(request):
                response = await call()
            return pass_through(response)

    return forward
