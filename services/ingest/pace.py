"""Paces publishing: one window for each consumer group of `feedback.events`, updated from the offsets that the group commits."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress

import structlog
from msgspec import Struct

from services.ingest.domain.window import Window
from shared.events import Body, comments
from shared.kafka import Broken, Position
from shared.topics import EVENTS, METRICS_GROUP, SENTIMENT_GROUP

log = structlog.get_logger()

MIN_EVENTS = 500
"""The smallest window of metrics, in events: the work of half a second on a slow machine."""
MIN_CHARACTERS = 2_000
"""The smallest window of sentiment, in characters of comments: the work of half a second on a slow machine. A longer comment is
published if its tenant has none under way."""

MAX_READ = 4_000
"""Characters of a comment that a model reads."""
COST_PER_COMMENT = 75
"""The cost of a comment besides its characters, in characters: measured with e5-2."""

BUSY_SECONDS, IDLE_SECONDS = 0.1, 1.0
"""Between two polls: BUSY_SECONDS while a window is more than a quarter full, IDLE_SECONDS more otherwise."""
UNKNOWN_AFTER = 5.0
"""Seconds without an answer after which the last committed offsets count as unknown, and the windows open."""

FetchCommitted = Callable[[str, Collection[int]], Awaitable[Mapping[int, int] | None]]
"""(group, partitions) → committed offset by partition, or None if the group has none. Raises Broken if Kafka does not answer."""


class Cost(Struct, frozen=True):
    """The units that one event has taken for `holder`: 1 of metrics' window, and `characters` of sentiment's."""

    holder: str
    characters: int


def comment_cost(body: Body) -> int:
    """The cost of an event's comments for sentiment, in characters; 0 without comments."""
    return sum(min(len(text), MAX_READ) + COST_PER_COMMENT for text in {text for text, _ in comments(body)})


class Pace:
    """The windows. A publisher takes units first. Then it reports the positions of its records, or that they weren't
    published."""

    def __init__(
        self,
        min_events: int = MIN_EVENTS,
        min_characters: int = MIN_CHARACTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = Window(min_events)
        self.sentiment = Window(min_characters)
        self._clock = clock
        self._in_use = asyncio.Event()
        self._filling = asyncio.Event()
        self._moved = asyncio.Event()

    def take_live(self, tenant: str, events: int) -> bool:
        """Take units for a tenant's live events. False if they must wait."""
        admitted = self.metrics.admits(tenant, events)
        if admitted:
            self.metrics.take(tenant, events)
        return admitted

    def take_comments(self, holder: str, characters: int) -> bool:
        """Take units for the comments of an event. False if they must be scored later."""
        admitted = self.sentiment.admits(holder, characters)
        if admitted:
            self.sentiment.take(holder, characters)
        return admitted

    def give_back(self, costs: Sequence[Cost]) -> None:
        """Return the units of events that were not published, as far as is known."""
        for cost in costs:
            self.metrics.give_back(cost.holder, 1)
            if cost.characters:
                self.sentiment.give_back(cost.holder, cost.characters)

    def published(self, costs: Sequence[Cost], positions: Sequence[Position]) -> None:
        """Note that events are in Kafka at these positions."""
        now = self._clock()
        for cost, (partition, offset) in zip(costs, positions, strict=True):
            self.metrics.sent(partition, offset, cost.holder, 1, now)
            if cost.characters:
                self.sentiment.sent(partition, offset, cost.holder, cost.characters, now)
        self._in_use.set()
        if self._is_filling:
            self._filling.set()

    @property
    def is_full(self) -> bool:
        """Whether no part of the backlog may be published."""
        return not (self.metrics.backlog_room() and self.sentiment.backlog_room())

    async def moved(self, seconds: float) -> None:
        """Wait until a window may have more room than before, at most for `seconds`."""
        self._moved.clear()
        await wait_for(self._moved, seconds)

    async def run(self, fetch_committed: FetchCommitted) -> None:
        """Keep the windows up to date until cancelled. Polls Kafka only while records are under way."""
        answered_at = self._clock()
        while True:
            try:
                committed = {window: await fetch_committed(group, partitions(window)) for group, window in self._windows()}
                answered_at = self._clock()
                self._update(committed)
            except Broken as fault:
                log.warning("pace.unknown", fault=str(fault))
                if self._clock() - answered_at >= UNKNOWN_AFTER:
                    self._update(dict.fromkeys((window for _, window in self._windows()), None))
            if not any(window.held for _, window in self._windows()):
                self._in_use.clear()
            await asyncio.sleep(BUSY_SECONDS)
            await self._in_use.wait()
            if not self._is_filling:
                self._filling.clear()
                await wait_for(self._filling, IDLE_SECONDS)

    @property
    def _is_filling(self) -> bool:
        return any(window.held > window.limit // 4 for _, window in self._windows())

    def _update(self, committed: Mapping[Window, Mapping[int, int] | None]) -> None:
        for window, offsets in committed.items():
            window.committed(offsets, self._clock())
        self._moved.set()

    def _windows(self) -> Iterator[tuple[str, Window]]:
        yield METRICS_GROUP, self.metrics
        yield SENTIMENT_GROUP, self.sentiment


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait until `event` is set, at most for `seconds`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def partitions(window: Window) -> set[int]:
    """The partitions whose offsets count: those of the topic as we create it, and any other with records under way."""
    return {*range(EVENTS.partitions), *window.partitions}
