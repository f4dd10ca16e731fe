"""Jobs on a real PostgreSQL: crashes, several processes, tenants in turn, erased customers, and jobs of the previous version."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.local.servers import Postgres
from services.ingest import quarantine_jobs
from services.ingest.domain.connection import Connection, FieldMapping
from services.ingest.inbox import jobs
from services.ingest.inbox.jobs import Extent, Job
from services.ingest.inbox.leases import LeaseLost
from services.ingest.inbox.quarantine import Quarantine
from services.ingest.inbox.selection import Selection
from services.ingest.job_runner import JobKind, JobRunner
from services.ingest.quarantine_jobs import UNSTORABLE, Discarder, Retrier
from services.ingest.threads import FairThreads
from shared.database import open_pool
from shared.migrations import upgrade
from shared.workers import Workers
from tests.conftest import SERVICES, NewDatabase
from tests.contract.inbox import Inbox, empty_tables, erasure_delivery, open_inbox, until
from tests.unit.ingest.making import connection, receive_body

MIGRATIONS = SERVICES / "ingest" / "migrations"
NARROW = connection("typeform", mapping=FieldMapping.model_validate({"questions": {"q": {"kind": "csat", "scale": [1, 5]}}}))
WIDE = replace(NARROW, mapping=FieldMapping.model_validate({"questions": {"q": {"kind": "csat", "scale": [1, 7]}}}), revision=2)


@dataclass
class OneConnection:
    """Every connection is `now`."""

    now: Connection = WIDE

    async def find(self, name: str) -> Connection | None:
        return self.now

    async def built_in(self, tenant: str) -> Connection | None:
        return None


def body(number: int, hidden: dict[str, str]) -> bytes:
    answer = {"type": "number", "number": 7, "field": {"id": "q", "ref": "q", "type": "rating"}}
    form = {"form_id": "f", "token": f"t-{number}", "submitted_at": "2026-11-20T10:00:00Z", "answers": [answer], "hidden": hidden}
    return json.dumps({"event_id": f"e-{number}", "event_type": "form_response", "form_response": form}).encode()


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


@pytest.fixture
async def inbox(url: str) -> AsyncIterator[Inbox]:
    async with empty_tables(url), open_inbox(url) as inbox:
        await inbox.pool.execute("""
            INSERT INTO tenants (id, name, zone, sealed_key) VALUES ('acme', 'Acme', 'UTC', '') ON CONFLICT DO NOTHING;
            INSERT INTO connections (id, tenant, provider, name, sealed_secrets) VALUES ('con_1', 'acme', 'typeform', 'a', '')
            ON CONFLICT DO NOTHING""")
        yield inbox


async def quarantine(inbox: Inbox, count: int, **hidden: str) -> None:
    """Deliver so many submissions whose value is outside the scale."""
    deliveries = [receive_body(NARROW, {}, body(number, hidden), datetime.now(UTC)) for number in range(count)]
    assert await inbox.deliver(*deliveries) == ["quarantined"] * count


def new_runner(inbox: Inbox) -> JobRunner:
    """The runner of another process."""
    retrier = Retrier(
        inbox.pool,
        OneConnection(),
        inbox.committer,
        inbox.published.extend,
        FairThreads(),
        lambda: datetime.now(UTC),
        lambda connection, delivery, outcome: None,
        lambda: None,
    )
    extent = Quarantine(inbox.pool).extent
    kinds: dict[jobs.Kind, JobKind] = {
        "retry": JobKind(extent, retrier.step),
        "discard": JobKind(extent, Discarder(inbox.pool).step),
    }
    return JobRunner(inbox.pool, kinds)


async def add(inbox: Inbox, kind: jobs.Kind = "retry", tenant: str = "acme") -> Job:
    return await new_runner(inbox).add(kind, Selection(tenant), "key_1")


async def load(inbox: Inbox, job: Job) -> Job:
    loaded = await jobs.find_job(inbox.pool, job.selection.tenant, job.id)
    assert loaded
    return loaded


async def finish(inbox: Inbox, job: Job) -> Job:
    """Run one process until the job is done."""

    async def is_done() -> bool:
        return (await load(inbox, job)).finished is not None

    async with Workers() as workers:
        workers.start("jobs", new_runner(inbox).run)
        await until(is_done)
        assert workers.dead == []
    return await load(inbox, job)


async def statements(inbox: Inbox) -> list[str]:
    return sorted(event.statement for event in await inbox.events())


async def test_after_a_kill_in_a_step_another_process_goes_on_and_counts_each_delivery_once(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_jobs, "RETRY_BATCH", 3)
    await quarantine(inbox, 8)
    job = await add(inbox)
    assert await new_runner(inbox).step()
    assert (await load(inbox, job)).results == {"accepted": 3}
    inside = asyncio.Event()
    advance = jobs.advance

    async def hanging(*arguments: Any) -> Any:
        await advance(*arguments)
        inside.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "advance", hanging)
        dying = asyncio.create_task(new_runner(inbox).step())
        await inside.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    assert (await load(inbox, job)).results == {"accepted": 3}, "the step is rolled back as a whole"
    assert len(await inbox.events()) == 3
    assert not await new_runner(inbox).step(), "the claim of the dead process still holds"
    await inbox.pool.execute("UPDATE delivery_jobs SET due = now()")
    done = await finish(inbox, job)
    assert (done.matched, done.results) == (8, {"accepted": 8})
    assert await statements(inbox) == [f"e-{number}#0" for number in range(8)]
    assert len(inbox.published) == 8
    assert await inbox.pool.fetchval("SELECT count(*) FROM unpublished") == 8


@pytest.mark.parametrize("kind", ["retry", "discard"])
async def test_several_processes_do_each_delivery_once(inbox: Inbox, monkeypatch: pytest.MonkeyPatch, kind: jobs.Kind) -> None:
    monkeypatch.setattr(quarantine_jobs, "RETRY_BATCH", 7)
    monkeypatch.setattr(quarantine_jobs, "DISCARD_BATCH", 7)
    await quarantine(inbox, 60)
    job = await add(inbox, kind)

    async def is_done() -> bool:
        await inbox.pool.execute("UPDATE delivery_jobs SET due = now()")
        return (await load(inbox, job)).finished is not None

    async with Workers() as workers:
        for number in range(3):
            workers.start(f"jobs-{number}", new_runner(inbox).run)
        await until(is_done)
        assert workers.dead == []
    outcome = {"retry": "accepted", "discard": "discarded"}[kind]
    assert (await load(inbox, job)).results == {outcome: 60}
    rows = await inbox.pool.fetch("SELECT DISTINCT verdict FROM inbox")
    assert [row[0] for row in rows] == [outcome]
    assert len(inbox.published) == (60 if kind == "retry" else 0)


async def test_a_step_of_a_process_that_lost_its_claim_stores_nothing(inbox: Inbox) -> None:
    await quarantine(inbox, 2)
    await add(inbox)
    slow = await jobs.claim_job(inbox.pool)
    assert slow
    await inbox.pool.execute("UPDATE delivery_jobs SET reached = reached + 1")
    retried = Retrier(
        inbox.pool, OneConnection(), inbox.committer, inbox.published.extend, FairThreads(),
        lambda: datetime.now(UTC), lambda connection, delivery, outcome: None, lambda: None,
    )  # fmt: skip
    with pytest.raises(LeaseLost):
        await retried.step(slow)
    assert await inbox.events() == []


async def test_tenants_get_steps_in_turn_however_many_jobs_one_has(inbox: Inbox) -> None:
    for _ in range(5):
        await jobs.add_job(inbox.pool, "discard", Selection("busy"), Extent(1, 1), None)
    await jobs.add_job(inbox.pool, "discard", Selection("calm"), Extent(1, 1), None)
    turns = []
    for _ in range(6):
        job = await jobs.claim_job(inbox.pool)
        assert job
        turns.append(job.selection.tenant)
        async with inbox.pool.acquire() as db:
            await jobs.advance(db, job, job.reached + 1, {"discarded": 1})
    assert turns == ["busy", "calm"] * 3


async def test_a_customer_who_was_erased_meanwhile_is_not_stored_by_a_retry(inbox: Inbox) -> None:
    await quarantine(inbox, 2, user_id="anna")
    await inbox.deliver(erasure_delivery({"id": "anna"}))
    done = await finish(inbox, await add(inbox))
    assert done.results == {"erased": 2}
    assert await inbox.events() == []
    rows = await inbox.pool.fetch("SELECT raw FROM inbox WHERE verdict = 'erased'")
    assert [row[0] for row in rows] == [b"", b""]


async def test_a_delivery_that_the_database_refuses_stays_and_the_others_are_accepted(inbox: Inbox) -> None:
    await quarantine(inbox, 4)
    await inbox.pool.execute("""
        CREATE FUNCTION refuse_two() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
        CREATE TRIGGER refuse_two BEFORE INSERT ON events FOR EACH ROW
        WHEN (NEW.subject LIKE '%/t-2') EXECUTE FUNCTION refuse_two()""")
    try:
        done = await finish(inbox, await add(inbox))
    finally:
        await inbox.pool.execute("DROP TRIGGER refuse_two ON events; DROP FUNCTION refuse_two")
    assert done.results == {"accepted": 3, "quarantined": 1}
    rows = await inbox.pool.fetch("SELECT reason, reason_code FROM inbox WHERE verdict = 'quarantined'")
    assert [tuple(row) for row in rows] == [(UNSTORABLE, "internal_fault")]


async def test_jobs_of_the_previous_version_are_taken_over(inbox: Inbox) -> None:
    await inbox.pool.execute("INSERT INTO rereads (tenant, connection, reached) VALUES ('acme', 'con_1', 5)")
    assert await jobs.open_rereads(inbox.pool, "acme") == ["con_1"]
    job = await jobs.claim_job(inbox.pool)
    assert job
    assert (job.kind, job.selection, job.reached) == ("reread", Selection("acme", "con_1"), 5)
    assert await inbox.pool.fetchval("SELECT count(*) FROM rereads") == 0


async def test_ended_jobs_are_forgotten_beyond_a_number_except_discards(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_ENDED", 2)
    for results in ({}, {"discarded": 1}, {"accepted": 1}, {}, {}):
        await inbox.pool.execute(
            "INSERT INTO delivery_jobs (tenant, kind, results, finished) VALUES ('acme', 'retry', $1, now())", json.dumps(results)
        )
    await jobs.add_job(inbox.pool, "retry", Selection("acme"), Extent(0, 0), None)
    listed = await jobs.list_jobs(inbox.pool, "acme", 2**62, 10)
    assert [dict(job.results) for job in listed] == [{}, {}, {}, {"discarded": 1}]
    assert [job.finished is None for job in listed] == [True, False, False, False]


REASONS = {
    "not JSON: Expecting value at character 0": "malformed_body",
    "the data is not UTF-8 at byte 3": "malformed_body",
    "more than 50000 values": "too_large",
    "the record is too long": "too_large",
    "answers.0.value: outside its scale 1..5": "outside_scale",
    "at: more than 5 minutes ahead of our clock": "time_in_future",
    "answers.0.odd: unknown field": "invalid_record",
    "question q is a rating by the mapping, but its answer is no number": "mapping_mismatch",
    "state: unknown; known are open, closed": "unknown_value",
    "form_response is missing": "unexpected_payload",
    "the tool's API answered 403: the credentials lack a permission for this object": "api_forbidden",
    "the tool's API answered 422": "api_refused",
    "the tool's API answered 503, 15 times": "api_unavailable",
    "the tool's API did not answer in time, 15 times": "api_unavailable",
    "the answer of the tool's API has too many values": "too_large",
    "not fetched from the tool's API within 7 days: the tool's API answered 503": "fetch_expired",
    "an unexpected fault of ours while reading it": "internal_fault",
    "words of a version that nobody remembers": None,
}


async def test_the_upgrade_gives_stored_deliveries_the_code_of_their_reason(postgres: Postgres) -> None:
    url = await postgres.create_database("ingest_before_codes")
    await asyncio.to_thread(upgrade, url, MIGRATIONS, "0009")
    insert = (
        "INSERT INTO inbox (seq, tenant, connection, received_at, headers, verdict, reason, revision) "
        "VALUES ($1, 'acme', 'c', now(), '{}', $2, $3, 1)"
    )
    async with open_pool(url, 1) as pool:
        for seq, reason in enumerate(REASONS):
            await pool.execute(insert, seq, "quarantined", reason)
        await pool.execute(insert, len(REASONS), "ignored", "form_response is missing")
        await asyncio.to_thread(upgrade, url, MIGRATIONS, "0010")
        await pool.execute(insert, len(REASONS) + 1, "quarantined", "by a replica of the previous version")
        rows = await pool.fetch("SELECT reason, reason_code FROM inbox ORDER BY seq")
    assert [tuple(row) for row in rows[: len(REASONS)]] == list(REASONS.items())
    assert [row["reason_code"] for row in rows[len(REASONS) :]] == [None, None]
