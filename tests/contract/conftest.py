"""Fixtures of the contract tests: an inbox of ingest in a database of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import NewDatabase
from tests.contract.inbox import Inbox, empty_tables, open_inbox


@pytest.fixture(scope="module")
async def ingest_url(database: NewDatabase) -> str:
    """The URL of a database of ingest."""
    return await database("ingest")


@pytest.fixture
async def inbox(ingest_url: str) -> AsyncIterator[Inbox]:
    """An empty inbox."""
    async with empty_tables(ingest_url), open_inbox(ingest_url) as inbox:
        yield inbox
