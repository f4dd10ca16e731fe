"""The search for erased customers in stored bodies, on a real PostgreSQL: complete, resumable, by any number of processes at
once, and beside writers that don't see the erasure."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed
from structlog.testing import capture_logs

from services.ingest import eraser as module
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.eraser import Eraser
from services.ingest.inbox import erasure as jobs_of_erasures
from services.ingest.inbox import locks
from services.ingest.inbox.erasure import erase
from services.ingest.inbox.writer import insert
from shared.events import Tombstone
from tests.conftest import NewDatabase
from tests.contract.ingest_world import Inbox, emptied, erasure, opened, said
from tests.unit.ingest.making import connection, nps, response

ANNA = {"id": "anna", "email": "anna@example.org"}


class Known:
    """Every connection is known, and belongs to the tenant acme."""

    async def find(self, name: str) -> Connection | None:
        return connection(id=name)

    async def built_in(self, tenant: str) -> Connection | None:
        return connection("api", tenant=tenant)


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


@pytest.fixture
async def inbox(url: str) -> AsyncIterator[Inbox]:
    async with emptied(url), opened(url) as inbox:
        yield inbox


def body(record: Any) -> bytes:
    return json.dumps({"data": record}).encode()


def unread(id: str, record: Any, verdict: Any = "quarantined", tenant: str = "acme") -> Delivery:
    """A delivery that is kept without statements."""
    return replace(said(9, id=id, tenant=tenant), verdict=verdict, reason="why", statements=(), raw=body(record))


async def stored(inbox: Inbox) -> list[tuple[str, str, bool]]:
    """Each delivery, its verdict, and whether it has a body."""
    rows = await inbox.pool.fetch("SELECT delivery, verdict, raw <> '' FROM inbox ORDER BY seq")
    return [(row[0], row[1], bool(row[2])) for row in rows]


async def erased(inbox: Inbox) -> list[str]:
    return [name for name, verdict, _ in await stored(inbox) if verdict == "erased"]


async def jobs(inbox: Inbox) -> int:
    return int(await inbox.pool.fetchval("SELECT count(*) FROM erasures"))


async def finish(*erasers: Eraser) -> None:
    """Let these replicas work until none has anything to do."""

    async def work(eraser: Eraser) -> None:
        while await eraser.step():
            pass

    await asyncio.gather(*map(work, erasers))


async def test_a_crash_is_made_good_by_other_replicas_which_may_work_at_once(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEP_BODIES", 20)
    await inbox.take(*[unread(f"{n:03}", response(nps(), customer={"id": "anna" if n % 3 else "ben"})) for n in range(150)])
    await inbox.take(erasure(ANNA, "e"))
    first = Eraser(inbox.pool, Known())
    assert await first.step()
    assert await first.step()
    assert await jobs_of_erasures.claim_jobs(inbox.pool), "and now it crashes"
    assert not await first.step(), "nobody else may take it before the lease has ended"
    await inbox.pool.execute("UPDATE erasures SET due = now()")
    await finish(*[Eraser(inbox.pool, Known()) for _ in range(3)])
    if await jobs(inbox):
        await finish(first)
    assert await jobs(inbox) == 0
    kept = {int(name): (verdict, raw) for name, verdict, raw in await stored(inbox) if name != "e"}
    assert kept == {n: ("erased", False) if n % 3 else ("quarantined", True) for n in range(150)}


async def test_many_erasures_share_a_search_and_a_later_one_holds_up_none(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_BODIES", 10)
    await inbox.take(*[unread(f"{n:03}", response(nps(), customer={"id": f"c-{n}"})) for n in range(50)])
    for n in (3, 17, 44):
        await inbox.take(erasure({"id": f"c-{n}"}))
    last = await inbox.pool.fetchval("SELECT max(seq) FROM erasures")
    eraser, steps = Eraser(inbox.pool, Known()), 0
    while await inbox.pool.fetchval("SELECT count(*) FROM erasures WHERE seq <= $1", last):
        await inbox.take(erasure({"id": "c-5" if steps == 4 else f"nobody-{steps}"}))
        await eraser.step()
        steps += 1
        assert steps < 60
    assert {"003", "017", "044"} <= {*await erased(inbox)}
    await finish(eraser)
    assert await erased(inbox) == ["003", "005", "017", "044"], "the later one began at the beginning"


async def test_a_steady_stream_of_erasures_does_not_slow_the_search_for_the_first(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that comes waits for the search under way, so that the number of searches at a time stays one."""
    monkeypatch.setattr(module, "STEP_BODIES", 5)
    await inbox.take(*[unread(f"{n:03}", response(nps(), customer={"id": f"c-{n}"})) for n in range(100)])
    await inbox.take(erasure({"id": "c-99"}))
    first = await inbox.pool.fetchval("SELECT max(seq) FROM erasures")
    eraser, steps = Eraser(inbox.pool, Known()), 0
    while await inbox.pool.fetchval("SELECT count(*) FROM erasures WHERE seq = $1", first):
        await eraser.step()
        await inbox.take(erasure({"id": f"nobody-{steps}"}))
        steps += 1
        assert steps < 60, "20 steps of the search, and as many to settle those that come"
    assert await erased(inbox) == ["099"]


