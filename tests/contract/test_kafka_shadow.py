"""A second model beside the live one, on a real broker: both score everything, and its faults are nobody else's."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.sentiment.app import create_app
from services.sentiment.settings import Settings
from shared.events import ScoreEvent, decode_score, encode
from shared.instruments import SHADOW_MISSED
from shared.kafka import Message, Record
from shared.topics import EVENTS
from tests.contract.kafka_world import World, until
from tests.contract.sentiment_world import comment, new_tenant, sentiment, watching, words
from tests.unit.sentiment.test_judging import FailsOn

LIVE, SHADOW = "vader-3.3.2", "linear-2"


class Scores:
    """Every score of one tenant that has come so far, by model and subject."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.of: defaultdict[str, dict[str, ScoreEvent]] = defaultdict(dict)
        self.different = 0
        self.told = 0

    async def __call__(self, records: Sequence[Record]) -> None:
        for record in records:
            said = decode_score(record.value)
            if said.tenant == self.tenant:
                self.told += 1
                known = self.of[said.model].setdefault(said.subject, said)
                self.different += encode(known.score) != encode(said.score)


@pytest.fixture
async def tenant() -> str:
    return new_tenant()


@pytest.fixture
async def scores(kafka: str, tenant: str) -> AsyncIterator[Scores]:
    seen = Scores(tenant)
    async with watching(kafka, tenant, seen):
        yield seen


async def parked(kafka: str, tenant: str) -> list[bytes | None]:
    """The keys of what was parked of this tenant, once there is anything."""
    world = World(kafka, replace(EVENTS, name=EVENTS.dlq), "")
    async with asyncio.timeout(30):
        while True:
            records = await world.everything(EVENTS.dlq, await world.count())
            if found := [record.key for record in records if record.tenant == tenant]:
                return found
            await asyncio.sleep(0.2)


async def test_both_models_score_every_comment_and_a_replay_says_the_same_again(
    kafka: str, scores: Scores, tenant: str, tmp_path: Path
) -> None:
    world, sent = World(kafka, EVENTS, ""), [comment(tenant, n) for n in range(120)]
    await world.send(sent)
    async with sentiment(kafka, tmp_path / "log", SENTIMENT_SHADOW="linear"):
        await until(lambda: [len(scores.of[model]) for model in (LIVE, SHADOW)] == [120, 120], 90)
        told = scores.told
        await world.send(sent)
        await until(lambda: scores.told >= told + 240, 60)
    assert scores.different == 0
    assert set(scores.of) == {LIVE, SHADOW}


async def test_what_the_shadow_fails_on_is_scored_live_all_the_same_and_parked_by_nobody(
    kafka: str, scores: Scores, tenant: str
) -> None:
    world, before = World(kafka, EVENTS, ""), SHADOW_MISSED._value.get()
    settings = Settings(
        kafka_bootstrap_servers=kafka,
        kafka_instance="test",
        internal_token=SecretStr("internal-token-of-the-tests"),
        scorer="vader",
        shadow="linear",
    )
    odd = [number for number in range(60) if str(number).endswith("7")]
    await world.send([comment(tenant, number) for number in range(60)])
    await world.send([Message(f"{tenant}/x".encode(), b"not an event")])
    app = create_app(settings, shadow=FailsOn(*(words(number) for number in odd)))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://s") as http:
        await until(lambda: len(scores.of[LIVE]) == 60, 90)
        await until(lambda: SHADOW_MISSED._value.get() >= before + len(odd) + 1, 60)
        await until(lambda: len(scores.of["glad-1"]) == 60 - len(odd), 60)
        assert (await http.get("/livez")).status_code == 200
        assert await parked(kafka, tenant) == [f"{tenant}/x".encode()]
