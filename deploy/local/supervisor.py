"""Restart processes that die, after a pause that grows while they keep dying."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from typing import Protocol

from deploy.local.processes import StartFailed

MAX_PAUSE = 10.0
STEADY_SECONDS = 30.0
"""After a process has run for this time, its next restart comes after the shortest pause again."""

Progress = Callable[[str], None]


class Unit(Protocol):
    """A process that can be started repeatedly."""

    @property
    def name(self) -> str:
        """The name in messages and in `Supervisor.pids`."""

    @property
    def pid(self) -> int | None:
        """The process id; None before the first start."""

    async def start(self, progress: Progress = ...) -> None:
        """Start the process and wait until it works. Raises StartFailed."""

    async def wait(self) -> int:
        """Wait for its end. Returns its exit status."""

    async def stop(self) -> None:
        """Stop the process."""


class Supervisor:
    """Starts, watches and stops units.

    `doing` receives the progress of a start, `note` restarts and their errors. `changed` is called after a pid has changed.
    """

    def __init__(self, doing: Progress, note: Progress, changed: Callable[[], None], first_pause: float = 0.2) -> None:
        self._doing = doing
        self._note = note
        self._changed = changed
        self._first_pause = first_pause
        self._units: list[Unit] = []
        self._watches: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> dict[str, int | None]:
        """The process id of each unit, by name."""
        return {unit.name: unit.pid for unit in self._units}

    async def start(self, unit: Unit) -> None:
        """Start `unit` and restart it whenever it dies. Raises StartFailed if the first start fails."""
        self._units.append(unit)
        await unit.start(self._doing)
        self._watches.append(asyncio.create_task(self._watch(unit), name=f"watch {unit.name}"))

    async def stop(self, *, last: Sequence[str] = ()) -> None:
        """Stop all units concurrently, also those that are starting; the units named in `last` after the others."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        first = [unit for unit in self._units if unit.name not in last]
        for group in (first, [unit for unit in self._units if unit.name in last]):
            await asyncio.gather(*(unit.stop() for unit in group))

    async def _watch(self, unit: Unit) -> None:
        loop = asyncio.get_running_loop()
        pause = self._first_pause
        while True:
            started = loop.time()
            status = await unit.wait()
            if loop.time() - started > STEADY_SECONDS:
                pause = self._first_pause
            self._note(f"{unit.name} {describe_exit(status)}; starting it again")
            pause = await self._revive(unit, pause)
            self._changed()

    async def _revive(self, unit: Unit, pause: float) -> float:
        """Start the unit, with retries. Returns the pause before the next restart."""
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE)
            try:
                await unit.start(self._note)
            except StartFailed as error:
                self._note(str(error))
                await unit.stop()
            else:
                return pause


def describe_exit(status: int) -> str:
    """How a process ended, from its exit status."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
