"""A load balancer that plays a Kubernetes Service: each connection goes to one of the replicas that are ready."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import httpx

CHECK_SECONDS = 1.0
CONNECT_SECONDS = 2.0
CHUNK = 65_536


class Balancer:
    """Passes connections to the replicas at these hosts and this port, in turns. A replica is ready if `/readyz` says so."""

    def __init__(self, hosts: Sequence[str], port: int) -> None:
        self._hosts = hosts
        self._port = port
        self._ready: list[str] = list(hosts)
        self._turn = 0
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, host: str) -> AsyncIterator[None]:
        """Listen on this address, at the port of the replicas."""
        async with httpx.AsyncClient(timeout=CONNECT_SECONDS, trust_env=False) as http:
            checks = [asyncio.create_task(self._check(http, replica)) for replica in self._hosts]
            try:
                async with await asyncio.start_server(self._accept, host, self._port):
                    yield
            finally:
                tasks = [*checks, *self._connections]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _check(self, http: httpx.AsyncClient, host: str) -> None:
        while True:
            try:
                is_ready = (await http.get(f"http://{host}:{self._port}/readyz")).status_code == httpx.codes.OK
            except httpx.HTTPError:
                is_ready = False
            if is_ready and host not in self._ready:
                self._ready.append(host)
            if not is_ready and host in self._ready:
                self._ready.remove(host)
            await asyncio.sleep(CHECK_SECONDS)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._turn += 1
        shift = self._turn % max(1, len(self._ready))
        task = asyncio.create_task(self._connect([*self._ready[shift:], *self._ready[:shift]], reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _connect(self, hosts: Sequence[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for host in hosts:
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(CONNECT_SECONDS):
                        from_replica, to_replica = await asyncio.open_connection(host, self._port)
                    await asyncio.gather(copy(reader, to_replica), copy(from_replica, writer))
                    return
        finally:
            writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until the sender closes its connection or is lost, then close the receiver's."""
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
