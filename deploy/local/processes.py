"""Child processes: each in its own session, logged to a file, killed when this process ends."""

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
    """A process could not be started; the message says which, why, and what to do."""


class Child:
    """A child process in its own session, so that Ctrl-C in a terminal reaches only the parent."""

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
        """Start `command`, as `user` if given, with stdout and stderr appended to `log`.

        The kernel sends `death_signal` to the child when the calling thread ends.
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
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Wait for its end. Returns its exit status; negative: the signal that killed it."""
        return await self._process.wait()

    async def stop(self, by: signal.Signals = signal.SIGTERM, patience: float = 15.0) -> None:
        """Send the signal `by`, and kill the process group after `patience` seconds. No effect on an ended process."""
        with suppress(ProcessLookupError):
            self._process.send_signal(by)
        try:
            await asyncio.wait_for(self._process.wait(), patience)
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            await self._process.wait()

    def log_tail(self, lines: int = 5) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


async def run_command(
    name: str, command: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None, user: str | None = None
) -> None:
    """Run `command` to its end. Raises StartFailed if it fails. A cancellation stops it."""
    child = await Child.spawn(name, command, log, env=env, user=user)
    try:
        status = await child.wait()
    finally:
        await child.stop(patience=5)
    if status:
        raise StartFailed(f"{name} failed; {log} ends with:\n{child.log_tail()}")


def open_log(path: Path) -> BinaryIO:
    """Open the log at `path` for appending; a log above LOG_LIMIT bytes is renamed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".1.log"))
    return path.open("ab")


async def wait_until_ready(child: Child, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Return when `ready()` is true. Raises StartFailed if the child ends before, or after `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await ready():
        if not child.running:
            raise StartFailed(f"{child.name} ended while starting; {child.log} ends with:\n{child.log_tail()}")
        if asyncio.get_running_loop().time() > deadline:
            raise StartFailed(f"{child.name} was not ready after {seconds:.0f} s; see {child.log}")
        await asyncio.sleep(0.03)
