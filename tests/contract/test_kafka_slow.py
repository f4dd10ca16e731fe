"""A handler slower than what comes in: it keeps its place in the group, what waits stays with the broker, nothing is lost."""

import asyncio
import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from services.sentiment.consumer import Scoring
from services.sentiment.domain.languages import language_of
from services.sentiment.domain.scorer import Model
from services.sentiment.pool import Pool
from services.sentiment.remote import RemoteScorer
from shared.events import decode_score, text_hash
from shared.kafka import Message, Record, Timing
from shared.topics import Topic
from tests.contract.kafka_world import Seen, World, messages, new_world, until
from tests.contract.sentiment_world import comment, words
from tests.service.sentiment.model_server import ModelServer, Reply, well

IMPATIENT = Timing(session=6, stall=2.0, look=0.25, handover=1.0, farewell=0.0)
"""A watchdog that takes a handler for hung after two seconds without a step."""


@pytest.fixture
async def world(kafka: str) -> World:
    return await new_world(kafka)


@dataclass
class Steady:
    """A handler that takes `seconds` for a batch in small steps, and says so."""

    seconds: float
    seen: Seen = field(default_factory=Seen)
    moved_at: float = 0.0

    async def __call__(self, records: Sequence[Record]) -> None:
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            await asyncio.sleep(0.1)
            self.moved_at = time.monotonic()
        await self.seen(records)


async def test_a_batch_may_take_many_times_the_watchdogs_patience_as_long_as_it_moves(world: World) -> None:
    await world.send(messages(range(30)))
    slow = Steady(6.0)
    async with world.consuming(slow, beat=lambda: slow.moved_at, timing=IMPATIENT) as consumer:
        await until(lambda: slow.moved_at > 0)
        await world.send(messages(range(30, 40)))
        while not slow.seen.records:
            assert consumer.joined, "it lost its place in the group"
            await asyncio.sleep(0.1)
        slow.seconds = 0
        await until(lambda: slow.seen.has(range(40)))
    assert slow.seen.numbers == list(range(40)), "a batch was handled twice"
    assert sum(commit.offset for commit in (await world.committed()).values()) == 40


async def test_what_waits_stays_with_the_broker_and_not_in_memory(world: World) -> None:
    large = [Message(f"acme/{n}".encode(), os.urandom(100_000)) for n in range(300)]
    for start in range(0, 300, 30):
        await world.send(large[start : start + 30])
    started, go_on = asyncio.Event(), asyncio.Event()
    handled = 0

    async def blocked(records: Sequence[Record]) -> None:
        nonlocal handled
        started.set()
        await go_on.wait()
        handled += len(records)

    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        async with world.consuming(blocked, max_batch=1):
            await asyncio.wait_for(started.wait(), 30)
            await asyncio.sleep(2)
            held = tracemalloc.get_traced_memory()[0] - before
            tracemalloc.stop()
            go_on.set()
            await until(lambda: handled == 300, 60)
    finally:
        tracemalloc.stop()
    assert held < 5_000_000, f"{held} bytes of 30,000,000 were fetched"


# --- sentiment with a slow model server -------------------------------------------------------------------------------------
@dataclass
class Sent:
    """A sender that keeps the hash of each text whose score it was given."""

    hashes: list[str] = field(default_factory=list)

    async def send_all(self, topic: Topic, messages: Sequence[Message]) -> None:
        self.hashes += [decode_score(message.value).score.text_hash for message in messages]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer().running() as server:
        yield server


@asynccontextmanager
async def scoring(server: ModelServer, sent: Sent) -> AsyncIterator[Scoring]:
    with httpx.Client(timeout=5) as client:
        async with Pool(RemoteScorer(client, server.url, Model("mine", "7"), batch=8), threads=2, texts=8) as pool:
            yield Scoring(pool, sent)


async def test_a_slow_model_server_makes_the_lag_grow_and_nothing_else(world: World, server: ModelServer) -> None:
    """A batch of 200 takes 25 calls of 0.6 s by two threads: nearly four times the watchdog's patience."""
    language_of("The first text waits for the detector to be read", None)
    server.behave = lambda texts: Reply(body=well(texts).body, delay=0.6)
    await world.send([comment("acme", n) for n in range(200)])
    sent = Sent()
    async with scoring(server, sent) as handler, world.consuming(handler, beat=lambda: handler.moved_at, timing=IMPATIENT) as one:
        await until(lambda: len(server.calls) > 2)
        await world.send([comment("acme", n) for n in range(200, 300)])
        behind = await lag(world)
        while len(sent.hashes) < 200:
            assert one.joined, "it lost its place in the group"
            assert handler.pool.waiting <= 1
            await asyncio.sleep(0.1)
        assert behind > 200
        server.behave = well
        await until(lambda: len(sent.hashes) >= 300)
        async with asyncio.timeout(10):
            while await lag(world):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    assert sorted(sent.hashes) == sorted(text_hash(words(n)) for n in range(300)), "something was lost or scored twice"


async def lag(world: World) -> int:
    return await world.count() - sum(commit.offset for commit in (await world.committed()).values())


async def test_a_server_that_asks_for_a_rest_gets_it_and_then_all_is_scored(world: World, server: ModelServer) -> None:
    busy, asked_at, sent = 3, list[float](), Sent()

    def reluctant(texts: Sequence[str]) -> Reply:
        asked_at.append(time.monotonic())
        return Reply(429, headers={"Retry-After": "2"}) if len(asked_at) <= busy else well(texts)

    server.behave = reluctant
    await world.send([comment("acme", n) for n in range(5)])
    async with scoring(server, sent) as handler, world.consuming(handler, beat=lambda: handler.moved_at, timing=IMPATIENT) as one:
        while len(sent.hashes) < 5:
            assert one.joined or not asked_at, "it lost its place in the group"
            await asyncio.sleep(0.1)
    assert sorted(sent.hashes) == sorted(text_hash(words(n)) for n in range(5))
    assert asked_at[-1] - asked_at[0] >= 2
