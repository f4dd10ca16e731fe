"""ASGI middleware of every service: the request id and the trace of each request."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import tracing
from shared.request_context import bind, parse_http_headers, unbind


class RequestTelemetry:
    """Accepts or creates `X-Request-Id`, binds it and the trace to the logs, and returns it with the response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        context = tracing.server_context(parse_http_headers(scope["headers"]))
        token = bind(context)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", []).append((b"x-request-id", context.request_id.encode()))
            await send(message)

        await self.app(scope, receive, send_with_id)
        unbind(token)  # not after an exception: it is answered and logged outside of this middleware, with the request id
