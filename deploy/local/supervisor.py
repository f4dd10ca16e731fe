"""Keeps processes running: what dies is started again, after a pause that grows while it keeps dying."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from typing import Protocol

from deploy.local.processes import StartFailed

LONGEST_PAUSE = 10.0
STEADY = 30.0
"""Seconds of running after which the pause is short again."""

Progress = Callable[[str], None]


class Unit(Protocol):
    """A process that can be started again and again."""

    @property
    def name(self) -> str: ...
    @property
    def pid(self) -> int | None: ...
    async def start(self, progress: Progress = ...) -> None: ...
    async def wait(self) -> int: ...
    async def stop(self) -> None: ...


class Supervisor:
    """Starts units, watches them, stops them.

    `doing` hears what takes long at a start, `note` what happened by itself; `changed` is called whenever a pid is another.
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
        return {unit.name: unit.pid for unit in self._units}

    async def start(self, unit: Unit) -> None:
        """Start `unit` and keep it running from now on. Raises StartFailed when it doesn't even start once."""
        self._units.append(unit)
        await unit.start(self._doing)
        self._watches.append(asyncio.create_task(self._watch(unit), name=f"watch {unit.name}"))

    async def stop(self, *, last: Sequence[str] = ()) -> None:
        """Stop everything, also what is just starting: all at once but for the units named `last`, which go after the others."""
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
            if loop.time() - started > STEADY:
                pause = self._first_pause
            self._note(f"{unit.name} {ending(status)}; starting it again")
            pause = await self._revive(unit, pause)
            self._changed()

    async def _revive(self, unit: Unit, pause: float) -> float:
        """Try until it starts; returns how long to wait before the next attempt, should it die soon."""
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await unit.start(self._note)
            except StartFailed as error:
                self._note(str(error))
                await unit.stop()
            else:
                return pause


def ending(status: int) -> str:
    """How a process ended, in words."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
