"""A cheap HTTP client for load: HTTP/1.1 POSTs over persistent connections."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit


class Poster:
    """Posts over a fixed number of connections. A post waits for a free one."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self._path = path
        self._host = f"host: {host}:{port}\r\n"
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    def add(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._free.put_nowait((reader, writer))

    async def post(self, headers: Mapping[str, str], body: bytes, path: str | None = None) -> int:
        """Post a request, to the poster's path unless another is given; returns the status of the complete response."""
        reader, writer = await self._free.get()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(
            f"POST {path or self._path} HTTP/1.1\r\n{self._host}{lines}content-length: {len(body)}\r\n\r\n".encode() + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        _, _, length = head.partition("\r\ncontent-length: ")
        await reader.readexactly(int(length.split("\r\n", 1)[0] or 0))
        self.add(reader, writer)
        return int(head.split(" ", 2)[1])


@asynccontextmanager
async def open_poster(url: str, connections: int) -> AsyncIterator[Poster]:
    """A poster with `connections` connections to the server of `url`."""
    target = urlsplit(url)
    host, port = target.hostname or "127.0.0.1", target.port or 80
    poster = Poster(host, port, target.path)
    async with AsyncExitStack() as stack:
        for _ in range(connections):
            reader, writer = await asyncio.open_connection(host, port)
            stack.callback(writer.close)
            poster.add(reader, writer)
        yield poster


async def post_at(poster: Poster, webhook: Callable[[int], tuple[Mapping[str, str], bytes]], times: Sequence[float]) -> None:
    """Post `webhook(k)` at the k-th of `times` (of perf_counter), whether or not earlier ones have been answered.

    Raises SystemExit if a response is not 202.
    """

    async def post(number: int) -> None:
        status = await poster.post(*webhook(number))
        if status != 202:
            raise SystemExit(f"a webhook was answered with {status}")

    async with asyncio.TaskGroup() as group:
        for number, at in enumerate(times):
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            group.create_task(post(number))
