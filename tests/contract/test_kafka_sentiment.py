"""Sentiment between its two topics, on a real broker, as the process that it is."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from shared.events import ScoreEvent, decode_score, text_hash
from shared.kafka import Message, Record, received_at
from shared.topics import EVENTS, subject_key
from tests.contract.kafka_world import NOON, World, until
from tests.contract.sentiment_world import comment, new_tenant, process, sentiment, watching, words
from tests.service.sentiment.model_server import POISON, ModelServer


class Scores:
    """Every score of one tenant that has come so far, by subject."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.by_subject: dict[str, ScoreEvent] = {}

    async def __call__(self, records: Sequence[Record]) -> None:
        for record in records:
            said = decode_score(record.value)
            if said.tenant == self.tenant:
                assert record.key == subject_key(said.tenant, said.subject)
                assert received_at(record.headers) == said.received_at
                self.by_subject[said.subject] = said


@pytest.fixture
async def tenant() -> str:
    return new_tenant()


@pytest.fixture
async def scores(kafka: str, tenant: str) -> AsyncIterator[Scores]:
    seen = Scores(tenant)
    async with watching(kafka, tenant, seen):
        yield seen


async def test_no_comment_is_left_without_a_score_though_sentiment_is_killed_again_and_again(
    kafka: str, scores: Scores, tenant: str, tmp_path: Path
) -> None:
    world, sent = World(kafka, EVENTS, ""), 600
    await world.send([comment(tenant, n) for n in range(sent)])
    await world.send([Message(f"{tenant}/x".encode(), b"not an event")])
    for enough in (1, 150, 300):
        async with sentiment(kafka, tmp_path / "log"):
            await until(lambda enough=enough: len(scores.by_subject) >= enough, 60)
        await world.send([comment(tenant, n) for n in range(sent, sent + 100)])
        sent += 100
    async with sentiment(kafka, tmp_path / "log"):
        await until(lambda: len(scores.by_subject) == sent, 60)
        broken = await parked(world, f"{tenant}/x".encode())
    assert {s.score.text_hash for s in scores.by_subject.values()} == {text_hash(words(n)) for n in range(sent)}
    assert {(s.model, s.received_at, s.score.label) for s in scores.by_subject.values()} == {("vader-3.3.2", NOON, "negative")}
    assert broken.value == b"not an event"


async def parked(world: World, key: bytes) -> Record:
    """The record of that key in the DLQ, where other tests' may be too."""
    for count in itertools.count(1):
        found = [record for record in await world.everything(EVENTS.dlq, count) if record.key == key]
        if found:
            return found[0]
    raise AssertionError


async def test_no_comment_is_left_without_a_score_though_the_model_server_is_killed_again_and_again(
    kafka: str, scores: Scores, tenant: str, tmp_path: Path
) -> None:
    world, model, log = World(kafka, EVENTS, ""), ModelServer(), tmp_path / "log"
    http = {"SCORER": "http", "SCORER_URL": model.url, "SCORER_MODEL": "mine", "SCORER_VERSION": "7", "SCORER_TOKEN": "a secret"}
    await world.send([comment(tenant, n) for n in range(300)])
    await world.send([comment(tenant, 1000, POISON)])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(sentiment(kafka, log, **{f"SENTIMENT_{name}": value for name, value in http.items()}))
        for enough in (1, 100, 200, 300):
            async with process(log, "tests.service.sentiment.model_server", str(model.port)):
                await until(lambda enough=enough: len(scores.by_subject) >= enough, 60)
        await world.send([comment(tenant, n) for n in range(300, 350)])
        async with process(log, "tests.service.sentiment.model_server", str(model.port)):
            await until(lambda: len(scores.by_subject) == 350, 60)
            refused = await parked(world, subject_key(tenant, "api/response/r-1000"))
    assert {s.score.text_hash for s in scores.by_subject.values()} == {text_hash(words(n)) for n in range(350)}
    assert {s.model for s in scores.by_subject.values()} == {"mine-7"}
    assert dict(refused.headers)["reason"] == b"the model fails on a text: Refused"
    assert not [word for word in ("a secret", "Terrible", POISON) if word in log.read_text()]
