"""The importer on a real PostgreSQL: it continues after a crash, and stores what the database takes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from services.ingest import importer as module
from services.ingest.domain.imports import batches
from services.ingest.inbox import imports as inbox
from services.ingest.inbox.leases import LeaseLost
from services.ingest.store.cipher import Cipher
from services.ingest.store.import_progress import ImportProgress
from services.ingest.store.imports import Imports
from shared.database import open_pool
from tests.conftest import NewDatabase
from tests.contract.import_setup import Crash, Setup, records, reviews
from tests.service.ingest.client import SECRET_KEY
from tests.unit.ingest.importing import read


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


@pytest.fixture
async def setup(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Setup]:
    """A turn lasts as long as the slowest machine needs for a whole import."""
    monkeypatch.setattr(module, "TURN_SECONDS", 600.0)
    async with open_pool(url, 4) as pool:
        await pool.execute("TRUNCATE inbox, events, unpublished, erasures, erased_names; DELETE FROM imports")
        yield Setup(pool, Imports(pool, Cipher(SecretStr(SECRET_KEY))))


async def test_a_crash_after_a_transaction_loses_and_repeats_no_record(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await setup.started(records(700))
    stored = inbox.store_rows
    calls = 0

    async def crash_at_the_second(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Crash
        return await stored(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "store_rows", crash_at_the_second)
    importer = setup.importer()
    assert await importer.step(), "prepares the import"
    with pytest.raises(Crash):
        await importer.step()
    halfway = await setup.load(job)
    assert (halfway.rows, await setup.count("inbox")) == (batches.BATCH_ROWS, batches.BATCH_ROWS)
    assert not await setup.importer().step()  # claimed by the process that crashed
    await setup.end_claims()
    await setup.finish()
    done = await setup.load(job)
    assert (done.state, done.results, await setup.count("inbox")) == ("done", {"accepted": 700}, 700)
    assert len(setup.observed) == len({*setup.observed}) == 700
    assert await setup.pool.fetchval("SELECT count(*) FROM import_parts WHERE content IS NOT NULL") == 0


async def test_a_crash_between_the_deliveries_of_one_line_loses_none(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    setup.tool.provider = "trustpilot"
    monkeypatch.setattr(batches, "BATCH_ROWS", 2)
    await setup.pool.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.subject ~ 'r-1-[01]$') EXECUTE FUNCTION refuse()""")
    job = await setup.started(reviews(2, of=3), file_format="trustpilot")
    stored = inbox.store_rows

    async def crash_after_two_of_the_second_line(db: Any, part: Any, rows: Any, *rest: Any) -> Any:
        if rows[-1].line == 2 and rows[-1].place == 2:
            raise Crash
        return await stored(db, part, rows, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(module, "store_rows", crash_after_two_of_the_second_line)
        importer = setup.importer()
        assert await importer.step(), "prepares the import"
        with pytest.raises(Crash):
            await importer.step()
    await setup.end_claims()
    await setup.finish()
    await setup.pool.execute("DROP TRIGGER refuse ON events; DROP FUNCTION refuse")
    subjects = await setup.pool.fetch("SELECT subject FROM events ORDER BY subject")
    assert [row[0].rpartition("/")[2] for row in subjects] == ["r-0-0", "r-0-1", "r-0-2", "r-1-2"]
    assert await setup.uploads.errors(job.id) == [(2, "", module.UNSTORABLE)] * 2
    assert (await setup.load(job)).state == "done"


async def test_records_are_stored_only_together_with_the_progress(setup: Setup) -> None:
    await setup.pool.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON import_ranges FOR EACH ROW WHEN (NEW.line > 256) EXECUTE FUNCTION refuse()""")
    job = await setup.started(records(300))
    await setup.finish()
    await setup.pool.execute("DROP TRIGGER refuse ON import_ranges; DROP FUNCTION refuse")
    assert ((await setup.load(job)).rows, await setup.count("inbox")) == (256, 256)


async def test_a_process_that_lost_its_claim_stores_nothing(setup: Setup) -> None:
    job = await setup.started(records(4))
    await setup.importer().step()
    part = await ImportProgress(setup.pool).claim_range()
    assert part
    rows = read(records(4)).rows
    async with setup.pool.acquire() as db:
        advanced = (await inbox.store_rows(db, part, rows[:2], 0)).range
        with pytest.raises(LeaseLost):
            await inbox.store_rows(db, part, rows[2:], 0)
        await setup.uploads.cancel("acme", job.id)
        with pytest.raises(LeaseLost):
            await inbox.store_rows(db, advanced, rows[2:], 0)
    assert await setup.count("inbox") == 2
    assert (await setup.load(job)).results == {"accepted": 2}


async def test_a_record_that_the_database_refuses_is_rejected_and_the_others_are_stored(setup: Setup) -> None:
    await setup.pool.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.subject LIKE '%/r-3') EXECUTE FUNCTION refuse()""")
    job = await setup.started(records(6))
    await setup.finish()
    await setup.pool.execute("DROP TRIGGER refuse ON events; DROP FUNCTION refuse")
    assert (await setup.load(job)).results == {"accepted": 5, "rejected": 1}
    assert await setup.uploads.errors(job.id) == [(4, "", module.UNSTORABLE)]


async def test_a_canceled_import_stops_and_keeps_the_stored_records(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await setup.started(records(700))
    monkeypatch.setattr(module, "TURN_SECONDS", 0.0)
    importer = setup.importer()
    await importer.step()
    await importer.step()
    await setup.uploads.cancel("acme", job.id)
    assert not await setup.importer().step()
    assert ((await setup.load(job)).state, await setup.count("inbox")) == ("canceled", batches.BATCH_ROWS)


async def test_imports_of_two_tenants_take_turns(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await setup.started(records(600)), await setup.started(records(600) + b"\n")
    await setup.pool.execute("UPDATE imports SET tenant = 'other' WHERE id = $1", second.id)
    monkeypatch.setattr(module, "TURN_SECONDS", 0.0)
    importer = setup.importer()
    for _ in range(4):
        assert await importer.step(), "prepares both, then a turn of each"
    rows = await setup.pool.fetch("SELECT line FROM import_ranges ORDER BY import_id")
    assert [row[0] for row in rows] == [batches.BATCH_ROWS] * 2
    assert first.id < second.id


async def test_parts_are_encrypted(setup: Setup) -> None:
    job = await setup.started(records(1))
    content = await setup.pool.fetchval("SELECT content FROM import_parts WHERE import_id = $1", job.id)
    assert b"r-0" not in content
    assert b"r-0" in (await setup.uploads.load_part(job.id, 1) or b"")


async def test_an_abandoned_upload_is_canceled_after_a_week(setup: Setup) -> None:
    job = await setup.uploads.create("acme", "con_1", "ndjson", None, None, None)
    assert job
    await setup.pool.execute("UPDATE imports SET changed = now() - interval '8 days'")
    await setup.importer().step()
    assert (await setup.load(job)).state == "canceled"
