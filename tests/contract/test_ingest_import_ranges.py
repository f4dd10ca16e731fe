"""The importer on a real PostgreSQL: ranges that several processes read, and faults that stop no import for ever."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from services.ingest import importer as module
from services.ingest.domain.connection import Connection
from services.ingest.domain.imports import reading
from services.ingest.domain.imports.job import FileRange
from services.ingest.domain.receive import receive_record
from services.ingest.inbox import imports as inbox
from services.ingest.store.cipher import Cipher
from services.ingest.store.imports import Imports
from shared.database import open_pool
from tests.conftest import NewDatabase
from tests.contract.import_setup import Crash, Setup, records
from tests.service.ingest.client import SECRET_KEY
from tests.unit.ingest.making import nps, response


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


@pytest.fixture
async def setup(url: str) -> AsyncIterator[Setup]:
    async with open_pool(url, 6) as pool:
        await pool.execute("TRUNCATE inbox, events, unpublished, erasures, erased_names; DELETE FROM imports")
        yield Setup(pool, Imports(pool, Cipher(SecretStr(SECRET_KEY))))


async def test_a_file_is_read_in_ranges_by_several_processes_and_every_record_is_stored_once(setup: Setup) -> None:
    content = records(2_000)
    job = await setup.started(content + b"{}\n", cut=len(content) // 6)
    first, second = setup.importer(), setup.importer()
    assert await first.step()
    assert await setup.count("import_ranges") == 7
    results = await asyncio.gather(first.step(), second.step())
    assert results == [True, True]
    await setup.finish()
    done = await setup.load(job)
    assert (done.state, done.results) == ("done", {"accepted": 2_000, "rejected": 1})
    assert (done.bytes_read, await setup.count("inbox"), await setup.count("import_ranges")) == (len(content) + 3, 2_000, 0)
    assert await setup.uploads.errors(job.id) == [(2_001, "", "needs 'type'")]


async def test_the_last_record_of_a_file_wins_although_an_earlier_range_is_read_later(setup: Setup) -> None:
    lines = [json.dumps(response(nps(value), id="r-1")).encode() + b"\n" for value in range(3)]
    await setup.started(b"".join(lines), cut=len(lines[0]) + 5)
    importer = setup.importer()
    await importer.step()
    await setup.pool.execute("UPDATE import_ranges SET due = now() + interval '1 hour' WHERE number = 1")
    while await importer.step():
        pass
    await setup.end_claims()
    await setup.finish()
    rows = await setup.pool.fetch("SELECT event FROM events ORDER BY (event::json ->> 'at')::timestamptz")
    assert [json.loads(row[0])["body"]["answers"][0]["value"] for row in rows] == [0, 1, 2]


async def test_a_record_that_raises_is_rejected_with_the_type_of_the_error_alone(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(tool: Connection, value: Any, *arguments: Any) -> Any:
        if value["id"] == "r-1":
            raise KeyError("the customer's words")
        return receive_record(tool, value, *arguments)

    monkeypatch.setattr(reading, "receive_record", failing)
    job = await setup.started(records(3))
    await setup.finish()
    done = await setup.load(job)
    assert (done.state, done.results) == ("done", {"accepted": 2, "rejected": 1})
    assert await setup.uploads.errors(job.id) == [(2, "", "an unexpected fault of ours (KeyError)")]


async def test_an_import_that_fails_for_another_reason_ends_after_a_few_attempts_and_stops_no_other(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, other = await setup.started(records(300)), await setup.started(records(2))
    stored = inbox.store_rows

    async def failing(db: Any, part: FileRange, rows: Any, *arguments: Any) -> Any:
        if part.job.id == poisoned.id and part.position.line:
            raise ZeroDivisionError
        return await stored(db, part, rows, *arguments)

    monkeypatch.setattr(module, "store_rows", failing)
    await setup.finish()
    assert ((await setup.load(other)).state, (await setup.load(poisoned)).state) == ("done", "running")
    for _ in range(module.MOST_ATTEMPTS):
        await setup.end_claims()
        await setup.finish()
    ended = await setup.load(poisoned)
    assert (ended.state, ended.results) == ("failed", {"accepted": 256})
    assert ended.reason == "an unexpected fault of ours (ZeroDivisionError) after line 256"


async def test_an_import_that_kills_its_process_ends_after_a_few_attempts(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await setup.started(records(2))

    async def crash(*arguments: object) -> object:
        raise Crash

    monkeypatch.setattr(module, "store_rows", crash)
    assert await setup.importer().step()
    for _ in range(module.MOST_ATTEMPTS):
        with pytest.raises(Crash):
            await setup.importer().step()
        await setup.end_claims()
    await setup.finish()
    ended = await setup.load(job)
    assert (ended.state, ended.reason) == ("failed", "the importing process was killed 5 times after line 0")


async def test_an_outage_is_no_failed_attempt(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await setup.started(records(2))

    async def full(*arguments: object) -> object:
        raise asyncpg.DiskFullError

    with monkeypatch.context() as patched:
        patched.setattr(module, "store_rows", full)
        assert await setup.importer().step()
        for _ in range(module.MOST_ATTEMPTS + 2):
            with pytest.raises(asyncpg.DiskFullError):
                await setup.importer().step()
            await setup.end_claims()
    await setup.finish()
    assert (await setup.load(job)).state == "done"


async def test_an_import_that_the_previous_version_has_begun_goes_on_where_it_was(setup: Setup) -> None:
    content = records(4)
    job = await setup.started(content)
    first = content.index(b"\n") + 1
    await setup.pool.execute(
        "UPDATE imports SET prepared = true, sha256 = $2, part_offset = $3, line = 1, bytes_read = $3, results = $4"
        " WHERE id = $1",
        job.id,
        "0" * 64,
        first,
        json.dumps({"accepted": 1}),
    )
    await setup.finish()
    done = await setup.load(job)
    assert (done.state, done.results, done.bytes_read) == ("done", {"accepted": 4}, len(content))
    assert await setup.count("inbox") == 3
