"""One client as a member of its group: join, poll, handle, commit, until the client breaks or the handler fails."""

import asyncio
import time
from collections.abc import Collection, Sequence

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from opentelemetry.trace import SpanKind

from shared import instruments, tracing
from shared.kafka import admin, clients
from shared.kafka.lag import Lag
from shared.kafka.offsets import Offsets
from shared.kafka.poison import apply, dlq_message
from shared.kafka.producer import Producer
from shared.kafka.records import IncomingRecord, Place, Retry, by_place
from shared.kafka.state import ConsumerState
from shared.kafka.watchdog import watch
from shared.request_context import bound, common_context, parse_record_headers, request_ids
from shared.workers import finish_before_cancel, run_until_first_ends

log = structlog.get_logger()

POLL_MS = 500


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """A client in its group and the loop around it, used once. `dlq` sends poison to the DLQs.

    Raises Broken if a file with credentials can't be read.
    """

    def __init__(self, state: ConsumerState, dlq: Producer) -> None:
        self._state = state
        self._dlq = dlq
        self._timing = state.timing
        with clients.client_errors():
            self._client = clients.consumer(state.bootstrap, state.group, state.timing.session, state.instance)
        self._offsets = Offsets(state, self._client)
        self._separate: set[Place] = set()
        """Partitions of a batch that raised Retry: handled one by one until they succeed, so that one can't delay the others."""
        self._busy = asyncio.Lock()
        """Held while a batch is handled and committed; never during a poll, which may wait for a rebalance."""
        self._recovering = False
        self._unchecked = False
        """Whether partitions were assigned whose stored positions weren't compared with Kafka yet."""
        self._progressed_at = time.monotonic()
        self._lag_gauges = Lag(state.group)

    async def run(self) -> None:
        """Join and consume. Raises Broken, Stalled, or the error that ends the worker."""
        try:
            with clients.client_errors():
                async with asyncio.timeout(self._timing.join):
                    self._client.subscribe(self._state.topics, listener=self)
                    await self._client.start()
            watching = watch(
                lambda: max(self._progressed_at, self._state.beat()), self._lag, self._timing.stall, self._timing.look
            )
            self._observe()
            await run_until_first_ends(self._consume(), watching)
        finally:
            self._state.joined = self._state.has_coordinator = False
            self._lag_gauges.reset()
            self._state.summary.log(self._state.group, at_once=True)
            await clients.close_consumer(self._client)

    # --- called by aiokafka ---------------------------------------------------------------------------------------------
    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Wait until the current batch is committed, for at most the time of a handover."""
        self._state.joined = False
        try:
            async with asyncio.timeout(self._timing.handover), self._busy:
                pass
        except TimeoutError:
            log.warning("kafka.rebalance.batch_abandoned", group=self._state.group)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Forget the state of earlier partitions; the group has been joined."""
        self._offsets.reset()
        self._lag_gauges.reset()
        self._separate.clear()
        self._unchecked = self._state.stored is not None
        self._progressed_at = time.monotonic()
        self._state.joined = True

    # --- the loop -------------------------------------------------------------------------------------------------------
    async def _consume(self) -> None:
        while True:
            self._offsets.resume()
            if records := await self._poll():
                await finish_before_cancel(self._process(records), self._timing.farewell)
            else:
                await self._idle()
            self._observe()
            self._state.summary.log(self._state.group)

    def _observe(self) -> None:
        """Update the contact with the coordinator and the lag of each partition."""
        has_coordinator = clients.has_coordinator(self._client)
        if has_coordinator != self._state.has_coordinator:
            log.warning("kafka.coordinator.connected" if has_coordinator else "kafka.coordinator.lost", group=self._state.group)
            self._state.has_coordinator = has_coordinator
        self._lag_gauges.observe(clients.recent_ends(self._client))

    async def _poll(self) -> list[IncomingRecord]:
        """The next records; [] if none arrived within POLL_MS or if partitions had no valid position."""
        try:
            with clients.client_errors():
                async with asyncio.timeout(self._timing.join):
                    batches = await self._client.getmany(timeout_ms=POLL_MS, max_records=self._state.max_batch)
        except clients.Broken as broken:
            if not isinstance(broken.__cause__, NoOffsetForPartitionError | OffsetOutOfRangeError):
                raise
            await self._recover()
            return []
        records = [clients.record(raw) for raws in batches.values() for raw in raws]
        if self._unchecked:
            moved = await self._recover(lost_only=True)
            records = [record for record in records if record.place not in moved]
        self._lag_gauges.read(records)
        return records

    async def _recover(self, *, lost_only: bool = False) -> set[Place]:
        self._recovering, self._unchecked = True, False
        moved = await self._offsets.recover(lost_only=lost_only)
        self._recovering = False
        return moved

    async def _process(self, records: list[IncomingRecord]) -> None:
        """Handle the records of one poll, and commit."""
        async with self._busy:
            for batch in list(by_place(records).values()) if self._separate else [records]:
                try:
                    await self._handle(batch)
                except Retry as retry:
                    self._rewind(batch, retry)
                self._progressed_at = time.monotonic()
            await self._offsets.commit()

    async def _handle(self, batch: Sequence[IncomingRecord]) -> None:
        began = time.monotonic()
        contexts = [parse_record_headers(record.headers) for record in batch]
        topics = ",".join(sorted({record.topic for record in batch}))
        attributes = tracing.messaging("process", topics, len(batch)) | {"messaging.consumer.group.name": self._state.group}
        with (
            bound(common_context(contexts)),
            tracing.span(f"process {topics}", SpanKind.CONSUMER, contexts, attributes),
        ):
            poison = await apply(self._state.handler, batch)
        run = self._state.poison_run.after(batch, poison)
        await self._park(poison)
        self._state.poison_run = run
        self._offsets.done(batch)
        self._lag_gauges.handled(batch)
        self._state.handled_at = time.monotonic()
        for place, own in by_place(batch).items():
            self._separate.discard(place)
            instruments.HANDLED.labels(self._state.group, place.topic).inc(len(own))
        seconds = time.monotonic() - began
        self._state.summary.add((record.topic for record in batch), len(poison), seconds)
        log.debug(
            "kafka.handled",
            group=self._state.group,
            topics=topics,
            records=len(batch),
            parked=len(poison),
            ms=round(seconds * 1000, 1),
            request_ids=request_ids(contexts, most=None),
        )

    async def _park(self, poison: dict[IncomingRecord, str]) -> None:
        """Send poison to the DLQ of its topic. Returns when it is acknowledged."""
        for place, own in by_place(list(poison)).items():
            await self._dlq.send(f"{place.topic}.dlq", [dlq_message(record, poison[record]) for record in own])
            instruments.PARKED.labels(self._state.group, place.topic).inc(len(own))
            for record in own:
                with bound(parse_record_headers(record.headers)):
                    log.error("kafka.parked", **place._asdict(), offset=record.offset, reason=poison[record])

    def _rewind(self, batch: Sequence[IncomingRecord], retry: Retry) -> None:
        ids = request_ids(parse_record_headers(record.headers) for record in batch)
        log.warning("kafka.rewound", group=self._state.group, records=len(batch), reason=retry.reason, request_ids=ids)
        instruments.REWOUND.labels(self._state.group).inc()
        places = by_place(batch).keys()
        if len(places) > 1:
            self._separate |= places
        self._offsets.rewind(batch, retry.delay)

    async def _idle(self) -> None:
        await self._offsets.commit()
        if self._state.on_idle is None:
            return
        try:
            at_end = clients.read_to_end(clients.recent_ends(self._client))
            await self._state.on_idle({place: at for place, at in at_end.items() if place not in self._offsets.paused})
        except Retry as retry:
            log.warning("kafka.idle.failed", group=self._state.group, reason=retry.reason)

    async def _lag(self) -> int | None:
        """Records that should have been read by now, for the watchdog; None while the broker does not answer."""
        if self._recovering:
            return 0
        if self._busy.locked() or not self._state.joined:  # neither a batch nor a rebalance takes a minute
            return 1 if await admin.reachable(self._state.bootstrap) else None
        positions = clients.positions(self._client)
        return await admin.lag(
            self._state.bootstrap, {place: at or 0 for place, at in positions.items() if place not in self._offsets.paused}
        )
