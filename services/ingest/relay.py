"""From the outbox to Kafka, at once where the consumers keep up, and in fair shares of the tenants where they don't.

The table is the truth. What the relay holds in memory is a short cut for live events: an event that can't be published within
seconds is left to the table, from which the sweeper publishes. See `services.ingest.domain.window` for what may be published.

Where sentiment is behind and metrics is not, an event is published with its comments marked COMMENTS_LATER, so that it is counted
at once, and a second time, for sentiment, when its turn has come.

Records may leave long after their receipt and out of its order. So each carries, beside its event, the receipt time of the oldest
delivery that was still waiting: a consumer that loses records asks for everything from that time on.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Protocol

import asyncpg
import structlog

from services.ingest.domain.fair_queue import FairQueue
from services.ingest.domain.window import BACKLOG
from services.ingest.inbox.leftovers import (
    Claimed,
    Outgoing,
    claim_comments,
    claim_events,
    mark_published,
    oldest_receipt,
    postpone_comments,
    release,
)
from services.ingest.inbox.stated import Stated
from services.ingest.pace import Cost, Pace, characters_of, set_or_late
from shared import instruments
from shared.database import OUTAGE
from shared.events import decode_event
from shared.kafka import Message, Position, Undelivered, received_header
from shared.topics import COMMENTS_LATER, EVENTS, Topic, subject_key

log = structlog.get_logger()

MOST_HELD = 20_000
"""Deliveries in memory."""
MOST_AT_ONCE = 1_000
"""Deliveries that are published together."""
MOST_CHARACTERS = 100_000
"""Characters of postponed comments that are published together."""
REST_SECONDS = 1.0
LOOK_SECONDS = 0.1
SEND_SECONDS = 10.0
LIVE_SECONDS = 4.0
"""How long a delivery may wait in memory. Less than the 5 seconds after which the sweeper takes it for forgotten."""


class Sends(Protocol):
    """What the relay needs of a producer."""

    async def send_all(self, topic: Topic, messages: Sequence[Message], timeout: float = ...) -> Sequence[Position]: ...  # noqa: ASYNC109


Delivery = list[tuple[Outgoing, int]]
"""All events of one delivery, each with what its comments cost sentiment, in characters."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One event that is being published: what its comments cost, whether they are scored later, and the units it has taken."""

    event: Outgoing
    characters: int
    later: bool
    cost: Cost

    def message(self, oldest: datetime | None) -> Message:
        """The record to publish. `oldest`: the receipt time of the oldest delivery that waits."""
        received_at = self.event.received_at
        headers = (received_header(min(received_at, oldest) if oldest else received_at),)
        key = subject_key(self.event.tenant, self.event.subject)
        return Message(key, self.event.encoded, (*headers, COMMENTS_LATER) if self.later else headers)


