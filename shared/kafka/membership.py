"""One client's life in its group: join, poll, handle, commit, until the client breaks or the worker must die."""

import asyncio
import time
from collections.abc import Collection, Sequence

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from shared import instruments
from shared.kafka import admin, clients
from shared.kafka.batch import apply
from shared.kafka.job import Job
from shared.kafka.offsets import Offsets
from shared.kafka.parking import parked
from shared.kafka.producer import Producer
from shared.kafka.records import Place, Record, Retry, by_place
from shared.kafka.tasks import finishing, first_of
from shared.kafka.watchdog import watch

log = structlog.get_logger()

POLL_MS = 500


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """A client of aiokafka that belongs to a group, and the loop around it. Used once."""

    def __init__(self, job: Job, parking: Producer) -> None:
        self._job = job
        self._parking = parking
        self._timing = job.timing
        self._client = clients.consumer(job.bootstrap, job.group, job.timing.session, job.instance)
        self._offsets = Offsets(job, self._client)
        self._apart: set[Place] = set()
        """Partitions that met a Retry: handled one by one until they succeed, so that a sound one isn't held up by another."""
        self._in_hand = asyncio.Lock()
        """Held while a batch is handled and committed; never round a poll, where a rebalance may have to be waited for."""
        self._recovering = False
        self._moved_at = time.monotonic()

    async def run(self) -> None:
        """Join and consume. Raises clients.Broken, Stalled, or what ends the worker."""
        try:
            with clients.client_faults():
                async with asyncio.timeout(self._timing.join):
                    self._client.subscribe(self._job.topics, listener=self)
                    await self._client.start()
            watching = watch(lambda: max(self._moved_at, self._job.beat()), self._behind, self._timing.stall, self._timing.look)
            self._look()
            await first_of(self._consume(), watching)
        finally:
            self._job.joined = self._job.in_touch = False
            await clients.end_consumer(self._client)

    # --- what aiokafka tells --------------------------------------------------------------------------------------------
    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._job.joined = False
        try:
            async with asyncio.timeout(self._timing.handover), self._in_hand:
                pass
        except TimeoutError:
            log.warning("kafka.rebalance.impatient", group=self._job.group)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._offsets.forget()
        self._apart.clear()
        self._moved_at = time.monotonic()
        self._job.joined = True

    # --- the loop -------------------------------------------------------------------------------------------------------
    async def _consume(self) -> None:
        while True:
            self._offsets.wake()
            if records := await self._poll():
                await finishing(self._take(records), self._timing.farewell)
            else:
                await self._idle()
            self._look()

    def _look(self) -> None:
        """Note what others ask of us: whether we are in touch, and how far behind."""
        in_touch = clients.in_touch(self._client)
        if in_touch != self._job.in_touch:
            log.warning("kafka.found" if in_touch else "kafka.lost", group=self._job.group)
            self._job.in_touch = in_touch
        for place, (position, end) in clients.positions(self._client).items():
            instruments.LAG.labels(self._job.group, place.topic, place.partition).set(max(0, end - position))

    async def _poll(self) -> list[Record]:
        """What has come, [] if nothing came for a while or partitions had to be started anew."""
        try:
            with clients.client_faults():
                async with asyncio.timeout(self._timing.join):
                    found = await self._client.getmany(timeout_ms=POLL_MS, max_records=self._job.max_batch)
        except clients.Broken as broken:
            if not isinstance(broken.__cause__, NoOffsetForPartitionError | OffsetOutOfRangeError):
                raise
            self._recovering = True
            await self._offsets.start_anew()
            self._recovering = False
            return []
        return [clients.record(raw) for own in found.values() for raw in own]

    async def _take(self, records: list[Record]) -> None:
        """Handle what one poll found, and commit."""
        async with self._in_hand:
            for batch in list(by_place(records).values()) if self._apart else [records]:
                try:
                    await self._handle(batch)
                except Retry as retry:
                    self._rewind(batch, retry)
                self._moved_at = time.monotonic()
            await self._offsets.commit()

    async def _handle(self, batch: Sequence[Record]) -> None:
        poison = await apply(self._job.handler, batch)
        run = self._job.poison_run.after(batch, poison)
        await self._park(poison)
        self._job.poison_run = run
        self._offsets.done(batch)
        self._job.handled_at = time.monotonic()
        for place, own in by_place(batch).items():
            self._apart.discard(place)
            instruments.HANDLED.labels(self._job.group, place.topic).inc(len(own))

    async def _park(self, poison: dict[Record, str]) -> None:
        """Send poison to the DLQ of its topic, and wait until it is there."""
        for place, own in by_place(list(poison)).items():
            await self._parking.send(f"{place.topic}.dlq", [parked(record, poison[record]) for record in own])
            instruments.PARKED.labels(self._job.group, place.topic).inc(len(own))
            for record in own:
                log.error("kafka.parked", **place._asdict(), offset=record.offset, reason=poison[record])

    def _rewind(self, batch: Sequence[Record], retry: Retry) -> None:
        log.warning("kafka.rewound", group=self._job.group, records=len(batch), reason=retry.reason)
        instruments.REWOUND.labels(self._job.group).inc()
        places = by_place(batch).keys()
        if len(places) > 1:
            self._apart |= places
        self._offsets.rewind(batch, retry.delay)

    async def _idle(self) -> None:
        await self._offsets.commit()
        if self._job.on_idle is None:
            return
        try:
            await self._job.on_idle({p: at for p, (at, end) in clients.positions(self._client).items() if at >= end})
        except Retry as retry:
            log.warning("kafka.idle.failed", group=self._job.group, reason=retry.reason)

    async def _behind(self) -> int | None:
        """For the watchdog: how many records there are which nothing excuses from being read."""
        if self._recovering:
            return 0
        if self._in_hand.locked() or not self._job.joined:  # neither a step nor a rebalance takes a minute
            return 1 if await admin.reachable(self._job.bootstrap) else None
        standing = clients.standing(self._client)
        return await admin.behind(
            self._job.bootstrap, {place: at or 0 for place, at in standing.items() if place not in self._offsets.resting}
        )
