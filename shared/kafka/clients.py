"""The clients of aiokafka as we use them: its defaults lose data, so every instance is made here, and ended here.

Some of its ways of ending wait for ever for a broker that is away: each gets a deadline, and what it leaves is cut off by hand.
Its private parts are touched in this file alone.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import ConsumerRecord

from shared.kafka.records import Place, Record

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""What topics take: a body of 1 MiB, its envelope, and the headers of a parked record."""

STOP_DEADLINE = 3.0
REQUEST_TIMEOUT_MS = 10_000
REBALANCE_TIMEOUT_MS = 20_000
POLL_INTERVAL_MS = 24 * 3600 * 1000
"""A member that doesn't poll for so long leaves its group. A slow batch is no reason to; our watchdog tells if one hangs."""
RETRY_BACKOFF_MS = 250


class Broken(Exception):
    """The client failed us, most likely because the broker is away. Build a new one."""


@contextmanager
def client_faults() -> Iterator[None]:
    """Tell the client's faults (Broken) from those of the code it serves."""
    try:
        yield
    except (KafkaError, ConsumerStoppedError, OSError, TimeoutError) as error:
        raise Broken(f"{type(error).__name__}: {error}") from error


def by_key(key: bytes | None, every: Sequence[int], available: Sequence[int]) -> int:
    """The partition of a key; the client's own murmur2 is Python, and fifty times as dear."""
    return every[crc32(key) % len(every)] if key is not None else random.choice(available or every)


def producer(bootstrap: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        partitioner=by_key,
        max_batch_size=256 * 1024,
        max_request_size=MAX_MESSAGE_BYTES,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        retry_backoff_ms=RETRY_BACKOFF_MS,
    )


def consumer(bootstrap: str, group: str | None = None, session: float = 45.0, instance: str | None = None) -> AIOKafkaConsumer:
    """A consumer that commits nothing by itself and never moves its position by itself; with `group`, a member of it.

    With `instance` a static member: who comes back under that name after a crash gets its partitions at once.
    """
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        group_instance_id=instance,
        enable_auto_commit=False,
        auto_offset_reset="none",
        partition_assignment_strategy=(RoundRobinPartitionAssignor,),
        session_timeout_ms=int(session * 1000),
        heartbeat_interval_ms=int(session * 1000 / 15),
        rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
        max_poll_interval_ms=POLL_INTERVAL_MS,
        max_partition_fetch_bytes=256 * 1024,
        fetch_max_bytes=8 * 1024 * 1024,
        request_timeout_ms=REBALANCE_TIMEOUT_MS + REQUEST_TIMEOUT_MS,  # the answer to a join waits for the others
        retry_backoff_ms=RETRY_BACKOFF_MS,
    )


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def end_consumer(client: AIOKafkaConsumer) -> None:
    """Leave the group and close, within a deadline whatever the broker does."""
    if client._coordinator is not None:
        client._coordinator._group_instance_id = None  # a static member would not leave, and keep its partitions from the others
    with suppress(Exception):
        async with asyncio.timeout(STOP_DEADLINE):
            await client.stop()
            return
    for part in (client._fetcher, client._client):
        if part is not None:
            with suppress(Exception):
                async with asyncio.timeout(STOP_DEADLINE):
                    await part.close()


async def end_producer(client: AIOKafkaProducer) -> None:
    """Close without waiting for what is still unsent: whoever sent it has been told, or has stopped listening."""
    client._message_accumulator.fail_all(KafkaError("the producer was closed"))
    with suppress(Exception):
        async with asyncio.timeout(STOP_DEADLINE):
            await client.stop()
            return
    with suppress(Exception):
        async with asyncio.timeout(STOP_DEADLINE):
            await client.client.close()


def record(raw: ConsumerRecord) -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value or b"", tuple(raw.headers), raw.timestamp)


def in_touch(client: AIOKafkaConsumer) -> bool:
    """Whether the client knows its group's coordinator: a failed heartbeat makes it forget it, until the broker is back."""
    return client._coordinator is not None and client._coordinator.coordinator_id is not None


def standing(client: AIOKafkaConsumer) -> dict[Place, int | None]:
    """The position of each partition that the client has now; None where it has no usable one."""
    return {place: state.position if state.has_valid_position else None for place, state in _states(client)}


def positions(client: AIOKafkaConsumer) -> dict[Place, tuple[int, int]]:
    """Position and end of each partition whose end the broker told within the last seconds."""
    lately = (time.time() - 5) * 1000
    return {
        place: (state.position, state.highwater)
        for place, state in _states(client)
        if state.has_valid_position and state.highwater is not None and (state.timestamp or 0) > lately
    }


async def partitions(client: AIOKafkaConsumer, topic: str) -> list[int]:
    """The numbers of the topic's partitions, waiting for the topic to be made (its public equal asks only what is known)."""
    return sorted(await client._client._wait_on_metadata(topic))


def _states(client: AIOKafkaConsumer) -> list[tuple[Place, Any]]:
    """The client's own notes; its public `position()` may wait for ever, and its others assert what a rebalance makes untrue."""
    subscription = client._subscription.subscription
    assignment = subscription and subscription.assignment
    return [(Place(*tp), assignment.state_value(tp)) for tp in assignment.tps] if assignment else []
