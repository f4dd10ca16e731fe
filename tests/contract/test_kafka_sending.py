"""Sending to a real broker: a message is acknowledged, or the send raises."""

import asyncio

import pytest

from shared.kafka import OutgoingRecord, Producer, Unsendable, clients, ensure_topics
from tests.contract.kafka_topic import KafkaTopic, messages, new_topic


@pytest.fixture
async def topic(kafka: str) -> KafkaTopic:
    return await new_topic(kafka)


async def test_acknowledged_messages_are_stored_in_the_order_of_each_key(topic: KafkaTopic) -> None:
    sent = [OutgoingRecord(f"acme/{n % 5}".encode(), str(n).encode()) for n in range(500)]
    await topic.send(sent)
    records = await topic.read(topic.definition.name, 500)
    for key in {message.key for message in sent}:
        assert [r.value for r in records if r.key == key] == [m.value for m in sent if m.key == key]


async def test_each_message_has_its_own_position_also_if_they_fill_several_batches(topic: KafkaTopic) -> None:
    sent = [
        OutgoingRecord(f"acme/{n % 7}".encode(), f"{n} ".encode() * 2_000, (("number", str(n).encode()),)) for n in range(400)
    ]
    async with Producer(topic.bootstrap) as producer:
        positions = await producer.send_all(topic.definition, sent)
    records = {(r.partition, r.offset): r for r in await topic.read(topic.definition.name, 400)}
    assert [records[position].value for position in positions] == [message.value for message in sent]
    assert [records[position].headers for position in positions] == [message.headers for message in sent]


async def test_many_senders_share_one_producer(topic: KafkaTopic) -> None:
    async with Producer(topic.bootstrap) as producer:
        await asyncio.gather(*(producer.send_all(topic.definition, messages(range(n * 10, n * 10 + 10))) for n in range(50)))
    assert {int(r.value) for r in await topic.read(topic.definition.name, 500)} == set(range(500))


async def test_a_message_of_a_megabyte_and_a_half_is_sent(topic: KafkaTopic) -> None:
    body = bytes(range(256)) * 6 * 1024
    await topic.send([OutgoingRecord(b"acme/1", body)])
    (record,) = await topic.read(topic.definition.name, 1)
    assert record.value == body


async def test_a_message_over_the_size_limit_is_named_and_nothing_of_its_batch_is_sent(topic: KafkaTopic) -> None:
    giant = OutgoingRecord(b"acme/2", b"x" * clients.MAX_MESSAGE_BYTES)
    with pytest.raises(Unsendable) as refused:
        await topic.send([*messages([1]), giant])
    assert refused.value.message is giant
    await topic.send(messages([3]))
    assert [r.value for r in await topic.read(topic.definition.name, 1)] == [b"3"]


async def test_existing_topics_keep_their_records(topic: KafkaTopic) -> None:
    await topic.send(messages([1]))
    await ensure_topics(topic.bootstrap, (topic.definition,))
    assert len(await topic.read(topic.definition.name, 1)) == 1
