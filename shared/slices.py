"""Run long work in the event loop in slices, between which other tasks run.

Threads are no better for Python code: they share the interpreter lock, in no defined order.
"""

import asyncio
import time

SLICE_SECONDS = 0.005


class Slices:
    """Call `pause` after each small step: it yields to the event loop when the current slice has lasted `seconds`."""

    def __init__(self, seconds: float = SLICE_SECONDS) -> None:
        self._seconds = seconds
        self._ends = time.perf_counter() + seconds

    async def pause(self) -> None:
        """Return at once, or after one iteration of the event loop."""
        if time.perf_counter() >= self._ends:
            await asyncio.sleep(0)
            self._ends = time.perf_counter() + self._seconds