async def test_a_job_that_another_process_has_is_not_claimed_with_one_that_is_new(inbox: Inbox) -> None:
    await inbox.take(erasure(ANNA, "1"))
    [first] = await jobs_of_erasures.claim_jobs(inbox.pool)
    await inbox.take(erasure(ANNA, "2"))
    [second] = await jobs_of_erasures.claim_jobs(inbox.pool)
    assert second.seq > first.seq
    assert await jobs_of_erasures.claim_jobs(inbox.pool) == []


async def test_what_is_stored_while_the_erasure_runs_and_does_not_see_it_is_deleted_afterwards(inbox: Inbox) -> None:
    """It names no customer, so nothing makes it wait for the erasure, nor the erasure for it."""
    await inbox.take(said(9, id="1", customer=ANNA))
    eraser = Eraser(inbox.pool, Known())
    async with inbox.pool.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        await insert(db, [said(8, id="2")])
        await inbox.take(erasure(ANNA, "e"))
        settling = asyncio.create_task(eraser.step())
        await asyncio.sleep(0.3)
        assert not settling.done(), "it waits for the writer"
        await transaction.commit()
    await settling
    assert [type(event.body) for event in await inbox.events()] == [Tombstone]
    assert await stored(inbox) == [("1", "accepted", False), ("2", "accepted", False), ("e", "accepted", False)]


async def test_what_waits_for_the_erasure_sees_it(inbox: Inbox) -> None:
    """The statement that stores it began before the erasure was committed, so it must look again once it has its locks."""
    await inbox.take(said(9, id="1", customer=ANNA))
    asked = erasure(ANNA, "e")
    async with inbox.pool.acquire() as db:
        async with db.transaction():
            await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS])
            await db.execute(locks.LOCK, locks.of_customers(("acme", name) for name in asked.erases))
            late = asyncio.create_task(inbox.take(said(8, id="2", customer=ANNA)))
            await asyncio.sleep(0.3)
            assert not late.done()
            await erase(db, asked)
        assert await late == ["ignored"]
    assert [type(event.body) for event in await inbox.events()] == [Tombstone]
    assert (await stored(inbox))[-1] == ("2", "ignored", False)


