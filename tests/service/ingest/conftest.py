"""One ingest for all tests of its HTTP, and a tenant for each."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.conftest import NewDatabase
from tests.service.ingest.door import TENANTS, Door, opened


@pytest.fixture(scope="session")
async def ingest(database: NewDatabase) -> AsyncIterator[Door]:
    async with opened(await database("ingest"), connection_cache_seconds=0) as door:
        yield door


@pytest.fixture
async def ingest_app(ingest: Door) -> Door:
    """The shared ingest, with a tenant of its own."""
    mine = replace(ingest, tenant=f"tenant-{next(TENANTS)}")
    ingest.clock.clear()
    ingest.broker.sent.clear()
    answer = await mine.call("PUT", f"/internal/tenants/{mine.tenant}", json={"name": "Acme", "zone": "Europe/Berlin"})
    assert answer.status_code == 204, answer.text
    return mine


@pytest.fixture
def door(ingest_app: Door) -> Door:
    """The former name of `ingest_app`."""
    return ingest_app
