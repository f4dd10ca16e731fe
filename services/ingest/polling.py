"""Work that several processes share through the database: done until nothing is left, then polled for."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from shared.database import OUTAGE
from shared.problems import Unavailable

log = structlog.get_logger()

POLL_SECONDS = 2.0
"""How often to look for work that another process added, or that an outage left."""


class Poller:
    """Calls `step` while its result is true, then waits for `wake` or POLL_SECONDS. `name` begins its log events."""

    def __init__(self, name: str, step: Callable[[], Awaitable[object]]) -> None:
        self._name = name
        self._step = step
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Call `step` now."""
        self._woken.set()

    async def run(self) -> None:
        """Poll until cancelled. Errors of the database are logged, and the next poll tries again."""
        while True:
            self._woken.clear()
            try:
                while await self._step():
                    pass
            except (Unavailable, *OUTAGE) as error:
                log.warning(f"{self._name}.unavailable", error=type(error).__name__)
            except asyncpg.PostgresError as error:
                log.error(f"{self._name}.refused", error=type(error).__name__)
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return
