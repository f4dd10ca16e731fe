"""ASGI middleware: a log line and a metric for each response, rate-limit headers, and headers that protect browsers."""

import time
from urllib.parse import urlsplit, urlunsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.instruments import RESPONSE_SECONDS

log = structlog.get_logger()

UNKNOWN_ROUTE = "unknown"
"""The label of requests that match no route, so that clients can't create labels."""

API_PATHS = "/v1/"
EVENT_STREAM = "text/event-stream"
FILE_EXTENSIONS = {
    "application/json": "json",
    "application/problem+json": "json",
    "application/x-ndjson": "ndjson",
    "text/csv": "csv",
}


class AccessLog:
    """Logs each authenticated request and observes the time of every response. Logs no query, body or secret."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_and_log(message: Message) -> None:
            if message["type"] == "http.response.start":
                _log_response(scope, message["status"], time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, send_and_log)


def _log_response(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", UNKNOWN_ROUTE)
    RESPONSE_SECONDS.labels(scope["method"] if route != UNKNOWN_ROUTE else UNKNOWN_ROUTE, route, status).observe(seconds)
    if caller := scope.get("state", {}).get("caller"):
        log.info(
            "response",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            tenant=caller.tenant,
            key=caller.id,
        )


class RateLimitHeaders:
    """Adds the headers that `RateLimits.take` returned, which the request's state holds."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                for name, value in scope.get("state", {}).get("rate_limit", {}).items():
                    MutableHeaders(scope=message)[name] = value
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def relative(location: str) -> str:
    """The path and the query of a URL. One slash begins it, since two would name another host."""
    parts = urlsplit(location)
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, ""))


class ContentHeaders:
    """Adds `nosniff` to every response, and `Content-Disposition` to those of the API, so that a browser saves them as files
    instead of showing customers' texts as a page. Programs ignore both.

    Redirects of paths with a slash at the end get a relative `Location`: the scheme that clients use is known to the proxy only.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                if location := headers.get("location"):
                    headers["location"] = relative(location)
                kind = headers.get("content-type", "").partition(";")[0]
                if scope["path"].startswith(API_PATHS) and kind and kind != EVENT_STREAM:
                    name = f"earshot.{FILE_EXTENSIONS.get(kind, 'bin')}"
                    headers.setdefault("Content-Disposition", f'attachment; filename="{name}"')
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
