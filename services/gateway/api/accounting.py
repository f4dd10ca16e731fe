"""One account of each call: who asked what and how it went, as one line in the log and one observation for Prometheus."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.instruments import ANSWERED

log = structlog.get_logger()

UNKNOWN = "unknown"
"""The route of what matched none, so that nobody's inventions become labels."""


class Accounting:
    """ASGI middleware. Never tells a query, a body or a secret; calls without a key (the page, health) make no line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_and_tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                tell(scope, message["status"], time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, send_and_tell)


def tell(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", UNKNOWN)
    ANSWERED.labels(scope["method"] if route != UNKNOWN else UNKNOWN, route, status).observe(seconds)
    if caller := scope.get("state", {}).get("caller"):
        log.info(
            "answered",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            tenant=caller.tenant,
            key=caller.id,
        )
