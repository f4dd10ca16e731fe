"""Sentiment between its two topics, on a real broker, as the process that it is."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.local.servers import free_port
from shared.events import Answer, Event, Response, ScoreEvent, decode_score, encode, text_hash
from shared.kafka import Message, received_at, received_header
from shared.topics import EVENTS, SCORES, TOPICS, subject_key
from tests.contract.kafka_world import NOON, World, ensure_topics, until

ROOT = Path(__file__).parents[2]


class Scores:
    """Every score of one tenant that has come so far, by subject."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.by_subject: dict[str, ScoreEvent] = {}

    async def __call__(self, records: object) -> None:
        for record in records:  # type: ignore[attr-defined]
            said = decode_score(record.value)
            if said.tenant == self.tenant:
                assert record.key == subject_key(said.tenant, said.subject)
                assert received_at(record.headers) == said.received_at
                self.by_subject[said.subject] = said


@pytest.fixture
async def tenant() -> str:
    return f"tenant-{os.urandom(4).hex()}"


@pytest.fixture
async def scores(kafka: str, tenant: str) -> AsyncIterator[Scores]:
    await ensure_topics(kafka, TOPICS)
    seen = Scores(tenant)
    async with World(kafka, SCORES, f"watching-{tenant}").consuming(seen):
        yield seen


def words(number: int) -> str:
    return f"Terrible, as in case c{number}"  # a bare 143 would be "I love you" to VADER


def comment(tenant: str, number: int) -> Message:
    """An event with one comment."""
    subject = f"api/response/r-{number}"
    said = Response(at=NOON, answers=(Answer(question="q1", kind="comment", text=words(number)),))
    event = Event(
        tenant=tenant,
        subject=subject,
        statement="s",
        seq=number,
        at=NOON,
        received_at=NOON,
        connection="api",
        source="api",
        body=said,
    )
    return Message(subject_key(tenant, subject), encode(event), (received_header(datetime.now(UTC)),))


@asynccontextmanager
async def sentiment(kafka: str, log: Path, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service as a process of its own; killed at the end, as by a power cut."""
    environment = os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "KAFKA_INSTANCE": "test",
        "INTERNAL_TOKEN": "internal-token-of-the-tests",
        "SENTIMENT_PORT": str(free_port()),
        "SENTIMENT_MAX_BATCH": "20",
        **settings,
    }
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.sentiment", cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


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
        parked = [r for r in await world.everything(EVENTS.dlq, 1) if r.key == f"{tenant}/x".encode()]
    assert {s.score.text_hash for s in scores.by_subject.values()} == {text_hash(words(n)) for n in range(sent)}
    assert {(s.model, s.received_at, s.score.label) for s in scores.by_subject.values()} == {("vader-3.3.2", NOON, "negative")}
    assert parked[0].value == b"not an event"
