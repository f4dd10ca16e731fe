"""Sending: everything acknowledged by all replicas within a deadline, or the caller is told that it isn't known."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared import instruments
from shared.kafka import clients
from shared.kafka.records import Message, Position, Undelivered, Unsendable
from shared.topics import Topic

log = structlog.get_logger()

ENVELOPE = 1024
"""What the client adds to a message at most, besides its own bytes."""


class Producer:
    """An idempotent producer that outlives its instances.

    After a failed or late send the instance is dropped: its sequence numbers may be used up, and what it still holds would be
    sent beside what the caller sends again. It connects on first use, so a service boots while its broker is away.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            self._drop(self._client)
        if self._ending:
            await asyncio.wait(self._ending)

    async def send_all(self, topic: Topic, messages: Sequence[Message], timeout: float = 10.0) -> list[Position]:  # noqa: ASYNC109
        """Send to `topic`; returns the position of each message when all are acknowledged.

        Raises Undelivered: send all again. Raises Unsendable: one is too large, and nothing was sent.
        """
        return await self.send(topic.name, messages, timeout)

    async def send(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> list[Position]:  # noqa: ASYNC109
        """The same, to a topic by name: a DLQ has no row in TOPICS."""
        for message in messages:
            if _size(message) > clients.MAX_MESSAGE_BYTES:
                raise Unsendable(message)
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
            for future in sent:  # those that nobody will ask any more
                future.cancel()
        instruments.SENT.labels(topic).inc(len(messages))
        return [Position(one.partition, one.offset) for one in acknowledged]

    async def _open(self) -> AIOKafkaProducer:
        async with self._opening:
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
        ending = asyncio.create_task(clients.end_producer(client))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


def _size(message: Message) -> int:
    headers = sum(len(name) + len(value) for name, value in message.headers)
    return len(message.key) + len(message.value) + headers + ENVELOPE
