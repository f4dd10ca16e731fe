"""Publishes the outbox to Kafka: at once if the consumers keep up, else in fair shares of the tenants.

The table is the source of truth. The relay keeps live events in memory too, to publish them without reading them back. An event
that can't be published within seconds is left to the sweeper, which publishes from the table. `services.ingest.domain.window`
decides how much may be published.

If sentiment is behind and metrics is not, an event is published with the header COMMENTS_LATER, so it is counted at once. It is
published a second time, for sentiment, when there is room for its comments.

Records may be published long after their receipt and out of order. So each record carries, beside its event, the receipt time of
the oldest delivery in the outbox: a consumer that loses records requests a replay from that time on.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Protocol

import asyncpg
import structlog
from msgspec import Struct

from services.ingest import instruments
from services.ingest.domain.round_robin import RoundRobinQueue
from services.ingest.domain.window import BACKLOG
from services.ingest.inbox.outbox import (
    Claim,
    OutboxEvent,
    claim_comments,
    claim_events,
    mark_published,
    oldest_receipt,
    postpone_comments,
    release_claim,
)
from services.ingest.pace import Cost, Pace, comment_cost, wait_for
from shared.database import OUTAGE
from shared.kafka import OutgoingRecord, Position, Undelivered, received_header
from shared.request_context import record_headers, request_ids
from shared.topics import COMMENTS_LATER, EVENTS, Topic, subject_key

log = structlog.get_logger()

SWEEPERS = 2
"""Workers of a process that publish from the table. A third made no difference."""
MAX_IN_MEMORY = 20_000
"""Deliveries in memory."""
MAX_BATCH = 1_000
"""Deliveries that are published together."""
MAX_CHARACTERS = 100_000
"""Characters of postponed comments that are published together."""
REST_SECONDS = 1.0
POLL_SECONDS = 0.1
SEND_SECONDS = 10.0
LIVE_SECONDS = 4.0
"""How long a delivery may wait in memory. Less than the 5 seconds after which the sweeper may claim it."""
BUSY = 16
"""Deliveries of one batch from which on the next one waits LINGER_SECONDS: larger batches cost less for each delivery."""
LINGER_SECONDS = 0.05


class EventProducer(Protocol):
    """The part of `shared.kafka.Producer` that the relay uses."""

    async def send_all(self, topic: Topic, messages: Sequence[OutgoingRecord], timeout: float = ...) -> Sequence[Position]:  # noqa: ASYNC109
        """Send `messages` and return their positions. Raises Undelivered after `timeout` seconds."""


Delivery = list[tuple[OutboxEvent, int]]
"""All events of one delivery, each with the cost of its comments (`comment_cost`)."""


class Parcel(Struct, frozen=True):
    """One event that is being published: the cost of its comments, whether they are scored later, and the units it has taken."""

    stored: OutboxEvent
    characters: int
    later: bool
    cost: Cost

    def message(self, oldest: datetime | None) -> OutgoingRecord:
        """The record to publish. `oldest`: the receipt time of the oldest delivery in the outbox."""
        stored = self.stored
        received = received_header(min(stored.received_at, oldest) if oldest else stored.received_at)
        headers = (received, *record_headers(stored.context))
        key = subject_key(stored.tenant, stored.subject)
        return OutgoingRecord(key, stored.encoded, (*headers, COMMENTS_LATER) if self.later else headers)


def characters_of(stored: OutboxEvent) -> int:
    """The cost of the comments of an event (`comment_cost`)."""
    body = stored.body
    return comment_cost(body) if body is not None else 0


class Relay:
    """`offer` accepts committed events. `run` and `sweep` are its workers; they continue after an outage.

    Several `sweep` may work at a time: while one waits for Kafka, another claims its batch.
    """

    def __init__(self, pool: asyncpg.Pool, producer: EventProducer, pace: Pace | None = None) -> None:
        self._pool = pool
        self._producer = producer
        self._pace = pace or Pace()
        self._live: RoundRobinQueue[Delivery] = RoundRobinQueue(MAX_IN_MEMORY)
        self._offered = asyncio.Event()
        self._postponed = asyncio.Event()
        self._oldest: datetime | None = None
        """The receipt time of the oldest delivery in the outbox, as of `_oldest_read_at`."""
        self._oldest_read_at = -REST_SECONDS

    def offer(self, committed: Sequence[OutboxEvent]) -> None:
        """Publish these events soon. The sweeper publishes those that don't fit in memory."""
        now = time.monotonic()
        for _, events in groupby(committed, key=lambda stored: stored.seq):
            delivery = [(stored, characters_of(stored)) for stored in events]
            self._live.put(delivery[0][0].tenant, delivery, now)
            self._offered.set()

    # --- live events, from memory
    async def run(self) -> None:
        """Publish live events until cancelled."""
        while True:
            await self._offered.wait()
            try:
                if await self._publish_live() >= BUSY:
                    await asyncio.sleep(LINGER_SECONDS)
            except (Undelivered, *OUTAGE) as error:
                log.warning("relay.unavailable", left=len(self._live), error=type(error).__name__)
                self._live.clear()
                self._offered.clear()
                await asyncio.sleep(REST_SECONDS)

    async def _publish_live(self) -> int:
        """Publish live events as far as the windows admit them. Returns the number of deliveries."""
        self._live.drop_older(time.monotonic() - LIVE_SECONDS)
        deliveries = self._live.take(MAX_BATCH, self._admits)
        if deliveries:
            events = [event for delivery in deliveries for event in delivery]
            await self._publish([self._parcel(stored, stored.tenant, characters) for stored, characters in events])
        if not self._live:
            self._offered.clear()
        elif not deliveries:
            await self._pace.moved(POLL_SECONDS)
        return len(deliveries)

    def _admits(self, tenant: str, delivery: Delivery) -> bool:
        return self._pace.take_live(tenant, len(delivery))

    # --- the backlog, from the table
    async def sweep(self) -> None:
        """Publish due deliveries from the table until cancelled."""
        while True:
            try:
                await self._read_oldest()
                if not (await self._sweep_events() + await self._sweep_comments()):
                    await self._rest()
            except (Undelivered, *OUTAGE) as error:
                log.warning("sweeper.unavailable", error=type(error).__name__)
                await asyncio.sleep(REST_SECONDS)

    async def _read_oldest(self) -> None:
        """Read, at most once in REST_SECONDS, the receipt time of the oldest delivery in the outbox."""
        now = time.monotonic()
        if now - self._oldest_read_at >= REST_SECONDS:
            self._oldest = await oldest_receipt(self._pool)
            self._oldest_read_at = now

    async def _rest(self) -> None:
        """Wait until there may be something to publish; only briefly if a backlog waits for room in the windows."""
        if self._pace.is_full:
            await self._pace.moved(POLL_SECONDS)
            return
        await wait_for(self._postponed, REST_SECONDS)
        self._postponed.clear()

    async def _sweep_events(self) -> int:
        """Publish due events that are not in Kafka. Returns the number of deliveries."""
        if not (limit := min(MAX_BATCH, self._pace.metrics.backlog_room())):
            return 0
        with self._pace.metrics.reserved(BACKLOG, limit):
            claim = await claim_events(self._pool, limit)
        if claim.seqs:
            self._pace.metrics.take(BACKLOG, len(claim.events))
            parcels = [self._parcel(stored, BACKLOG, characters_of(stored)) for stored in claim.events]
            await self._publish_claim(claim, parcels)
        return len(claim.seqs)

    async def _sweep_comments(self) -> int:
        """Publish events again whose comments may be scored now. Returns the number of deliveries."""
        limit = min(MAX_CHARACTERS, self._pace.sentiment.backlog_room())
        if not limit or not self._pace.metrics.backlog_room():
            return 0
        with self._pace.sentiment.reserved(BACKLOG, limit):
            claim = await claim_comments(self._pool, limit)
        if claim.seqs:
            costs = [(stored, characters_of(stored)) for stored in claim.events]
            parcels = [Parcel(stored, cost, False, Cost(BACKLOG, cost)) for stored, cost in costs if cost]
            for parcel in parcels:
                self._pace.metrics.take(BACKLOG, 1)
                self._pace.sentiment.take(BACKLOG, parcel.characters)
            await self._publish_claim(claim, parcels, comments=True)
        return len(claim.seqs)

    async def _publish_claim(self, claim: Claim, parcels: Sequence[Parcel], *, comments: bool = False) -> None:
        try:
            await self._publish(parcels, claim.seqs, comments=comments)
        except Undelivered:
            await release_claim(self._pool, claim.seqs)
            raise
        ids = request_ids((parcel.stored.context for parcel in parcels), most=None)
        log.debug("sweeper.published", deliveries=len(claim.seqs), events=len(parcels), request_ids=ids)

    # --- both
    def _parcel(self, stored: OutboxEvent, holder: str, characters: int) -> Parcel:
        """An event that has taken its unit of metrics' window. Its comments are sent with it if sentiment's window admits
        them."""
        later = characters > 0 and not self._pace.take_comments(holder, characters)
        return Parcel(stored, characters, later, Cost(holder, 0 if later else characters))

    async def _publish(self, parcels: Sequence[Parcel], seqs: Sequence[int] = (), *, comments: bool = False) -> None:
        """Publish events, then update their deliveries, and those in `seqs`, in the table. `comments`: the comments alone."""
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
                later[parcel.stored.seq] += parcel.characters
        done = {*seqs, *(parcel.stored.seq for parcel in parcels)} - later.keys()
        await mark_published(self._pool, sorted(done), comments=comments)
        if later:
            await postpone_comments(self._pool, later)
            instruments.POSTPONED.inc(sum(parcel.later for parcel in parcels))
            self._postponed.set()
