"""The queue of thin events on a real PostgreSQL: crashes, leases that end, two enrichers, giving up, erasures."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from services.ingest.domain.connection import Connection, FieldMapping
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.enricher import Enricher
from services.ingest.eraser import Eraser
from services.ingest.inbox import fetch_queue
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.outbox import OutboxEvent
from services.ingest.store.cipher import Cipher
from services.ingest.store.connections import Connections
from services.ingest.store.tenants import Tenants
from services.ingest.store.tool_apis import ToolApis
from services.ingest.threads import FairThreads
from services.ingest.tool_client import ToolClient
from shared.database import open_engine, open_pool
from shared.workers import Workers
from tests import signing
from tests.conftest import NewDatabase
from tests.contract.inbox import erasure_delivery, until
from tests.fake_tool_api import Answer, FakeToolApi, running_tool_api
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
            client,
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

    async def is_called(self, times: int = 1, response: str = "1") -> bool:
        return self.api.paths().count(details(response)) >= times


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


@pytest.fixture
async def tool(url: str) -> AsyncIterator[ThinTool]:
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


async def test_two_updates_in_one_transaction_are_one_thing_to_fetch(tool: ThinTool) -> None:
    statuses = await tool.deliver(*(tool.delivery(second=second) for second in range(5)))
    assert sorted(statuses) == ["duplicate"] * 4 + ["pending"]
    assert await tool.count("fetches") == 1
    assert [verdict for verdict, _ in await tool.verdicts()].count("ignored") == 4


async def test_another_enricher_completes_a_delivery_whose_enricher_was_killed(tool: ThinTool) -> None:
    tool.has("1")
    tool.api.released.clear()
    await tool.deliver(tool.delivery())
    async with tool.enricher():
        await until(tool.is_called)
    tool.api.released.set()
    async with tool.enricher() as second:
        await asyncio.sleep(0.3)
        assert (await tool.subjects(), await tool.count("fetches")) == ([], 1)  # the lease of the first still holds
        await tool.end_leases()
        second.wake()
        await until(tool.is_empty)
    assert await tool.subjects() == ["1"]
    assert [event.event.subject for event in tool.published] == [f"{tool.connection.id}/response/1"]


async def test_an_enricher_whose_lease_has_ended_stores_nothing(tool: ThinTool) -> None:
    tool.has("1")
    tool.api.released.clear()
    await tool.deliver(tool.delivery())
    async with tool.enricher(60), tool.enricher(60) as second:
        await until(tool.is_called)
        await tool.end_leases()
        second.wake()
        await until(lambda: tool.is_called(2))
        tool.api.released.set()
        await until(tool.is_empty)
        await asyncio.sleep(0.3)
    assert (await tool.subjects(), len(tool.published)) == (["1"], 1)


async def test_two_enrichers_complete_each_delivery_once(tool: ThinTool) -> None:
    responses = [str(number) for number in range(40)]
    tool.has(*responses)
    async with tool.enricher() as first, tool.enricher() as second:
        await tool.deliver(*map(tool.delivery, responses))
        first.wake()
        second.wake()
        await until(tool.is_empty)
    assert sorted(tool.api.paths().count(details(one)) for one in responses) == [1] * 40
    assert sorted(await tool.subjects(), key=int) == responses
    assert len(tool.published) == 40


async def test_a_delivery_that_arrives_during_a_fetch_is_fetched_again(tool: ThinTool) -> None:
    tool.has("1")
    tool.api.released.clear()
    await tool.deliver(tool.delivery())
    async with tool.enricher():
        await until(tool.is_called)
        assert await tool.deliver(tool.delivery(second=1)) == ["pending"]
        assert await tool.deliver(tool.delivery(second=2)) == ["duplicate"]
        tool.api.released.set()
        await until(tool.is_empty)
    assert [verdict for verdict, _ in await tool.verdicts()] == ["accepted", "accepted", "ignored"]


async def test_a_delivery_is_given_up_after_twelve_attempts(tool: ThinTool) -> None:
    tool.api.queue(details("1"), Answer(500, {}))
    await tool.deliver(tool.delivery())
    await tool.pool.execute("UPDATE fetches SET attempts = 11")
    async with tool.enricher():
        await until(tool.is_empty)
    assert await tool.verdicts() == [("quarantined", "the tool's API answered 500, 12 times")]


async def test_pauses_grow_and_the_api_of_the_connection_is_blocked_after_several_failures(tool: ThinTool) -> None:
    responses = ["1", "2", "3"]
    for one in responses:
        tool.api.queue(details(one), Answer(503, {}))
    await tool.deliver(*map(tool.delivery, responses))
    async with tool.enricher():
        await until(lambda: is_blocked(tool))
    pauses = await tool.pool.fetch("SELECT extract(epoch FROM due - now())::float8 FROM fetches WHERE token IS NULL")
    assert pauses
    assert all(9 < pause[0] < 13 for pause in pauses)


async def is_blocked(tool: ThinTool) -> bool:
    return bool(await tool.pool.fetchval("SELECT blocked_until > now() FROM tool_apis"))


async def test_a_slow_answer_is_a_failure_that_is_tried_again(tool: ThinTool) -> None:
    tool.api.queue(details("1"), Answer(seconds=5))
    await tool.deliver(tool.delivery())
    async with tool.enricher(call_seconds=0.2):
        await until(lambda: has_error(tool, "the tool's API did not answer in time"))
    assert await tool.count("fetches") == 1


async def has_error(tool: ThinTool, error: str) -> bool:
    return bool(await tool.pool.fetchval("SELECT last_error FROM tool_apis") == error)


async def test_a_tool_that_is_down_is_a_failure_that_is_tried_again(tool: ThinTool) -> None:
    tool.api.url = "http://127.0.0.1:1"
    await tool.deliver(tool.delivery())
    async with tool.enricher():
        await until(lambda: has_error(tool, "the call to the tool's API broke (ConnectError)"))
    assert [verdict for verdict, _ in await tool.verdicts()] == ["pending"]


async def test_a_delivery_that_waited_for_a_week_is_quarantined(tool: ThinTool) -> None:
    await tool.deliver(tool.delivery("1"), tool.delivery("2"))
    await tool.pool.execute("UPDATE fetches SET added = now() - $1::interval WHERE key = 'response/1'", timedelta(days=8))
    assert await fetch_queue.expire(tool.pool) == 1
    verdicts = await tool.verdicts()
    assert sorted(verdict for verdict, _ in verdicts) == ["pending", "quarantined"]
    assert "not fetched from the tool's API within 7 days: it was never called" in [reason for _, reason in verdicts]


async def test_deliveries_of_a_deleted_connection_are_dropped_with_their_bodies(tool: ThinTool) -> None:
    await tool.deliver(tool.delivery())
    await tool.connections.delete(TENANT, tool.connection.id)
    assert await fetch_queue.expire(tool.pool) == 1
    assert await tool.verdicts() == [("ignored", "the connection was deleted")]
    assert await tool.count("inbox WHERE raw IS NOT NULL") == 0
    assert await tool.connections.load_credentials(tool.connection.id) is None


async def test_credentials_that_were_replaced_meanwhile_stop_nothing(tool: ThinTool) -> None:
    former = await tool.connections.load_credentials(tool.connection.id)
    assert former
    provider = PROVIDERS["surveymonkey"].api
    assert provider
    new = provider.credentials.model_validate({"access_token": "a-token-1"})
    await tool.connections.change(TENANT, tool.connection.id, {"credentials": new})
    apis = ToolApis(tool.pool)
    assert not await apis.stop(tool.connection.id, former.sealed, "refused")
    current = await tool.connections.load_credentials(tool.connection.id)
    assert current
    assert current.values["access_token"] == "a-token-1"
    assert "a-token" not in repr(current)
    assert b"a-token" not in current.sealed
    assert await apis.stop(tool.connection.id, current.sealed, "refused")
    assert (await apis.load([tool.connection.id]))[tool.connection.id].stopped == "refused"


# --- erasures


async def erase_ada(tool: ThinTool) -> Eraser:
    """Erase the recipient of the responses, and search the stored bodies."""
    builtin = await tool.connections.built_in(TENANT)
    assert builtin
    delivery = erasure_delivery({"email": "ada@example.com"}, "erase-1", builtin)
    assert await tool.committer.commit(delivery) == "accepted"
    eraser = Eraser(tool.pool, tool.connections)
    while await eraser.step():
        pass
    return eraser


async def test_what_is_fetched_after_an_erasure_for_a_delivery_before_it_is_not_stored(tool: ThinTool) -> None:
    tool.has("1", custom_variables={})
    await tool.deliver(tool.delivery())
    eraser = await erase_ada(tool)
    assert await tool.count("erasures") == 1  # it waits for the pending delivery
    async with tool.enricher():
        await until(tool.is_empty)
    assert await tool.subjects() == []
    assert [verdict for verdict, _ in await tool.verdicts()] == ["erased", "accepted"]
    assert await tool.count("inbox WHERE octet_length(raw) > 0") == 0
    await tool.pool.execute("UPDATE erasures SET due = now()")
    assert await eraser.step()
    assert await tool.count("erasures") == 0


async def test_fetched_content_that_mentions_an_erased_customer_is_not_stored(tool: ThinTool) -> None:
    mention = {"id": "202", "answers": [{"text": "Ask ada@example.com, who helped me"}]}
    tool.has("1", custom_variables={"customer_id": "bo"}, recipient_id="0", pages=[{"id": "1", "questions": [mention]}])
    await tool.deliver(tool.delivery())
    await erase_ada(tool)
    async with tool.enricher():
        await until(tool.is_empty)
    assert await tool.subjects() == ["1"]
    assert await tool.count("inbox WHERE octet_length(raw) > 0") == 0


async def test_an_erasure_finds_fetched_content(tool: ThinTool) -> None:
    tool.has("1")
    await tool.deliver(tool.delivery())
    async with tool.enricher():
        await until(tool.is_empty)
    [raw] = [row[0] for row in await tool.pool.fetch("SELECT raw FROM inbox")]
    assert json.loads(raw)["documents"]["recipient"] == {"id": "712", "email": "ada@example.com"}
    await erase_ada(tool)
    assert await tool.subjects() == []
    assert await tool.count("inbox WHERE octet_length(raw) > 0") == 0
    assert await tool.count("erasures") == 0
    assert await tool.deliver(tool.delivery(second=9, event_type="response_updated")) == ["ignored"]
    assert await tool.count("fetches") == 0


async def test_an_erasure_that_waits_delays_no_other(tool: ThinTool) -> None:
    await tool.deliver(tool.delivery())
    await erase_ada(tool)
    builtin = await tool.connections.built_in(TENANT)
    assert builtin
    await tool.committer.commit(erasure_delivery({"id": "bo"}, "erase-2", builtin))
    eraser = Eraser(tool.pool, tool.connections)
    while await eraser.step():
        pass
    assert await tool.pool.fetchval("SELECT count(*) FROM erasures WHERE reached = seq") == 2
