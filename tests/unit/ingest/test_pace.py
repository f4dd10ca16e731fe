"""The pace of publishing: when Kafka is polled, and the windows without an answer."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest

from services.ingest import pace as module
from services.ingest.pace import Cost, Pace, comment_cost
from shared.events import Answer, Body, Response, Ticket
from shared.kafka import Broken, Position
from shared.topics import METRICS_GROUP, SENTIMENT_GROUP
from tests.unit.sentiment.test_consumer import NOON


class Kafka:
    """Answers with the offsets that the test sets, by group. Raises Broken while it is `down`."""

    def __init__(self) -> None:
        self.committed: dict[str, dict[int, int] | None] = {METRICS_GROUP: {0: 0}, SENTIMENT_GROUP: {0: 0}}
        self.down = False
        self.calls = 0

    async def __call__(self, group: str, partitions: Collection[int]) -> dict[int, int] | None:
        self.calls += 1
        assert 0 in partitions
        if self.down:
            raise Broken("down")
        return self.committed[group]


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Polls follow one another quickly."""
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.001)
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    return Kafka()


@asynccontextmanager
async def running(pace: Pace, kafka: Kafka) -> AsyncIterator[None]:
    work = asyncio.create_task(pace.run(kafka))
    try:
        await pace.moved(5)
        yield
        assert not work.done()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def publish(pace: Pace, tenant: str, offset: int, characters: int = 0) -> None:
    assert pace.take_live(tenant, 1)
    assert not characters or pace.take_comments(tenant, characters)
    pace.published([Cost(tenant, characters)], [Position(0, offset)])


async def test_committed_records_free_the_window_of_their_group_alone(kafka: Kafka) -> None:
    pace = Pace()
    async with running(pace, kafka):
        publish(pace, "acme", 0, characters=80)
        kafka.committed[METRICS_GROUP] = {0: 1}
        while pace.metrics.held:
            await pace.moved(1)
        assert pace.sentiment.held == 80
        kafka.committed[SENTIMENT_GROUP] = {0: 1}
        while pace.sentiment.held:
            await pace.moved(1)


async def test_kafka_is_polled_only_while_records_are_under_way(kafka: Kafka) -> None:
    pace = Pace()
    async with running(pace, kafka):
        await asyncio.sleep(0.05)
        assert kafka.calls == 2, "once for each group, at the start"
        publish(pace, "acme", 0)
        await asyncio.sleep(0.05)
        assert kafka.calls >= 4


async def test_a_group_that_has_never_run_does_not_limit_publishing(kafka: Kafka) -> None:
    kafka.committed[METRICS_GROUP] = None
    pace = Pace(min_events=10)
    async with running(pace, kafka):
        for offset in range(100):
            publish(pace, "acme", offset)


async def test_without_an_answer_the_last_known_offsets_count_for_a_while_and_then_the_window_opens(kafka: Kafka) -> None:
    now = [0.0]
    pace = Pace(min_events=10, clock=lambda: now[0])
    async with running(pace, kafka):
        for offset in range(5):
            publish(pace, "acme", offset)
        kafka.down = True
        await asyncio.sleep(0.05)
        assert not pace.take_live("acme", 6)
        now[0] = module.UNKNOWN_AFTER
        await pace.moved(1)
        assert pace.take_live("acme", 1_000)


@pytest.mark.parametrize(
    ("body", "characters"),
    [
        (Ticket(), 0),
        (Response(at=NOON, answers=(Answer(question="q", kind="nps", value=9),)), 0),
        (Response(at=NOON, answers=(Answer(question="q", kind="comment", text="x" * 10),)), 85),
        (Response(at=NOON, answers=tuple(Answer(question=q, kind="comment", text="x" * 10) for q in "ab")), 85),
        (Response(at=NOON, answers=(Answer(question="q", kind="comment", text="x" * 9_000),)), 4_075),
    ],
)
def test_an_event_costs_the_characters_of_its_comments_as_far_as_a_model_reads_them(body: Body, characters: int) -> None:
    assert comment_cost(body) == characters
