"""Metrics on a real Kafka and a real PostgreSQL: from records on the topics to contributions and announcements."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs

from services.metrics.announcer import Announcer
from services.metrics.consumer import Intake, idle_callback
from services.metrics.instruments import EVENT_SECONDS
from services.metrics.store.writer import Writer
from shared.database import open_pool
from shared.events import Event, KpiChange, Override, ScoreEvent, ThemeScore, decode_change, encode, text_hash
from shared.kafka import Consumer, IncomingRecord, OutgoingRecord, Poison, Producer, Retry, ensure_topics
from shared.topics import EVENTS, SCORES, Topic, subject_key
from tests.service.metrics.database import (
    MetricsDatabase,
    erasure,
    expected,
    score_of,
    statement,
    survey_response,
)
from tests.unit.metrics.build import nps, words

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@dataclass
class FakeProducer:
    """A producer that keeps the announced changes. The first `failing` sends raise Retry."""

    changes: list[KpiChange] = field(default_factory=list)
    failing: int = 0

    async def send_all(self, topic: Topic, messages: list[OutgoingRecord]) -> None:
        if self.failing:
            self.failing -= 1
            raise Retry(0.05, "the broker is unavailable")
        self.changes += [decode_change(message.value) for message in messages]


@pytest.fixture
def metrics(empty_metrics_db: MetricsDatabase) -> MetricsDatabase:
    return empty_metrics_db


def record(event: Event | ScoreEvent, offset: int = 0) -> IncomingRecord:
    topic = EVENTS if isinstance(event, Event) else SCORES
    return IncomingRecord(topic.name, 0, offset, subject_key(event.tenant, event.subject), encode(event), (), 0)


def garbage(value: bytes, topic: Topic = EVENTS, offset: int = 0) -> IncomingRecord:
    return IncomingRecord(topic.name, 0, offset, b"acme/x", value, (), 0)


async def test_a_batch_announces_the_kpis_of_its_subjects(metrics: MetricsDatabase) -> None:
    producer = FakeProducer()
    intake = Intake(metrics.writer, Announcer(producer))
    await intake([record(survey_response(1, nps(9), at=NOON)), record(score_of("c1/response/2", "fine", 0.5, tenant="other"))])
    kpis = {change.tenant: set(change.kpis) for change in producer.changes}
    assert {"nps", "csat", "sentiment"} <= kpis["acme"]
    assert "backlog" not in kpis["acme"]
    assert {"sentiment", "net_sentiment"} <= kpis["other"]
    assert "nps" not in kpis["other"]


async def test_a_failed_announcement_is_repeated_with_the_batch_although_nothing_changes_then(metrics: MetricsDatabase) -> None:
    producer = FakeProducer(failing=1)
    intake = Intake(metrics.writer, Announcer(producer))
    batch = [
        record(survey_response(1, nps(9), at=NOON)),
        record(survey_response(1, nps(None), at=NOON, statement="taken back", seq=2)),
    ]
    with pytest.raises(Retry):
        await intake(batch)
    await intake(batch)
    assert "nps" in producer.changes[0].kpis


@dataclass
class ReadingProducer:
    """A producer that reads the contributions whenever a change is announced."""

    metrics: MetricsDatabase
    contributions: list[Counter[tuple[Any, ...]]] = field(default_factory=list)

    async def send_all(self, topic: Topic, messages: list[OutgoingRecord]) -> None:
        self.contributions.append(await self.metrics.contributions())


async def test_an_announced_change_can_already_be_read(metrics: MetricsDatabase) -> None:
    producer, event = ReadingProducer(metrics), survey_response(1, nps(9), at=NOON)
    await Intake(metrics.writer, Announcer(producer))([record(event)])
    assert producer.contributions == [expected([event])]


def counted_events() -> float:
    """The number of events in the histogram of ages."""
    [family] = EVENT_SECONDS.collect()
    [count] = [sample.value for sample in family.samples if sample.name.endswith("_count")]
    return count


async def test_the_age_of_a_live_event_is_measured_once(metrics: MetricsDatabase) -> None:
    intake, before = Intake(metrics.writer, Announcer(FakeProducer())), counted_events()
    live = survey_response(1, nps(9), at=NOON)
    imported = structs.replace(survey_response(2, nps(9), at=NOON - timedelta(days=9)), received_at=NOON)
    await intake([record(live), record(imported, offset=1)])
    assert counted_events() - before == 1
    await intake([record(live, offset=2)])
    assert counted_events() - before == 1


SCORED = score_of("c1/response/1", "fine", 0.5)
THEMED = score_of("c1/response/1", "fine", 0.5, themes=(ThemeScore("delivery", 0.5),))
OVERRIDDEN = statement("c1/response/1", Override(comment=text_hash("fine"), themes=("delivery",)), at=NOON)
GOOD = survey_response(1, nps(9), at=NOON)
BAD = {
    "no JSON": garbage(b"{"),
    "another model's JSON": garbage(encode(SCORED)),
    "an event among the scores": garbage(encode(GOOD), SCORES),
    "no UTF-8": garbage(encode(GOOD).replace(b"acme", b"ac\xff\xfe")),
    "a NUL in a name": garbage(encode(GOOD).replace(b"acme", b"a\\u0000")),
    "a NUL in a theme": garbage(encode(THEMED).replace(b"delivery", b"d\\u0000"), SCORES),
    "a NUL in a human's theme": garbage(encode(OVERRIDDEN).replace(b"delivery", b"d\\u0000")),
    "a name of ten thousand letters": garbage(encode(GOOD).replace(b"standard", b"s" * 10_000)),
    "a sequence beyond numbers": garbage(encode(GOOD).replace(b'"seq":1', b'"seq":9223372036854775808')),
    "a score beyond its scale": garbage(encode(SCORED).replace(b'"score":0.5', b'"score":5.0'), SCORES),
    "a score beyond numbers": garbage(encode(SCORED).replace(b'"score":0.5', b'"score":1e400'), SCORES),
    "a time without offset": garbage(
        encode(GOOD).replace(b'"received_at":"2026-11-02T12:00:00Z"', b'"received_at":"2026-11-02T12:00:00"')
    ),
    "ten thousand levels": garbage(b"[" * 10_000 + b"]" * 10_000),
}


@pytest.mark.parametrize("name", BAD)
async def test_an_undecodable_record_is_poison_before_any_effect(metrics: MetricsDatabase, name: str) -> None:
    good = record(survey_response(2, nps(1), at=NOON), offset=1)
    with pytest.raises(Poison) as caught:
        await Intake(metrics.writer, Announcer(FakeProducer()))([BAD[name], good])
    assert list(caught.value.reasons) == [BAD[name]]
    assert await metrics.subjects() == []


async def test_an_outage_of_the_database_is_a_retry() -> None:
    async with open_pool("postgresql+asyncpg://nobody@127.0.0.1:9/metrics") as pool:
        with pytest.raises(Retry):
            await Intake(Writer(pool), Announcer(FakeProducer()))([record(GOOD)])
        with pytest.raises(Retry):
            await idle_callback(pool)({("feedback.events", 0): 1})


@dataclass
class Stream:
    """Topics with unique names on the real broker, in place of the two that metrics reads."""

    bootstrap: str
    events: Topic
    scores: Topic
    group: str = field(default_factory=lambda: f"metrics-{uuid4().hex}")

    async def send(self, *items: Event | ScoreEvent) -> None:
        async with Producer(self.bootstrap) as producer:
            for topic, kind in ((self.events, Event), (self.scores, ScoreEvent)):
                own = [one for one in items if isinstance(one, kind)]
                await producer.send_all(topic, [OutgoingRecord(subject_key(one.tenant, one.subject), encode(one)) for one in own])

    @asynccontextmanager
    async def consumed(self, metrics: MetricsDatabase, producer: FakeProducer) -> AsyncIterator[None]:
        """Run a consumer of metrics on the topics."""
        intake = Intake(metrics.writer, Announcer(producer))
        names = {self.events.name: EVENTS.name, self.scores.name: SCORES.name}

        async def handle(records: Sequence[IncomingRecord]) -> None:
            named = {replace(record, topic=names[record.topic]): record for record in records}
            try:
                await intake(list(named))
            except Poison as poison:
                raise Poison({named[record]: reason for record, reason in poison.reasons.items()}) from poison

        consumer = Consumer(
            bootstrap=self.bootstrap, group=self.group, topics=(self.events, self.scores), handler=handle, max_batch=10
        )
        task = asyncio.create_task(consumer.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def stream(kafka: str) -> Stream:
    name = f"metrics.{uuid4().hex}"
    events, scores = (replace(topic, name=f"{name}.{topic.name}", partitions=2) for topic in (EVENTS, SCORES))
    await ensure_topics(kafka, (events, scores))
    return Stream(kafka, events, scores)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_the_topics_twice_and_over_two_lives_of_the_consumer_give_the_domains_contributions(
    metrics: MetricsDatabase, stream: Stream
) -> None:
    events = [survey_response(n, nps(n % 11), words(f"comment {n}"), at=NOON) for n in range(30)]
    scores = [score_of(f"c1/response/{n}", f"comment {n}", 0.5) for n in range(30)]
    expected_contributions = expected(events, scores)
    producer = FakeProducer(failing=2)

    async def all_there() -> bool:
        return await metrics.contributions() == expected_contributions

    await stream.send(*scores, *events[:20])
    async with stream.consumed(metrics, producer):
        await until(lambda: counted(metrics, 20))
    await stream.send(*reversed(events), *scores)
    async with stream.consumed(metrics, producer):
        await until(all_there)
        await stream.send(erasure("c1/response/3", NOON))
        expected_contributions = expected([e for e in events if e.seq != 3], scores)
        await until(all_there)
    assert {kpi for change in producer.changes for kpi in change.kpis} >= {"nps", "sentiment"}


async def counted(metrics: MetricsDatabase, n: int) -> bool:
    return sum(count for row, count in (await metrics.contributions()).items() if row[0] == "nps") == n


async def test_a_poison_record_is_parked_and_the_rest_counts(metrics: MetricsDatabase, stream: Stream) -> None:
    async with Producer(stream.bootstrap) as producer:
        await producer.send_all(stream.events, [OutgoingRecord(b"acme/x", b"{"), OutgoingRecord(b"acme/y", b"[]")])
    await stream.send(statement("c1/response/1", GOOD.body, at=NOON))
    announced = FakeProducer()
    async with stream.consumed(metrics, announced):
        await until(lambda: counted(metrics, 1))
    assert announced.changes
