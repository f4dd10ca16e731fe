"""What the contract tests of sentiment stand on: comments, the service as a process, and who watches its scores."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.servers import free_port
from shared.events import Answer, Event, Response, encode
from shared.kafka import Message, Record, received_header
from shared.topics import SCORES, TOPICS, subject_key
from tests.contract.kafka_world import NOON, World, ensure_topics

ROOT = Path(__file__).parents[2]


def new_tenant() -> str:
    return f"tenant-{os.urandom(4).hex()}"


@asynccontextmanager
async def watching(kafka: str, tenant: str, seen: Callable[[Sequence[Record]], Awaitable[None]]) -> AsyncIterator[None]:
    """Hands `seen` all scores there are and that come, everybody's."""
    await ensure_topics(kafka, TOPICS)
    async with World(kafka, SCORES, f"watching-{tenant}").consuming(seen):
        yield


def words(number: int) -> str:
    return f"Terrible, as in case c{number}"  # a bare 143 would be "I love you" to VADER


def comment(tenant: str, number: int, text: str | None = None) -> Message:
    """An event with one comment."""
    subject = f"api/response/r-{number}"
    said = Response(at=NOON, answers=(Answer(question="q1", kind="comment", text=text or words(number)),))
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
    return Message(subject_key(tenant, subject), encode(event), (received_header(NOON),))


@asynccontextmanager
async def sentiment(kafka: str, log: Path, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service as a process of its own; killed at the end, as by a power cut."""
    environment = os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "KAFKA_INSTANCE": "test",
        "INTERNAL_TOKEN": "internal-token-of-the-tests",
        "SENTIMENT_PORT": str(free_port()),
        "SENTIMENT_MAX_BATCH": "20",
        "SENTIMENT_SCORER": "vader",
    }
    async with process(log, "services.sentiment", environment=environment | settings) as running:
        yield running


@asynccontextmanager
async def process(
    log: Path, *module: str, environment: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m module`, which is killed at the end."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *module, cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
