"""Count the records in dead-letter topics, for an operator who must look at them before they expire."""

import asyncio
from collections.abc import Sequence
from math import nan

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.instruments import DEAD_LETTERS
from shared.kafka import clients
from shared.kafka.connection import Bootstrap
from shared.topics import Topic

EVERY_SECONDS = 60.0
DEADLINE = 10.0
"""Seconds in which the broker must answer."""


async def watch_dead_letters(bootstrap: Bootstrap, topics: Sequence[Topic], every: float = EVERY_SECONDS) -> None:
    """Update the gauge of the dead-letter topic of each of `topics`, over a short connection every `every` seconds."""
    names = [topic.dlq for topic in topics]
    while True:
        try:
            counts: dict[str, float] = {**await count_records(bootstrap, names)}
        except clients.Broken:
            counts = dict.fromkeys(names, nan)
        for name, count in counts.items():
            DEAD_LETTERS.labels(name).set(count)
        await asyncio.sleep(every)


async def count_records(bootstrap: Bootstrap, names: Sequence[str]) -> dict[str, int]:
    """The number of records in each of the topics `names`. Raises Broken if the broker does not answer in time."""
    with clients.client_errors():
        async with clients.reader(bootstrap) as client, asyncio.timeout(DEADLINE):
            await client.start()
            return {name: await _count(client, name) for name in names}


async def _count(client: AIOKafkaConsumer, name: str) -> int:
    partitions = [TopicPartition(name, number) for number in await clients.partitions(client, name)]
    beginnings, ends = await client.beginning_offsets(partitions), await client.end_offsets(partitions)
    return sum(ends[partition] - beginnings[partition] for partition in partitions)
