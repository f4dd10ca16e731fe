"""Routes that the gateway authorises and another service answers: a table of their services, scopes and limits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.api.auth import require
from services.gateway.api.dependencies import UpstreamName, gateway_of
from services.gateway.api.forwarding import checked_id, forwarded_headers, forwarded_query, pass_through
from services.gateway.api.openapi import UpstreamRoute, import_operation
from services.gateway.domain.keys import Key, Scope
from shared.bodies import MIB, headers_of, read_body
from shared.disconnects import cancelled_on_disconnect
from shared.problems import BadRequest, Forbidden, NotAuthenticated, NotFound, TooManyRequests, responses

PROBLEMS = (BadRequest, NotAuthenticated, Forbidden, TooManyRequests)


@dataclass(frozen=True, slots=True)
class ProxiedRoute:
    """A route that another service answers, under the same path. Its ids are validated before they become part of that path."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    upstream: UpstreamName
    scope: Scope
    max_bytes: int = MIB

    @property
    def stores(self) -> bool:
        """Whether the call changes data. Then it is not cancelled when its client disconnects."""
        return self.method != "GET" and self.upstream != "sentiment"


PROXIED_ROUTES = (
    ProxiedRoute("GET", "/v1/connections", "ingest", "admin"),
    ProxiedRoute("POST", "/v1/connections", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/connections/{id}", "ingest", "admin"),
    ProxiedRoute("PATCH", "/v1/connections/{id}", "ingest", "admin"),
    ProxiedRoute("DELETE", "/v1/connections/{id}", "ingest", "admin"),
    ProxiedRoute("POST", "/v1/connections/{id}:test", "ingest", "admin", 2 * MIB),
    ProxiedRoute("POST", "/v1/connections/{id}:backfill", "ingest", "admin"),
    ProxiedRoute("POST", "/v1/feedback", "ingest", "ingest:write"),
    ProxiedRoute("POST", "/v1/feedback:batch", "ingest", "ingest:write", 8 * MIB),
    ProxiedRoute("POST", "/v1/overrides", "ingest", "ingest:write"),
    ProxiedRoute("POST", "/v1/customers:find", "ingest", "pii:read"),
    ProxiedRoute("POST", "/v1/customers:export", "ingest", "pii:read"),
    ProxiedRoute("POST", "/v1/customers:erase", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/providers", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/quarantine", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/quarantine:count", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/quarantine/{id}", "ingest", "pii:read"),
    ProxiedRoute("POST", "/v1/quarantine/{id}:retry", "ingest", "admin"),
    ProxiedRoute("POST", "/v1/quarantine/{id}:discard", "ingest", "admin"),
    ProxiedRoute("POST", "/v1/quarantine:retry", "ingest", "admin"),
    ProxiedRoute("POST", "/v1/quarantine:discard", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/jobs", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/jobs/{id}", "ingest", "admin"),
    ProxiedRoute("DELETE", "/v1/jobs/{id}", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/imports", "ingest", "admin"),
    ProxiedRoute("POST", "/v1/imports", "ingest", "admin"),
    ProxiedRoute("POST", "/v1/imports:propose", "ingest", "admin", 2 * MIB),
    ProxiedRoute("POST", "/v1/imports:dry-run", "ingest", "admin", 2 * MIB),
    ProxiedRoute("GET", "/v1/imports/{id}", "ingest", "admin"),
    ProxiedRoute("DELETE", "/v1/imports/{id}", "ingest", "admin"),
    ProxiedRoute("POST", "/v1/imports/{id}:start", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/imports/{id}/errors", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/imports/{id}/parts", "ingest", "admin"),
    ProxiedRoute("PUT", "/v1/imports/{id}/parts/{part}", "ingest", "admin", 8 * MIB),
    ProxiedRoute("POST", "/v1/replay", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/replay/{id}", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/retention", "ingest", "admin"),
    ProxiedRoute("PUT", "/v1/retention", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/taxonomy", "ingest", "records:read"),
    ProxiedRoute("PUT", "/v1/taxonomy", "ingest", "admin", 2 * MIB),
    ProxiedRoute("DELETE", "/v1/taxonomy", "ingest", "admin"),
    ProxiedRoute("GET", "/v1/terms", "metrics", "metrics:read"),
    ProxiedRoute("GET", "/v1/dimensions", "metrics", "metrics:read"),
    ProxiedRoute("PUT", "/v1/dimensions", "metrics", "admin"),
    ProxiedRoute("GET", "/v1/calendars", "metrics", "metrics:read"),
    ProxiedRoute("PUT", "/v1/calendars/{id}", "metrics", "admin"),
    ProxiedRoute("GET", "/v1/sla", "metrics", "metrics:read"),
    ProxiedRoute("PUT", "/v1/sla", "metrics", "admin"),
    ProxiedRoute("GET", "/v1/sla/upcoming", "metrics", "records:read"),
    ProxiedRoute("GET", "/v1/presets", "metrics", "metrics:read"),
    ProxiedRoute("PUT", "/v1/presets/{id}", "metrics", "admin"),
    ProxiedRoute("GET", "/v1/verifications", "metrics", "metrics:read"),
    ProxiedRoute("POST", "/v1/verifications", "metrics", "admin"),
    ProxiedRoute("GET", "/v1/freezing", "metrics", "admin"),
    ProxiedRoute("PUT", "/v1/freezing", "metrics", "admin"),
    ProxiedRoute("GET", "/v1/names", "metrics", "metrics:read"),
    ProxiedRoute("PUT", "/v1/names", "metrics", "admin", 2 * MIB),
    ProxiedRoute("PATCH", "/v1/names", "metrics", "admin", 2 * MIB),
    ProxiedRoute("GET", "/v1/models", "metrics", "metrics:read"),
    ProxiedRoute("POST", "/v1/models/{id}:promote", "metrics", "admin"),
    ProxiedRoute("POST", "/v1/score", "sentiment", "records:read", 3 * MIB),
)


def router() -> APIRouter:
    """Routes for all of PROXIED_ROUTES, longer paths first, because `{id}` would match `{id}:test` too."""
    routes = APIRouter(route_class=UpstreamRoute)
    for route in sorted(PROXIED_ROUTES, key=lambda route: -len(route.path)):
        routes.add_api_route(
            route.path,
            endpoint(route),
            methods=[route.method],
            tags=[route.upstream],
            response_class=Response,
            responses=responses(*PROBLEMS, *([NotFound] if "{" in route.path else [])),
            openapi_extra=import_operation(route.upstream),
        )
    return routes


def endpoint(route: ProxiedRoute) -> Callable[..., Awaitable[Response]]:
    """The function that forwards requests of `route`. It takes the raw request, whose query, headers and body it forwards."""

    async def forward(request: Request, caller: Annotated[Key, Depends(require(route.scope))]) -> Response:
        ids = {name: checked_id(value) for name, value in request.path_params.items()}
        gateway = await gateway_of(request)
        with request.app.state.bodies.memory.reserve(caller.tenant) as reservation:
            call = partial(
                gateway.upstream(route.upstream).call,
                route.method,
                route.path.format(**ids),
                tenant=caller.tenant,
                key=caller.id,
                query=forwarded_query(request),
                headers=forwarded_headers(request),
                body=await read_body(headers_of(request.scope), request.receive, reservation, route.max_bytes),
            )
            if route.stores:
                return pass_through(await call())
            async with cancelled_on_disconnect(request.receive):
                response = await call()
            return pass_through(response)

    return forward
