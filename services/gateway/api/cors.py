"""Cross-origin requests (CORS): which web apps may call the API from a browser. Off unless GATEWAY_CORS_ORIGINS names origins."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PATHS = ("/v1/", "/openapi.json")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "X-Request-Id",
    "traceparent",
    "tracestate",
)
RESPONSE_HEADERS = (
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Earshot-Watermark",
    "X-Request-Id",
)
PREFLIGHT_SECONDS = 7_200
"""For how long a browser may remember the answer to a preflight; the most that Chromium accepts."""


class Cors:
    """Answers preflights and adds the CORS headers, on the paths of the API only.

    Cookies play no part: the key is sent in a header, so an allowed origin can do nothing without a key of its own.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self.app = app
        self._api = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        of_api = scope["type"] == "http" and scope["path"].startswith(PATHS)
        await (self._api if of_api else self.app)(scope, receive, send)
