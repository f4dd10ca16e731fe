"""Several processes that serve one port: a supervisor starts them, replaces those that die, and stops them together.

Each process has a listening socket of its own on the port (SO_REUSEPORT), and Linux gives each an equal share of new connections.
With one socket for all, the process that woke first took up to 62 of 64 connections. The supervisor holds the sockets too, so
connections to a process that dies wait for its replacement. Each process also listens on a port of its own on the loopback
interface, where the others ask for its health and its metrics (`shared/group_health.py`).

A process that dies is replaced: the others serve meanwhile, as replicas do. More than MOST_DEATHS within DEATHS_SECONDS are a
fault that restarts don't repair: then all processes end, with an error, and the orchestrator decides.
"""

import asyncio
import errno
import json
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from signal import SIGINT, SIGTERM, Signals

import structlog

from shared.settings import SharedSettings

log = structlog.get_logger()

BACKLOG = 2048
"""Connections that may wait until a process accepts them."""
RESTART_SECONDS = 0.2
MOST_DEATHS, DEATHS_SECONDS = 5, 60.0
DRAIN_SECONDS = 25.0
"""Seconds after SIGTERM and the pause of the settings in which a process must have ended. Then it is killed."""

MEMBER = "--member="
FAILED, START_FAILED = 1, 3
"""Exit statuses if processes died again and again; if the port can't be served."""


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a group. `shared` and `own` are the descriptors of its sockets, on the shared port and on its own; `ports`
    are the own ports of all processes, by their numbers."""

    number: int
    shared: int
    own: int
    ports: Sequence[int]

    def sockets(self) -> list[socket.socket]:
        """Its listening sockets, which it has from the supervisor."""
        return [socket.socket(fileno=self.shared), socket.socket(fileno=self.own)]

    def argument(self) -> str:
        """The command-line argument that `member_of` reads."""
        return MEMBER + json.dumps(asdict(self))


def member_of(arguments: Sequence[str]) -> Member | None:
    """The place of this process in its group, by its command-line arguments. None: it belongs to no group."""
    texts = [argument.removeprefix(MEMBER) for argument in arguments if argument.startswith(MEMBER)]
    return Member(**json.loads(texts[0])) if texts else None


class TooManyDeaths(Exception):
    """Processes died again and again."""


class ServerGroup:
    """`count` processes of `python -m <module>`, which serve the host and the port of `settings`."""

    def __init__(self, module: str, settings: SharedSettings, count: int) -> None:
        self._module = module
        self._count = count
        self._address = (settings.host, settings.port)
        self._stop_seconds = settings.shutdown_pause + DRAIN_SECONDS
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._deaths: deque[float] = deque()

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT. Returns the exit status."""
        return asyncio.run(self._run())

    async def _run(self) -> int:
        try:
            shared = listen_together(*self._address, self._count)
        except OSError as error:
            log.critical("service.failed", error=errno.errorcode.get(error.errno or 0), port=self._address[1], exc_info=error)
            return START_FAILED
        own = [listen("127.0.0.1", 0) for _ in range(self._count)]
        ports = [listening.getsockname()[1] for listening in own]
        pairs = zip(shared, own, strict=True)
        members = [Member(number, public.fileno(), private.fileno(), ports) for number, (public, private) in enumerate(pairs)]
        stopping = asyncio.Event()
        for signal in (SIGTERM, SIGINT):
            asyncio.get_running_loop().add_signal_handler(signal, stopping.set)
        works = [asyncio.create_task(self._keep(member)) for member in members]
        works.append(asyncio.create_task(wait_until_set(stopping)))
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
        finally:
            for listening in (*shared, *own):  # else clients would go on to connect to a socket from which nobody accepts
                listening.close()
            await self._stop_all()
        try:
            done.pop().result()
        except TooManyDeaths:
            return FAILED
        return 0

    async def _keep(self, member: Member) -> None:
        """Run the process of `member`, and another one when it dies. Raises TooManyDeaths."""
        while True:
            process = await self._start(member)
            status = await process.wait()
            del self._running[member.number]
            log.error("process.died", process=member.number, pid=process.pid, status=name_of(status))
            self._note_death()
            await asyncio.sleep(RESTART_SECONDS)

    async def _start(self, member: Member) -> asyncio.subprocess.Process:
        """Start a process in a session of its own, so that signals of a terminal reach it by the supervisor alone. It stops when
        its standard input ends, which it does with the supervisor."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            member.argument(),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(member.shared, member.own),
            start_new_session=True,
        )
        self._running[member.number] = process
        return process

    def _note_death(self) -> None:
        now = time.monotonic()
        self._deaths.append(now)
        while self._deaths[0] < now - DEATHS_SECONDS:
            self._deaths.popleft()
        if len(self._deaths) > MOST_DEATHS:
            log.critical("processes.failed", deaths=len(self._deaths), seconds=DEATHS_SECONDS)
            raise TooManyDeaths

    async def _stop_all(self) -> None:
        """Send SIGTERM to all processes, and kill those that have not ended in time."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.terminate()
        ends = [asyncio.create_task(process.wait()) for process in self._running.values()]
        late = (await asyncio.wait(ends, timeout=self._stop_seconds))[1] if ends else set()
        if late:
            log.error("processes.killed", processes=len(late))
            for process in self._running.values():
                with suppress(ProcessLookupError):
                    process.kill()
            await asyncio.wait(late)


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` listening sockets on one port, which share its connections. Only Linux divides them equally; elsewhere all are the
    same socket. Raises OSError if the port is in use."""
    if not sys.platform.startswith("linux"):
        return [listen(host, port)] * count
    listen(host, port).close()  # a port in use is an error here; with SO_REUSEPORT it would be shared with its user
    return [listen(host, port, reuse_port=True) for _ in range(count)]


def listen(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """A listening socket. Port 0: a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=reuse_port)


async def wait_until_set(event: asyncio.Event) -> None:
    """Return when `event` is set."""
    await event.wait()


def name_of(status: int) -> str:
    """The exit status of a process, or the name of the signal that ended it."""
    return Signals(-status).name if status < 0 else str(status)
