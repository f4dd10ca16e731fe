"""One ingest for all tests of its HTTP interface, and a tenant for each test."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.conftest import NewDatabase
from tests.service.ingest.client import TENANTS, IngestClient, running_ingest


@pytest.fixture(scope="session")
async def shared_ingest(database: NewDatabase) -> AsyncIterator[IngestClient]:
    async with running_ingest(await database("ingest"), connection_cache_seconds=0) as client:
        yield client


@pytest.fixture
async def ingest(shared_ingest: IngestClient) -> IngestClient:
    """A client of the shared ingest, with a tenant of its own."""
    client = replace(shared_ingest, tenant=f"tenant-{next(TENANTS)}")
    client.clock.clear()
    client.broker.sent.clear()
    answer = await client.call("PUT", f"/internal/tenants/{client.tenant}", json={"name": "Acme", "zone": "Europe/Berlin"})
    assert answer.status_code == 204, answer.text
    return client
