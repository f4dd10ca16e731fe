"""One ingest for all tests of its HTTP interface, and a tenant for each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from tests.conftest import NewDatabase
from tests.fake_tool_api import FakeToolApi, running_tool_api
from tests.service.ingest.client import TENANTS, IngestClient, running_ingest
from tests.service.ingest.fetching import COLLECTOR_PATH, RESPONSES, SECRET, SURVEY, TOKEN, Fetching, details
from tests.unit.ingest.surveymonkey_documents import COLLECTOR, MAPPING, RECIPIENT, response, survey


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


@pytest.fixture(scope="session")
async def tool_api() -> AsyncIterator[FakeToolApi]:
    async with running_tool_api() as api:
        api.documents |= {SURVEY: survey(), COLLECTOR_PATH: COLLECTOR, f"{COLLECTOR_PATH}/recipients/712": RECIPIENT}
        yield api


@pytest.fixture(scope="session")
async def fetching_replicas(database: NewDatabase, tool_api: FakeToolApi) -> AsyncIterator[tuple[IngestClient, IngestClient]]:
    """Two applications over one database."""
    url = await database("ingest")
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(running_ingest(url, connection_cache_seconds=0, tool_api_url=tool_api.url))
            for _ in range(2)
        ]
        yield first, second


@pytest.fixture
async def fetching(fetching_replicas: tuple[IngestClient, IngestClient], tool_api: FakeToolApi) -> Fetching:
    ingest = replace(fetching_replicas[0])
    number = next(RESPONSES)
    ingest.tenant = f"tenant-f{number}"
    ingest.broker.sent.clear()
    tool_api.calls.clear()
    tool_api.queued.clear()
    tool_api.released.set()
    await ingest.call("PUT", f"/internal/tenants/{ingest.tenant}", json={"name": "Acme", "zone": "Europe/Berlin"})
    connection = await ingest.connect(
        "surveymonkey", secret=SECRET, mapping=MAPPING, credentials={"access_token": TOKEN, "data_center": "eu"}
    )
    tool_api.documents[details(f"5{number:05}")] = response(id=f"5{number:05}")
    return Fetching(ingest, tool_api, connection, f"5{number:05}")
