"""A shadow model beside the live one on a real broker: both score everything, and failures of the shadow affect only itself."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.sentiment.app import create_app
from services.sentiment.instruments import SHADOW_MISSED
from services.sentiment.settings import Settings
from shared.events import ScoreEvent, decode_score, encode
from shared.kafka import IncomingRecord, OutgoingRecord
from shared.topics import EVENTS
from tests.contract.kafka_topic import KafkaTopic, until
from tests.contract.sentiment_process import comment, consuming_scores, new_tenant, sentiment, words
from tests.unit.sentiment.test_scoring import FailsOn

LIVE, SHADOW = "vader-3.3.2", "linear-2"


class Scores:
    """A handler that keeps the scores of one tenant, by model and subject."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.of: defaultdict[str, dict[str, ScoreEvent]] = defaultdict(dict)
        self.different = 0
        self.received = 0

    async def __call__(self, records: Sequence[IncomingRecord]) -> None:
        for record in records:
            event = decode_score(record.value)
            if event.tenant == self.tenant:
                self.received += 1
                known = self.of[event.model].setdefault(event.subject, event)
                self.different += encode(known.score) != encode(event.score)


@pytest.fixture
async def tenant() -> str:
    return new_tenant()


@pytest.fixture
async def scores(kafka: str, tenant: str) -> AsyncIterator[Scores]:
    seen = Scores(tenant)
    async with consuming_scores(kafka, tenant, seen):
        yield seen


def missed_by_the_shadow() -> float:
    [metric] = SHADOW_MISSED.collect()
    return metric.samples[0].value


async def parked(kafka: str, tenant: str) -> list[bytes | None]:
    """The keys of this tenant's parked records, once there is one."""
    topic = KafkaTopic(kafka, replace(EVENTS, name=EVENTS.dlq), "")
    async with asyncio.timeout(30):
        while True:
            records = await topic.read(EVENTS.dlq, await topic.count())
            if keys := [record.key for record in records if record.tenant == tenant]:
                return keys
            await asyncio.sleep(0.2)


async def test_both_models_score_every_comment_and_a_replay_gives_the_same_scores(
    kafka: str, scores: Scores, tenant: str, tmp_path: Path
) -> None:
    topic, sent = KafkaTopic(kafka, EVENTS, ""), [comment(tenant, n) for n in range(120)]
    await topic.send(sent)
    async with sentiment(kafka, tmp_path / "log", SENTIMENT_SHADOW="linear"):
        await until(lambda: [len(scores.of[model]) for model in (LIVE, SHADOW)] == [120, 120], 90)
        received = scores.received
        await topic.send(sent)
        await until(lambda: scores.received >= received + 240, 60)
    assert scores.different == 0
    assert set(scores.of) == {LIVE, SHADOW}


async def test_texts_that_the_shadow_fails_on_are_scored_live_and_not_parked(kafka: str, scores: Scores, tenant: str) -> None:
    topic, before = KafkaTopic(kafka, EVENTS, ""), missed_by_the_shadow()
    settings = Settings(
        kafka_bootstrap_servers=kafka,
        kafka_instance="test",
        internal_token=SecretStr("internal-token-of-the-tests"),
        scorer="vader",
        shadow="linear",
    )
    odd = [number for number in range(60) if str(number).endswith("7")]
    await topic.send([comment(tenant, number) for number in range(60)])
    await topic.send([OutgoingRecord(f"{tenant}/x".encode(), b"not an event")])
    app = create_app(settings, shadow=FailsOn(*(words(number) for number in odd)))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://s") as http:
        await until(lambda: len(scores.of[LIVE]) == 60, 90)
        await until(lambda: missed_by_the_shadow() >= before + len(odd) + 1, 60)
        await until(lambda: len(scores.of["glad-1"]) == 60 - len(odd), 60)
        assert (await http.get("/livez")).status_code == 200
        assert await parked(kafka, tenant) == [f"{tenant}/x".encode()]
