"""One HTTP request to an ASGI application whose client may leave before the answer."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message

SOON = 20.0
"""Seconds until a test fails that waits for something which never comes."""


class AsgiCall:
    """A request under way. `status` is 0 until the answer begins."""

    def __init__(self, app: ASGIApp, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._messages.put_nowait({"type": "http.request", "body": body})
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        self.task = asyncio.ensure_future(app(scope, self._messages.get, self._send))

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        self.body += message.get("body", b"")

    def leave(self) -> None:
        """Close the connection from the client's side."""
        self._messages.put_nowait({"type": "http.disconnect"})

    async def answer(self) -> int:
        """The status, once the request is answered or given up."""
        await asyncio.wait_for(self.task, SOON)
        return self.status
