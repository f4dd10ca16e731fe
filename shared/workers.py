"""Named background work beside the HTTP server. A worker that dies turns liveness red, and the orchestrator restarts us."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import structlog

log = structlog.get_logger()


class Workers:
    """Runs coroutines until closed; `dead` names those that ended before they were asked to."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = False

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run `run()` in the background under `name`."""

        async def work() -> None:
            try:
                await run()
            except Exception as error:
                log.error("worker.died", worker=name, error=type(error).__name__, exc_info=error)
                raise

        self._tasks[name] = asyncio.create_task(work(), name=name)

    @property
    def dead(self) -> list[str]:
        """Workers that are no longer running although nobody closed them."""
        return [] if self._closing else [name for name, task in self._tasks.items() if task.done()]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
