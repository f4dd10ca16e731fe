"""Send messages: all are acknowledged by all replicas within a deadline, or Undelivered is raised."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from opentelemetry.trace import SpanKind

from shared import instruments, tracing
from shared.kafka import clients
from shared.kafka.records import Message, Position, Undelivered, Unsendable
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

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client: AIOKafkaProducer | None = None
        self._open_lock = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            self._drop(self._client)
        if self._closing:
            await asyncio.wait(self._closing)

    async def send_all(self, topic: Topic, messages: Sequence[Message], timeout: float = 10.0) -> list[Position]:  # noqa: ASYNC109
        """Send to `topic`. Returns the position of each message when all are acknowledged.

        Raises Undelivered if not all were acknowledged within `timeout` seconds: send all of them again. Raises Unsendable if one
        is too large; nothing was sent then.
        """
        return await self.send(topic.name, messages, timeout)

    async def send(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> list[Position]:  # noqa: ASYNC109
        """Like `send_all`, to a topic by its name: a DLQ has no row in TOPICS."""
        for message in messages:
            if _size(message) > clients.MAX_MESSAGE_BYTES:
                raise Unsendable(message)
        contexts = (parse_record_headers(message.headers) for message in messages)
        with tracing.span(f"send {topic}", SpanKind.PRODUCER, contexts, tracing.messaging("send", topic, len(messages))):
            return await self._send(topic, messages, timeout)

    async def _send(self, topic: str, messages: Sequence[Message], timeout: float) -> list[Position]:  # noqa: ASYNC109
        client: AIOKafkaProducer | None = None
        sent: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(timeout):
                client = await self._open()
                for m in messages:
                    sent.append(await client.send(topic, m.value, m.key or None, headers=list(m.headers)))
                acknowledged = await asyncio.gather(*sent)
        except (KafkaError, OSError, TimeoutError) as error:
            instruments.SENDS_FAILED.labels(topic).inc()
            if client is not None:
                self._drop(client)
            raise Undelivered(f"{topic}: {type(error).__name__}") from error
        finally:
            for future in sent:  # their errors would be reported as never retrieved
                future.cancel()
        instruments.SENT.labels(topic).inc(len(messages))
        return [Position(one.partition, one.offset) for one in acknowledged]

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


def _size(message: Message) -> int:
    headers = sum(len(name) + len(value) for name, value in message.headers)
    return len(message.key) + len(message.value) + headers + ENVELOPE
