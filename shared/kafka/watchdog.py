"""Telling a consumer that went silent from one that has nothing to do or whose broker is away.

aiokafka can go silent after a restart of the whole cluster, so its own word doesn't count: a fresh connection is asked.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


class Stalled(Exception):
    """The broker answers, there are records to read, and for a minute none was read."""


@dataclass(slots=True)
class Patience:
    """Counts how long a consumer has been standing still without an excuse."""

    limit: float
    standing_since: float | None = None

    def over(self, now: float, progressed_at: float, behind: int | None) -> bool:
        """Whether patience is over at `now`. `behind`: records still to read; None while the broker doesn't answer."""
        if not behind:
            self.standing_since = None
        elif self.standing_since is None or progressed_at > self.standing_since:
            self.standing_since = now
        return self.standing_since is not None and now - self.standing_since >= self.limit


async def watch(
    progressed_at: Callable[[], float],
    behind: Callable[[], Awaitable[int | None]],
    limit: float,
    every: float,
) -> None:
    """Raise Stalled when patience is over. `progressed_at` is in time.monotonic(); the broker is asked when nothing moves."""
    patience = Patience(limit)
    while True:
        await asyncio.sleep(every)
        quiet = time.monotonic() - progressed_at() >= every
        if patience.over(time.monotonic(), progressed_at(), await behind() if quiet else 0):
            raise Stalled(f"no record for {limit:.0f} s although there are some")
