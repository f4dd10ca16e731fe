"""The `earshot` command, run in the process of a test, with the services played on a port."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from typer.testing import CliRunner

from services.gateway.cli import app
from tests.service.gateway.fake_services import FakeServices


@asynccontextmanager
async def serving(services: FakeServices) -> AsyncIterator[str]:
    """`services` on a port, for a command that opens connections of its own."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        headers = httpx.Headers(dict(line.split(": ", 1) for line in head.splitlines()[1:] if line))
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        response = await services(httpx.Request(method, f"http://services{path}", headers=headers, content=content))
        body = response.content
        writer.write(
            b"HTTP/1.1 %d OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (response.status_code, len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Earshot:
    """Runs the `earshot` command in this process, in a thread: a process of its own takes seconds to start."""

    def __init__(self, **environment: str) -> None:
        self.environment = environment

    async def __call__(self, *words: str) -> tuple[int, str]:
        """Its exit status and its output, standard error included."""
        result = await asyncio.to_thread(CliRunner(env=self.environment).invoke, app, words)
        return result.exit_code, result.output

    async def json(self, *words: str) -> Any:
        """Its standard output, which is JSON; log lines go to standard error."""
        result = await asyncio.to_thread(CliRunner(env=self.environment).invoke, app, [*words, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)
