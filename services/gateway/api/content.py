"""Headers that keep a browser from showing an API's response as a page: it is data, and holds what customers wrote."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/v1/"
STREAM = "text/event-stream"

EXTENSIONS = {
    "application/json": "json",
    "application/problem+json": "json",
    "application/x-ndjson": "ndjson",
    "text/csv": "csv",
}


class ContentHeaders:
    """ASGI middleware: `nosniff` on every response; on those of the API also `Content-Disposition`, so that one that is opened
    as a page is saved as a file. Programs ignore both."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                kind = headers.get("content-type", "").partition(";")[0]
                if scope["path"].startswith(API) and kind and kind != STREAM:
                    name = f"earshot.{EXTENSIONS.get(kind, 'bin')}"
                    headers.setdefault("Content-Disposition", f'attachment; filename="{name}"')
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
