"""The gateway on the real PostgreSQL and the real Kafka: from a record on `kpi.changes` to the event on the stream."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.events import KpiChange, encode
from shared.kafka import OutgoingRecord, Producer, ensure_topics
from shared.topics import CHANGES
from tests.conftest import NewDatabase
from tests.service.gateway.gateway_client import open_client
from tests.service.gateway.live_gateway import EventReader, LiveGateway, serve


@pytest.fixture
async def live_gateway(database: NewDatabase, kafka: str) -> AsyncIterator[LiveGateway]:
    await ensure_topics(kafka)
    opening = open_client(await database("gateway"), None, kafka_bootstrap_servers=kafka)
    async with serve(opening) as live_gateway:
        yield live_gateway


def change(tenant: str, *kpis: str) -> OutgoingRecord:
    return OutgoingRecord(tenant.encode(), encode(KpiChange(tenant=tenant, kpis=kpis, at=datetime.now(UTC))))


async def next_event(reader: EventReader, producer: Producer, *messages: OutgoingRecord) -> tuple[str, Any, str | None]:
    """The next event on the stream. Sends the messages repeatedly, because the follower may not have started yet."""
    listening = asyncio.create_task(reader.next())
    while not listening.done():
        await producer.send_all(CHANGES, messages)
        await asyncio.wait([listening], timeout=0.5)
    return await listening


async def test_a_record_on_the_topic_becomes_an_event_on_the_stream(live_gateway: LiveGateway, kafka: str) -> None:
    key = await live_gateway.client.key("metrics:read", tenant="live-acme")
    async with Producer(kafka) as producer, live_gateway.stream(key) as reader:
        assert (await reader.next())[0] == "snapshot"
        positions = []
        for n in (1, 2, 3):
            live_gateway.metrics.n["live-acme", "nps"] = n
            event, data, position = await next_event(reader, producer, change("live-acme", "nps"), change("live-other", "nps"))
            assert (event, data["rows"][0]["n"]) == ("kpi", n)
            positions.append(position)
        assert len(set(positions)) == 3


async def test_an_undecodable_record_ends_no_stream(live_gateway: LiveGateway, kafka: str) -> None:
    key = await live_gateway.client.key("metrics:read", tenant="live-acme")
    async with Producer(kafka) as producer, live_gateway.stream(key) as reader:
        await reader.next()
        live_gateway.metrics.n["live-acme", "nps"] = 5
        rubbish = [OutgoingRecord(b"live-acme", b"\xff no JSON"), OutgoingRecord(b"live-acme", b"{}")]
        event, data, _ = await next_event(reader, producer, *rubbish, change("live-acme", "nps"))
        assert (event, data["rows"][0]["n"]) == ("kpi", 5)
        assert (await live_gateway.http.get("/livez")).status_code == 200
