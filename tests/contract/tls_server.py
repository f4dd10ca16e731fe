"""A PostgreSQL server with TLS: the server of the tests behind a proxy that does the handshake, since its build has no TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from deploy.local.ports import HOST

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""The first message of a client that may use TLS (https://www.postgresql.org/docs/current/protocol-message-formats.html)."""


@asynccontextmanager
async def tls_server(port: int, folder: Path, *, require_certificate: bool = False) -> AsyncIterator[int]:
    """The port of a server with TLS in front of the one at `port`. Connections without TLS are closed.

    The certificates in `folder` are those of `write_certificates`; with `require_certificate` a client needs one too.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.crt")
    context.load_cert_chain(folder / "broker.crt", folder / "broker.key")
    if require_certificate:
        context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
                await forward(reader, writer, port)
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Pass bytes in both directions until one side closes its connection."""
    other_reader, other_writer = await asyncio.open_connection(HOST, port)
    copies = [asyncio.create_task(copy(reader, other_writer)), asyncio.create_task(copy(other_reader, writer))]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in copies:
            task.cancel()
        await asyncio.gather(*copies, return_exceptions=True)
        other_writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes until the end of the input."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
