"""Create and close the clients of aiokafka, with settings that lose no data.

Its `stop` can wait for ever for an unreachable broker, so closing has a deadline, after which connections are closed directly.
It can also raise the CancelledError of one of its own tasks, for example when a client is stopped right after its start. Such a
cancellation must not end the caller, which nobody has cancelled. Only this file uses private attributes of aiokafka.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import chain
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import ConsumerRecord

from shared.kafka.connection import Bootstrap, connection
from shared.kafka.records import IncomingRecord, Place
from shared.workers import finish_before_cancel

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""The largest message of a topic, in bytes: a body of 1 MiB, its envelope, and the headers of a parked record."""

STOP_DEADLINE = 3.0
REQUEST_TIMEOUT_MS = 10_000
REBALANCE_TIMEOUT_MS = 20_000
POLL_INTERVAL_MS = 24 * 3600 * 1000
"""A member that does not poll for this time leaves its group. A batch may be slow; the watchdog detects one that hangs."""
RETRY_BACKOFF_MS = 250
METADATA_AGE_MS = 15_000
"""How often a consumer refreshes the list of partitions. A group whose topic was deleted finds the new topic only then."""


Closing = Callable[[], Coroutine[Any, Any, None]]


class Broken(Exception):
    """The client failed, most likely because the broker is unreachable. Create a new one."""


@contextmanager
def client_errors() -> Iterator[None]:
    """Raise errors of the client as Broken, so that they differ from errors of the code around it."""
    try:
        with contain_cancellations():
            yield
    except (KafkaError, ConsumerStoppedError, OSError, TimeoutError) as error:
        raise Broken(f"{type(error).__name__}: {error}") from error


@contextmanager
def contain_cancellations() -> Iterator[None]:
    """Raise the CancelledError of a task of the client as a KafkaError. That of the current task is raised unchanged."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise KafkaError("a task of the client was cancelled") from error


def by_key(key: bytes | None, every: Sequence[int], available: Sequence[int]) -> int:
    """The partition of a key. CRC-32, since aiokafka's murmur2 is pure Python and fifty times slower."""
    return every[crc32(key) % len(every)] if key is not None else random.choice(available or every)


def producer(bootstrap: Bootstrap) -> AIOKafkaProducer:
    """An idempotent producer; every message is acknowledged by all in-sync replicas."""
    return AIOKafkaProducer(
        **connection(bootstrap),
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        partitioner=by_key,
        max_batch_size=256 * 1024,
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        retry_backoff_ms=RETRY_BACKOFF_MS,
    )


def consumer(
    bootstrap: Bootstrap, group: str | None = None, session: float = 45.0, instance: str | None = None
) -> AIOKafkaConsumer:
    """A consumer without automatic commits or offset resets; a member of `group` if one is given. `session` is in seconds.

    With `instance` it is a static member: after a crash, a member with the same name gets its partitions at once.
    """
    return AIOKafkaConsumer(
        **connection(bootstrap),
        group_id=group,
        group_instance_id=instance,
        enable_auto_commit=False,
        auto_offset_reset="none",
        partition_assignment_strategy=(RoundRobinPartitionAssignor,),
        session_timeout_ms=int(session * 1000),
        heartbeat_interval_ms=int(session * 1000 / 15),
        rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
        max_poll_interval_ms=POLL_INTERVAL_MS,
        metadata_max_age_ms=METADATA_AGE_MS,
        max_partition_fetch_bytes=256 * 1024,
        fetch_max_bytes=8 * 1024 * 1024,
        request_timeout_ms=REBALANCE_TIMEOUT_MS + REQUEST_TIMEOUT_MS,  # a join is answered when all members have joined
        retry_backoff_ms=RETRY_BACKOFF_MS,
    )


