"""Child processes: started in a session of their own, tied to our life, logged to a file, stopped for certain."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

TETHER = Path(__file__).with_name("tether.py")
LOG_LIMIT = 20 * 1024 * 1024


class StartFailed(Exception):
    """Something could not be started; the message says what, why, and what to do about it."""


class Child:
    """A running child process. It has its own session, so that a terminal's Ctrl-C reaches us alone."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def spawn(
        cls,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> "Child":
        """Start `command` with both outputs appended to `log`, as `user` if given.

        Call it on a thread that lives as long as the child should: the kernel sends `death_signal` when that thread ends.
        """
        tether = (sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(int(death_signal)), user or "-")
        with open_log(log) as output:
            process = await asyncio.create_subprocess_exec(
                *tether,
                *map(str, command),
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        """Its exit status, once it has ended (negative: the signal that killed it)."""
        return await self._process.wait()

    async def stop(self, by: signal.Signals = signal.SIGTERM, patience: float = 15.0) -> None:
        """Ask it to end by the signal `by`, and kill its whole group after `patience` seconds. Harmless when it has ended."""
        with suppress(ProcessLookupError):
            self._process.send_signal(by)
        try:
            await asyncio.wait_for(self._process.wait(), patience)
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            await self._process.wait()

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, for a message about its failure."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


async def run_to_end(
    name: str, command: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None, user: str | None = None
) -> None:
    """Run `command` until it ends by itself; raise StartFailed unless it ends well. It does not survive our being cancelled."""
    child = await Child.spawn(name, command, log, env=env, user=user)
    try:
        status = await child.wait()
    finally:
        await child.stop(patience=5)
    if status:
        raise StartFailed(f"{name} failed; {log} ends with:\n{child.last_words()}")


def open_log(path: Path) -> BinaryIO:
    """The log at `path`, for appending; one grown beyond LOG_LIMIT moves aside first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".1.log"))
    return path.open("ab")


async def until_ready(child: Child, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Return when `ready()` is true; raise StartFailed when the child ends first or `seconds` pass."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await ready():
        if not child.running:
            raise StartFailed(f"{child.name} ended while starting; {child.log} ends with:\n{child.last_words()}")
        if asyncio.get_running_loop().time() > deadline:
            raise StartFailed(f"{child.name} was not ready after {seconds:.0f} s; see {child.log}")
        await asyncio.sleep(0.03)
