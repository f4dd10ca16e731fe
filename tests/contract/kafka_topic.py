"""Helpers for tests of `shared.kafka` on a real broker: a topic with a unique name, and handlers that record their batches."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition

from shared.kafka import Consumer, IncomingRecord, OutgoingRecord, Producer, clients, ensure_topics, received_header
from shared.kafka.connection import Bootstrap
from shared.kafka.offsets import Commit
from shared.kafka.records import Place
from shared.topics import Topic

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until `condition()` is true. Raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def messages(numbers: Iterable[int], tenant: str = "acme", at: datetime = NOON) -> list[OutgoingRecord]:
    return [OutgoingRecord(f"{tenant}/{n}".encode(), str(n).encode(), (received_header(at),)) for n in numbers]


@dataclass
class Recorder:
    """A handler that records the batches it is called with."""

    records: list[IncomingRecord] = field(default_factory=list)
    batches: list[Sequence[IncomingRecord]] = field(default_factory=list)

    async def __call__(self, records: Sequence[IncomingRecord]) -> None:
        self.batches.append(records)
        self.records += records

    @property
    def numbers(self) -> list[int]:
        return sorted(int(record.value) for record in self.records)

    def has(self, numbers: Iterable[int]) -> bool:
        return set(numbers) <= set(self.numbers)


@dataclass
class KafkaTopic:
    """One topic on a real broker, and one group that reads it."""

    bootstrap: Bootstrap
    definition: Topic
    group: str

    async def send(self, messages: Sequence[OutgoingRecord]) -> None:
        async with Producer(self.bootstrap) as producer:
            await producer.send_all(self.definition, messages)

    def consumer(self, handler: Callable[[Sequence[IncomingRecord]], Awaitable[None]], **more: Any) -> Consumer:
        return Consumer(bootstrap=self.bootstrap, group=self.group, topics=[self.definition], handler=handler, **more)

    @asynccontextmanager
    async def consuming(
        self, handler: Callable[[Sequence[IncomingRecord]], Awaitable[None]], **more: Any
    ) -> AsyncIterator[Consumer]:
        """Run a consumer meanwhile. It must still run at the end."""
        consumer = self.consumer(handler, **more)
        work = asyncio.create_task(consumer.run())
        try:
            yield consumer
            assert not work.done(), work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def committed(self) -> dict[Place, Commit]:
        async with clients.admin(self.bootstrap) as admin:
            stored = await admin.list_consumer_group_offsets(self.group)
        return {Place(*tp): Commit(*at) for tp, at in stored.items()}

    async def count(self) -> int:
        """Number of records in the topic."""
        client = clients.consumer(self.bootstrap)
        try:
            await client.start()
            partitions = [TopicPartition(self.definition.name, n) for n in await clients.partitions(client, self.definition.name)]
            return sum((await client.end_offsets(partitions)).values())
        finally:
            await clients.close_consumer(client)

    async def read(self, name: str, count: int) -> list[IncomingRecord]:
        """The first `count` records of the topic called `name`."""
        client = clients.consumer(self.bootstrap)
        records: list[IncomingRecord] = []
        try:
            await client.start()
            partitions = [TopicPartition(name, number) for number in await clients.partitions(client, name)]
            client.assign(partitions)
            await client.seek_to_beginning(*partitions)
            async with asyncio.timeout(10):
                while len(records) < count:
                    for raw in (await client.getmany(timeout_ms=100)).values():
                        records += map(clients.record, raw)
        finally:
            await clients.close_consumer(client)
        return records


async def new_topic(bootstrap: Bootstrap, partitions: int = 3) -> KafkaTopic:
    name = f"test.{os.urandom(4).hex()}"
    definition = Topic(name, object, "tenant/number", partitions, 3_600_000, "the tests")
    await ensure_topics(bootstrap, (definition,))
    return KafkaTopic(bootstrap, definition, f"group.{name}")
