"""The pace of publishing: a window for each consumer group of `feedback.events`, which follows what the group has committed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from services.ingest.domain.window import Window
from shared.events import Body, comments
from shared.kafka import Broken, Position
from shared.topics import EVENTS, METRICS_GROUP, SENTIMENT_GROUP

log = structlog.get_logger()

LEAST_EVENTS = 500
"""The smallest window of metrics, in events: the work of half a second on a slow machine."""
LEAST_CHARACTERS = 2_000
"""The smallest window of sentiment, in characters of comments: likewise. A longer comment is published when its tenant
has none under way."""

LONGEST_READ = 4_000
"""Characters of a comment that a model reads."""
EACH_COMMENT = 75
"""What a comment costs beside its characters, in characters: measured with e5-2."""

SOON, LATER = 0.1, 1.0
"""Seconds between two looks while a window is more than a quarter full, and while none is (SOON more)."""
BLIND_AFTER = 5.0
"""Seconds without an answer after which the last known offsets count as unknown, and the windows open."""

Ask = Callable[[str, Collection[int]], Awaitable[Mapping[int, int] | None]]
"""(group, partitions) → partition → committed offset; None: the group has none. Raises Broken."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The units that one event has taken for its holder: 1 of metrics' window, and so many characters of sentiment's."""

    holder: str
    characters: int


def characters_of(body: Body) -> int:
    """What an event's comments cost sentiment, in characters; 0 without comments."""
    return sum(min(len(text), LONGEST_READ) + EACH_COMMENT for text in {text for text, _ in comments(body)})


class Pace:
    """The windows. A publisher takes units first, and then notes where its records are, or that they were not published."""

    def __init__(
        self,
        least_events: int = LEAST_EVENTS,
        least_characters: int = LEAST_CHARACTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = Window(least_events)
        self.sentiment = Window(least_characters)
        self._clock = clock
        self._in_use = asyncio.Event()
        self._filling = asyncio.Event()
        self._moved = asyncio.Event()

    def take_live(self, tenant: str, events: int) -> bool:
        """Take units for a tenant's live events; False: they have to wait."""
        admitted = self.metrics.admits(tenant, events)
        if admitted:
            self.metrics.take(tenant, events)
        return admitted

    def take_comments(self, holder: str, characters: int) -> bool:
        """Take units for the comments of an event; False: they have to be scored later."""
        admitted = self.sentiment.admits(holder, characters)
        if admitted:
            self.sentiment.take(holder, characters)
        return admitted

    def give_back(self, costs: Sequence[Cost]) -> None:
        """The events were not published, as far as is known."""
        for cost in costs:
            self.metrics.give_back(cost.holder, 1)
            if cost.characters:
                self.sentiment.give_back(cost.holder, cost.characters)

    def published(self, costs: Sequence[Cost], positions: Sequence[Position]) -> None:
        """The events are in Kafka, at these positions."""
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
        """Whether there is no room for a part of the backlog."""
        return not (self.metrics.room_of_backlog() and self.sentiment.room_of_backlog())

    async def moved(self, patience: float) -> None:
        """Return when a window may have more room than before, or after `patience` seconds."""
        self._moved.clear()
        await set_or_late(self._moved, patience)

    async def run(self, ask: Ask) -> None:
        """Keep the windows up to date until cancelled; Kafka is asked only while something is under way."""
        answered_at = self._clock()
        while True:
            try:
                found = {window: await ask(group, partitions(window)) for group, window in self._windows()}
                answered_at = self._clock()
                self._note(found)
            except Broken as fault:
                log.warning("pace.unknown", fault=str(fault))
                if self._clock() - answered_at >= BLIND_AFTER:
                    self._note(dict.fromkeys((window for _, window in self._windows()), None))
            if not any(window.held for _, window in self._windows()):
                self._in_use.clear()
            await asyncio.sleep(SOON)
            await self._in_use.wait()
            if not self._is_filling:
                self._filling.clear()
                await set_or_late(self._filling, LATER)

    @property
    def _is_filling(self) -> bool:
        return any(window.held > window.limit // 4 for _, window in self._windows())

    def _note(self, found: Mapping[Window, Mapping[int, int] | None]) -> None:
        for window, offsets in found.items():
            window.committed(offsets, self._clock())
        self._moved.set()

    def _windows(self) -> Iterator[tuple[str, Window]]:
        yield METRICS_GROUP, self.metrics
        yield SENTIMENT_GROUP, self.sentiment


async def set_or_late(event: asyncio.Event, patience: float) -> None:
    """Return when `event` is set, or after `patience` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await event.wait()


def partitions(window: Window) -> set[int]:
    """The partitions to ask for: those of the topic as we make it, and any other that something was sent to."""
    return {*range(EVENTS.partitions), *window.partitions}
