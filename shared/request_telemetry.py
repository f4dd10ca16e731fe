"""ASGI middleware of every service: the request id and the trace of each request, and metrics of requests by route."""

from collections.abc import Callable
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import tracing
from shared.instruments import REQUEST_SECONDS
from shared.request_context import bind, parse_http_headers, unbind

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER = "other"
"""The label of all other methods, and of requests that match no route: clients can't create labels."""


class RequestMetrics:
    """The time until the responses of requests begin, by method, route and status."""

    def __init__(self) -> None:
        self._observers: dict[tuple[str, str, int], Callable[[float], None]] = {}
        """Looking up a metric by its labels costs more than observing it."""

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Observe one request, and name its span by its route."""
        observe = self._observers.get((method, route, status))
        if observe is None:
            known = method if method in METHODS else OTHER
            observe = REQUEST_SECONDS.labels(known, route, f"{status // 100}xx").observe
            if known == method:
                self._observers[method, route, status] = observe
        observe(seconds)
        if route != OTHER:
            tracing.name_server_span(method, route)


class RequestTelemetry:
    """Accepts or creates `X-Request-Id`, binds it and the trace to the logs, and returns it with the response. Observes the time
    until the response begins."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._metrics = RequestMetrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = tracing.server_context(parse_http_headers(scope["headers"]))
        token = bind(context)
        status = 0
        began = perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._observe(scope, status, perf_counter() - began)
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", context.request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:  # shared.problems answers it, outside of this middleware; its log lines need the request id
            if not status:
                self._observe(scope, 503, perf_counter() - began)
            raise
        unbind(token)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        self._metrics.observe(scope["method"], getattr(scope.get("route"), "path", OTHER), status, seconds)
