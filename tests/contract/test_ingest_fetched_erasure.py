"""Erasures and thin events: no content of an erased customer stays, whether it was fetched before or after."""

import json
from collections.abc import AsyncIterator

import pytest

from services.ingest.eraser import Eraser
from tests.contract.inbox import erasure_delivery, until
from tests.contract.thin_tool import TENANT, ThinTool, thin_tool


@pytest.fixture
async def tool(ingest_url: str) -> AsyncIterator[ThinTool]:
    async with thin_tool(ingest_url) as tool:
        yield tool


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


async def test_content_fetched_after_an_erasure_for_a_delivery_before_it_is_not_stored(tool: ThinTool) -> None:
    tool.has("1", custom_variables={})
    await tool.deliver(tool.delivery())
    eraser = await erase_ada(tool)
    assert await tool.count("erasures") == 1  # it waits for the pending delivery
    async with tool.enricher():
        await until(tool.is_empty)
    assert await tool.subjects() == []
    assert [verdict for verdict, _ in await tool.verdicts()] == ["erased", "accepted"]
    assert await tool.count("inbox WHERE octet_length(raw) > 0") == 0
    await tool.pool.execute("UPDATE erasures SET claimable = now()")
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
