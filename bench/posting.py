"""A client that costs little beside what it measures: HTTP/1.1 POSTs over connections that are kept open."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit


class Posting:
    """Posts over one of a few connections, waiting for a free one."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self._head = f"POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\n"
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    def add(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._free.put_nowait((reader, writer))

    async def post(self, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer, once it has been read whole."""
        reader, writer = await self._free.get()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"{self._head}{lines}content-length: {len(body)}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        _, _, length = head.partition("\r\ncontent-length: ")
        await reader.readexactly(int(length.split("\r\n", 1)[0] or 0))
        self.add(reader, writer)
        return int(head.split(" ", 2)[1])


@asynccontextmanager
async def posting(url: str, connections: int) -> AsyncIterator[Posting]:
    """So many connections to the server of `url`."""
    target = urlsplit(url)
    host, port = target.hostname or "127.0.0.1", target.port or 80
    posting = Posting(host, port, target.path)
    async with AsyncExitStack() as stack:
        for _ in range(connections):
            reader, writer = await asyncio.open_connection(host, port)
            stack.callback(writer.close)
            posting.add(reader, writer)
        yield posting
