"""The gateway on the real PostgreSQL and the real Kafka: from a record on `kpi.changes` to the event on the stream."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.events import KpiChange, encode
from shared.kafka import Message, Producer, ensure_topics
from shared.topics import CHANGES
from tests.conftest import NewDatabase
from tests.service.gateway.door import opened
from tests.service.gateway.stage import Listener, Stage, staged


@pytest.fixture
async def stage(database: NewDatabase, kafka: str) -> AsyncIterator[Stage]:
    await ensure_topics(kafka)
    opening = opened(await database("gateway"), None, kafka_bootstrap_servers=kafka)
    async with staged(opening) as stage:
        yield stage


def change(tenant: str, *kpis: str) -> Message:
    return Message(tenant.encode(), encode(KpiChange(tenant=tenant, kpis=kpis, at=datetime.now(UTC))))


async def heard(listener: Listener, producer: Producer, *messages: Message) -> tuple[str, Any, str | None]:
    """The next event on the stream. Sent more than once: the follower takes its place at the topic's end only after the start."""
    listening = asyncio.create_task(listener.next())
    while not listening.done():
        await producer.send_all(CHANGES, messages)
        await asyncio.wait([listening], timeout=0.5)
    return await listening


async def test_a_record_on_the_topic_becomes_an_event_on_the_stream(stage: Stage, kafka: str) -> None:
    key = await stage.door.key("metrics:read", tenant="live-acme")
    async with Producer(kafka) as producer, stage.listen(key) as listener:
        assert (await listener.next())[0] == "snapshot"
        positions = []
        for n in (1, 2, 3):
            stage.metrics.n["live-acme", "nps"] = n
            event, data, position = await heard(listener, producer, change("live-acme", "nps"), change("live-other", "nps"))
            assert (event, data["rows"][0]["n"]) == ("kpi", n)
            positions.append(position)
        assert len(set(positions)) == 3


async def test_a_record_that_cannot_be_read_stops_nobody(stage: Stage, kafka: str) -> None:
    key = await stage.door.key("metrics:read", tenant="live-acme")
    async with Producer(kafka) as producer, stage.listen(key) as listener:
        await listener.next()
        stage.metrics.n["live-acme", "nps"] = 5
        rubbish = [Message(b"live-acme", b"\xff no JSON"), Message(b"live-acme", b"{}")]
        event, data, _ = await heard(listener, producer, *rubbish, change("live-acme", "nps"))
        assert (event, data["rows"][0]["n"]) == ("kpi", 5)
        assert (await stage.http.get("/livez")).status_code == 200
