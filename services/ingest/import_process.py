"""Runs imports in processes of their own: reading a file takes a processor core, and webhooks must not wait for it.

`ImportProcesses` is the worker of the parent. It starts `python -m services.ingest.import_process` while imports are due: one
child, and further ones while each has a range to read. A child ends when nothing is left, or when its parent ends.
"""

import asyncio
import os
import sys
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from functools import partial

import structlog

from services.ingest.importer import Importer
from services.ingest.polling import Poller
from services.ingest.settings import Settings
from services.ingest.storage import open_storage
from services.ingest.store.import_progress import ImportProgress
from services.ingest.store.imports import Imports
from shared.database import open_engine, open_pool
from shared.startup import read_settings, tune_garbage_collector
from shared.workers import Workers, end_of_input, run_until_first_ends

log = structlog.get_logger()

CONNECTIONS = 3
"""Connections to the database: to store records, to load parts, and to claim."""
IDLE_SECONDS = 5.0
"""How long the child waits for another import before it ends."""
RESTART_SECONDS = 5.0
"""How long the parent waits after a child that failed."""
STOP_SECONDS = 5.0
NICENESS = 10
"""The child gets less of a busy processor than its parent, which answers webhooks."""


class ImportProcesses:
    """Starts the processes that import, at most `most` at the same time. `run` is the worker."""

    def __init__(self, progress: ImportProgress, most: int = 1) -> None:
        self._progress = progress
        self._pollers = [Poller("importer", partial(self._step, index)) for index in range(most)]

    def wake(self) -> None:
        """Look for an import now."""
        self._pollers[0].wake()

    async def run(self) -> None:
        """Start processes whenever there is work for them, until cancelled."""
        await run_until_first_ends(*(poller.run() for poller in self._pollers))

    async def _step(self, index: int) -> bool:
        """Run the child with this index until it ends, if there are more imports and ranges than children with a lower index."""
        waiting = await self._progress.waiting()
        if not waiting.due or waiting.open <= index:
            return False
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.ingest.import_process", stdin=asyncio.subprocess.PIPE
        )
        try:
            status = await child.wait()
        finally:
            await _stop(child)
        if status:
            log.error("importer.process_failed", status=status)
            await asyncio.sleep(RESTART_SECONDS)
        return True


async def _stop(child: asyncio.subprocess.Process) -> None:
    """End the child if it runs. Its progress is in the database."""
    if child.returncode is not None:
        return
    child.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def work(settings: Settings) -> None:
    """Import until no import is left, or standard input ends, which it does with the parent."""
    async with AsyncExitStack() as stack:
        engine = open_engine(settings.database, 1)
        stack.push_async_callback(engine.dispose)
        pool = await stack.enter_async_context(open_pool(settings.database, CONNECTIONS))
        keys = await stack.enter_async_context(open_pool(settings.keys_database, 1))
        storage = open_storage(stack, settings, engine, pool, keys, utc_now)
        uploads = Imports(pool, storage.cipher)
        importer = Importer(pool, uploads, storage.connections, utc_now, storage.observer.read_again, storage.vault)
        storage.start(await stack.enter_async_context(Workers()))
        importing = asyncio.create_task(import_all(importer))
        ended = asyncio.create_task(end_of_input())
        await asyncio.wait({importing, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (importing, ended):
            task.cancel()
        results = await asyncio.gather(importing, ended, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


async def import_all(importer: Importer) -> None:
    """Do steps until none is left for IDLE_SECONDS."""
    loop = asyncio.get_running_loop()
    worked_at = loop.time()
    while loop.time() - worked_at < IDLE_SECONDS:
        if await importer.step():
            worked_at = loop.time()
        else:
            await asyncio.sleep(0.5)


def utc_now() -> datetime:
    """The present time in UTC."""
    return datetime.now(UTC)


def main() -> None:
    """Import until no import is left."""
    os.nice(NICENESS)
    settings = read_settings("ingest", Settings)
    tune_garbage_collector()
    asyncio.run(work(settings))


if __name__ == "__main__":
    main()
