"""Offsets that are lost, and consumers that stand still: nothing is skipped in silence."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from shared.kafka import Record, Retry, Timing, clients
from shared.kafka.recovery import MARGIN
from shared.kafka.watchdog import Stalled
from tests.contract.kafka_world import NOON, Seen, World, messages, new_world, until


@pytest.fixture
async def world(kafka: str) -> World:
    return await new_world(kafka, partitions=2)


async def forget(world: World, up_to: dict[int, int]) -> None:
    """What retention does: delete the records before these offsets."""
    async with clients.admin(world.bootstrap) as admin:
        await admin.delete_records(
            {TopicPartition(world.topic.name, number): RecordsToDelete(before_offset=at) for number, at in up_to.items()}
        )


async def all_but_the_last(world: World, records: int) -> tuple[dict[int, int], set[int]]:
    """For each partition the offset of its last record, and the numbers that those records carry."""
    last = {record.partition: record for record in await world.everything(world.topic.name, records)}
    return {number: record.offset for number, record in last.items()}, {int(record.value) for record in last.values()}


class Replays:
    """Notes what was asked; refuses as often as told."""

    def __init__(self, refusals: int = 0) -> None:
        self.asked: list[datetime | None] = []
        self.refusals = refusals

    async def __call__(self, since: datetime | None) -> None:
        self.asked.append(since)
        if len(self.asked) <= self.refusals:
            raise Retry(0.2, "ingest is away")


async def everything_is_asked_for_when_records_expire(world: World) -> None:
    await world.send(messages(range(30)))
    up_to, left = await all_but_the_last(world, 30)
    await forget(world, up_to)
    seen, replays = Seen(), Replays()
    async with world.consuming(seen, replay=replays):
        await until(lambda: seen.has(left))
    assert replays.asked == [None]


async def read_some_then_lose_the_rest(world: World) -> set[int]:
    """30 records read and committed, 30 more that expire but for the last of each partition; returns what is left."""
    seen = Seen()
    await world.send(messages(range(30)))
    async with world.consuming(seen):
        await until(lambda: seen.has(range(30)))
    await world.send(messages(range(30, 60), at=NOON + timedelta(hours=1)))
    up_to, left = await all_but_the_last(world, 60)
    await forget(world, up_to)
    return left


async def test_a_lost_offset_asks_for_a_replay_since_the_receipt_time_reached(world: World) -> None:
    left = await read_some_then_lose_the_rest(world)
    seen, replays = Seen(), Replays()
    async with world.consuming(seen, replay=replays):
        await until(lambda: seen.has(left))
    assert seen.numbers == sorted(left)
    assert replays.asked == [NOON - MARGIN]


async def test_a_replay_that_is_refused_is_asked_for_again_before_anything_is_read(world: World) -> None:
    left = await read_some_then_lose_the_rest(world)
    seen, replays = Seen(), Replays(refusals=2)
    async with world.consuming(seen, replay=replays):
        await until(lambda: len(replays.asked) == 2)
        assert not seen.records
        await until(lambda: seen.has(left))
    assert set(replays.asked) == {NOON - MARGIN}


async def test_a_replay_is_not_asked_for_twice(world: World) -> None:
    left = await read_some_then_lose_the_rest(world)
    first, seen, replays = Seen(), Seen(), Replays()
    async with world.consuming(first, replay=Replays()):
        await until(lambda: first.has(left))
    await world.send(messages([99]))
    async with world.consuming(seen, replay=replays):
        await until(lambda: seen.has([99]))
    assert (seen.numbers, replays.asked) == ([99], [])


async def test_a_group_that_never_read_what_has_expired_asks_for_everything(world: World) -> None:
    await everything_is_asked_for_when_records_expire(world)


async def test_a_partition_that_stayed_empty_until_its_records_expired_counts_as_lost(world: World) -> None:
    async with world.consuming(Seen()) as consumer:
        await until(lambda: consumer.joined)
        async with asyncio.timeout(10):
            while len(await world.committed()) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    await everything_is_asked_for_when_records_expire(world)


async def test_a_consumer_that_stands_still_is_rebuilt_once_and_then_dies(world: World) -> None:
    await world.send(messages(range(10)))
    starts: list[Sequence[Record]] = []

    async def hangs(records: Sequence[Record]) -> None:
        starts.append(records)
        await asyncio.sleep(3600)

    quick = Timing(stall=1.0, look=0.25, farewell=0.0)
    with pytest.raises(Stalled):
        await asyncio.wait_for(world.consumer(hangs, timing=quick).run(), 60)
    assert len(starts) == 2


async def test_having_nothing_to_do_is_no_stall(world: World) -> None:
    seen = Seen()
    async with world.consuming(seen, timing=Timing(stall=0.5, look=0.1)):
        await asyncio.sleep(3)
        await world.send(messages(range(5)))
        await until(lambda: seen.has(range(5)))