class Relay:
    """`offer` takes what was committed; `run` and `sweep` are its two workers, each living through any outage."""

    def __init__(self, pool: asyncpg.Pool, producer: Sends, pace: Pace | None = None) -> None:
        self._pool = pool
        self._producer = producer
        self._pace = pace or Pace()
        self._live: FairQueue[Delivery] = FairQueue(MOST_HELD)
        self._offered = asyncio.Event()
        self._postponed = asyncio.Event()
        self._oldest: datetime | None = None
        """The receipt time of the oldest delivery in the table, as of `_looked_at`."""
        self._looked_at = -REST_SECONDS

    def offer(self, committed: Sequence[Stated]) -> None:
        """Publish these soon; what there is no room for, the sweeper publishes."""
        now = time.monotonic()
        for _, its in groupby(committed, key=lambda stated: stated.event.seq):
            delivery = [(_outgoing(stated), characters_of(stated.event.body)) for stated in its]
            self._live.put(delivery[0][0].tenant, delivery, now)
            self._offered.set()

    # --- live events, from memory
    async def run(self) -> None:
        """Publish live events until cancelled."""
        while True:
            await self._offered.wait()
            try:
                await self._publish_live()
            except (Undelivered, *OUTAGE) as error:
                log.warning("relay.away", left=len(self._live), error=type(error).__name__)
                self._live.clear()
                self._offered.clear()
                await asyncio.sleep(REST_SECONDS)

    async def _publish_live(self) -> None:
        self._live.drop_older(time.monotonic() - LIVE_SECONDS)
        deliveries = self._live.take(MOST_AT_ONCE, self._admits)
        if deliveries:
            events = [event for delivery in deliveries for event in delivery]
            await self._publish([self._parcel(event, event.tenant, characters) for event, characters in events])
        if not self._live:
            self._offered.clear()
        elif not deliveries:
            await self._pace.moved(LOOK_SECONDS)

    def _admits(self, tenant: str, delivery: Delivery) -> bool:
        return self._pace.take_live(tenant, len(delivery))

    # --- the backlog, from the table
    async def sweep(self) -> None:
        """Publish what is due in the table until cancelled."""
        while True:
            try:
                await self._look_at_oldest()
                if not (await self._sweep_events() + await self._sweep_comments()):
                    await self._rest()
            except (Undelivered, *OUTAGE) as error:
                log.warning("sweeper.away", error=type(error).__name__)
                await asyncio.sleep(REST_SECONDS)

    async def _look_at_oldest(self) -> None:
        """Look, at most once in REST_SECONDS, how old the oldest delivery in the table is."""
        now = time.monotonic()
        if now - self._looked_at >= REST_SECONDS:
            self._oldest = await oldest_receipt(self._pool)
            self._looked_at = now

    async def _rest(self) -> None:
        """Wait until there may be something to publish: a moment while there is a backlog, for which there was no room."""
        if self._pace.is_full:
            await self._pace.moved(LOOK_SECONDS)
            return
        await set_or_late(self._postponed, REST_SECONDS)
        self._postponed.clear()

    async def _sweep_events(self) -> int:
        """Publish events that are in the table and not in Kafka; how many deliveries."""
        if not (room := self._pace.metrics.room_of_backlog()):
            return 0
        claimed = await claim_events(self._pool, min(MOST_AT_ONCE, room))
        if claimed.seqs:
            self._pace.metrics.take(BACKLOG, len(claimed.events))
            found = [(event, characters_of(decode_event(event.encoded).body)) for event in claimed.events]
            await self._publish_claimed(claimed, [self._parcel(event, BACKLOG, characters) for event, characters in found])
        return len(claimed.seqs)

    async def _sweep_comments(self) -> int:
        """Publish events again whose comments may be scored now; how many deliveries."""
        if not (room := self._pace.sentiment.room_of_backlog()) or not self._pace.metrics.room_of_backlog():
            return 0
        claimed = await claim_comments(self._pool, min(MOST_CHARACTERS, room))
        if claimed.seqs:
            found = [(event, characters_of(decode_event(event.encoded).body)) for event in claimed.events]
            parcels = [Parcel(event, of, False, Cost(BACKLOG, of)) for event, of in found if of]
            for parcel in parcels:
                self._pace.metrics.take(BACKLOG, 1)
                self._pace.sentiment.take(BACKLOG, parcel.characters)
            await self._publish_claimed(claimed, parcels)
        return len(claimed.seqs)

    async def _publish_claimed(self, claimed: Claimed, parcels: Sequence[Parcel]) -> None:
        try:
            await self._publish(parcels, claimed.seqs)
        except Undelivered:
            await release(self._pool, claimed.seqs)
            raise
        log.info("sweeper.published", deliveries=len(claimed.seqs), events=len(parcels))

    # --- both
    def _parcel(self, event: Outgoing, holder: str, characters: int) -> Parcel:
        """An event whose unit of metrics is taken already. Its comments go with it where sentiment's window admits them."""
        later = characters > 0 and not self._pace.take_comments(holder, characters)
        return Parcel(event, characters, later, Cost(holder, 0 if later else characters))

    async def _publish(self, parcels: Sequence[Parcel], seqs: Sequence[int] = ()) -> None:
        """Publish events, and note in the table what has become of their deliveries and of `seqs`."""
        costs = [parcel.cost for parcel in parcels]
        try:
            positions = await self._producer.send_all(EVENTS, [parcel.message(self._oldest) for parcel in parcels], SEND_SECONDS)
        except BaseException:
            self._pace.give_back(costs)
            raise
        self._pace.published(costs, positions)
        later: Counter[int] = Counter()
        for parcel in parcels:
            if parcel.later:
                later[parcel.event.seq] += parcel.characters
        done = {*seqs, *(parcel.event.seq for parcel in parcels)} - later.keys()
        await mark_published(self._pool, sorted(done))
        if later:
            await postpone_comments(self._pool, later)
            instruments.POSTPONED.inc(sum(parcel.later for parcel in parcels))
            self._postponed.set()


def _outgoing(stated: Stated) -> Outgoing:
    event = stated.event
    return Outgoing(event.seq, event.tenant, event.subject, event.received_at, stated.encoded)
