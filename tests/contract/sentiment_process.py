"""Helpers for tests of sentiment on a real broker: comments, the service as a process, a consumer of its scores."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.servers import free_port
from shared.events import Answer, Event, Response, encode
from shared.kafka import IncomingRecord, OutgoingRecord, ensure_topics, received_header
from shared.topics import SCORES, TOPICS, subject_key
from tests.contract.kafka_topic import NOON, KafkaTopic

ROOT = Path(__file__).parents[2]


def new_tenant() -> str:
    return f"tenant-{os.urandom(4).hex()}"


@asynccontextmanager
async def consuming_scores(
    kafka: str, tenant: str, handler: Callable[[Sequence[IncomingRecord]], Awaitable[None]]
) -> AsyncIterator[None]:
    """Call `handler` with the scores of all tenants, stored ones and new ones."""
    await ensure_topics(kafka, TOPICS)
    async with KafkaTopic(kafka, SCORES, f"watching-{tenant}").consuming(handler):
        yield


def words(number: int) -> str:
    return f"Terrible, as in case c{number}"  # a bare 143 would be "I love you" to VADER


def comment(tenant: str, number: int, text: str | None = None) -> OutgoingRecord:
    """An event with one comment."""
    subject = f"api/response/r-{number}"
    body = Response(at=NOON, answers=(Answer(question="q1", kind="comment", text=text or words(number)),))
    event = Event(
        tenant=tenant,
        subject=subject,
        statement="s",
        seq=number,
        at=NOON,
        received_at=NOON,
        connection="api",
        source="api",
        body=body,
    )
    return OutgoingRecord(subject_key(tenant, subject), encode(event), (received_header(NOON),))


@asynccontextmanager
async def sentiment(kafka: str, log: Path, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the service as a process. It is killed at the end, without a chance to shut down."""
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
    """Run `python -m module`, and kill it at the end."""
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
