"""Lost offsets and hung consumers: no record is skipped without a replay."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from shared.kafka import IncomingRecord, Timing, clients
from shared.kafka.offsets import REPLAY_MARGIN
from shared.kafka.watchdog import Stalled
from tests.contract.kafka_topic import NOON, KafkaTopic, Recorder, messages, new_topic, until
from tests.contract.replays import Replays


@pytest.fixture
async def topic(kafka: str) -> KafkaTopic:
    return await new_topic(kafka, partitions=2)


async def delete_records(topic: KafkaTopic, up_to: dict[int, int]) -> None:
    """Delete the records before these offsets, as retention does."""
    async with clients.admin(topic.bootstrap) as admin:
        await admin.delete_records(
            {TopicPartition(topic.definition.name, number): RecordsToDelete(before_offset=at) for number, at in up_to.items()}
        )


async def all_but_the_last(topic: KafkaTopic, records: int) -> tuple[dict[int, int], set[int]]:
    """The offset of each partition's last record, and the numbers in those records."""
    last = {record.partition: record for record in await topic.read(topic.definition.name, records)}
    return {number: record.offset for number, record in last.items()}, {int(record.value) for record in last.values()}


async def expect_a_full_replay_after_records_expire(topic: KafkaTopic) -> None:
    await topic.send(messages(range(30)))
    up_to, left = await all_but_the_last(topic, 30)
    await delete_records(topic, up_to)
    seen, replays = Recorder(), Replays()
    async with topic.consuming(seen, replay=replays):
        await until(lambda: seen.has(left))
    assert replays.requests == [None]


async def read_some_then_lose_the_rest(topic: KafkaTopic) -> set[int]:
    """Commit 30 records, then send 30 and delete all but the last of each partition. Returns the numbers that remain."""
    seen = Recorder()
    await topic.send(messages(range(30)))
    async with topic.consuming(seen):
        await until(lambda: seen.has(range(30)))
    await topic.send(messages(range(30, 60), at=NOON + timedelta(hours=1)))
    up_to, left = await all_but_the_last(topic, 60)
    await delete_records(topic, up_to)
    return left


async def test_a_lost_offset_requests_a_replay_since_the_committed_receipt_time(topic: KafkaTopic) -> None:
    left = await read_some_then_lose_the_rest(topic)
    seen, replays = Recorder(), Replays()
    async with topic.consuming(seen, replay=replays):
        await until(lambda: seen.has(left))
    assert seen.numbers == sorted(left)
    assert replays.requests == [NOON - REPLAY_MARGIN]


async def test_a_failed_replay_request_is_repeated_before_anything_is_read(topic: KafkaTopic) -> None:
    left = await read_some_then_lose_the_rest(topic)
    seen, replays = Recorder(), Replays(refusals=2)
    async with topic.consuming(seen, replay=replays):
        await until(lambda: len(replays.requests) == 2)
        assert not seen.records
        await until(lambda: seen.has(left))
    assert set(replays.requests) == {NOON - REPLAY_MARGIN}


async def test_a_replay_is_requested_once(topic: KafkaTopic) -> None:
    left = await read_some_then_lose_the_rest(topic)
    first, seen, replays = Recorder(), Recorder(), Replays()
    async with topic.consuming(first, replay=Replays()):
        await until(lambda: first.has(left))
    await topic.send(messages([99]))
    async with topic.consuming(seen, replay=replays):
        await until(lambda: seen.has([99]))
    assert (seen.numbers, replays.requests) == ([99], [])


async def test_a_group_that_never_read_the_expired_records_requests_everything(topic: KafkaTopic) -> None:
    await expect_a_full_replay_after_records_expire(topic)


async def test_a_partition_that_stayed_empty_until_its_records_expired_counts_as_lost(topic: KafkaTopic) -> None:
    async with topic.consuming(Recorder()) as consumer:
        await until(lambda: consumer.joined)
        async with asyncio.timeout(10):
            while len(await topic.committed()) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    await expect_a_full_replay_after_records_expire(topic)


async def test_a_hung_consumer_is_rebuilt_once_and_then_dies(topic: KafkaTopic) -> None:
    await topic.send(messages(range(10)))
    starts: list[Sequence[IncomingRecord]] = []

    async def hangs(records: Sequence[IncomingRecord]) -> None:
        starts.append(records)
        await asyncio.sleep(3600)

    quick = Timing(stall=1.0, look=0.25, farewell=0.0)
    with pytest.raises(Stalled):
        await asyncio.wait_for(topic.consumer(hangs, timing=quick).run(), 60)
    assert len(starts) == 2


async def test_an_idle_consumer_is_not_stalled(topic: KafkaTopic) -> None:
    seen = Recorder()
    async with topic.consuming(seen, timing=Timing(stall=0.5, look=0.1)):
        await asyncio.sleep(3)
        await topic.send(messages(range(5)))
        await until(lambda: seen.has(range(5)))
