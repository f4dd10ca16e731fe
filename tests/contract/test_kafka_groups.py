"""Several consumers of one group: whatever joins, leaves, dies or comes back, no record is left out."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.kafka import Record, Timing
from tests.contract.kafka_world import Seen, World, messages, new_world, until

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def world(kafka: str) -> World:
    return await new_world(kafka, partitions=4)


async def test_consumers_that_join_and_leave_lose_nothing(world: World) -> None:
    first, second, sent = Seen(), Seen(), 0

    async def send(count: int) -> None:
        nonlocal sent
        await world.send(messages(range(sent, sent + count)))
        sent += count

    def all_seen() -> bool:
        return set(first.numbers) | set(second.numbers) == set(range(sent))

    async with world.consuming(first):
        await send(200)
        await until(lambda: first.has(range(50)))
        async with world.consuming(second):
            async with asyncio.timeout(30):
                while not second.records:
                    await send(20)
                    await asyncio.sleep(0.05)
            await send(200)
            await until(all_seen)
        await send(100)
        await until(all_seen)


async def test_two_members_share_the_partitions(world: World) -> None:
    first, second = Seen(), Seen()
    async with world.consuming(first) as one, world.consuming(second) as other:
        await until(lambda: one.joined and other.joined)
        await asyncio.sleep(1)
        await until(lambda: one.joined and other.joined)
        await world.send(messages(range(200)))
        await until(lambda: len(first.records) + len(second.records) >= 200)
    assert sorted(first.numbers + second.numbers) == list(range(200))
    assert {r.partition for r in first.records}.isdisjoint({r.partition for r in second.records})


async def test_a_rebalance_waits_for_the_batch_in_hand(world: World) -> None:
    await world.send(messages(range(40)))
    slow, second, started = Seen(), Seen(), asyncio.Event()

    async def takes_its_time(records: Sequence[Record]) -> None:
        started.set()
        await asyncio.sleep(2)
        await slow(records)

    async with world.consuming(takes_its_time, timing=Timing(session=6)):  # heartbeats, and hears of a rebalance, every 0.4 s
        await started.wait()
        async with world.consuming(second):
            await until(lambda: len(slow.records) + len(second.records) >= 40)
    assert sorted(slow.numbers + second.numbers) == list(range(40)), "a batch was handled twice although it could be committed"


async def test_a_commit_that_comes_too_late_is_no_fault_of_the_worker(world: World) -> None:
    await world.send(messages(range(40)))
    late, second = Seen(), Seen()
    started, go_on = asyncio.Event(), asyncio.Event()

    async def blocked(records: Sequence[Record]) -> None:
        started.set()
        await go_on.wait()
        await late(records)

    async with world.consuming(blocked, timing=Timing(handover=0.2)) as latecomer:
        await started.wait()
        async with world.consuming(second) as newcomer:
            await until(lambda: newcomer.joined and bool(second.records))
            go_on.set()
            await until(lambda: set(late.numbers) | set(second.numbers) == set(range(40)))
            await until(lambda: latecomer.joined and newcomer.joined)
            await world.send(messages(range(40, 80)))
            await until(lambda: set(late.numbers) | set(second.numbers) == set(range(80)))
    assert sum(commit.offset for commit in (await world.committed()).values()) == 80


@asynccontextmanager
async def another_process(
    world: World, notes: Path, session: float = 45.0, instance: str | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A consumer of the same group in a process of its own; it appends the numbers that it handled to `notes`."""
    what = json.dumps([world.bootstrap, world.topic.name, world.group, str(notes), session, instance])
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.contract.kafka_member", what, cwd=ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def numbers_in(notes: Path) -> list[int]:
    return [int(line) for line in notes.read_text().split()] if notes.exists() else []


async def test_a_killed_consumers_records_come_to_another(world: World, tmp_path: Path) -> None:
    notes, seen = tmp_path / "notes", Seen()
    await world.send(messages(range(50)))
    async with another_process(world, notes, session=6) as process:
        await until(lambda: len(numbers_in(notes)) >= 50)
        process.kill()
        await world.send(messages(range(50, 100)))
        async with world.consuming(seen, timing=Timing(session=6)):
            await until(lambda: seen.has(range(50, 100)), 60)


async def test_a_killed_consumer_that_comes_back_under_its_name_need_not_wait(world: World, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    await world.send(messages(range(50)))
    async with another_process(world, notes, instance="one") as process:
        await until(lambda: len(numbers_in(notes)) >= 50)
        process.kill()
    await world.send(messages(range(50, 100)))
    async with another_process(world, notes, instance="one"):
        await until(lambda: set(numbers_in(notes)) == set(range(100)), 10)


async def test_a_named_consumer_that_ends_in_peace_hands_over_at_once(world: World) -> None:
    first, second = Seen(), Seen()
    await world.send(messages(range(50)))
    async with world.consuming(first, instance="one"):
        await until(lambda: first.has(range(50)))
    await world.send(messages(range(50, 100)))
    async with world.consuming(second, instance="another"):
        await until(lambda: second.has(range(50, 100)), 10)


async def test_a_zombie_that_wakes_up_loses_nothing_and_takes_nothing_back(world: World, tmp_path: Path) -> None:
    """SIGSTOP until the group has given its partitions away, then SIGCONT."""
    notes, seen = tmp_path / "notes", Seen()
    await world.send(messages(range(50)))
    async with another_process(world, notes, session=6) as zombie:
        await until(lambda: len(numbers_in(notes)) >= 50)
        os.kill(zombie.pid, signal.SIGSTOP)
        await world.send(messages(range(50, 100)))
        async with world.consuming(seen, timing=Timing(session=6)):
            await until(lambda: seen.has(range(50, 100)), 60)
            os.kill(zombie.pid, signal.SIGCONT)
            await world.send(messages(range(100, 150)))
            await until(lambda: set(seen.numbers) | set(numbers_in(notes)) == set(range(150)), 60)
        await world.send(messages(range(150, 200)))
        await until(lambda: set(numbers_in(notes)) >= set(range(150, 200)), 60)
        assert zombie.returncode is None
    after = Seen()
    await world.send(messages([200]))
    async with world.consuming(after, timing=Timing(session=6)):
        await until(lambda: after.has([200]), 60)
