"""Detect a consumer that hangs, as opposed to one without records or with an unreachable broker.

aiokafka can stop reading after a restart of the whole cluster, so the watchdog asks the broker over a new connection.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


class Stalled(Exception):
    """The broker answers, there are records to read, and none was read for longer than the limit."""


@dataclass(slots=True)
class StallTimer:
    """Measures how long a consumer has made no progress although there was something to read."""

    limit: float
    stalled_since: float | None = None

    def expired(self, now: float, progressed_at: float, lag: int | None) -> bool:
        """Whether the limit is reached at `now`. `lag`: records still to read; None while the broker does not answer."""
        if not lag:
            self.stalled_since = None
        elif self.stalled_since is None or progressed_at > self.stalled_since:
            self.stalled_since = now
        return self.stalled_since is not None and now - self.stalled_since >= self.limit


async def watch(
    progressed_at: Callable[[], float],
    lag: Callable[[], Awaitable[int | None]],
    limit: float,
    every: float,
) -> None:
    """Raise Stalled if there is no progress for `limit` seconds; checks every `every` seconds.

    `progressed_at` is in time.monotonic(). `lag` is called only if there was no progress since the check before.
    """
    timer = StallTimer(limit)
    while True:
        await asyncio.sleep(every)
        quiet = time.monotonic() - progressed_at() >= every
        if timer.expired(time.monotonic(), progressed_at(), await lag() if quiet else 0):
            raise Stalled(f"no record was read for {limit:.0f} s although there are some")
