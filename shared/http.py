"""The HTTP server of every service: health checks, metrics, the internal token, graceful shutdown."""

import asyncio
import hmac
import platform
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from signal import Signals
from socket import socket
from time import monotonic
from types import FrameType
from typing import Annotated, Any

import structlog
import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from shared import problems, tracing
from shared.direct_requests import DirectRoute, direct
from shared.group_health import GroupHealth
from shared.heads import BoundedProtocol, limited
from shared.http_limits import HttpLimits
from shared.instruments import CONNECTIONS, REQUESTS_IN_PROGRESS, registry_of
from shared.lifespan import LifespanErrors
from shared.problems import NotAuthenticated
from shared.server_group import Member
from shared.settings import SharedSettings, public_values
from shared.startup import tune_garbage_collector
from shared.telemetry import log_loop_error
from shared.tracing import FASTAPI_TELEMETRY, stop_tracing
from shared.version import VERSION
from shared.workers import end_of_input

log = structlog.get_logger()

TENANT_HEADER = "x-earshot-tenant"
"""The tenant of an internal call. The gateway sets it from the API key; clients can't."""

KEY_HEADER = "x-earshot-key"
"""The id of the API key behind an internal call, for records of who did what. Absent: the operator."""

TIMEOUT_HEADER = "x-earshot-timeout"
"""Seconds that the caller of an internal route waits for the response. Work that would be late is dropped."""


def new_app(title: str, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    """The application of a service: its errors are problem documents, and it has no pages of documentation of its own."""
    app = FastAPI(title=title, version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None, telemetry=FASTAPI_TELEMETRY)
    problems.install(app)
    return app


async def require_internal(request: Request) -> None:
    """Raise NotAuthenticated unless the caller has one of `app.state.internal_tokens`, a list of SecretStr.

    All are compared in constant time, so the time of a response reveals nothing about them.
    """
    header = request.headers.get("authorization", "").encode()
    accepted = [f"Bearer {token.get_secret_value()}".encode() for token in request.app.state.internal_tokens]
    matches = [hmac.compare_digest(header, expected) for expected in accepted]
    if not any(matches):
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


def add_health(
    app: FastAPI,
    alive: Callable[[], list[str]],
    ready: Callable[[], Awaitable[list[str]]],
    metrics: Iterable[Collector],
    before_scrape: Callable[[], Awaitable[None]] | None = None,
    degraded: Callable[[], list[str]] = list,
) -> None:
    """Add `/livez`, `/readyz` and `/metrics`.

    `alive` returns the names of dead workers of this process, `ready` those of missing dependencies; both empty is healthy.
    `degraded` returns dependencies that are unavailable although all routes can be served: `/readyz` names them and is 200.
    `/metrics` exports `metrics` alone, after `before_scrape`, which updates gauges.
    """
    registry = registry_of(metrics)

    @app.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        return health(alive())

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        return health(["stopping"] if getattr(app.state, "stopping", False) else await ready(), degraded())

    @app.get("/metrics", include_in_schema=False)
    async def scrape() -> Response:
        if before_scrape is not None:
            await before_scrape()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def health(missing: list[str], degraded: Sequence[str] = ()) -> Response:
    """200 if `missing` is empty, else 503 with its names. The names in `degraded` don't change the status."""
    document: dict[str, object] = {"status": "failing" if missing else "ok", "missing": missing}
    return JSONResponse(document | ({"degraded": degraded} if degraded else {}), 503 if missing else 200)


class Server(uvicorn.Server):
    """uvicorn that on SIGTERM fails readiness, waits `pause` seconds while clients leave, and then drains connections.

    Logs its start, with the fields of `about`, and its end.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        app: FastAPI,
        pause: float,
        about: Mapping[str, Any] | None = None,
        *,
        has_parent: bool = False,
    ) -> None:
        """`has_parent`: stop also when standard input ends."""
        super().__init__(config)
        self.app = app
        self.pause = pause
        self.about = about or {}
        self.has_parent = has_parent
        self.reason = "the application"
        """The name of the signal that stops the server."""
        REQUESTS_IN_PROGRESS.set_function(lambda: len(self.server_state.tasks))
        CONNECTIONS.set_function(lambda: len(self.server_state.connections))

    async def serve(self, sockets: list[socket] | None = None) -> None:
        """Serve until a signal. Errors that asyncio reports meanwhile are logged without their messages."""
        loop = asyncio.get_running_loop()
        previous = loop.get_exception_handler()
        loop.set_exception_handler(log_loop_error)
        following = asyncio.create_task(self._follow_parent()) if self.has_parent else None
        try:
            await super().serve(sockets)
        finally:
            if following:
                following.cancel()
            loop.set_exception_handler(previous)

    async def _follow_parent(self) -> None:
        """Stop when standard input ends, which it does with the parent process."""
        await end_of_input()
        self.reason = "the end of the parent process"
        self.should_exit = True

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start to serve."""
        await super().startup(sockets)
        log.info("service.started", **self.about)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note the signal and stop."""
        self.reason = Signals(sig).name
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Fail readiness, wait `pause` seconds so that load balancers notice, then drain, and send the last spans.

        Each response has `Connection: close` from now on, so that clients with open connections move to other servers before
        these connections are closed.
        """
        log.info("service.stopping", reason=self.reason)
        began = monotonic()
        self.app.state.stopping = True
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        if self.pause:
            await asyncio.sleep(self.pause)
        await super().shutdown(sockets)
        await asyncio.to_thread(stop_tracing)
        log.info("service.stopped", reason=self.reason, seconds=round(monotonic() - began, 1))


def serve(app: FastAPI, settings: SharedSettings, trusted_proxies: str = "", member: Member | None = None) -> None:
    """Run `app` until SIGTERM or SIGINT. The settings are those of `shared.startup.read_settings`.

    `trusted_proxies`: comma-separated addresses and networks whose `X-Forwarded-For` is believed. `member`: this process is one
    of several that serve the port.
    """
    config = uvicorn.Config(
        LifespanErrors(GroupHealth(app, member) if member else app),
        interface="asgi3",
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=protocol_of(app, limits_of(settings)),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
        timeout_keep_alive=settings.idle_timeout,
        timeout_graceful_shutdown=10,
        backlog=2048,
    )
    tune_garbage_collector()
    about = {"version": VERSION, "python": platform.python_version(), "port": settings.port, "settings": public_values(settings)}
    if member:
        about["process"] = member.number
    with suppress(KeyboardInterrupt):  # uvicorn raises SIGINT again after the shutdown
        server = Server(config, app, settings.shutdown_pause, about, has_parent=member is not None)
        server.run(member.sockets() if member else None)


def protocol_of(app: FastAPI, limits: HttpLimits) -> type[BoundedProtocol]:
    """The HTTP protocol of an application: with `app.state.direct`, a DirectRoute, if it has one. While traces are on, FastAPI
    serves that route too, since it makes the spans of requests."""
    route: DirectRoute | None = getattr(app.state, "direct", None)
    return direct(limits, route) if route and not tracing.is_on() else limited(limits)


def limits_of(settings: SharedSettings) -> HttpLimits:
    """The limits that settings define; the others are constants of HttpLimits."""
    return HttpLimits(
        head_seconds=settings.head_timeout,
        body_seconds=settings.body_timeout,
        body_bytes_per_second=settings.body_bytes_per_second,
        requests=settings.request_limit,
        connections=settings.connection_limit,
    )
