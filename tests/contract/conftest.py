"""Fixtures of the contract tests: Kafka, and an inbox of ingest in a database of its own."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.servers import Kafka, free_port_base
from tests.conftest import NewDatabase
from tests.contract.inbox import Inbox, empty_tables, open_inbox


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
