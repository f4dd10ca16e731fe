"""Several consumers of one group: when members join, leave, die or return, no record is skipped."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.kafka import IncomingRecord, Timing
from tests.contract.kafka_topic import KafkaTopic, Recorder, messages, new_topic, until

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def topic(kafka: str) -> KafkaTopic:
    return await new_topic(kafka, partitions=4)


async def test_consumers_that_join_and_leave_lose_nothing(topic: KafkaTopic) -> None:
    first, second, sent = Recorder(), Recorder(), 0

    async def send(count: int) -> None:
        nonlocal sent
        await topic.send(messages(range(sent, sent + count)))
        sent += count

    def all_seen() -> bool:
        return set(first.numbers) | set(second.numbers) == set(range(sent))

    async with topic.consuming(first):
        await send(200)
        await until(lambda: first.has(range(50)))
        async with topic.consuming(second):
            async with asyncio.timeout(30):
                while not second.records:
                    await send(20)
                    await asyncio.sleep(0.05)
            await send(200)
            await until(all_seen)
        await send(100)
        await until(all_seen)


async def test_two_members_share_the_partitions(topic: KafkaTopic) -> None:
    first, second = Recorder(), Recorder()
    async with topic.consuming(first) as one, topic.consuming(second) as other:
        await until(lambda: one.joined and other.joined)
        await asyncio.sleep(1)
        await until(lambda: one.joined and other.joined)
        await topic.send(messages(range(200)))
        await until(lambda: len(first.records) + len(second.records) >= 200)
    assert sorted(first.numbers + second.numbers) == list(range(200))
    assert {r.partition for r in first.records}.isdisjoint({r.partition for r in second.records})


async def test_a_rebalance_waits_for_the_running_batch(topic: KafkaTopic) -> None:
    await topic.send(messages(range(40)))
    slow, second, started = Recorder(), Recorder(), asyncio.Event()

    async def takes_its_time(records: Sequence[IncomingRecord]) -> None:
        started.set()
        await asyncio.sleep(2)
        await slow(records)

    async with topic.consuming(takes_its_time, timing=Timing(session=6)):  # a heartbeat, which reports a rebalance, every 0.4 s
        await started.wait()
        async with topic.consuming(second):
            await until(lambda: len(slow.records) + len(second.records) >= 40)
    assert sorted(slow.numbers + second.numbers) == list(range(40)), "a batch was handled twice although it could be committed"


async def test_a_commit_after_the_rebalance_does_not_end_the_worker(topic: KafkaTopic) -> None:
    await topic.send(messages(range(40)))
    late, second = Recorder(), Recorder()
    started, go_on = asyncio.Event(), asyncio.Event()

    async def blocked(records: Sequence[IncomingRecord]) -> None:
        started.set()
        await go_on.wait()
        await late(records)

    async with topic.consuming(blocked, timing=Timing(handover=0.2)) as latecomer:
        await started.wait()
        async with topic.consuming(second) as newcomer:
            await until(lambda: newcomer.joined and bool(second.records))
            go_on.set()
            await until(lambda: set(late.numbers) | set(second.numbers) == set(range(40)))
            await until(lambda: latecomer.joined and newcomer.joined)
            await topic.send(messages(range(40, 80)))
            await until(lambda: set(late.numbers) | set(second.numbers) == set(range(80)))
    assert sum(commit.offset for commit in (await topic.committed()).values()) == 80


@asynccontextmanager
async def another_process(
    topic: KafkaTopic, notes: Path, session: float = 45.0, instance: str | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A consumer of the same group as a process. It appends the numbers that it handled to `notes`."""
    arguments = json.dumps([topic.bootstrap, topic.definition.name, topic.group, str(notes), session, instance])
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.contract.kafka_member", arguments, cwd=ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def numbers_in(notes: Path) -> list[int]:
    return [int(line) for line in notes.read_text().split()] if notes.exists() else []


async def test_a_killed_consumers_records_are_handled_by_another(topic: KafkaTopic, tmp_path: Path) -> None:
    notes, seen = tmp_path / "notes", Recorder()
    await topic.send(messages(range(50)))
    async with another_process(topic, notes, session=6) as process:
        await until(lambda: len(numbers_in(notes)) >= 50)
        process.kill()
        await topic.send(messages(range(50, 100)))
        async with topic.consuming(seen, timing=Timing(session=6)):
            await until(lambda: seen.has(range(50, 100)), 60)


async def test_a_killed_consumer_with_an_instance_id_resumes_without_waiting(topic: KafkaTopic, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    await topic.send(messages(range(50)))
    async with another_process(topic, notes, instance="one") as process:
        await until(lambda: len(numbers_in(notes)) >= 50)
        process.kill()
    await topic.send(messages(range(50, 100)))
    async with another_process(topic, notes, instance="one"):
        await until(lambda: set(numbers_in(notes)) == set(range(100)), 20)


async def test_a_consumer_with_an_instance_id_that_shuts_down_hands_over_at_once(topic: KafkaTopic) -> None:
    first, second = Recorder(), Recorder()
    await topic.send(messages(range(50)))
    async with topic.consuming(first, instance="one"):
        await until(lambda: first.has(range(50)))
    await topic.send(messages(range(50, 100)))
    async with topic.consuming(second, instance="another"):
        await until(lambda: second.has(range(50, 100)), 10)


async def test_a_zombie_that_resumes_loses_nothing_and_rewinds_nothing(topic: KafkaTopic, tmp_path: Path) -> None:
    """SIGSTOP until the group has reassigned its partitions, then SIGCONT."""
    notes, seen = tmp_path / "notes", Recorder()
    await topic.send(messages(range(50)))
    async with another_process(topic, notes, session=6) as zombie:
        await until(lambda: len(numbers_in(notes)) >= 50)
        os.kill(zombie.pid, signal.SIGSTOP)
        await topic.send(messages(range(50, 100)))
        async with topic.consuming(seen, timing=Timing(session=6)):
            await until(lambda: seen.has(range(50, 100)), 60)
            os.kill(zombie.pid, signal.SIGCONT)
            await topic.send(messages(range(100, 150)))
            await until(lambda: set(seen.numbers) | set(numbers_in(notes)) == set(range(150)), 60)
        await topic.send(messages(range(150, 200)))
        await until(lambda: set(numbers_in(notes)) >= set(range(150, 200)), 60)
        assert zombie.returncode is None
    after = Recorder()
    await topic.send(messages([200]))
    async with topic.consuming(after, timing=Timing(session=6)):
        await until(lambda: after.has([200]), 60)
