"""Sending to a real broker: acknowledged, or told."""

import asyncio

import pytest

from shared.kafka import Message, Producer, Unsendable, clients, ensure_topics
from tests.contract.kafka_world import World, messages, new_world


@pytest.fixture
async def world(kafka: str) -> World:
    return await new_world(kafka)


async def test_what_is_acknowledged_is_there_in_the_order_of_each_key(world: World) -> None:
    sent = [Message(f"acme/{n % 5}".encode(), str(n).encode()) for n in range(500)]
    await world.send(sent)
    records = await world.everything(world.topic.name, 500)
    for key in {message.key for message in sent}:
        assert [r.value for r in records if r.key == key] == [m.value for m in sent if m.key == key]


async def test_many_senders_share_one_producer(world: World) -> None:
    async with Producer(world.bootstrap) as producer:
        await asyncio.gather(*(producer.send_all(world.topic, messages(range(n * 10, n * 10 + 10))) for n in range(50)))
    assert {int(r.value) for r in await world.everything(world.topic.name, 500)} == set(range(500))


async def test_a_megabyte_and_a_half_goes_through(world: World) -> None:
    body = bytes(range(256)) * 6 * 1024
    await world.send([Message(b"acme/1", body)])
    (record,) = await world.everything(world.topic.name, 1)
    assert record.value == body


async def test_a_message_that_no_topic_takes_is_named_and_nothing_of_its_batch_is_sent(world: World) -> None:
    giant = Message(b"acme/2", b"x" * clients.MAX_MESSAGE_BYTES)
    with pytest.raises(Unsendable) as told:
        await world.send([*messages([1]), giant])
    assert told.value.message is giant
    await world.send(messages([3]))
    assert [r.value for r in await world.everything(world.topic.name, 1)] == [b"3"]


async def test_topics_that_exist_are_left_alone_and_their_records_too(world: World) -> None:
    await world.send(messages([1]))
    await ensure_topics(world.bootstrap, (world.topic,))
    assert len(await world.everything(world.topic.name, 1)) == 1
