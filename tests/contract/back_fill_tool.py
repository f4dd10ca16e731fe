"""A connection whose history is fetched, on a real PostgreSQL and a local server in the place of the tool's API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from services.ingest.back_filler import BackFiller
from services.ingest.domain.connection import Connection
from services.ingest.domain.providers import PROVIDERS, read_settings
from services.ingest.inbox import jobs
from services.ingest.inbox.jobs import Job
from services.ingest.store.cipher import Cipher
from services.ingest.store.connections import Connections
from services.ingest.store.tenants import Tenants
from services.ingest.store.tool_apis import ToolApis
from services.ingest.threads import FairThreads
from services.ingest.tool_calls import ToolCalls
from services.ingest.tool_client import ToolClient
from shared.database import open_engine, open_pool
from tests.contract.thin_tool import SECRET_KEY, TENANT
from tests.fake_tool_api import FakeToolApi, running_tool_api

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = "inbox, events, unpublished, erasures, erased_names, tool_apis, delivery_jobs, connections, tenants"


@dataclass
class Tool:
    """A connection in its own database, and the API of its tool."""

    pool: asyncpg.Pool
    connections: Connections
    connection: Connection
    calls: ToolCalls
    api: FakeToolApi

    @property
    def filler(self) -> BackFiller:
        """The back-filler of another process."""
        return BackFiller(
            self.pool,
            self.connections,
            ToolApis(self.pool),
            self.calls,
            FairThreads(),
            lambda: datetime.now(UTC),
            lambda *_: None,
        )

    async def add(self, *surveys: str) -> Job:
        return await self.filler.add(self.connection, SINCE, surveys, "key_1")

    async def load(self, job: Job) -> Job:
        loaded = await jobs.find_job(self.pool, TENANT, job.id)
        assert loaded
        return loaded

    async def finish(self, job: Job) -> Job:
        """Do the steps of the job, however long they would wait, until it has ended."""
        while (await self.load(job)).finished is None:
            await self.pool.execute("UPDATE delivery_jobs SET due = now()")
            assert await self.filler.step()
        return await self.load(job)

    async def subjects(self) -> list[str]:
        rows = await self.pool.fetch("SELECT subject FROM events ORDER BY seq")
        return [row[0].rpartition("/")[2] for row in rows]


@asynccontextmanager
async def back_fill_tool(
    url: str, monkeypatch: pytest.MonkeyPatch, provider: str, credentials: dict[str, Any], mapping: dict[str, Any] | None = None
) -> AsyncIterator[Tool]:
    """A connection of this provider, without pauses between pages."""
    history = PROVIDERS[provider].history
    assert history
    monkeypatch.setitem(PROVIDERS, provider, replace(PROVIDERS[provider], history=replace(history, pause=0.0)))
    engine, cipher = open_engine(SecretStr(url)), Cipher(SECRET_KEY)
    async with open_pool(url, 6) as pool, running_tool_api() as api:
        await pool.execute(f"TRUNCATE {TABLES} CASCADE")
        connections = Connections(engine, cipher)
        await Tenants(engine, cipher).put(TENANT, "Acme", "UTC")
        settings = read_settings(provider, mapping or {})
        model = history.credentials.model_validate(credentials)
        connection = await connections.add(TENANT, provider, "tool", "a-secret", settings, {}, model)
        assert connection
        client = ToolClient(FairThreads(), lambda: datetime.now(UTC), api.url, 5.0)
        yield Tool(pool, connections, connection, ToolCalls(client), api)
        await client.close()
    await engine.dispose()
