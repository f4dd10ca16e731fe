"""Fixtures of the contract tests: Kafka, an inbox of ingest in a database of its own, and a database of metrics."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.servers import Kafka, free_port_base
from tests.conftest import NewDatabase
from tests.contract.inbox import Inbox, empty_tables, open_inbox
from tests.service.metrics.database import MetricsDatabase, open_empty_metrics_db


@pytest.fixture(scope="package")
async def kafka() -> AsyncIterator[str]:
    """The bootstrap address of a running Kafka. Tests share it, so each creates topics with unique names."""
    with tempfile.TemporaryDirectory(prefix="earshot-kafka-") as folder:
        base = free_port_base(2)
        server = Kafka(Path(folder) / "kafka", base, base + 1)
        await server.start()
        yield server.bootstrap
        await server.stop()


@pytest.fixture(scope="module")
async def ingest_url(database: NewDatabase) -> str:
    """The URL of a database of ingest."""
    return await database("ingest")


@pytest.fixture
async def inbox(ingest_url: str) -> AsyncIterator[Inbox]:
    """An empty inbox."""
    async with empty_tables(ingest_url), open_inbox(ingest_url) as inbox:
        yield inbox


@pytest.fixture
async def empty_metrics_db(database: NewDatabase, empty_metrics_databases: list[str]) -> AsyncIterator[MetricsDatabase]:
    """A database of metrics without rows."""
    async with open_empty_metrics_db(database, empty_metrics_databases) as metrics:
        yield metrics
