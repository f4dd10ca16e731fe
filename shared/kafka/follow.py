"""Read a topic from its end without a group: for live feeds, which get missed records elsewhere."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from shared.kafka import clients
from shared.kafka.admin import lag
from shared.kafka.connection import Bootstrap
from shared.kafka.records import IncomingRecord, Place
from shared.topics import Topic

log = structlog.get_logger()

POLL_MS = 500
QUIET_POLLS = 120
"""Polls without a record, after which a new connection checks that there is none: a client can go silent."""


async def follow(bootstrap: Bootstrap, topic: Topic) -> AsyncGenerator[IncomingRecord, None]:
    """Yield every record that is written to `topic` from now on. Records written during an outage are read after it."""
    positions: dict[Place, int] = {}
    while True:
        try:
            async with clients.reader(bootstrap) as client:
                await _assign(client, topic, positions)
                async for record in _read(client, bootstrap, positions):
                    yield record
        except clients.Broken as error:
            log.warning("kafka.follow.broken", topic=topic.name, error=str(error))
        await asyncio.sleep(1.0)


async def _assign(client: AIOKafkaConsumer, topic: Topic, positions: dict[Place, int]) -> None:
    """Assign all partitions and seek to `positions`, or to the end."""
    with clients.client_errors():
        async with asyncio.timeout(30):
            await client.start()
            numbers = await clients.partitions(client, topic.name)
            partitions = [TopicPartition(topic.name, number) for number in numbers]
            client.assign(partitions)
            for tp, end in (await client.end_offsets(partitions)).items():
                client.seek(tp, min(positions.setdefault(Place(*tp), end), end))


async def _read(client: AIOKafkaConsumer, bootstrap: Bootstrap, positions: dict[Place, int]) -> AsyncIterator[IncomingRecord]:
    quiet = 0
    while quiet < QUIET_POLLS or await lag(bootstrap, positions) in (0, None):
        quiet = 0 if quiet >= QUIET_POLLS else quiet + 1
        try:
            with clients.client_errors():
                batches = await client.getmany(timeout_ms=POLL_MS)
        except clients.Broken as broken:
            if isinstance(broken.__cause__, OffsetOutOfRangeError):
                positions.clear()
            raise
        for raws in batches.values():
            for raw in raws:
                quiet = 0
                positions[Place(raw.topic, raw.partition)] = raw.offset + 1
                yield clients.record(raw)
    raise clients.Broken("no records although the topic has some")