@asynccontextmanager
async def reader(bootstrap: Bootstrap) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, not started; it is closed at the end of the context. Raises Broken if a file is unreadable."""
    with client_errors():
        client = consumer(bootstrap)
    try:
        yield client
    finally:
        await close_consumer(client)


@asynccontextmanager
async def admin(bootstrap: Bootstrap) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client that is connected within the context."""
    client = AIOKafkaAdminClient(**connection(bootstrap), request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await client.start()
        yield client
    finally:
        await _close(client.close)


async def close_consumer(client: AIOKafkaConsumer) -> None:
    """Leave the group and close, within a deadline. Raises nothing of the client."""
    if client._coordinator is not None:
        client._coordinator._group_instance_id = None  # a static member doesn't leave its group when it stops
    await _close(client.stop, *(part.close for part in (client._fetcher, client._client) if part is not None))


async def close_producer(client: AIOKafkaProducer) -> None:
    """Close without waiting for unsent messages: their sends have failed already. Raises nothing of the client."""
    accumulator = client._message_accumulator
    accumulator.fail_all(KafkaError("the producer was closed"))
    for batch in chain(accumulator._pending_batches, *accumulator._batches.values()):
        for future in (batch.future, batch._drain_waiter):
            retrieve_error(future)
    accumulator._batches.clear()  # else the client would try to send batches whose futures have ended, and fail
    await _close(client.stop, client.client.close)


def retrieve_error(future: asyncio.Future[Any]) -> None:
    """Cancel a future that is not needed any more. The event loop would report the error of one that has failed already."""
    if not future.cancel() and not future.cancelled():
        future.exception()


async def _close(stop: Closing, *parts: Closing) -> None:
    """Call `stop`, and `parts` if it fails. A caller that is cancelled meanwhile waits, since connections would stay open."""

    async def close() -> None:
        if not await _succeeds(stop()):
            for part in parts:
                await _succeeds(part())

    await finish_before_cancel(close(), STOP_DEADLINE)


async def _succeeds(closing: Coroutine[Any, Any, None]) -> bool:
    """Whether `closing` ends without an error within STOP_DEADLINE.

    It runs in a task of its own, which alone ends by a CancelledError of the client.
    """
    task = asyncio.create_task(closing)
    await asyncio.wait([task], timeout=STOP_DEADLINE)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=STOP_DEADLINE)
    return task.done() and not task.cancelled() and task.exception() is None


def record(raw: ConsumerRecord) -> IncomingRecord:
    """Convert aiokafka's record; a missing value becomes empty bytes."""
    return IncomingRecord(raw.topic, raw.partition, raw.offset, raw.key, raw.value or b"", tuple(raw.headers), raw.timestamp)


def has_coordinator(client: AIOKafkaConsumer) -> bool:
    """Whether the client knows its group's coordinator. It forgets it when a heartbeat fails, until the broker is back."""
    return client._coordinator is not None and client._coordinator.coordinator_id is not None


def positions(client: AIOKafkaConsumer) -> dict[Place, int | None]:
    """The position of each assigned partition; None where it is not valid."""
    return {place: state.position if state.has_valid_position else None for place, state in _states(client)}


def recent_ends(client: AIOKafkaConsumer) -> dict[Place, tuple[int, int]]:
    """Position and end of each partition whose end the broker reported within the last five seconds."""
    oldest_ms = (time.time() - 5) * 1000
    return {
        place: (state.position, state.highwater)
        for place, state in _states(client)
        if state.has_valid_position and state.highwater is not None and (state.timestamp or 0) > oldest_ms
    }


def read_to_end(ends: Mapping[Place, tuple[int, int]]) -> dict[Place, int]:
    """The position of each partition in `ends` (position, end) that is read to its end.

    A position beyond the end, of a lost log or `shared.kafka.offsets.BEYOND`, is one that the broker has not refused yet.
    """
    return {place: at for place, (at, end) in ends.items() if at == end}


async def partitions(client: AIOKafkaConsumer, topic: str) -> list[int]:
    """The numbers of the topic's partitions. Waits until the topic exists; `partitions_for_topic` reads only what is cached."""
    return sorted(await client._client._wait_on_metadata(topic))


def _states(client: AIOKafkaConsumer) -> list[tuple[Place, Any]]:
    """The client's state of each partition. Its public `position()` can wait for ever, and others fail during a rebalance."""
    subscription = client._subscription.subscription
    assignment = subscription and subscription.assignment
    return [(Place(*tp), assignment.state_value(tp)) for tp in assignment.tps] if assignment else []
