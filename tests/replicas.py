"""Services in the process of the tests: replicas on real ports, behind a balancer that plays a Kubernetes Service."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from socket import socket
from typing import Protocol

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.local.servers import free_port
from shared.heads import limited
from shared.http import Server
from shared.http_limits import HttpLimits

HOST = "127.0.0.1"
PAUSE = 0.4
"""SHUTDOWN_PAUSE of the replicas: seconds between the signal to stop and the end of the connections."""
KEEPALIVE = httpx.Limits(keepalive_expiry=PAUSE / 2)
"""The connections between the services: idle ones end before PAUSE, as in production (test_environment)."""
START_SECONDS = 30.0


@dataclass
class Recorder:
    """ASGI middleware that counts the responses of a service by path and status."""

    app: ASGIApp
    responses: Counter[tuple[str, int]] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def record(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.responses[scope["path"], message["status"]] += 1
            await send(message)

        await self.app(scope, receive, record)


class InProcessServer(Server):
    """A server that leaves the signals of the process and the errors of the event loop to pytest."""

    async def serve(self, sockets: list[socket] | None = None) -> None:
        """Serve."""
        await uvicorn.Server.serve(self, sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Do nothing."""
        yield


class Backend(Protocol):
    """A server of a service."""

    port: int

    async def start(self) -> None:
        """Start to serve."""

    async def stop(self) -> None:
        """Stop as after SIGTERM."""


class Replica:
    """One process of a service, as far as its clients can see. Must be started, and stopped once."""

    def __init__(self, app: FastAPI) -> None:
        self.port = free_port()
        self.recorder = Recorder(app)
        config = uvicorn.Config(
            self.recorder,
            port=self.port,
            http=limited(HttpLimits()),
            ws="none",
            log_config=None,
            timeout_graceful_shutdown=10,
        )
        self._server = InProcessServer(config, app, PAUSE)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Start to serve. Raises an error of the lifespan."""
        self._serving = asyncio.create_task(self._server.serve())
        async with asyncio.timeout(START_SECONDS):
            while not self._server.started:
                assert not self._serving.done(), "the application did not start"
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop as after SIGTERM: responses say `Connection: close` for PAUSE seconds, then connections are drained."""
        self._server.should_exit = True
        await self._serving


class Balancer:
    """Passes each connection to one of `replicas`, in turns."""

    def __init__(self) -> None:
        self.port = free_port()
        self.replicas: list[Backend] = []
        self._count = 0
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        async with await asyncio.start_server(self._accept, HOST, self.port):
            yield
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.replicas:
            writer.close()
            return
        self._count += 1
        replica = self.replicas[self._count % len(self.replicas)]
        task = asyncio.create_task(connect(replica.port, reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)


async def connect(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Connect a client with a port until one of them closes its connection."""
    try:
        from_replica, to_replica = await asyncio.open_connection(HOST, port)
        await asyncio.gather(copy_stream(reader, to_replica), copy_stream(from_replica, writer))
    except ConnectionError:
        pass
    finally:
        writer.close()


async def copy_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until the sender closes its connection, then close the receiver's."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def do_nothing() -> None:
    """The default of `replace`."""


async def replace(
    balancers: dict[str, Balancer], apps: dict[str, FastAPI], both: Callable[[], Awaitable[object]] = do_nothing
) -> None:
    """Replace the replicas of the services of `apps` by those of these applications, as `roll_out` does."""
    await roll_out(balancers, {name: Replica(app) for name, app in apps.items()}, both)


async def roll_out(
    balancers: dict[str, Balancer], new: Mapping[str, Backend], both: Callable[[], Awaitable[object]] = do_nothing
) -> None:
    """Replace replicas as Kubernetes does: new ones serve beside the former ones during `both`, then alone."""
    former = {name: balancers[name].replicas for name in new}
    await asyncio.gather(*[replica.start() for replica in new.values()])
    for name, replica in new.items():
        balancers[name].replicas = [*former[name], replica]
    try:
        await both()
    finally:
        for name, replica in new.items():
            balancers[name].replicas = [replica]
        await asyncio.gather(*[replica.stop() for name in new for replica in former[name]])


async def stop_all(balancers: dict[str, Balancer]) -> None:
    """Stop the replicas of the services of `balancers`."""
    await asyncio.gather(*[replica.stop() for balancer in balancers.values() for replica in balancer.replicas])
    for balancer in balancers.values():
        balancer.replicas = []
