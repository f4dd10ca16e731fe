"""Runs CPU-bound work in threads, in fair shares of the tenants.

The event loop serves all callers, so no body may keep it busy for long. Python runs one thread at a time but switches every few
milliseconds: while a costly body is read in a thread, the loop serves the others.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from shared.fair_queue import FairQueue
from shared.problems import Unavailable

T = TypeVar("T")

THREADS = 2
"""Threads at work at the same time in a process; at most one for each tenant."""
MAX_WAITING = 1_000
"""Pieces of work of one tenant that may wait. Further ones are refused with 503."""
PATIENCE_SECONDS = 20.0

SMALL_BYTES = 8 * 1024
"""Bodies up to this size are read on the event loop, which is cheaper than using a thread."""
SLOW_SECONDS = 0.005
"""Processor time after which a small body is slow: the next bodies of its tenant are read in threads."""
SAMPLE_SECONDS = 0.001
"""How old the last reading of the thread's processor time may be when a small body begins. Reading it is a system call, which
took a fifteenth of a webhook's time. So only a body that is slow for longer than both times together is certain to be noticed."""
PENALTY = 100
"""After a slow small body, its tenant's bodies are read in threads for this many times the processor time that it took. So slow
bodies keep the event loop busy for about 1 % of the time. Threads double the cost of a body, so the time is short."""


log = structlog.get_logger()


class FairThreads:
    def __init__(self) -> None:
        self._queue = FairQueue(THREADS, 1, MAX_WAITING)
        self._slow_until: dict[str, float] = {}
        self._sampled_at = -1.0
        self._sample = 0.0
        """The processor time of the event loop's thread at `_sampled_at`."""

    async def run(self, tenant: str, work: Callable[[], T]) -> T:
        """The result of `work()`, run in a thread when it is the tenant's turn. Raises Unavailable if the turn does not come.

        Work of more than about 10 ms should come in pieces, one call each, so that other tenants get their turn.
        """
        async with self._queue.turn(tenant, PATIENCE_SECONDS):
            working = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(working)
            finally:
                if not working.done():  # the caller was cancelled; a thread can't be, so its turn lasts until it ends
                    await asyncio.wait([working])

    async def run_unless_faulty(self, tenant: str, work: Callable[[], T], event: str, seq: int) -> T | None:
        """Like `run`, for work on the stored delivery `seq`. None if a fault of ours ends it, which is logged as `event`."""
        try:
            return await self.run(tenant, work)
        except Unavailable:
            raise
        except Exception as error:
            log.error(event, seq=seq, error=type(error).__name__, exc_info=error)
            return None

    async def read(self, tenant: str, size: int, work: Callable[[], T]) -> T:
        """The result of `work()`, which reads a body of `size` bytes: at once if that is quick, else in a thread."""
        began = time.monotonic()
        if size > SMALL_BYTES or self._slow_until.get(tenant, 0.0) > began:
            return await self.run(tenant, work)
        if began - self._sampled_at > SAMPLE_SECONDS:
            self._sampled_at, self._sample = began, time.thread_time()
        try:
            return work()
        finally:
            ended = time.monotonic()
            if ended - began > SLOW_SECONDS:
                self._judge(tenant, began, ended)

    def _judge(self, tenant: str, began: float, ended: float) -> None:
        """Read the tenant's next bodies in threads if this one, which took long by the clock, used much processor time; a busy
        machine alone is no reason. Between the sample and the beginning of the body, the thread used at most the time that passed
        on the clock, which is subtracted."""
        seconds = time.thread_time() - self._sample - (began - self._sampled_at)
        if seconds > SLOW_SECONDS:
            self._slow_until[tenant] = ended + PENALTY * seconds
