"""What the HTTP servers of all services share: request ids, health, metrics, the internal token, running the server."""

import hmac
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.heads import HttpLimits, limited
from shared.problems import NotAuthenticated
from shared.settings import SharedSettings
from shared.telemetry import configure_logging

TENANT_HEADER = "x-earshot-tenant"
"""Names the tenant on internal routes; only the gateway's key decides it."""

TIMEOUT_HEADER = "x-earshot-timeout"
"""On internal calls: seconds that the caller waits for the answer, from when it sends the call. Late work is dropped."""

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class RequestId:
    """ASGI middleware: takes or makes `X-Request-Id`, binds it to the logs, and answers with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self.app(scope, receive, send_with_id)


INTERNAL_BEARER = HTTPBearer(auto_error=False, scheme_name="internal", description="The token of Earshot's own services")
"""For the OpenAPI document; `require_internal` checks the token."""


async def require_internal(request: Request, _: Annotated[object, Depends(INTERNAL_BEARER)]) -> None:
    """Raise NotAuthenticated unless the caller has the internal token, which is `app.state.internal_token` (a SecretStr)."""
    expected = f"Bearer {request.app.state.internal_token.get_secret_value()}".encode()
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected):
        raise NotAuthenticated("this route is for Earshot's own services", headers={"WWW-Authenticate": "Bearer"})


async def require_tenant(request: Request, internal: Annotated[None, Depends(require_internal)]) -> str:
    """The tenant that an internal call speaks for. Raises NotAuthenticated if it names none."""
    tenant = request.headers.get(TENANT_HEADER, "")
    if not tenant:
        raise NotAuthenticated("the internal call names no tenant")
    return tenant


InternalOnly = Depends(require_internal)
"""For `APIRouter(dependencies=[InternalOnly])`: routes that speak for no tenant."""

TenantName = Annotated[str, Depends(require_tenant)]
"""A parameter of an internal route: the tenant that the call speaks for."""


def internal_tenant(token: SecretStr) -> Callable[[Request], str]:
    """A dependency for internal routes: checks the bearer token in constant time, returns the tenant the caller speaks for."""
    check = internal_only(token)

    def dependency(request: Request) -> str:
        check(request)
        tenant = request.headers.get(TENANT_HEADER, "")
        if not tenant:
            raise NotAuthenticated("the internal call names no tenant")
        return tenant

    return dependency


def internal_only(token: SecretStr) -> Callable[[Request], None]:
    """A dependency for internal routes that speak for no tenant."""
    expected = f"Bearer {token.get_secret_value()}".encode()

    def dependency(request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected):
            raise NotAuthenticated("this route is for Earshot's own services", headers={"WWW-Authenticate": "Bearer"})

    return dependency


def add_health(app: FastAPI, alive: Callable[[], list[str]], ready: Callable[[], Awaitable[list[str]]]) -> None:
    """Add `/livez` (this process only: `alive` lists dead workers), `/readyz` (`ready` lists what is missing) and `/metrics`."""

    @app.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        return health(alive())

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        return health(["stopping"] if getattr(app.state, "stopping", False) else await ready())

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def health(missing: list[str]) -> Response:
    """200 when nothing is missing, else 503 with the names of what is."""
    return JSONResponse({"status": "failing" if missing else "ok", "missing": missing}, 503 if missing else 200)


class Server(uvicorn.Server):
    """uvicorn that on SIGTERM first fails readiness, pauses, and only then drains."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, pause: float) -> None:
        super().__init__(config)
        self.app = app
        self.pause = pause

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        import asyncio

        self.app.state.stopping = True
        if self.pause:
            await asyncio.sleep(self.pause)
        await super().shutdown(sockets)  # type: ignore[arg-type]


def serve(service: str, app: FastAPI, settings: SharedSettings, trusted_proxies: str = "") -> None:
    """Run `app` until SIGTERM or SIGINT. `trusted_proxies`: addresses and networks, comma-separated, whose `X-Forwarded-For`
    names the client; the header of any other is ignored."""
    configure_logging(service, settings.log_level, settings.log_format)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=limited(limits_of(settings)),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
        timeout_graceful_shutdown=10,
        backlog=2048,
    )
    Server(config, app, settings.shutdown_pause).run()


def limits_of(settings: SharedSettings) -> HttpLimits:
    """The limits that are settings; the others are constants of `HttpLimits`."""
    return HttpLimits(
        head_seconds=settings.head_timeout,
        body_seconds=settings.body_timeout,
        body_bytes_per_second=settings.body_bytes_per_second,
        requests=settings.request_limit,
        connections=settings.connection_limit,
    )
