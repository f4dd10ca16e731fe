"""The consume loop on a real broker: every record is handled at least once, and offsets move last."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from shared.kafka import IncomingRecord, OutgoingRecord, Poison, Producer, Retry, Timing, TooMuchPoison, Undelivered
from shared.kafka.membership import Membership
from shared.kafka.records import Place, Position
from shared.kafka.state import ConsumerState
from tests.contract.kafka_topic import NOON, KafkaTopic, Recorder, messages, new_topic, until


@pytest.fixture
async def topic(kafka: str) -> KafkaTopic:
    return await new_topic(kafka)


async def test_a_new_group_reads_from_the_beginning(topic: KafkaTopic) -> None:
    await topic.send(messages(range(100)))
    seen = Recorder()
    async with topic.consuming(seen):
        await until(lambda: seen.has(range(100)))
    assert seen.numbers == list(range(100))
    assert {record.headers for record in seen.records} == {(("received_at", NOON.isoformat().encode()),)}


async def test_a_restarted_consumer_resumes_at_its_offset(topic: KafkaTopic) -> None:
    first, second = Recorder(), Recorder()
    await topic.send(messages(range(50)))
    async with topic.consuming(first):
        await until(lambda: first.has(range(50)))
    await topic.send(messages(range(50, 100)))
    async with topic.consuming(second):
        await until(lambda: second.has(range(50, 100)))
    assert second.numbers == list(range(50, 100))


async def test_a_commit_is_the_next_offset_and_the_receipt_time_reached(topic: KafkaTopic) -> None:
    await topic.send(messages(range(30)))
    seen = Recorder()
    async with topic.consuming(seen):
        await until(lambda: seen.has(range(30)))
    expected = {record.place: record.offset + 1 for record in seen.records}
    committed = await topic.committed()
    assert {place: commit.offset for place, commit in committed.items()} == expected
    assert {commit.metadata for commit in committed.values()} == {NOON.isoformat()}


async def test_a_batch_is_no_larger_than_asked_for(topic: KafkaTopic) -> None:
    await topic.send(messages(range(100)))
    seen = Recorder()
    async with topic.consuming(seen, max_batch=7):
        await until(lambda: seen.has(range(100)))
    assert max(map(len, seen.batches)) == 7


async def test_nothing_is_committed_before_the_handler_returns(topic: KafkaTopic) -> None:
    await topic.send(messages(range(10)))
    started, seen = asyncio.Event(), Recorder()

    async def hangs(records: Sequence[IncomingRecord]) -> None:
        started.set()
        await asyncio.sleep(3600)

    work = asyncio.create_task(topic.consumer(hangs, timing=Timing(farewell=0)).run())
    await asyncio.wait_for(started.wait(), 30)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    async with topic.consuming(seen):
        await until(lambda: seen.has(range(10)))


async def test_a_cancelled_worker_finishes_its_batch(topic: KafkaTopic) -> None:
    await topic.send(messages(range(10)))
    started, seen = asyncio.Event(), Recorder()

    async def slow(records: Sequence[IncomingRecord]) -> None:
        started.set()
        await asyncio.sleep(0.3)
        await seen(records)

    work = asyncio.create_task(topic.consumer(slow).run())
    await asyncio.wait_for(started.wait(), 30)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert seen.records
    committed = await topic.committed()
    assert {r.place: committed[r.place].offset for r in seen.records} == {r.place: r.offset + 1 for r in seen.records}


async def test_an_unexpected_exception_of_the_handler_ends_the_worker_and_commits_nothing(topic: KafkaTopic) -> None:
    await topic.send(messages(range(5)))

    async def broken(records: Sequence[IncomingRecord]) -> None:
        raise OSError("a bug that looks like an outage")

    with pytest.raises(OSError, match="a bug"):
        await asyncio.wait_for(topic.consumer(broken).run(), 30)
    assert {commit.offset for commit in (await topic.committed()).values()} <= {0}


async def test_a_poison_record_is_parked_and_the_rest_are_processed(topic: KafkaTopic) -> None:
    await topic.send(messages(range(20)))
    seen = Recorder()

    async def picky(records: Sequence[IncomingRecord]) -> None:
        if bad := [record for record in records if record.value == b"13"]:
            raise Poison(dict.fromkeys(bad, "unlucky"))
        await seen(records)

    async with topic.consuming(picky):
        await until(lambda: len(seen.records) == 19)
        (parked,) = await topic.read(topic.definition.dlq, 1)
    headers = dict(parked.headers)
    assert seen.numbers == [n for n in range(20) if n != 13]
    assert (parked.key, parked.value, headers["reason"]) == (b"acme/13", b"13", b"unlucky")
    assert headers["origin_topic"] == topic.definition.name.encode()
    assert headers["received_at"] == NOON.isoformat().encode()
    place = Place(topic.definition.name, int(headers["origin_partition"]))
    assert int(headers["origin_offset"]) < (await topic.committed())[place].offset


async def poison(records: Sequence[IncomingRecord]) -> None:
    raise Poison(dict.fromkeys(records, "gibberish"))


class FailingProducer(Producer):
    """A producer that is slow and fails twice. Records the committed offsets before each send."""

    def __init__(self, topic: KafkaTopic) -> None:
        super().__init__(topic.bootstrap)
        self.topic = topic
        self.refusals = 2
        self.committed_before: list[int] = []

    async def send(self, topic: str, messages: Sequence[OutgoingRecord], timeout: float = 10.0) -> list[Position]:  # noqa: ASYNC109
        await asyncio.sleep(0.1)
        self.committed_before.append(sum(commit.offset for commit in (await self.topic.committed()).values()))
        if self.refusals:
            self.refusals -= 1
            raise Undelivered("the DLQ is unavailable")
        return await super().send(topic, messages, timeout)


async def test_offsets_move_past_poison_only_after_the_dlq_has_acknowledged_it(topic: KafkaTopic) -> None:
    await topic.send(messages([13]))
    state = ConsumerState(
        topic.bootstrap, topic.group, (topic.definition.name,), poison, 500, None, None, None, None, time.monotonic, Timing()
    )
    async with FailingProducer(topic) as parking:
        work = asyncio.create_task(Membership(state, parking).run())
        (parked,) = await topic.read(topic.definition.dlq, 1)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert parked.value == b"13"
    assert parking.committed_before == [0, 0, 0]
    assert sum(commit.offset for commit in (await topic.committed()).values()) == 1


async def test_a_run_of_poison_from_two_tenants_stops_the_consumer(topic: KafkaTopic) -> None:
    await topic.send(messages(range(15), "acme") + messages(range(15), "umbrella"))
    with pytest.raises(TooMuchPoison):
        await asyncio.wait_for(topic.consumer(poison, max_batch=4).run(), 30)


async def test_a_run_of_poison_from_one_tenant_is_parked(topic: KafkaTopic) -> None:
    await topic.send(messages(range(50)))
    async with topic.consuming(poison):
        parked = await topic.read(topic.definition.dlq, 50)
    assert sorted(int(record.value) for record in parked) == list(range(50))


async def test_poison_that_names_none_of_the_batchs_records_ends_the_worker(topic: KafkaTopic) -> None:
    await topic.send(messages(range(3)))

    async def confused(records: Sequence[IncomingRecord]) -> None:
        raise Poison({IncomingRecord("elsewhere", 0, 0, None, b"", (), 0): "no idea"})

    with pytest.raises(Poison):
        await asyncio.wait_for(topic.consumer(confused).run(), 30)


async def test_a_retry_rewinds_and_the_records_are_handled_again_in_order(topic: KafkaTopic) -> None:
    await topic.send(messages(range(40)))
    seen, refusals = Recorder(), [Retry(0.2, "not yet"), Retry(0.2, "not yet")]

    async def reluctant(records: Sequence[IncomingRecord]) -> None:
        if refusals:
            raise refusals.pop()
        await seen(records)

    async with topic.consuming(reluctant):
        await until(lambda: seen.has(range(40)))
    assert seen.numbers == list(range(40))
    for own in {record.place for record in seen.records}:
        offsets = [record.offset for record in seen.records if record.place == own]
        assert offsets == sorted(offsets)


async def test_a_paused_partition_does_not_delay_the_others(topic: KafkaTopic) -> None:
    await topic.send(messages(range(60)))
    seen = Recorder()

    async def stuck_on_partition_0(records: Sequence[IncomingRecord]) -> None:
        if any(record.partition == 0 for record in records):
            raise Retry(0.2, "a lock is held")
        await seen(records)

    records = await topic.read(topic.definition.name, 60)
    others = {int(record.value) for record in records if record.partition != 0}
    assert len(others) < 60
    async with topic.consuming(stuck_on_partition_0):
        await until(lambda: seen.has(others))
        await topic.send(messages(range(60, 90)))
        more = {int(r.value) for r in await topic.read(topic.definition.name, 90) if r.partition != 0}
        await until(lambda: seen.has(more))
    assert (await topic.committed()).get(Place(topic.definition.name, 0), (0, ""))[0] == 0


async def test_on_idle_gets_the_positions_at_the_end_of_each_partition(topic: KafkaTopic) -> None:
    await topic.send(messages(range(30)))
    seen, idle_positions = Recorder(), []

    async def idle(positions: object) -> None:
        idle_positions.append(positions)

    async with topic.consuming(seen, on_idle=idle):
        await until(lambda: seen.has(range(30)))
        idle_positions.clear()
        await until(lambda: len(idle_positions) >= 2)
    ends = {Place(topic.definition.name, number): 0 for number in range(3)}
    ends |= {record.place: record.offset + 1 for record in seen.records}
    assert idle_positions[-1] == ends
