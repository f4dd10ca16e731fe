"""ASGI middleware: HEAD on the routes of the API that have GET (RFC 9110, 9.3.2)."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = ("/v1/", "/openapi.json")
"""`services.gateway.api.page` answers HEAD by itself."""
STREAMS = {"/v1/live"}
"""Streams have no end, so they have no HEAD: 405."""

IS_HEAD = "is_head"
"""In the request's state: the body will be dropped."""


async def is_head_request(request: Request) -> bool:
    """Whether the request is a HEAD that HeadRequests answers as GET."""
    return getattr(request.state, IS_HEAD, False)


IsHead = Annotated[bool, Depends(is_head_request)]
"""A parameter of a route: whether the response's body will be dropped, so that it need not be made."""


class HeadRequests:
    """Answers HEAD as GET without the body: the same key, limits, entity tags and headers, `Content-Length` included.

    `Allow` of a 405 names HEAD beside GET.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PATHS) or scope["path"].rstrip("/") in STREAMS:
            await self.app(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._answer_head(scope, receive, send)
        else:
            await self.app(scope, receive, allowing_head(send))

    async def _answer_head(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})  # shared, since the middleware outside reads it
        state[IS_HEAD] = True
        as_get = {**scope, "method": "GET"}

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                if route := as_get.get("route"):
                    scope["route"] = route
                await send(message)
            elif not message.get("more_body", False):
                await send({"type": "http.response.body", "body": b""})

        await self.app(as_get, receive, allowing_head(send_without_body))


def allowing_head(send: Send) -> Send:
    """A `send` that adds HEAD to an `Allow` that has GET."""

    async def send_with_head(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 405:
            headers = MutableHeaders(scope=message)
            methods = {method.strip() for method in headers.get("allow", "").split(",")}
            if "GET" in methods:
                headers["allow"] = ", ".join(sorted(methods | {"HEAD"}))
        await send(message)

    return send_with_head
