"""A replica beyond the number of partitions has none: it stays in its group, and takes over when another one ends."""

import asyncio
import time
from collections.abc import Callable

import pytest
from aiokafka.errors import ConsumerStoppedError

from shared.kafka import Producer, Timing, clients
from tests.contract.kafka_topic import Recorder, messages, new_topic

TIMING = Timing(session=6, stall=1.0, look=0.3)
"""The watchdog of a consumer looks after 0.3 seconds without a record, so several times while the idle one must live on."""


async def test_a_client_that_is_stopped_right_after_its_start_does_not_cancel_its_caller(kafka: str) -> None:
    client = clients.consumer(kafka)
    await client.start()
    await clients.close_consumer(client)
    with pytest.raises(ConsumerStoppedError):
        await client.getmany()


async def test_a_consumer_without_partitions_lives_on_and_takes_over(kafka: str) -> None:
    topic, first, second = await new_topic(kafka, partitions=1), Recorder(), Recorder()
    sent = 0

    async def send_until(condition: Callable[[], bool]) -> None:
        """Keep the other consumer reading: its watchdog must not be in the middle of a connection when it is cancelled."""
        nonlocal sent
        async with asyncio.timeout(30), Producer(kafka) as producer:
            while not condition():
                await producer.send_all(topic.definition, messages([sent := sent + 1]))
                await asyncio.sleep(0.05)

    async with topic.consuming(first, timing=TIMING) as staying:
        async with topic.consuming(second, timing=TIMING) as leaving:
            await send_until(lambda: staying.joined and leaving.joined)
            since = time.monotonic()
            await send_until(lambda: time.monotonic() > since + 1.5)
        before = len(first.records)
        await send_until(lambda: len(first.records) > before)
