"""Reading a topic from its end without a group: for live feeds, where what was missed is asked for elsewhere."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from shared.kafka import clients
from shared.kafka.admin import behind
from shared.kafka.records import Place, Record
from shared.topics import Topic

log = structlog.get_logger()

POLL_MS = 500
QUIET_POLLS = 120
"""Polls without a record after which we ask over a fresh connection whether there is none: a client may have gone silent."""


async def follow(bootstrap: str, topic: Topic) -> AsyncIterator[Record]:
    """Every record of every partition that comes from now on. Survives outages; what comes during one is read after it."""
    reached: dict[Place, int] = {}
    while True:
        client = clients.consumer(bootstrap)
        try:
            await _settle(client, topic, reached)
            async for record in _read(client, bootstrap, reached):
                yield record
        except clients.Broken as fault:
            log.warning("kafka.follow.broken", topic=topic.name, fault=str(fault))
        finally:
            await clients.end_consumer(client)
        await asyncio.sleep(1.0)


async def _settle(client: AIOKafkaConsumer, topic: Topic, reached: dict[Place, int]) -> None:
    """Take all partitions, each where we were, or at its end."""
    with clients.client_faults():
        async with asyncio.timeout(30):
            await client.start()
            numbers = await clients.partitions(client, topic.name)
            partitions = [TopicPartition(topic.name, number) for number in numbers]
            client.assign(partitions)
            for tp, end in (await client.end_offsets(partitions)).items():
                client.seek(tp, min(reached.setdefault(Place(*tp), end), end))


async def _read(client: AIOKafkaConsumer, bootstrap: str, reached: dict[Place, int]) -> AsyncIterator[Record]:
    quiet = 0
    while quiet < QUIET_POLLS or await behind(bootstrap, reached) in (0, None):
        quiet = 0 if quiet >= QUIET_POLLS else quiet + 1
        try:
            with clients.client_faults():
                found = await client.getmany(timeout_ms=POLL_MS)
        except clients.Broken as broken:
            if isinstance(broken.__cause__, OffsetOutOfRangeError):
                reached.clear()
            raise
        for own in found.values():
            for raw in own:
                quiet = 0
                reached[Place(raw.topic, raw.partition)] = raw.offset + 1
                yield clients.record(raw)
    raise clients.Broken("silent although there are records")
