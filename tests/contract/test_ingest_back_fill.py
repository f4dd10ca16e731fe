"""Back-fills on a real PostgreSQL and a local server in the place of Typeform's API: crashes, repeats, limits, refused tokens."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest import page_writer
from services.ingest.back_filler import NOT_FOUND
from services.ingest.domain.api_outcome import MOST_FAULTS
from services.ingest.domain.connection import Connection
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.tool_history import ListedDelivery
from services.ingest.domain.receive import receive_again, receive_listed, receive_record
from services.ingest.inbox import back_fills, jobs
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.quarantine import Quarantine
from shared.problems import Conflict
from shared.workers import Workers
from tests.conftest import NewDatabase
from tests.contract.back_fill_tool import Tool, back_fill_tool
from tests.contract.thin_tool import TENANT
from tests.fake_tool_api import Answer
from tests.unit.ingest.making import receive_body
from tests.unit.ingest.typeform_forms import FORM, listed, page, path

TOKENS = [f"t-{number}" for number in range(250, 0, -1)]
"""Of responses, the newest first."""


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


@pytest.fixture
async def tool(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tool]:
    """A connection to Typeform; its API has 250 responses on three pages."""
    async with back_fill_tool(url, monkeypatch, "typeform", {"access_token": "a-token-0"}) as tool:
        tool.api.documents |= {
            "/forms/lT4Z3j": FORM,
            path(): page(*map(listed, TOKENS[:100]), total=250),
            path(before="t-151"): page(*map(listed, TOKENS[100:200]), total=150),
            path(before="t-51"): page(*map(listed, TOKENS[200:]), total=50),
        }
        yield tool


async def test_after_a_kill_within_a_page_another_process_goes_on_and_stores_each_response_once(
    tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await tool.add("lT4Z3j")
    assert await tool.filler.step()
    assert (await tool.load(job)).results == {"accepted": 100}
    inside, turn_page = asyncio.Event(), back_fills.turn_page

    async def hanging(*arguments: Any) -> Any:
        await turn_page(*arguments)
        inside.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(back_fills, "turn_page", hanging)
        dying = asyncio.create_task(tool.filler.step())
        await inside.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    assert len(await tool.subjects()) == 100, "the page is rolled back as a whole"
    assert not await tool.filler.step(), "the claim of the dead process still holds"
    done = await tool.finish(job)
    assert (done.matched, done.results, done.problem) == (250, {"accepted": 250}, None)
    assert await tool.subjects() == TOKENS
    assert await tool.pool.fetchval("SELECT count(*) FROM unpublished") == 250


async def test_responses_of_the_webhook_and_of_a_former_back_fill_are_duplicates(tool: Tool) -> None:
    form = listed("t-3") | {"form_id": "lT4Z3j", "definition": FORM}
    body = json.dumps({"event_id": "e-1", "event_type": "form_response", "form_response": form}).encode()
    committer = Committer(tool.pool, lambda _: None, 10)
    async with Workers() as workers:
        workers.start("committer", committer.run)
        assert await committer.commit(receive_body(tool.connection, {}, body, datetime.now(UTC))) == "accepted"
    first = await tool.finish(await tool.add("lT4Z3j"))
    assert first.results == {"accepted": 249, "duplicate": 1}
    again = await tool.finish(await tool.add("lT4Z3j"))
    assert again.results == {"duplicate": 250}
    assert len(await tool.subjects()) == 250


async def test_the_first_webhook_is_neither_of_a_back_fill_nor_of_an_import(tool: Tool) -> None:
    tool.api.documents[path()] = page(listed("t-1"), total=1)
    await tool.finish(await tool.add("lT4Z3j"))
    committer, received_at = Committer(tool.pool, lambda _: None, 10), datetime(2026, 11, 20, 9, tzinfo=UTC)
    record = {"type": "response", "id": "t-2", "at": "2026-11-20T08:00:00Z"}
    async with Workers() as workers:
        workers.start("committer", committer.run)
        imported = receive_record(tool.connection, record, "import:1:1", b"", received_at)
        assert await committer.commit(imported) == "accepted"
        assert await back_fills.first_webhook(tool.pool, tool.connection.id) is None
        delivery = receive_record(tool.connection, record | {"id": "t-3"}, "e-1", b"", received_at)
        assert await committer.commit(delivery) == "accepted"
    assert await back_fills.first_webhook(tool.pool, tool.connection.id) == received_at


async def test_older_feedback_of_an_erased_customer_is_not_brought_back(tool: Tool) -> None:
    tool.api.documents[path()] = page(
        *(listed(f"t-{number}") | {"hidden": {"customer_id": f"c-{number}"}} for number in range(3)), total=3
    )
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": "c-1"}}
    committer = Committer(tool.pool, lambda _: None, 10)
    async with Workers() as workers:
        workers.start("committer", committer.run)
        await committer.commit(receive_record(tool.connection, erasure, "e-1", b"", datetime.now(UTC)))
    done = await tool.finish(await tool.add("lT4Z3j"))
    assert done.results == {"accepted": 2, "ignored": 1}
    assert await tool.subjects() == ["t-0", "t-2"]


@pytest.mark.parametrize("age", ["older", "newer"])
async def test_feedback_that_is_read_later_is_compared_with_erased_customers_too(tool: Tool, age: str) -> None:
    """A response that the mapping does not fit goes to quarantine, and is read when the mapping is mended."""
    tool.api.documents[path()] = page(
        *(listed(f"t-{n}", value=77) | {"hidden": {"customer_id": f"c-{n}"}} for n in range(2)), total=2
    )
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": "c-1"}}
    committer = Committer(tool.pool, lambda _: None, 10)
    async with Workers() as workers:
        workers.start("committer", committer.run)
        await committer.commit(receive_record(tool.connection, erasure, "e-1", b"", datetime.now(UTC)))
        await tool.pool.execute("DELETE FROM erasures")
        assert (await tool.finish(await tool.add("lT4Z3j"))).results == {"quarantined": 2}
        if age == "newer":
            await tool.pool.execute("UPDATE erased_names SET erased_at = '2020-01-01'")
        outcomes = []
        for row in await tool.pool.fetch("SELECT seq FROM inbox WHERE verdict = 'quarantined' ORDER BY seq"):
            whole = await Quarantine(tool.pool).find(TENANT, row[0])
            assert whole
            mended = replace(whole.stored, raw=whole.stored.raw.replace(b"77", b"10"))
            outcomes.append(await committer.commit_again(row[0], receive_again(tool.connection, mended, datetime.now(UTC))))
    assert outcomes == ["accepted", "erased" if age == "older" else "accepted"]
    assert await tool.subjects() == (["t-0"] if age == "older" else ["t-0", "t-1"])


async def test_a_rate_limit_is_waited_for_and_a_refused_token_until_there_is_another(tool: Tool) -> None:
    tool.api.queue(path(), Answer(429, {}, {"retry-after": "600"}))
    job = await tool.add("lT4Z3j")
    assert await tool.filler.step()
    assert not await tool.filler.step(), "the job waits"
    assert (await tool.load(job)).problem == "the tool's API answered 429"
    await tool.pool.execute("UPDATE delivery_jobs SET due = now()")
    calls = len(tool.api.calls)
    assert await tool.filler.step(), "another process does not call before Retry-After either"
    assert len(tool.api.calls) == calls
    await tool.pool.execute("UPDATE tool_apis SET blocked_until = NULL")

    tool.api.queue(path(), Answer(401, {}))
    await tool.pool.execute("UPDATE delivery_jobs SET due = now()")
    assert await tool.filler.step()
    refused = "the tool's API answered 401: it refuses the credentials"
    assert ((await tool.load(job)).problem, (await tool.load(job)).finished) == (refused, None)
    provider = PROVIDERS["typeform"].credentials
    assert provider
    renewed = provider.model_validate({"access_token": "a-token-1"})
    assert await tool.connections.change(TENANT, tool.connection.id, {"credentials": renewed})
    await tool.filler.wake(tool.connection.id)
    assert await tool.filler.step()
    assert tool.api.calls[-1] == (path(), "Bearer a-token-1")
    assert ((await tool.load(job)).results, (await tool.load(job)).problem) == ({"accepted": 100}, None)


async def test_a_page_with_too_many_values_is_fetched_in_smaller_ones(tool: Tool) -> None:
    tool.api.queue(path(), Answer(200, [0] * 60_000))
    tool.api.documents[path(size=50)] = page(*map(listed, TOKENS[:20]), total=20)
    done = await tool.finish(await tool.add("lT4Z3j"))
    assert (done.results, done.matched) == ({"accepted": 20}, 20)


async def test_an_answer_that_breaks_is_tried_again_and_a_missing_form_ends_the_job(tool: Tool) -> None:
    tool.api.queue(path(), Answer(503, {}), Answer(200, b'{"items": [', missing_bytes=10))
    job = await tool.add("lT4Z3j", "deleted")
    for attempts in (1, 2):
        await tool.pool.execute("UPDATE delivery_jobs SET due = now()")
        await tool.pool.execute("UPDATE tool_apis SET blocked_until = NULL")
        assert await tool.filler.step()
        assert (await tool.load(job)).attempts == attempts
    await tool.pool.execute("UPDATE tool_apis SET blocked_until = NULL")
    ended = await tool.finish(job)
    assert (ended.results, ended.problem, ended.attempts) == ({"accepted": 250}, NOT_FOUND, 0)


async def test_a_connection_has_one_back_fill_at_a_time_which_waits_while_it_is_paused(tool: Tool) -> None:
    job = await tool.add("lT4Z3j")
    with pytest.raises(Conflict, match="a back-fill of this connection is in progress"):
        await tool.add("lT4Z3j")
    await tool.connections.change(TENANT, tool.connection.id, {"state": "paused"})
    assert await tool.filler.step()
    assert ((await tool.load(job)).problem, tool.api.calls) == ("the connection is paused", [])
    await tool.connections.delete(TENANT, tool.connection.id)
    assert (await tool.finish(job)).problem == "the connection was deleted"
    [latest] = (await tool.filler.latest([tool.connection.id, "con_x"])).values()
    assert latest.id == job.id


async def test_pages_of_tenants_are_no_steps_of_other_jobs(tool: Tool) -> None:
    await tool.add("lT4Z3j")
    assert await jobs.claim_job(tool.pool) is None
    assert await jobs.claim_job(tool.pool, jobs.FETCHING_KINDS)


async def test_a_record_that_raises_is_quarantined_and_the_others_are_stored(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(connection: Connection, one: ListedDelivery, now: datetime) -> Any:
        if b'"t-2"' in one.body:
            raise KeyError("a customer's words")
        return receive_listed(connection, one, now)

    monkeypatch.setattr(page_writer, "receive_listed", failing)
    tool.api.documents[path()] = page(*(listed(f"t-{number}") for number in (3, 2, 1)), total=3)
    done = await tool.finish(await tool.add("lT4Z3j"))
    assert (done.results, done.problem) == ({"accepted": 2, "quarantined": 1}, None)
    [row] = await tool.pool.fetch("SELECT reason, reason_code FROM inbox WHERE verdict = 'quarantined'")
    assert tuple(row) == ("an unexpected fault of ours (KeyError)", "internal_fault")


async def test_a_back_fill_with_a_fault_of_ours_ends_after_a_few_attempts(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*arguments: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(back_fills, "turn_page", failing)
    job = await tool.add("lT4Z3j")
    for attempts in range(1, MOST_FAULTS + 1):
        assert await tool.filler.step()
        assert not await tool.filler.step(), "it waits before the next attempt"
        assert (await tool.load(job)).attempts == min(attempts, MOST_FAULTS - 1)
        await tool.pool.execute("UPDATE delivery_jobs SET due = now()")
    ended = await tool.load(job)
    assert (ended.finished is not None, ended.problem) == (True, "an unexpected fault of ours (ZeroDivisionError)")


async def test_a_canceled_back_fill_stops_and_another_stores_what_is_missing(tool: Tool) -> None:
    job = await tool.add("lT4Z3j")
    assert await tool.filler.step()
    canceled = await jobs.cancel(tool.pool, TENANT, job.id)
    assert canceled
    assert (canceled.canceled, canceled.results) == (True, {"accepted": 100})
    await tool.pool.execute("UPDATE delivery_jobs SET due = now()")
    assert not await tool.filler.step()
    assert await jobs.cancel(tool.pool, TENANT, job.id) is None
    assert (await tool.finish(await tool.add("lT4Z3j"))).results == {"accepted": 150, "duplicate": 100}
