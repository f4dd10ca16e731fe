"""A connection pooler in transaction mode, as PgBouncer is: each transaction of a client may run in another session.

A client gets a session for one transaction, the one that was unused for longest, so two transactions in a row hardly ever get
the same one if there are several. Like PgBouncer it refuses settings that it can't set for each client.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from deploy.local.ports import HOST

READY, TERMINATE, REQUESTS = b"Z", b"X", (b"S", b"Q")
"""Types of messages: ReadyForQuery, Terminate, and those that a ReadyForQuery answers (Sync, Query)."""
IDLE = b"I"
"""The status of a session outside of a transaction, in ReadyForQuery."""
ALLOWED = {"user", "database", "application_name", "client_encoding", "datestyle", "standard_conforming_strings", "timezone"}
"""The parameters of a connection that PgBouncer accepts (https://www.pgbouncer.org/config.html#ignore_startup_parameters)."""
SSL_REQUEST, CANCEL_REQUEST = 80877103, 80877102

Messages = asyncio.Queue[bytes]


@dataclass
class Session:
    """A connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass
class Pooler:
    """Its state: the sessions that no transaction uses."""

    server_port: int
    port: int = 0
    unused: deque[Session] = field(default_factory=deque)
    returned: asyncio.Condition = field(default_factory=asyncio.Condition)
    switches: int = 0
    """How many transactions got another session than the client's previous one."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client until it disconnects."""
        with suppress(OSError, asyncio.IncompleteReadError):
            startup = await read_startup(reader, writer)
            if startup is None:
                return
            if refused := parameters(startup).keys() - ALLOWED:
                writer.write(error(f"unsupported startup parameter: {min(refused)}"))
            else:
                await self.give_back(await self.open_session(startup, reader, writer))
                await self.serve_transactions(reader, writer)
        writer.close()

    async def open_session(self, startup: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Session:
        """A new session, for which the client authenticates."""
        session = Session(*await asyncio.open_connection(HOST, self.server_port))
        session.writer.write(startup)
        while True:
            kind, message = await read_message(session.reader)
            writer.write(kind + message)
            if kind == READY:
                return session
            if kind == b"E":
                raise ConnectionError("the server refused the client")
            if kind == b"R" and int.from_bytes(message[4:8], "big") in (10, 11):  # SASL: it waits for the client
                session.writer.write(b"".join(await read_message(reader)))

    async def serve_transactions(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass each transaction to a session."""
        previous: Session | None = None
        messages: Messages = asyncio.Queue()
        reading = asyncio.create_task(read_messages(reader, messages))
        try:
            while (first := await messages.get()) and first[:1] != TERMINATE:
                session = await self.take()
                self.switches += previous not in (None, session)
                previous = session
                if not await run_transaction(first, session, messages, writer):
                    session.writer.close()  # the server rolls back
                    return
                await self.give_back(session)
        finally:
            reading.cancel()

    async def take(self) -> Session:
        """The session that was unused for longest."""
        async with self.returned:
            await self.returned.wait_for(lambda: self.unused)
            return self.unused.popleft()

    async def give_back(self, session: Session) -> None:
        """Let other transactions use a session."""
        async with self.returned:
            self.unused.append(session)
            self.returned.notify()


@asynccontextmanager
async def transaction_pooler(server_port: int) -> AsyncIterator[Pooler]:
    """A running pooler in front of the server at a port of this machine."""
    pooler = Pooler(server_port)
    server = await asyncio.start_server(pooler.serve, HOST, 0)
    pooler.port = server.sockets[0].getsockname()[1]
    async with server:
        yield pooler
    for session in pooler.unused:
        session.writer.close()


async def run_transaction(first: bytes, session: Session, messages: Messages, writer: asyncio.StreamWriter) -> bool:
    """Pass messages in both directions until the session is outside of a transaction and has answered everything.

    Returns False if the client disconnects before.
    """
    unanswered = int(first[:1] in REQUESTS)
    disconnected = asyncio.Event()

    async def pass_on() -> None:
        nonlocal unanswered
        while message := await messages.get():
            unanswered += message[:1] in REQUESTS
            session.writer.write(message)
        disconnected.set()
        session.writer.close()

    session.writer.write(first)
    passing = asyncio.create_task(pass_on())
    try:
        while True:
            kind, message = await read_message(session.reader)
            writer.write(kind + message)
            unanswered -= kind == READY
            if kind == READY and message[4:] == IDLE and unanswered == 0:
                return True
    except (OSError, asyncio.IncompleteReadError):
        if disconnected.is_set():
            return False
        raise
    finally:
        passing.cancel()


async def read_messages(reader: asyncio.StreamReader, messages: Messages) -> None:
    """Put the messages of a client into the queue, and an empty one when it disconnects."""
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            messages.put_nowait(b"".join(await read_message(reader)))
    messages.put_nowait(b"")


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The type of a message, and its length and content."""
    head = await reader.readexactly(5)
    return head[:1], head[1:] + await reader.readexactly(int.from_bytes(head[1:], "big") - 4)


async def read_startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
    """The first message of a client, after TLS was declined; None if it cancels a statement instead, which is ignored."""
    while True:
        length = await reader.readexactly(4)
        content = await reader.readexactly(int.from_bytes(length, "big") - 4)
        code = int.from_bytes(content[:4], "big")
        if code == CANCEL_REQUEST:
            writer.close()
            return None
        if code != SSL_REQUEST:
            return length + content
        writer.write(b"N")


def parameters(startup: bytes) -> dict[str, str]:
    """The parameters of a startup message, by their names in lower case."""
    texts = [text.decode() for text in startup[8:].rstrip(b"\0").split(b"\0")]
    return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=False)}


def error(message: str) -> bytes:
    """A fatal ErrorResponse."""
    content = b"SFATAL\0VFATAL\0C08P01\0M" + message.encode() + b"\0\0"
    return b"E" + (len(content) + 4).to_bytes(4, "big") + content
