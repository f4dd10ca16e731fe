"""Dead-letter topics are counted over a connection of their own."""

import asyncio
from math import isnan

import pytest

from shared.instruments import CONSUMER, registry_of
from shared.kafka import Producer, watch_dead_letters
from shared.topics import Topic
from tests.contract.kafka_topic import KafkaTopic, messages, new_topic, until


@pytest.fixture
async def topic(kafka: str) -> KafkaTopic:
    return await new_topic(kafka)


def counted(topic: Topic) -> float | None:
    return registry_of(CONSUMER).get_sample_value("earshot_kafka_dead_letters", {"topic": topic.dlq})


async def test_the_records_of_a_dead_letter_topic_are_counted(topic: KafkaTopic) -> None:
    async with Producer(topic.bootstrap) as producer:
        await producer.send(topic.definition.dlq, messages(range(7)))
    watching = asyncio.create_task(watch_dead_letters(topic.bootstrap, [topic.definition]))
    await until(lambda: counted(topic.definition) is not None)
    watching.cancel()
    assert counted(topic.definition) == 7


async def test_while_the_broker_is_unavailable_the_number_is_unknown() -> None:
    nowhere = Topic("test.nowhere", object, "tenant", 1, 3_600_000, "the tests")
    watching = asyncio.create_task(watch_dead_letters("127.0.0.1:1", [nowhere]))
    await until(lambda: counted(nowhere) is not None)
    watching.cancel()
    assert isnan(counted(nowhere) or 0.0)
