"""A local HTTP server in the place of a tool's API. Each path has a document; answers that differ are queued before it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

REASONS = {200: "OK", 301: "Moved", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Answer:
    """One answer. `body` as bytes is sent as it is; `missing_bytes` are announced and never sent; `seconds`: the delay."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    missing_bytes: int = 0
    seconds: float = 0.0


@dataclass
class FakeToolApi:
    """`documents` by path; a function is called with the body of a POST: its JSON, or its form. `queued` answers by path come
    first; `calls` are the (path, authorization) of all requests, `bodies` those of POSTs."""

    url: str = ""
    documents: dict[str, Any] = field(default_factory=dict)
    queued: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Answers wait for it. Tests clear it to keep a call in progress."""

    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the end: slow answers are sent at once."""

    def queue(self, path: str, *answers: Answer) -> None:
        self.queued.setdefault(path, []).extend(answers)

    def paths(self) -> list[str]:
        return [path for path, _ in self.calls]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                path = lines[0].split(" ")[1]
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
                body = decode(headers, await reader.readexactly(int(headers.get("content-length", 0))))
                self.calls.append((path, headers.get("authorization", "")))
                self.bodies += [body] if body is not None else []
                await self.released.wait()
                queued = self.queued.get(path)
                answer = queued.pop(0) if queued else self.document(path, body)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.closing.wait(), answer.seconds)
                writer.write(encode(answer))
                await writer.drain()
                if answer.missing_bytes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def document(self, path: str, body: Any) -> Answer:
        if path not in self.documents:
            return Answer(404, {"error": {"id": "1020"}})
        document = self.documents[path]
        answer = document(body) if callable(document) else document
        return answer if isinstance(answer, Answer) else Answer(body=answer)


def decode(headers: dict[str, str], body: bytes) -> Any:
    """The JSON or the form of a POST. None for a GET."""
    if not body:
        return None
    return json.loads(body) if headers["content-type"] == "application/json" else dict(parse_qsl(body.decode()))


def encode(answer: Answer) -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body) + answer.missing_bytes), **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Answer')}", *(f"{n}: {v}" for n, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def running_tool_api() -> AsyncIterator[FakeToolApi]:
    api = FakeToolApi()
    api.released.set()
    server = await asyncio.start_server(api.serve, "127.0.0.1", 0)
    api.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield api
    finally:
        api.released.set()
        api.closing.set()
        await asyncio.sleep(0.05)
        server.close()
