"""The queue of thin events on a real PostgreSQL: crashes, leases that end, two enrichers, giving up."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.ingest.domain.api_outcome import MOST_FAULTS
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.inbox import fetch_queue
from services.ingest.inbox.fetch_queue import ClaimedFetch
from services.ingest.store.tool_apis import ToolApis
from tests.contract.inbox import until
from tests.contract.thin_tool import TENANT, ThinTool, details, thin_tool
from tests.fake_tool_api import Answer


@pytest.fixture
async def tool(ingest_url: str) -> AsyncIterator[ThinTool]:
    async with thin_tool(ingest_url) as tool:
        yield tool


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
        await until(tool.has_published)
    assert await tool.subjects() == ["1"]
    assert [event.subject for event in tool.published] == [f"{tool.connection.id}/response/1"]


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
        await until(lambda: tool.has_published(40))
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


async def test_a_delivery_is_given_up_after_fifteen_attempts(tool: ThinTool) -> None:
    tool.api.queue(details("1"), Answer(500, {}))
    await tool.deliver(tool.delivery())
    await tool.pool.execute("UPDATE fetches SET attempts = 14")
    async with tool.enricher():
        await until(tool.is_empty)
    assert await tool.verdicts() == [("quarantined", "the tool's API answered 500, 15 times")]


async def test_pauses_grow_and_the_api_of_the_connection_is_blocked_after_several_failures(tool: ThinTool) -> None:
    responses = ["1", "2", "3"]
    for one in responses:
        tool.api.queue(details(one), Answer(503, {}))
    await tool.deliver(*map(tool.delivery, responses))
    began = await tool.pool.fetchval("SELECT now()")
    async with tool.enricher():
        await until(lambda: is_blocked(tool))
    rows = await tool.pool.fetch(
        "SELECT due - $1 AS after, now() - $1 AS elapsed FROM fetches WHERE attempts = 1 AND token IS NULL", began
    )
    assert rows
    longest = timedelta(seconds=12.5)
    assert all(timedelta(seconds=10) <= after <= longest + elapsed for after, elapsed in rows)


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
    assert not await apis.stop(tool.connection.id, former.encrypted, "refused")
    current = await tool.connections.load_credentials(tool.connection.id)
    assert current
    assert current.values["access_token"] == "a-token-1"
    assert "a-token" not in repr(current)
    assert b"a-token" not in current.encrypted
    assert await apis.stop(tool.connection.id, current.encrypted, "refused")
    assert (await apis.load([tool.connection.id]))[tool.connection.id].stopped == "refused"


async def test_a_fault_of_ours_is_tried_again_a_few_times_then_the_delivery_is_quarantined(
    tool: ThinTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another delivery is completed meanwhile."""
    complete = fetch_queue.complete

    async def failing(db: Any, fetch: ClaimedFetch, delivery: Delivery, *arguments: Any) -> Any:
        if fetch.key.endswith("/1") and delivery.verdict == "accepted":
            raise KeyError("a customer's words")
        return await complete(db, fetch, delivery, *arguments)

    monkeypatch.setattr(fetch_queue, "complete", failing)
    tool.has("1", "2")
    await tool.deliver(tool.delivery("1"), tool.delivery("2"))

    async def is_quarantined() -> bool:
        await tool.pool.execute("UPDATE fetches SET due = now() WHERE token IS NULL")
        return ("quarantined", f"an unexpected fault of ours (KeyError), {MOST_FAULTS} times") in await tool.verdicts()

    async with tool.enricher() as enricher:
        while not await is_quarantined():
            enricher.wake()
            await asyncio.sleep(0.05)
    assert await tool.subjects() == ["2"]
    assert await tool.count("fetches") == 0
