"""Long work in the event loop, in slices between which everything else goes on.

Threads do no better for work in Python: they take turns at the interpreter lock, in an order that nothing decides.
"""

import asyncio
import time

SLICE_SECONDS = 0.005


class Slices:
    """Call `pause` often, after each small step: it lets the loop go on once the present slice has lasted `seconds`."""

    def __init__(self, seconds: float = SLICE_SECONDS) -> None:
        self._seconds = seconds
        self._ends = time.perf_counter() + seconds

    async def pause(self) -> None:
        """Return at once, or after one round of the loop."""
        if time.perf_counter() >= self._ends:
            await asyncio.sleep(0)
            self._ends = time.perf_counter() + self._seconds
