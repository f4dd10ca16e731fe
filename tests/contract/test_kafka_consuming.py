"""The consume loop on a real broker: at least once, in order of its promises."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.kafka import Message, Poison, Producer, Record, Retry, Timing, TooMuchPoison, Undelivered
from shared.kafka.job import Job
from shared.kafka.membership import Membership
from shared.kafka.records import Place
from tests.contract.kafka_world import NOON, Seen, World, messages, new_world, until


@pytest.fixture
async def world(kafka: str) -> World:
    return await new_world(kafka)


async def test_a_new_group_reads_from_the_beginning(world: World) -> None:
    await world.send(messages(range(100)))
    seen = Seen()
    async with world.consuming(seen):
        await until(lambda: seen.has(range(100)))
    assert seen.numbers == list(range(100))
    assert {record.headers for record in seen.records} == {(("received_at", NOON.isoformat().encode()),)}


async def test_a_restarted_consumer_resumes_where_it_stood(world: World) -> None:
    first, second = Seen(), Seen()
    await world.send(messages(range(50)))
    async with world.consuming(first):
        await until(lambda: first.has(range(50)))
    await world.send(messages(range(50, 100)))
    async with world.consuming(second):
        await until(lambda: second.has(range(50, 100)))
    assert second.numbers == list(range(50, 100))


async def test_a_commit_is_the_next_offset_and_the_receipt_time_reached(world: World) -> None:
    await world.send(messages(range(30)))
    seen = Seen()
    async with world.consuming(seen):
        await until(lambda: seen.has(range(30)))
    expected = {record.place: record.offset + 1 for record in seen.records}
    committed = await world.committed()
    assert {place: commit.offset for place, commit in committed.items()} == expected
    assert {commit.metadata for commit in committed.values()} == {NOON.isoformat()}


async def test_a_batch_is_no_larger_than_asked_for(world: World) -> None:
    await world.send(messages(range(100)))
    seen = Seen()
    async with world.consuming(seen, max_batch=7):
        await until(lambda: seen.has(range(100)))
    assert max(map(len, seen.batches)) == 7


async def test_nothing_is_committed_before_the_handler_returns(world: World) -> None:
    await world.send(messages(range(10)))
    started, seen = asyncio.Event(), Seen()

    async def hangs(records: Sequence[Record]) -> None:
        started.set()
        await asyncio.sleep(3600)

    work = asyncio.create_task(world.consumer(hangs, timing=Timing(farewell=0)).run())
    await asyncio.wait_for(started.wait(), 30)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    async with world.consuming(seen):
        await until(lambda: seen.has(range(10)))


async def test_a_cancelled_worker_finishes_the_batch_in_hand(world: World) -> None:
    await world.send(messages(range(10)))
    started, seen = asyncio.Event(), Seen()

    async def slow(records: Sequence[Record]) -> None:
        started.set()
        await asyncio.sleep(0.3)
        await seen(records)

    work = asyncio.create_task(world.consumer(slow).run())
    await asyncio.wait_for(started.wait(), 30)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert seen.records
    committed = await world.committed()
    assert {r.place: committed[r.place].offset for r in seen.records} == {r.place: r.offset + 1 for r in seen.records}


async def test_a_handlers_own_fault_ends_the_worker_and_commits_nothing(world: World) -> None:
    await world.send(messages(range(5)))

    async def broken(records: Sequence[Record]) -> None:
        raise OSError("a bug that looks like an outage")

    with pytest.raises(OSError, match="a bug"):
        await asyncio.wait_for(world.consumer(broken).run(), 30)
    assert {commit.offset for commit in (await world.committed()).values()} <= {0}


async def test_a_poison_record_is_parked_and_the_rest_survive(world: World) -> None:
    await world.send(messages(range(20)))
    seen = Seen()

    async def picky(records: Sequence[Record]) -> None:
        if bad := [record for record in records if record.value == b"13"]:
            raise Poison(dict.fromkeys(bad, "unlucky"))
        await seen(records)

    async with world.consuming(picky):
        await until(lambda: len(seen.records) == 19)
        (parked,) = await world.everything(world.topic.dlq, 1)
    headers = dict(parked.headers)
    assert seen.numbers == [n for n in range(20) if n != 13]
    assert (parked.key, parked.value, headers["reason"]) == (b"acme/13", b"13", b"unlucky")
    assert headers["origin_topic"] == world.topic.name.encode()
    assert headers["received_at"] == NOON.isoformat().encode()
    place = Place(world.topic.name, int(headers["origin_partition"]))
    assert int(headers["origin_offset"]) < (await world.committed())[place].offset


async def poison(records: Sequence[Record]) -> None:
    raise Poison(dict.fromkeys(records, "gibberish"))


class Reluctant(Producer):
    """Refuses twice, takes its time, and notes what was committed when the DLQ had nothing yet."""

    def __init__(self, world: World) -> None:
        super().__init__(world.bootstrap)
        self.world = world
        self.refusals = 2
        self.committed_before: list[int] = []

    async def send(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:  # noqa: ASYNC109
        await asyncio.sleep(0.1)
        self.committed_before.append(sum(commit.offset for commit in (await self.world.committed()).values()))
        if self.refusals:
            self.refusals -= 1
            raise Undelivered("the DLQ is away")
        await super().send(topic, messages, timeout)


async def test_offsets_move_past_poison_only_once_the_dlq_has_it(world: World) -> None:
    await world.send(messages([13]))
    job = Job(world.bootstrap, world.group, (world.topic.name,), poison, 500, None, None, None, None, Timing())
    async with Reluctant(world) as parking:
        work = asyncio.create_task(Membership(job, parking).run())
        (parked,) = await world.everything(world.topic.dlq, 1)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert parked.value == b"13"
    assert parking.committed_before == [0, 0, 0]
    assert sum(commit.offset for commit in (await world.committed()).values()) == 1


async def test_a_run_of_poison_from_two_tenants_stops_the_consumer(world: World) -> None:
    await world.send(messages(range(15), "acme") + messages(range(15), "umbrella"))
    with pytest.raises(TooMuchPoison):
        await asyncio.wait_for(world.consumer(poison, max_batch=4).run(), 30)


async def test_a_run_of_poison_from_one_tenant_goes_on_being_parked(world: World) -> None:
    await world.send(messages(range(50)))
    async with world.consuming(poison):
        parked = await world.everything(world.topic.dlq, 50)
    assert sorted(int(record.value) for record in parked) == list(range(50))


async def test_a_handler_that_blames_none_of_its_records_is_at_fault_itself(world: World) -> None:
    await world.send(messages(range(3)))

    async def confused(records: Sequence[Record]) -> None:
        raise Poison({Record("elsewhere", 0, 0, None, b"", (), 0): "no idea"})

    with pytest.raises(Poison):
        await asyncio.wait_for(world.consumer(confused).run(), 30)


async def test_a_retry_rewinds_and_the_records_come_again_in_order(world: World) -> None:
    await world.send(messages(range(40)))
    seen, refusals = Seen(), [Retry(0.2, "not yet"), Retry(0.2, "not yet")]

    async def reluctant(records: Sequence[Record]) -> None:
        if refusals:
            raise refusals.pop()
        await seen(records)

    async with world.consuming(reluctant):
        await until(lambda: seen.has(range(40)))
    assert seen.numbers == list(range(40))
    for own in {record.place for record in seen.records}:
        offsets = [record.offset for record in seen.records if record.place == own]
        assert offsets == sorted(offsets)


async def test_a_partition_that_rests_does_not_hold_up_the_others(world: World) -> None:
    await world.send(messages(range(60)))
    seen = Seen()

    async def stuck_on_partition_0(records: Sequence[Record]) -> None:
        if any(record.partition == 0 for record in records):
            raise Retry(0.2, "a lock is held")
        await seen(records)

    all_of_it = await world.everything(world.topic.name, 60)
    others = {int(record.value) for record in all_of_it if record.partition != 0}
    assert len(others) < 60
    async with world.consuming(stuck_on_partition_0):
        await until(lambda: seen.has(others))
        await world.send(messages(range(60, 90)))
        more = {int(r.value) for r in await world.everything(world.topic.name, 90) if r.partition != 0}
        await until(lambda: seen.has(more))
    assert (await world.committed()).get(Place(world.topic.name, 0), (0, ""))[0] == 0


async def test_idle_tells_the_positions_at_whose_end_it_is(world: World) -> None:
    await world.send(messages(range(30)))
    seen, told = Seen(), []

    async def idle(positions: object) -> None:
        told.append(positions)

    async with world.consuming(seen, on_idle=idle):
        await until(lambda: seen.has(range(30)))
        told.clear()
        await until(lambda: len(told) >= 2)
    ends = {(world.topic.name, number): 0 for number in range(3)}
    ends |= {tuple(record.place): record.offset + 1 for record in seen.records}
    assert told[-1] == ends
