"""Losses of a store, and the recovery of docs/deployment.md: at the end every delivery is counted, and verify finds all equal."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.local.servers import Kafka, free_port_base
from services.ingest import replayer
from services.ingest.inbox import replays
from services.metrics import head_watch
from services.metrics.instruments import AHEAD
from shared.database import open_pool
from shared.instruments import OFFSETS_LOST, registry_of
from shared.kafka import clients, ensure_topics
from shared.topics import EVENTS, METRICS_GROUP, SCORES
from tests.conftest import NewDatabase
from tests.e2e.stack import until
from tests.installation import running_installation
from tests.rehearsal import HEADERS, TOKEN, Rehearsal, ids
from tests.replicas import KEEPALIVE


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kafka]:
    port = free_port_base(2)
    server = Kafka(tmp_path_factory.mktemp("kafka"), port, port + 1)
    await server.start()
    await ensure_topics(server.bootstrap)
    yield server
    await server.stop()


@pytest.fixture(scope="module")
async def rehearsal(database: NewDatabase, kafka: Kafka) -> AsyncIterator[Rehearsal]:
    services = ("ingest", "metrics", "sentiment")
    async with (
        running_installation(database, {"internal_token": TOKEN}, kafka.bootstrap, services) as installation,
        httpx.AsyncClient(headers=HEADERS, timeout=15, limits=KEEPALIVE) as http,
    ):
        rehearsal = Rehearsal(installation, http)
        await rehearsal.create_tenant("ingest", "metrics")
        yield rehearsal


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


async def test_an_older_database_of_ingest_is_restored(
    rehearsal: Rehearsal, copy_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metrics is ahead of it, and notices that. Its database is restored to the same time, and the replay closes the gap."""
    monkeypatch.setattr(head_watch, "LOOK_SECONDS", 0.1)
    installation = rehearsal.installation
    await rehearsal.wait_until_counted()
    await installation.stop("ingest", "metrics")
    backups = {name: await copy_database(installation.databases[name]) for name in ("metrics", "ingest")}
    await installation.start("ingest", "metrics")
    lost = ids("not-in-the-backup")
    await rehearsal.post(*lost)
    await rehearsal.wait_until_counted()
    assert ahead() == 0

    await installation.stop("ingest")
    installation.databases["ingest"] = backups["ingest"]
    rehearsal.posted -= {*lost}
    await installation.start("ingest")
    await until(is_ahead)
    assert any("statements too many" in difference for difference in await rehearsal.differences(patience=1))

    await installation.stop("metrics")
    installation.databases["metrics"] = backups["metrics"]
    await installation.start("metrics")
    await rehearsal.post(*ids("after-the-restore"))
    await rehearsal.replay(None)
    await rehearsal.wait_until_counted()
    assert await rehearsal.differences() == []
    assert ahead() == 0


def ahead() -> float:
    """The gauge of the sequence numbers by which metrics is ahead of ingest."""
    return registry_of([AHEAD]).get_sample_value("earshot_metrics_ahead_of_ingest") or 0.0


async def is_ahead() -> bool:
    return ahead() > 0


async def test_all_of_kafka_is_lost(rehearsal: Rehearsal, kafka: Kafka) -> None:
    """Metrics is unavailable at that moment, so the latest events are in Kafka and not counted. It requests the replay itself."""
    await rehearsal.wait_until_counted()
    before = lost_logs()
    await rehearsal.installation.stop("metrics")
    await rehearsal.post(*ids("unread"))
    await rehearsal.wait_until_published()
    await kafka.stop()
    shutil.rmtree(Path(kafka.folder) / "logs")
    await rehearsal.post(*ids("without-kafka"))
    await kafka.start()
    await ensure_topics(kafka.bootstrap)
    await rehearsal.installation.start("metrics")
    await rehearsal.wait_until_counted()
    assert lost_logs() == before + EVENTS.partitions + SCORES.partitions
    assert await rehearsal.differences() == []


async def test_a_topic_is_deleted_and_created_again(rehearsal: Rehearsal, kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replay takes several steps, and ingest is replaced in the middle of it."""
    for name in ("BATCH", "MOST_WAITING"):
        monkeypatch.setattr(replays, name, 10)
    monkeypatch.setattr(replayer, "FULL_SECONDS", 0.1)
    await rehearsal.wait_until_counted()
    before = lost_logs()
    await rehearsal.installation.stop("metrics")
    await rehearsal.post(*ids("in-the-former-topic"))
    await rehearsal.wait_until_published()
    async with clients.admin(kafka.bootstrap) as admin:
        await admin.delete_topics([EVENTS.name])
    await ensure_topics(kafka.bootstrap)
    await rehearsal.post(*ids("in-the-new-topic"))
    await rehearsal.installation.start("metrics")
    async with open_pool(rehearsal.installation.databases["ingest"], 1) as pool:
        await until(lambda: pool.fetchval("SELECT queued > 0 FROM replays WHERE finished IS NULL"))
        await rehearsal.installation.stop("ingest")
        assert await pool.fetchval("SELECT count(*) FROM replays WHERE finished IS NULL") == 1
        await rehearsal.installation.start("ingest")
        await rehearsal.wait_until_counted()
        await until(lambda: pool.fetchval("SELECT count(*) = 0 FROM replays WHERE finished IS NULL"))
    assert lost_logs() == before + EVENTS.partitions
    assert await rehearsal.differences() == []


def lost_logs() -> float:
    """Partitions whose log the consumer of metrics has missed."""
    return registry_of([OFFSETS_LOST]).get_sample_value("earshot_kafka_offsets_lost_total", {"group": METRICS_GROUP}) or 0.0
