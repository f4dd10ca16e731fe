"""A handler slower than its input: it stays in the group, waiting records stay in Kafka, and nothing is lost."""

import asyncio
import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from services.sentiment.consumer import ScoringHandler
from services.sentiment.domain.languages import language_of
from services.sentiment.domain.scorer import Model
from services.sentiment.pool import Pool
from services.sentiment.remote import RemoteScorer
from shared.events import decode_score, text_hash
from shared.kafka import IncomingRecord, OutgoingRecord, Timing
from shared.topics import Topic
from tests.contract.kafka_topic import KafkaTopic, Recorder, messages, new_topic, until
from tests.contract.sentiment_process import comment, words
from tests.service.sentiment.model_server import ModelServer, Reply, well

IMPATIENT = Timing(session=6, stall=2.0, look=0.25, handover=1.0, farewell=0.0)
"""A watchdog that counts a handler as hung after two seconds without progress."""


@pytest.fixture
async def topic(kafka: str) -> KafkaTopic:
    return await new_topic(kafka)


@dataclass
class Steady:
    """A handler that takes `seconds` for a batch, in small steps, and records the time of each step."""

    seconds: float
    seen: Recorder = field(default_factory=Recorder)
    progressed_at: float = 0.0

    async def __call__(self, records: Sequence[IncomingRecord]) -> None:
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            await asyncio.sleep(0.1)
            self.progressed_at = time.monotonic()
        await self.seen(records)


async def test_a_batch_that_makes_progress_may_take_many_times_the_watchdogs_limit(topic: KafkaTopic) -> None:
    await topic.send(messages(range(30)))
    slow = Steady(6.0)
    async with topic.consuming(slow, beat=lambda: slow.progressed_at, timing=IMPATIENT) as consumer:
        await until(lambda: slow.progressed_at > 0)
        await topic.send(messages(range(30, 40)))
        while not slow.seen.records:
            assert consumer.joined, "the consumer left the group"
            await asyncio.sleep(0.1)
        slow.seconds = 0
        await until(lambda: slow.seen.has(range(40)))
    assert slow.seen.numbers == list(range(40)), "a batch was handled twice"
    assert sum(commit.offset for commit in (await topic.committed()).values()) == 40


async def test_waiting_records_stay_in_kafka_and_not_in_memory(topic: KafkaTopic) -> None:
    large = [OutgoingRecord(f"acme/{n}".encode(), os.urandom(100_000)) for n in range(300)]
    for start in range(0, 300, 30):
        await topic.send(large[start : start + 30])
    started, go_on = asyncio.Event(), asyncio.Event()
    handled = 0

    async def blocked(records: Sequence[IncomingRecord]) -> None:
        nonlocal handled
        started.set()
        await go_on.wait()
        handled += len(records)

    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        async with topic.consuming(blocked, max_batch=1):
            await asyncio.wait_for(started.wait(), 30)
            await asyncio.sleep(2)
            fetched = tracemalloc.get_traced_memory()[0] - before
            tracemalloc.stop()
            go_on.set()
            await until(lambda: handled == 300, 60)
    finally:
        tracemalloc.stop()
    assert fetched < 5_000_000, f"{fetched} bytes of 30,000,000 were fetched"


# --- sentiment with a slow model server -------------------------------------------------------------------------------------
@dataclass
class Sent:
    """A producer that keeps the hash of each text in the scores sent to it."""

    hashes: list[str] = field(default_factory=list)

    async def send_all(self, topic: Topic, messages: Sequence[OutgoingRecord]) -> None:
        self.hashes += [decode_score(message.value).score.text_hash for message in messages]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer().running() as server:
        yield server


@asynccontextmanager
async def scoring(server: ModelServer, sent: Sent) -> AsyncIterator[ScoringHandler]:
    with httpx.Client(timeout=5) as client:
        async with Pool(RemoteScorer(client, server.url, Model("mine", "7"), batch=8), threads=2, texts=8) as pool:
            yield ScoringHandler(pool, sent)


async def test_with_a_slow_model_server_only_the_lag_grows(topic: KafkaTopic, server: ModelServer) -> None:
    """A batch of 200 takes 25 calls of 0.6 s by two threads: nearly four times the watchdog's limit."""
    language_of("The first text waits for the detector to be read", None)
    server.behave = lambda texts: Reply(body=well(texts).body, delay=0.6)
    await topic.send([comment("acme", n) for n in range(200)])
    sent = Sent()
    async with (
        scoring(server, sent) as handler,
        topic.consuming(handler, beat=lambda: handler.progressed_at, timing=IMPATIENT) as one,
    ):
        await until(lambda: len(server.calls) > 2)
        await topic.send([comment("acme", n) for n in range(200, 300)])
        behind = await lag(topic)
        while len(sent.hashes) < 200:
            assert one.joined, "the consumer left the group"
            assert handler.pool.waiting <= 1
            await asyncio.sleep(0.1)
        assert behind > 200
        server.behave = well
        await until(lambda: len(sent.hashes) >= 300)
        async with asyncio.timeout(10):
            while await lag(topic):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    assert sorted(sent.hashes) == sorted(text_hash(words(n)) for n in range(300)), "something was lost or scored twice"


async def lag(topic: KafkaTopic) -> int:
    return await topic.count() - sum(commit.offset for commit in (await topic.committed()).values())


async def test_retry_after_of_the_model_server_is_respected(topic: KafkaTopic, server: ModelServer) -> None:
    busy, called_at, sent = 3, list[float](), Sent()

    def reluctant(texts: Sequence[str]) -> Reply:
        called_at.append(time.monotonic())
        return Reply(429, headers={"Retry-After": "2"}) if len(called_at) <= busy else well(texts)

    server.behave = reluctant
    await topic.send([comment("acme", n) for n in range(5)])
    async with (
        scoring(server, sent) as handler,
        topic.consuming(handler, beat=lambda: handler.progressed_at, timing=IMPATIENT) as one,
    ):
        while len(sent.hashes) < 5:
            assert one.joined or not called_at, "the consumer left the group"
            await asyncio.sleep(0.1)
    assert sorted(sent.hashes) == sorted(text_hash(words(n)) for n in range(5))
    assert called_at[-1] - called_at[0] >= 2
