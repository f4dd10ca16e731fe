"""Let background work leave the processors to KPI queries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from shared.fair_queue import FairQueue

RECENT_SECONDS = 5.0
"""While the last query ended less than this time ago, more are expected."""
MOST_REST = 5.0
"""The longest rest after a piece, in seconds: a piece may have waited for others."""
POLL_SECONDS = 0.005


@dataclass(slots=True)
class Pace:
    """How long pieces of background work take and when they begin, beside the queries that have a turn in `queries`.

    While queries are expected, a piece should take `short` seconds. Before the next one the work rests for `rest` times as long
    as the piece took, and then until no query is in flight, but for no longer than `patience` seconds. So it delays few queries,
    and gets its share however many there are. While none is expected, or without `queries`, nothing waits, and a piece should
    take `long` seconds.
    """

    queries: FairQueue | None = None
    rest: float = 1.0
    patience: float = 0.1
    short: float = 0.1
    long: float = 0.5
    _rests_until: float = field(default=0.0, init=False)

    @property
    def seconds(self) -> float:
        """How long the next piece should take."""
        return self.short if self._expects_queries() else self.long

    @asynccontextmanager
    async def piece(self) -> AsyncIterator[None]:
        """A piece of work, which begins after its wait. Don't begin one with a lock that queries or writers may wait for."""
        if self.queries is not None:
            while self._expects_queries() and (left := self._rests_until - monotonic()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(min(left, RECENT_SECONDS))
            deadline = monotonic() + self.patience
            while self.queries.idle_seconds == 0 and (left := deadline - monotonic()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(min(left, POLL_SECONDS))
        began = monotonic()
        try:
            yield
        finally:
            ended = monotonic()
            self._rests_until = ended + min(self.rest * (ended - began), MOST_REST)

    def _expects_queries(self) -> bool:
        return self.queries is not None and self.queries.idle_seconds < RECENT_SECONDS
