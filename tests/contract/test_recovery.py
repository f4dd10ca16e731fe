"""Losses of a store, and the recovery of docs/deployment.md: at the end every delivery is counted, and verify finds all equal."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.local.servers import Kafka, free_port_base
from services.ingest.replay import replay
from services.ingest.settings import Settings as IngestSettings
from services.metrics.clients.ingest import Ingest
from services.metrics.verify.verification import Verification
from shared.database import open_pool
from shared.kafka import ensure_topics
from tests.conftest import NewDatabase
from tests.e2e.stack import until
from tests.installation import MODEL, Installation, running_installation
from tests.service.ingest.client import SECRET_KEY
from tests.service.metrics.verification import few

TOKEN = "internal-token-of-the-tests"
HEADERS = {"authorization": f"Bearer {TOKEN}", "x-earshot-tenant": "acme"}
PATIENCE = 30.0
COMMENT = "Setup took five minutes. Lovely."


@dataclass
class Rehearsal:
    """An installation with a broker of its own, and a client that posts responses with a comment."""

    installation: Installation
    kafka: Kafka
    http: httpx.AsyncClient
    posted: set[str] = field(default_factory=set)

    async def post(self, *ids: str, value: int = 9) -> None:
        """Post a response under each id; a known id corrects the earlier response."""
        for number in ids:
            answers = [
                {"question": "q1", "kind": "nps", "value": value},
                {"question": "q2", "kind": "comment", "text": f"{COMMENT} {number}", "language": "en"},
            ]
            body = {"type": "response", "id": number, "at": datetime.now(UTC).isoformat(), "answers": answers}
            answer = await self.http.post(f"{self.installation.url('ingest')}/v1/feedback", json=body)
            assert answer.status_code == 202, answer.text
        self.posted.update(ids)

    async def count(self) -> int:
        """The number of responses that metrics counts."""
        answer = await self.http.get(f"{self.installation.url('metrics')}/v1/kpis/nps?window=24h")
        return int(answer.json()["rows"][0]["n"]) if answer.status_code == 200 else -1

    async def wait_until_counted(self) -> None:
        """Wait until metrics counts every posted response."""

        async def is_counted() -> bool:
            return await self.count() == len(self.posted)

        await until(is_counted)

    async def wait_until_published(self) -> None:
        """Wait until ingest's outbox is empty."""

        async def is_published() -> bool:
            head = await self.http.get(f"{self.installation.url('ingest')}/internal/head")
            return bool(head.json()["unpublished"] == 0)

        await until(is_published)

    async def create_tenant(self, *services: str) -> None:
        for service in services:
            url = f"{self.installation.url(service)}/internal/tenants/acme"
            assert (await self.http.put(url, json={"name": "Acme", "zone": "Europe/Berlin"})).status_code == 204

    async def replay(self, since: datetime | None) -> int:
        """Run the command `services.ingest.replay`."""
        settings = IngestSettings.model_validate(self.installation.settings("ingest") | {"secret_key": SECRET_KEY})
        return await replay(settings, None, since)

    async def differences(self) -> list[str]:
        """The differences that verify finds, by step."""
        output: list[str] = []
        async with open_pool(self.installation.databases["metrics"], 2) as pool:
            ingest = httpx.AsyncClient(base_url=self.installation.url("ingest"), headers=HEADERS)
            metrics = httpx.AsyncClient(base_url=self.installation.url("metrics"), headers=HEADERS)
            async with ingest, metrics:
                steps = await Verification(Ingest(ingest), pool, metrics, MODEL, PATIENCE, output.append, few).run("acme")
        assert steps
        return [f"{step.name}: {difference}" for step in steps for difference in step.differences]


@pytest.fixture(scope="module")
async def rehearsal(database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rehearsal]:
    port = free_port_base(2)
    kafka = Kafka(tmp_path_factory.mktemp("kafka"), port, port + 1)
    await kafka.start()
    await ensure_topics(kafka.bootstrap)
    services = ("ingest", "metrics", "sentiment")
    async with (
        running_installation(database, {"internal_token": TOKEN}, kafka.bootstrap, services) as installation,
        httpx.AsyncClient(headers=HEADERS, timeout=15) as http,
    ):
        rehearsal = Rehearsal(installation, kafka, http)
        await rehearsal.create_tenant("ingest", "metrics")
        yield rehearsal
    await kafka.stop()


def ids(name: str, count: int = 20) -> list[str]:
    return [f"{name}-{number}" for number in range(count)]


async def test_an_older_database_of_metrics_is_restored(rehearsal: Rehearsal, copy_database: NewDatabase) -> None:
    await rehearsal.post(*ids("before"))
    await rehearsal.wait_until_counted()
    backup_at = datetime.now(UTC)
    await rehearsal.installation.stop("metrics")
    backup = await copy_database(rehearsal.installation.databases["metrics"])
    await rehearsal.installation.start("metrics")
    await rehearsal.post(*ids("after"))
    await rehearsal.post(*ids("before", 5), value=0)
    await rehearsal.wait_until_counted()
    assert await rehearsal.differences() == []

    await rehearsal.installation.stop("metrics")
    rehearsal.installation.databases["metrics"] = backup
    await rehearsal.installation.start("metrics")
    await until(lambda: is_count(rehearsal, 20))  # Kafka's records after the backup are committed, so they are not read again
    assert await rehearsal.replay(backup_at - timedelta(minutes=5)) == 45
    await rehearsal.wait_until_counted()
    assert await rehearsal.differences() == []


async def is_count(rehearsal: Rehearsal, count: int) -> bool:
    return await rehearsal.count() == count


async def test_a_lost_database_of_metrics_is_built_again(rehearsal: Rehearsal, database: NewDatabase) -> None:
    await rehearsal.post(*ids("lost"))
    await rehearsal.wait_until_counted()
    await rehearsal.installation.stop("metrics")
    rehearsal.installation.databases["metrics"] = await database("metrics")
    await rehearsal.installation.start("metrics")
    await rehearsal.create_tenant("metrics")
    await rehearsal.replay(None)
    await rehearsal.wait_until_counted()
    assert await rehearsal.differences() == []


async def test_all_of_kafka_is_lost(rehearsal: Rehearsal) -> None:
    """Metrics is unavailable at that moment, so the latest events are in Kafka and not counted."""
    await rehearsal.wait_until_counted()
    before = len(rehearsal.posted)
    counted_at = datetime.now(UTC)
    await rehearsal.installation.stop("metrics")
    await rehearsal.post(*ids("unread"))
    await rehearsal.wait_until_published()
    await rehearsal.kafka.stop()
    shutil.rmtree(Path(rehearsal.kafka.folder) / "logs")
    await rehearsal.post(*ids("without-kafka"))
    await rehearsal.kafka.start()
    await ensure_topics(rehearsal.kafka.bootstrap)
    await rehearsal.installation.start("metrics")
    await until(lambda: is_count(rehearsal, before + 20))  # those that were published later; the unread ones are lost
    await rehearsal.replay(counted_at - timedelta(minutes=5))
    await rehearsal.wait_until_counted()
    assert await rehearsal.differences() == []
