"""Background tasks beside the HTTP server. A worker that dies turns liveness red, and the orchestrator restarts the process."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import structlog

log = structlog.get_logger()

Run = Callable[[], Awaitable[None]]
"""The work of a worker, until it is cancelled."""


class Workers:
    """Named coroutines that run until this context is closed."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    def start(self, name: str, run: Run) -> None:
        """Run `run()` in the background under `name`. Each end is logged, except the cancellation when the context closes."""

        async def work() -> None:
            error: BaseException | None = None
            try:
                await run()
            except BaseException as raised:
                error = raised
                raise
            finally:
                if not self._closing or isinstance(error, Exception):
                    log.error("worker.died", worker=name, error=type(error).__name__ if error else "none", exc_info=error)

        self._tasks[name] = asyncio.create_task(work(), name=name)

    @property
    def dead(self) -> list[str]:
        """Names of workers that ended before the context was closed."""
        return [] if self._closing else [name for name, task in self._tasks.items() if task.done()]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def run_until_first_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run `works` concurrently until one ends, cancel the others, and return or raise as that one did."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def finish_before_cancel(work: Coroutine[Any, Any, None], grace: float) -> None:
    """Await `work`. If the caller is cancelled meanwhile, `work` has `grace` seconds to finish before it is cancelled too."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=grace)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


async def end_of_input() -> None:
    """Wait until standard input ends: a pipe from the parent process ends with that process."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
