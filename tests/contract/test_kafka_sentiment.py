"""Sentiment as a process between its two topics on a real broker."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from shared.events import ScoreEvent, decode_score, text_hash
from shared.kafka import IncomingRecord, OutgoingRecord, received_at
from shared.topics import EVENTS, subject_key
from tests.contract.kafka_topic import NOON, KafkaTopic, until
from tests.contract.sentiment_process import comment, consuming_scores, new_tenant, process, sentiment, words
from tests.service.sentiment.model_server import POISON, ModelServer


class Scores:
    """A handler that keeps the scores of one tenant, by subject."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.by_subject: dict[str, ScoreEvent] = {}

    async def __call__(self, records: Sequence[IncomingRecord]) -> None:
        for record in records:
            event = decode_score(record.value)
            if event.tenant == self.tenant:
                assert record.key == subject_key(event.tenant, event.subject)
                assert received_at(record.headers) == event.received_at
                self.by_subject[event.subject] = event


@pytest.fixture
async def tenant() -> str:
    return new_tenant()


@pytest.fixture
async def scores(kafka: str, tenant: str) -> AsyncIterator[Scores]:
    seen = Scores(tenant)
    async with consuming_scores(kafka, tenant, seen):
        yield seen


async def test_every_comment_is_scored_although_sentiment_is_killed_repeatedly(
    kafka: str, scores: Scores, tenant: str, tmp_path: Path
) -> None:
    topic, sent = KafkaTopic(kafka, EVENTS, ""), 600
    await topic.send([comment(tenant, n) for n in range(sent)])
    await topic.send([OutgoingRecord(f"{tenant}/x".encode(), b"not an event")])
    for enough in (1, 150, 300):
        async with sentiment(kafka, tmp_path / "log"):
            await until(lambda enough=enough: len(scores.by_subject) >= enough, 60)
        await topic.send([comment(tenant, n) for n in range(sent, sent + 100)])
        sent += 100
    async with sentiment(kafka, tmp_path / "log"):
        await until(lambda: len(scores.by_subject) == sent, 60)
        broken = await parked(topic, f"{tenant}/x".encode())
    assert {s.score.text_hash for s in scores.by_subject.values()} == {text_hash(words(n)) for n in range(sent)}
    assert {(s.model, s.received_at, s.score.label) for s in scores.by_subject.values()} == {("vader-3.3.2", NOON, "negative")}
    assert broken.value == b"not an event"


async def parked(topic: KafkaTopic, key: bytes) -> IncomingRecord:
    """The record with that key in the DLQ, which may hold records of other tests."""
    for count in itertools.count(1):
        records = [record for record in await topic.read(EVENTS.dlq, count) if record.key == key]
        if records:
            return records[0]
    raise AssertionError


async def test_every_comment_is_scored_although_the_model_server_is_killed_repeatedly(
    kafka: str, scores: Scores, tenant: str, tmp_path: Path
) -> None:
    topic, model, log = KafkaTopic(kafka, EVENTS, ""), ModelServer(), tmp_path / "log"
    http = {"SCORER": "http", "SCORER_URL": model.url, "SCORER_MODEL": "mine", "SCORER_VERSION": "7", "SCORER_TOKEN": "a secret"}
    await topic.send([comment(tenant, n) for n in range(300)])
    await topic.send([comment(tenant, 1000, POISON)])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(sentiment(kafka, log, **{f"SENTIMENT_{name}": value for name, value in http.items()}))
        for enough in (1, 100, 200, 300):
            async with process(log, "tests.service.sentiment.model_server", str(model.port)):
                await until(lambda enough=enough: len(scores.by_subject) >= enough, 60)
        await topic.send([comment(tenant, n) for n in range(300, 350)])
        async with process(log, "tests.service.sentiment.model_server", str(model.port)):
            await until(lambda: len(scores.by_subject) == 350, 60)
            refused = await parked(topic, subject_key(tenant, "api/response/r-1000"))
    assert {s.score.text_hash for s in scores.by_subject.values()} == {text_hash(words(n)) for n in range(350)}
    assert {s.model for s in scores.by_subject.values()} == {"mine-7"}
    assert dict(refused.headers)["reason"] == b"the model fails on a text: Refused"
    assert not [word for word in ("a secret", "Terrible", POISON) if word in log.read_text()]