async def test_of_a_delivery_about_several_subjects_only_the_erased_one_is_left_out(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", customer=ANNA))
    await inbox.take(erasure(ANNA, "e"))
    inbox.handed.clear()
    both = said(8, id="2").statements + said(7, id="2", subject="r-2").statements
    both = (both[0], replace(both[1], event=changed(both[1].event, position=1)))
    assert await inbox.take(replace(said(8, id="2"), statements=both)) == ["accepted"]
    assert [stated.event.subject for stated in inbox.handed] == ["con_1/response/r-2"]
    assert [event.subject for event in await inbox.events()] == ["con_1/response/r-1", "con_1/response/r-2"]
    assert (await stored(inbox))[-1] == ("2", "accepted", False)


@pytest.mark.parametrize("verdict", ["quarantined", "held"])
async def test_until_the_search_comes_to_it_nothing_of_the_customer_can_be_retried_or_released(
    inbox: Inbox, verdict: Any
) -> None:
    record = response(nps(9), id="r-2", customer=ANNA)
    await inbox.take(said(9, id="1", customer=ANNA), unread("2", record, verdict), unread("3", record, verdict))
    await inbox.take(erasure(ANNA, "e"))
    seq = await inbox.pool.fetchval("SELECT seq FROM inbox WHERE delivery = '2'")
    assert await inbox.committer.commit_again(seq, said(9, id="2", subject="r-2", customer=ANNA), verdict) == "erased"
    about = await inbox.pool.fetchval("SELECT seq FROM inbox WHERE delivery = '3'")
    assert await inbox.committer.commit_again(about, said(9, id="3", subject="r-1"), verdict) == "erased", "the subject is erased"
    assert [type(event.body) for event in await inbox.events()] == [Tombstone]
    assert sorted(await stored(inbox))[1:3] == [("2", "erased", False), ("3", "erased", False)]


async def test_what_the_customer_says_after_the_erasure_can_be_retried(inbox: Inbox) -> None:
    await inbox.take(erasure(ANNA, "e"))
    await inbox.take(unread("2", response(nps(9), id="r-2", customer=ANNA)))
    seq = await inbox.pool.fetchval("SELECT seq FROM inbox WHERE delivery = '2'")
    assert await jobs(inbox) == 1
    assert await inbox.committer.commit_again(seq, said(9, id="2", subject="r-2", customer=ANNA)) == "accepted"


async def test_what_is_not_understood_and_is_about_an_erased_subject_keeps_its_id_alone(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", customer=ANNA))
    await inbox.take(erasure(ANNA, "e"))
    late = [replace(unread(name, response("broken")), subjects=(f"con_1/response/{name}",)) for name in ("r-1", "r-2")]
    assert await inbox.take(*late) == ["ignored", "quarantined"]
    assert (await stored(inbox))[2:] == [("r-1", "ignored", False), ("r-2", "quarantined", True)]


async def test_another_customer_with_the_same_address_loses_nothing_unless_the_address_is_erased(inbox: Inbox) -> None:
    carl = response(nps(), id="r-9", customer={"id": "carl", "email": "Anna@Example.ORG"})
    await inbox.take(
        said(9, id="1", customer=ANNA), unread("2", carl), unread("3", response(nps(), customer={"email": ANNA["email"]}))
    )
    await inbox.take(erasure({"id": "anna"}, "e"))
    await finish(Eraser(inbox.pool, Known()))
    assert sorted(await stored(inbox))[1:3] == [("2", "quarantined", True), ("3", "erased", False)]
    await inbox.take(erasure({"email": ANNA["email"]}, "f"))
    await finish(Eraser(inbox.pool, Known()))
    assert sorted(await stored(inbox))[1] == ("2", "erased", False)


async def test_another_tenants_bodies_are_left_alone(inbox: Inbox) -> None:
    record = response(nps(), customer=ANNA)
    mine, theirs = unread("1", record), replace(unread("2", record, tenant="other"), connection="con_2")
    await inbox.take(mine, theirs)
    await inbox.take(erasure(ANNA, "e"))
    await finish(Eraser(inbox.pool, Known()))
    assert sorted(await stored(inbox))[:2] == [("1", "erased", False), ("2", "quarantined", True)]


async def test_an_outage_is_waited_out(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    await inbox.take(unread("1", response(nps(), customer=ANNA)))
    await inbox.take(erasure(ANNA, "e"))
    claim, failures = jobs_of_erasures.claim_jobs, [ConnectionResetError(), TimeoutError()]

    async def failing(pool: Any) -> Any:
        if failures:
            raise failures.pop()
        return await claim(pool)

    monkeypatch.setattr(jobs_of_erasures, "claim_jobs", failing)
    running = asyncio.create_task(Eraser(inbox.pool, Known()).run())
    for _ in range(200):
        if not await jobs(inbox):
            break
        await asyncio.sleep(0.05)
    assert not running.done()
    running.cancel()
    assert (await stored(inbox))[0] == ("1", "erased", False)


async def test_a_step_is_bounded_by_bytes_too(inbox: Inbox) -> None:
    large = {"x": "y" * 300_000}
    await inbox.take(*[unread(str(n), large) for n in range(5)])
    found = await jobs_of_erasures.next_bodies(inbox.pool, "acme", 0, 2**62, 200, 700_000)
    assert len(found) == 3
    assert len(await jobs_of_erasures.next_bodies(inbox.pool, "acme", found[-1].seq, 2**62, 200, 1)) == 1


async def test_a_body_that_a_fault_of_ours_makes_unreadable_keeps_no_other_from_being_searched(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_body = module.search_body

    def failing(body: Any, *rest: Any) -> Any:
        if b"broken" in body.raw:
            raise KeyError("anna")
        return search_body(body, *rest)

    monkeypatch.setattr(module, "search_body", failing)
    await inbox.take(unread("1", {"broken": True}), unread("2", response(nps(), customer=ANNA)))
    await inbox.take(erasure(ANNA, "e"))
    with capture_logs() as logs:
        await finish(Eraser(inbox.pool, Known()))
    assert sorted(await stored(inbox))[:2] == [("1", "quarantined", True), ("2", "erased", False)]
    assert [(entry["event"], entry["error"]) for entry in logs if entry["log_level"] == "error"] == [
        ("eraser.unreadable", "KeyError")
    ]
    assert "anna" not in str(logs)
