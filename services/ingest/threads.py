"""Work that needs the processor for long: done beside the event loop, in fair shares of the tenants.

The event loop answers everybody, so no caller's body may keep it busy. Python runs one thread at a time, but changes between them
every few milliseconds: while a costly body is read in a thread, the loop goes on answering others.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from shared.fair_queue import FairQueue

T = TypeVar("T")

THREADS = 2
"""At work at once in a process; of one tenant never more than one."""
WAITING = 1_000
"""Pieces of work of one tenant that may wait; beyond, callers are told 503."""
PATIENCE_SECONDS = 20.0

SMALL_BYTES = 8 * 1024
"""Bodies up to this are read on the event loop, which is cheaper than handing them to a thread."""
SLOW_SECONDS = 0.005
"""A small body that takes longer is costly for its size: for SLOW_FOR seconds all bodies of its tenant are read in threads."""
SLOW_FOR = 60.0


class FairThreads:
    def __init__(self) -> None:
        self._queue = FairQueue(THREADS, 1, WAITING)
        self._slow_until: dict[str, float] = {}

    async def run(self, tenant: str, work: Callable[[], T]) -> T:
        """The result of `work()`, which runs in a thread once it is the tenant's turn. Unavailable: its turn didn't come.

        Work that takes longer than some 10 ms should come in pieces, one call each, so that others get their turn.
        """
        async with self._queue.turn(tenant, PATIENCE_SECONDS):
            working = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(working)
            finally:
                if not working.done():  # the caller was cancelled; a thread can't be, so its turn lasts until it ends
                    await asyncio.wait([working])

    async def read(self, tenant: str, size: int, work: Callable[[], T]) -> T:
        """The result of `work()`, which reads a body of `size` bytes: at once if that is quick, else in a thread."""
        if size > SMALL_BYTES or self._slow_until.get(tenant, 0.0) > time.monotonic():
            return await self.run(tenant, work)
        began = time.perf_counter()
        try:
            return work()
        finally:
            if time.perf_counter() - began > SLOW_SECONDS:
                self._slow_until[tenant] = time.monotonic() + SLOW_FOR
