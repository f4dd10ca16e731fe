"""A connection to a tool with thin events, in its own database, with enrichers that are killed at will."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
from pydantic import SecretStr

from services.ingest.domain.connection import Connection, FieldMapping
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.enricher import Enricher
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.outbox import OutboxEvent
from services.ingest.store.cipher import Cipher
from services.ingest.store.connections import Connections
from services.ingest.store.tenants import Tenants
from services.ingest.store.tool_apis import ToolApis
from services.ingest.threads import FairThreads
from services.ingest.tool_calls import ToolCalls
from services.ingest.tool_client import ToolClient
from shared.database import open_engine, open_pool
from shared.workers import Workers
from tests import signing
from tests.fake_tool_api import FakeToolApi, running_tool_api
from tests.unit.ingest.making import receive_body
from tests.unit.ingest.surveymonkey_documents import COLLECTOR, MAPPING, RECIPIENT, event, response, survey

SECRET_KEY = SecretStr("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
TENANT = "acme"
RESPONSES = "SELECT subject FROM events WHERE event::json -> 'body' ->> 'type' = 'response' ORDER BY seq"


def details(response: str) -> str:
    return f"/v3/surveys/405723396/responses/{response}/details"


@dataclass
class ThinTool:
    """A connection to SurveyMonkey in its own database, a committer, and the API. `published`: the events of its enrichers."""

    pool: asyncpg.Pool
    connections: Connections
    committer: Committer
    connection: Connection
    api: FakeToolApi
    published: list[OutboxEvent] = field(default_factory=list)

    def delivery(self, response: str = "1", second: int = 0, event_type: str = "response_completed") -> Delivery:
        body = event(event_type, object_id=response, event_datetime=f"2026-11-20T10:00:{second:02}+00:00")
        return receive_body(self.connection, signing.surveymonkey("c&s", body), body, datetime.now(UTC))

    async def deliver(self, *deliveries: Delivery) -> list[str]:
        return list(await asyncio.gather(*map(self.committer.commit, deliveries)))

    def has(self, *responses: str, **fields: Any) -> None:
        """Let the API have these responses."""
        for one in responses:
            self.api.documents[details(one)] = response(id=one, **fields)

    @asynccontextmanager
    async def enricher(self, call_seconds: float = 5.0) -> AsyncIterator[Enricher]:
        """A running enricher. At the end it is cancelled in the middle of whatever it does, as if its process was killed."""
        threads = FairThreads()
        client = ToolClient(threads, lambda: datetime.now(UTC), self.api.url, call_seconds)
        enricher = Enricher(
            self.pool,
            self.connections,
            ToolApis(self.pool),
            ToolCalls(client),
            self.published.extend,
            threads,
            lambda: datetime.now(UTC),
            lambda *_: None,
        )
        async with Workers() as workers:
            workers.start("enricher", enricher.run)
            yield enricher
            assert workers.dead == []
        await client.close()

    async def verdicts(self) -> list[tuple[str, str | None]]:
        return [(r[0], r[1]) for r in await self.pool.fetch("SELECT verdict, reason FROM inbox ORDER BY seq")]

    async def subjects(self) -> list[str]:
        """The ids of the responses whose events are stored, without tombstones."""
        rows = await self.pool.fetch(RESPONSES)
        return [row[0].rpartition("/")[2] for row in rows]

    async def count(self, table: str) -> int:
        return int(await self.pool.fetchval(f"SELECT count(*) FROM {table}"))

    async def end_leases(self) -> None:
        """Let the lease of each claimed row end now."""
        await self.pool.execute("UPDATE fetches SET due = now() WHERE token IS NOT NULL")

    async def is_empty(self) -> bool:
        return await self.count("fetches") == 0

    async def has_published(self, count: int = 1) -> bool:
        """Whether `count` events were published; an enricher publishes after it has committed."""
        return len(self.published) >= count

    async def is_called(self, times: int = 1, response: str = "1") -> bool:
        return self.api.paths().count(details(response)) >= times


@asynccontextmanager
async def thin_tool(url: str) -> AsyncIterator[ThinTool]:
    engine, cipher = open_engine(SecretStr(url)), Cipher(SECRET_KEY)
    async with open_pool(url, 8) as pool, Workers() as workers, running_tool_api() as api:
        await pool.execute("TRUNCATE inbox, events, unpublished, erasures, fetches, tool_apis, connections, tenants CASCADE")
        connections = Connections(engine, cipher)
        await Tenants(engine, cipher).put(TENANT, "Acme", "UTC")
        provider = PROVIDERS["surveymonkey"]
        assert provider.api
        credentials = provider.api.credentials.model_validate({"access_token": "a-token-0"})
        mapping = FieldMapping.model_validate(MAPPING)
        connection = await connections.add(TENANT, "surveymonkey", "surveys", "c&s", mapping, {}, credentials)
        assert connection
        committer = Committer(pool, lambda _: None, 1000)
        workers.start("committer", committer.run)
        api.documents |= {"/v3/surveys/405723396/details": survey(), "/v3/collectors/50253586": COLLECTOR}
        api.documents |= {"/v3/collectors/50253586/recipients/712": RECIPIENT}
        yield ThinTool(pool, connections, committer, connection, api)
    await engine.dispose()
