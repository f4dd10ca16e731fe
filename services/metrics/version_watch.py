"""The worker that states this process's version of the contributions, and leaves the writing to processes with a newer one."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import structlog

from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.instruments import OUTDATED
from services.metrics.polling import poll
from services.metrics.store.writer_versions import STATE_SECONDS, end_newer, newer_version, state_version
from shared.workers import run_until_first_ends

log = structlog.get_logger()


class VersionWatch:
    """`run` is the worker; it uses one connection of its pool for a moment.

    `writes` returns whether this process writes by now. Its version is stated from then on: a release that never gets so far
    stops no other.
    """

    def __init__(
        self, pool: asyncpg.Pool, writes: Callable[[], bool] = lambda: True, version: int = CONTRIBUTIONS_VERSION
    ) -> None:
        self._pool = pool
        self._writes = writes
        self._version = version
        self._stating = False
        self._current, self._outdated = asyncio.Event(), asyncio.Event()
        self._current.set()

    async def run(self) -> None:
        """Look every STATE_SECONDS until cancelled; wait out an outage of the database."""
        await poll(self.look, STATE_SECONDS, "version.unknown")

    async def look(self) -> None:
        """State the version, look for a newer one, and note the end of one."""
        self._stating = self._stating or self._writes()
        async with self._pool.acquire(timeout=5) as connection:
            if self._stating:
                await state_version(connection, self._version)
            newer = await newer_version(connection, self._version)
            if newer and (ended := await end_newer(connection, self._version)):
                log.warning("version.rolled_back", version=self._version, ended=ended)
                newer = await newer_version(connection, self._version)
        if newer and not self._outdated.is_set():
            log.warning("version.outdated", version=self._version, newer=newer)
            self._outdated.set()
            self._current.clear()
        elif not newer and self._outdated.is_set():
            log.info("version.current", version=self._version)
            self._current.set()
            self._outdated.clear()
        OUTDATED.set(int(self._outdated.is_set()))

    async def run_while_current(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work()` while no newer version is written: cancel it when one is, and start it again afterwards."""
        while True:
            await self._current.wait()
            await run_until_first_ends(work(), self._until_outdated())

    async def _until_outdated(self) -> None:
        await self._outdated.wait()
