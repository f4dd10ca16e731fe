"""A replica beyond the number of partitions has none: it stays in its group, and takes over when another one ends."""

import time

import pytest
from aiokafka.errors import ConsumerStoppedError

from shared.kafka import Timing, clients
from tests.contract.kafka_topic import Recorder, messages, new_topic, until

TIMING = Timing(session=6, stall=1.0, look=0.1)
"""Its watchdog looks after 0.1 seconds without a record, so ten times in the second that the idle consumer must survive."""


async def test_a_client_that_is_stopped_right_after_its_start_does_not_cancel_its_caller(kafka: str) -> None:
    client = clients.consumer(kafka)
    await client.start()
    await clients.close_consumer(client)
    with pytest.raises(ConsumerStoppedError):
        await client.getmany()


async def test_a_consumer_without_partitions_lives_on_and_takes_over(kafka: str) -> None:
    topic, working, idle = await new_topic(kafka, partitions=1), Recorder(), Recorder()
    async with topic.consuming(idle, timing=TIMING) as second:
        async with topic.consuming(working, timing=TIMING) as first:
            await until(lambda: first.joined and second.joined)
            since = time.monotonic()
            await topic.send(messages(range(10)))
            await until(lambda: working.has(range(10)) or idle.has(range(10)))
            await until(lambda: time.monotonic() > since + 1.5)
        await topic.send(messages(range(10, 20)))
        await until(lambda: idle.has(range(10, 20)))
