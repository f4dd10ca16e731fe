"""Helpers of the tests of limits on requests: a server with limits, and clients on sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import Receive, Scope, Send

from deploy.local.servers import free_port
from shared.heads import limited
from shared.http_limits import HttpLimits

LIMITS = HttpLimits()
GOOD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000
CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
GET_ONCE = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
WAIT_ONCE = b"GET /wait HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
MUCH = 20 * LIMITS.head_bytes
PATIENCE = 10.0
LARGE = 20_000_000
"""Bytes of a response that no socket buffer holds."""


class App:
    """Answers with the number of bytes in the body; on `/wait` once `released` is set, on `/large` with LARGE bytes."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.waiting = 0
        self.disconnected = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected += 1
                return
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        if scope["path"] == "/wait":
            self.waiting += 1
            await self.released.wait()
        content = b"x" * LARGE if scope["path"] == "/large" else str(size).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(content)).encode())]})
        await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def served(app: App, limits: HttpLimits = LIMITS, keep_alive: int = 5) -> AsyncIterator[int]:
    """The port on which `app` is served under `limits`."""
    port = free_port()
    config = uvicorn.Config(
        app,
        port=port,
        http=limited(limits),
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=keep_alive,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = True
    await task


async def exchange(port: int, *parts: bytes, pause: float = 0.0, silence: float = 1.0) -> tuple[bytes, bool]:
    """The response to these parts until `silence` seconds without data, and whether the server closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer, closed = b"", False
    try:
        for part in parts:
            writer.write(part)
            await asyncio.wait_for(writer.drain(), 5)
            await asyncio.sleep(pause)
        while part := await asyncio.wait_for(reader.read(65536), silence):
            answer += part
        closed = True
    except ConnectionError:
        closed = True
    except TimeoutError:
        pass
    finally:
        writer.close()
    return answer, closed


async def dripped(port: int, head: bytes, drops: Iterable[bytes], every: float = 0.05) -> bytes:
    """The response, until the server closes the connection, to a client that sends one drop at a time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)

    async def drip() -> None:
        for drop in drops:
            writer.write(drop)
            await asyncio.sleep(every)

    dripping = asyncio.create_task(drip())
    answer = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while part := await reader.read(65536):
                answer += part
    except ConnectionError:
        pass
    finally:
        dripping.cancel()
        writer.close()
    return answer


def problem(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head.lower()
    return dict(json.loads(body))
