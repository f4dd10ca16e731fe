"""The way out: committed events go to Kafka at once, and a sweeper takes up what a crash or an outage left.

The table is the truth. What the relay holds in memory is only a short cut, dropped whenever it doesn't work.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import asyncpg
import structlog

from services.ingest.inbox.leftovers import Outgoing, claim, mark_published, release
from services.ingest.inbox.stated import Stated
from shared.database import OUTAGE
from shared.kafka import Message, Undelivered, received_header
from shared.topics import EVENTS, Topic, subject_key

log = structlog.get_logger()

MOST_HELD = 20_000
MOST_AT_ONCE = 1_000
REST_SECONDS = 1.0
SEND_SECONDS = 10.0


class Sends(Protocol):
    """What the relay needs of a producer."""

    async def send_all(self, topic: Topic, messages: Sequence[Message], timeout: float = ...) -> None: ...  # noqa: ASYNC109


class Relay:
    """`offer` hands over what was committed; `run` and `sweep` are its two workers, each living through any outage."""

    def __init__(self, pool: asyncpg.Pool, producer: Sends) -> None:
        self._pool = pool
        self._producer = producer
        self._held: deque[Outgoing] = deque()
        self._offered = asyncio.Event()

    def offer(self, committed: Sequence[Stated]) -> None:
        """Publish these soon; what there is no room for, the sweeper publishes."""
        if len(self._held) + len(committed) <= MOST_HELD:
            self._held.extend(
                Outgoing(s.event.seq, s.event.tenant, s.event.subject, s.event.received_at, s.encoded) for s in committed
            )
            self._offered.set()

    async def run(self) -> None:
        while True:
            await self._offered.wait()
            batch = self._take()
            try:
                await self._publish(batch)
                await mark_published(self._pool, sorted({outgoing.seq for outgoing in batch}))
            except (Undelivered, *OUTAGE) as error:
                log.warning("relay.away", left=len(batch) + len(self._held), error=type(error).__name__)
                self._held.clear()
                self._offered.clear()
                await asyncio.sleep(REST_SECONDS)

    def _take(self) -> list[Outgoing]:
        """The oldest, whole deliveries only: a delivery leaves the queue when all of it is published."""
        batch = [self._held.popleft() for _ in range(min(len(self._held), MOST_AT_ONCE))]
        while self._held and self._held[0].seq == batch[-1].seq:
            batch.append(self._held.popleft())
        if not self._held:
            self._offered.clear()
        return batch

    async def sweep(self) -> None:
        while True:
            try:
                if not await self._sweep_once():
                    await asyncio.sleep(REST_SECONDS)
            except (Undelivered, *OUTAGE) as error:
                log.warning("sweeper.away", error=type(error).__name__)
                await asyncio.sleep(REST_SECONDS)

    async def _sweep_once(self) -> int:
        seqs, events = await claim(self._pool, MOST_AT_ONCE)
        if not seqs:
            return 0
        try:
            await self._publish(events)
        except Undelivered:
            await release(self._pool, seqs)
            raise
        await mark_published(self._pool, seqs)
        log.info("sweeper.published", deliveries=len(seqs), events=len(events))
        return len(seqs)

    async def _publish(self, events: Sequence[Outgoing]) -> None:
        await self._producer.send_all(EVENTS, [_message(event) for event in events], SEND_SECONDS)


def _message(event: Outgoing) -> Message:
    return Message(subject_key(event.tenant, event.subject), event.encoded, (received_header(event.received_at),))
