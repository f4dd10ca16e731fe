"""Send messages: all are acknowledged by all replicas within a deadline, or Undelivered is raised."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from opentelemetry.trace import SpanKind

from shared import instruments, tracing
from shared.kafka import clients
from shared.kafka.connection import Bootstrap
from shared.kafka.records import OutgoingRecord, Position, Undelivered, Unsendable
from shared.request_context import parse_record_headers
from shared.topics import Topic

log = structlog.get_logger()

ENVELOPE = 1024
"""Bytes that the client adds to a message at most."""


class Producer:
    """An idempotent producer that replaces its client after a failure.

    A client whose send failed or was late is closed: its sequence numbers may be used up, and it would send its buffer beside the
    messages that the caller sends again. Connects on first use, so that a service boots while its broker is down.
    """

    def __init__(self, bootstrap: Bootstrap) -> None:
        self._bootstrap = bootstrap
        self._client: AIOKafkaProducer | None = None
        self._open_lock = asyncio.Lock()
        self._queueing = asyncio.Lock()
        """The client has room for one waiting batch of a partition. If several senders waited for it, some would starve."""
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            self._drop(self._client)
        if self._closing:
            await asyncio.wait(self._closing)

    async def send_all(self, topic: Topic, messages: Sequence[OutgoingRecord], timeout: float = 10.0) -> list[Position]:  # noqa: ASYNC109
        """Send to `topic`. Returns the position of each message when all are acknowledged.

        Raises Undelivered if not all were acknowledged within `timeout` seconds: send all of them again. Raises Unsendable if one
        is too large; nothing was sent then.
        """
        return await self.send(topic.name, messages, timeout)

    async def send(self, topic: str, messages: Sequence[OutgoingRecord], timeout: float = 10.0) -> list[Position]:  # noqa: ASYNC109
        """Like `send_all`, to a topic by its name: a DLQ has no row in TOPICS."""
        for message in messages:
            if _size(message) > clients.MAX_MESSAGE_BYTES:
                raise Unsendable(message)
        contexts = (parse_record_headers(message.headers) for message in messages)
        with tracing.span(f"send {topic}", SpanKind.PRODUCER, contexts, tracing.messaging("send", topic, len(messages))):
            return await self._send(topic, messages, timeout)

    async def _send(self, topic: str, messages: Sequence[OutgoingRecord], timeout: float) -> list[Position]:  # noqa: ASYNC109
        client: AIOKafkaProducer | None = None
        sent: list[tuple[asyncio.Future[Any], Batch]] = []
        try:
            with clients.contain_cancellations():
                async with asyncio.timeout(timeout):
                    client = await self._open()
                    batches = in_batches(client, sorted(await client.partitions_for(topic)), messages)
                    async with self._queueing:
                        for batch in batches:
                            sent.append((await client.send_batch(batch.builder, topic, partition=batch.partition), batch))
                    firsts = await asyncio.gather(*(future for future, _ in sent))
        except (KafkaError, OSError, TimeoutError) as error:
            instruments.SENDS_FAILED.labels(topic).inc()
            if client is not None:
                self._drop(client)
            raise Undelivered(f"{topic}: {type(error).__name__}") from error
        finally:
            for future, _ in sent:
                clients.retrieve_error(future)
        instruments.SENT.labels(topic).inc(len(messages))
        positions: dict[int, Position] = {}
        for (_, batch), first in zip(sent, firsts, strict=True):
            positions |= {index: Position(batch.partition, first.offset + n) for n, index in enumerate(batch.indexes)}
        return [positions[index] for index in range(len(messages))]

    async def _open(self) -> AIOKafkaProducer:
        async with self._open_lock:
            if self._client is None:
                client = clients.producer(self._bootstrap)
                try:
                    await client.start()
                except BaseException:
                    self._drop(client)
                    raise
                self._client = client
            return self._client

    def _drop(self, client: AIOKafkaProducer) -> None:
        if self._client is client:
            self._client = None
        closing = asyncio.create_task(clients.close_producer(client))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages to one partition. `indexes` are their places among all messages of the send."""

    partition: int
    builder: BatchBuilder
    indexes: list[int] = field(default_factory=list)


def in_batches(client: AIOKafkaProducer, partitions: Sequence[int], messages: Sequence[OutgoingRecord]) -> list[Batch]:
    """The messages in batches, in their order for each partition.

    A batch of `n` messages costs the client a fraction of `n` sends, each of which has a coroutine and a future of its own.
    """
    full: list[Batch] = []
    filling: dict[int, Batch] = {}
    for index, message in enumerate(messages):
        partition = clients.by_key(message.key or None, partitions, partitions)
        batch = filling.get(partition)
        if batch is None or not _append(batch, index, message):
            if batch is not None:
                full.append(batch)
            batch = filling[partition] = Batch(partition, client.create_batch())
            _append(batch, index, message)
    return [*full, *filling.values()]


def _append(batch: Batch, index: int, message: OutgoingRecord) -> bool:
    """Add a message. False if the batch is full; an empty one takes a message of any size."""
    added = batch.builder.append(timestamp=None, key=message.key or None, value=message.value, headers=list(message.headers))
    if added is None:
        return False
    batch.indexes.append(index)
    return True


def _size(message: OutgoingRecord) -> int:
    headers = sum(len(name) + len(value) for name, value in message.headers)
    return len(message.key) + len(message.value) + headers + ENVELOPE
