"""The search for erased customers in stored bodies on a real PostgreSQL.

It is complete and resumable, runs in any number of processes, and covers deliveries whose writers did not see the erasure.
"""

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from services.ingest import eraser as module
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.eraser import Eraser
from services.ingest.inbox import erasure_jobs as jobs_of_erasures
from services.ingest.inbox import locks
from services.ingest.inbox.erasure import erase
from services.ingest.inbox.writer import insert
from shared.events import Tombstone
from tests.contract.inbox import Inbox, erasure_delivery, nps_delivery
from tests.unit.ingest.making import connection, nps, response

ANNA = {"id": "anna", "email": "anna@example.org"}


class AllConnections:
    """Every connection exists and belongs to the tenant acme."""

    async def find(self, name: str) -> Connection | None:
        return connection(id=name)

    async def built_in(self, tenant: str) -> Connection | None:
        return connection("api", tenant=tenant)


def body(record: Any) -> bytes:
    return json.dumps({"data": record}).encode()


def unread(id: str, record: Any, verdict: Any = "quarantined", tenant: str = "acme") -> Delivery:
    """A delivery without statements."""
    return replace(nps_delivery(9, id=id, tenant=tenant), verdict=verdict, reason="why", statements=(), raw=body(record))


async def stored(inbox: Inbox) -> list[tuple[str, str, bool]]:
    """Each delivery, its verdict, and whether it has a body."""
    rows = await inbox.pool.fetch("SELECT delivery, verdict, raw <> '' FROM inbox ORDER BY seq")
    return [(row[0], row[1], bool(row[2])) for row in rows]


async def erased(inbox: Inbox) -> list[str]:
    return [name for name, verdict, _ in await stored(inbox) if verdict == "erased"]


async def jobs(inbox: Inbox) -> int:
    return int(await inbox.pool.fetchval("SELECT count(*) FROM erasures"))


async def finish(*erasers: Eraser) -> None:
    """Run these replicas until none has a job."""

    async def work(eraser: Eraser) -> None:
        while await eraser.step():
            pass

    await asyncio.gather(*map(work, erasers))


async def test_after_a_crash_other_replicas_finish_the_search_concurrently(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_BODIES", 20)
    await inbox.deliver(*[unread(f"{n:03}", response(nps(), customer={"id": "anna" if n % 3 else "ben"})) for n in range(150)])
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    first = Eraser(inbox.pool, AllConnections())
    assert await first.step()
    assert await first.step()
    assert await jobs_of_erasures.claim_jobs(inbox.pool), "and now it crashes"
    assert not await first.step(), "nobody else may take it before the lease has ended"
    await inbox.pool.execute("UPDATE erasures SET claimable = now()")
    await finish(*[Eraser(inbox.pool, AllConnections()) for _ in range(3)])
    if await jobs(inbox):
        await finish(first)
    assert await jobs(inbox) == 0
    outcomes = {int(name): (verdict, raw) for name, verdict, raw in await stored(inbox) if name != "e"}
    assert outcomes == {n: ("erased", False) if n % 3 else ("quarantined", True) for n in range(150)}


async def test_many_erasures_share_a_search_and_a_later_one_delays_none(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_BODIES", 10)
    await inbox.deliver(*[unread(f"{n:03}", response(nps(), customer={"id": f"c-{n}"})) for n in range(50)])
    for n in (3, 17, 44):
        await inbox.deliver(erasure_delivery({"id": f"c-{n}"}))
    last = await inbox.pool.fetchval("SELECT max(seq) FROM erasures")
    eraser, steps = Eraser(inbox.pool, AllConnections()), 0
    while await inbox.pool.fetchval("SELECT count(*) FROM erasures WHERE seq <= $1", last):
        await inbox.deliver(erasure_delivery({"id": "c-5" if steps == 4 else f"nobody-{steps}"}))
        await eraser.step()
        steps += 1
        assert steps < 60
    assert {"003", "017", "044"} <= {*await erased(inbox)}
    await finish(eraser)
    assert await erased(inbox) == ["003", "005", "017", "044"], "the later one began at the beginning"


async def test_a_steady_stream_of_erasures_does_not_slow_the_search_for_the_first(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new erasure waits for the running search, so one search runs at a time."""
    monkeypatch.setattr(module, "STEP_BODIES", 5)
    await inbox.deliver(*[unread(f"{n:03}", response(nps(), customer={"id": f"c-{n}"})) for n in range(100)])
    await inbox.deliver(erasure_delivery({"id": "c-99"}))
    first = await inbox.pool.fetchval("SELECT max(seq) FROM erasures")
    eraser, steps = Eraser(inbox.pool, AllConnections()), 0
    while await inbox.pool.fetchval("SELECT count(*) FROM erasures WHERE seq = $1", first):
        await eraser.step()
        await inbox.deliver(erasure_delivery({"id": f"nobody-{steps}"}))
        steps += 1
        assert steps < 60, "20 steps of the search, and as many to settle those that come"
    assert await erased(inbox) == ["099"]


async def test_a_job_that_another_process_holds_is_not_claimed_with_a_new_one(inbox: Inbox) -> None:
    await inbox.deliver(erasure_delivery(ANNA, "1"))
    [first] = await jobs_of_erasures.claim_jobs(inbox.pool)
    await inbox.deliver(erasure_delivery(ANNA, "2"))
    [second] = await jobs_of_erasures.claim_jobs(inbox.pool)
    assert second.seq > first.seq
    assert await jobs_of_erasures.claim_jobs(inbox.pool) == []


async def test_a_delivery_stored_beside_the_erasure_without_seeing_it_is_deleted_afterwards(inbox: Inbox) -> None:
    """The delivery names no customer, so neither waits for the other's lock."""
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA))
    eraser = Eraser(inbox.pool, AllConnections())
    async with inbox.pool.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        await insert(db, [nps_delivery(8, id="2")], [None])
        await inbox.deliver(erasure_delivery(ANNA, "e"))
        settling = asyncio.create_task(eraser.step())
        await asyncio.sleep(0.3)
        assert not settling.done(), "it waits for the writer"
        await transaction.commit()
    await settling
    assert [type(event.body) for event in await inbox.events()] == [Tombstone]
    assert await stored(inbox) == [("1", "accepted", False), ("2", "accepted", False), ("e", "accepted", False)]


async def test_a_delivery_that_waits_for_the_erasures_locks_sees_the_erasure(inbox: Inbox) -> None:
    """Its transaction began before the erasure was committed, so it must read again once it holds its locks."""
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA))
    request = erasure_delivery(ANNA, "e")
    async with inbox.pool.acquire() as db:
        async with db.transaction():
            await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS])
            await db.execute(locks.LOCK, locks.of_customers(("acme", name) for name in request.erases))
            late = asyncio.create_task(inbox.deliver(nps_delivery(8, id="2", customer=ANNA)))
            await asyncio.sleep(0.3)
            assert not late.done()
            await erase(db, request)
        assert await late == ["ignored"]
    assert [type(event.body) for event in await inbox.events()] == [Tombstone]
    assert (await stored(inbox))[-1] == ("2", "ignored", False)


async def test_of_a_delivery_about_several_subjects_only_the_erased_one_is_left_out(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA))
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    inbox.published.clear()
    both = nps_delivery(8, id="2").statements + nps_delivery(7, id="2", subject="r-2").statements
    both = (both[0], replace(both[1], event=replace(both[1].event, position=1)))
    assert await inbox.deliver(replace(nps_delivery(8, id="2"), statements=both)) == ["accepted"]
    assert [published.subject for published in inbox.published] == ["con_1/response/r-2"]
    assert [event.subject for event in await inbox.events()] == ["con_1/response/r-1", "con_1/response/r-2"]
    assert (await stored(inbox))[-1] == ("2", "accepted", False)


@pytest.mark.parametrize("verdict", ["quarantined", "held"])
async def test_before_the_search_reaches_a_delivery_it_can_not_be_retried_or_released(inbox: Inbox, verdict: Any) -> None:
    record = response(nps(9), id="r-2", customer=ANNA)
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA), unread("2", record, verdict), unread("3", record, verdict))
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    seq = await inbox.pool.fetchval("SELECT seq FROM inbox WHERE delivery = '2'")
    assert await inbox.committer.commit_again(seq, nps_delivery(9, id="2", subject="r-2", customer=ANNA), verdict) == "erased"
    about = await inbox.pool.fetchval("SELECT seq FROM inbox WHERE delivery = '3'")
    assert await inbox.committer.commit_again(about, nps_delivery(9, id="3", subject="r-1"), verdict) == "erased", (
        "the subject is erased"
    )
    assert [type(event.body) for event in await inbox.events()] == [Tombstone]
    assert sorted(await stored(inbox))[1:3] == [("2", "erased", False), ("3", "erased", False)]


async def test_a_delivery_after_the_erasure_can_be_retried(inbox: Inbox) -> None:
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    await inbox.deliver(unread("2", response(nps(9), id="r-2", customer=ANNA)))
    seq = await inbox.pool.fetchval("SELECT seq FROM inbox WHERE delivery = '2'")
    assert await jobs(inbox) == 1
    assert await inbox.committer.commit_again(seq, nps_delivery(9, id="2", subject="r-2", customer=ANNA)) == "accepted"


async def test_a_quarantined_delivery_of_an_erased_subject_keeps_only_its_id(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA))
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    late = [replace(unread(name, response({"kind": "broken"})), subjects=(f"con_1/response/{name}",)) for name in ("r-1", "r-2")]
    assert await inbox.deliver(*late) == ["ignored", "quarantined"]
    assert (await stored(inbox))[2:] == [("r-1", "ignored", False), ("r-2", "quarantined", True)]


async def test_another_customer_with_the_same_address_keeps_everything_unless_the_address_is_erased(inbox: Inbox) -> None:
    carl = response(nps(), id="r-9", customer={"id": "carl", "email": "Anna@Example.ORG"})
    await inbox.deliver(
        nps_delivery(9, id="1", customer=ANNA), unread("2", carl), unread("3", response(nps(), customer={"email": ANNA["email"]}))
    )
    await inbox.deliver(erasure_delivery({"id": "anna"}, "e"))
    await finish(Eraser(inbox.pool, AllConnections()))
    assert sorted(await stored(inbox))[1:3] == [("2", "quarantined", True), ("3", "erased", False)]
    await inbox.deliver(erasure_delivery({"email": ANNA["email"]}, "f"))
    await finish(Eraser(inbox.pool, AllConnections()))
    assert sorted(await stored(inbox))[1] == ("2", "erased", False)


async def test_another_tenants_bodies_are_kept(inbox: Inbox) -> None:
    record = response(nps(), customer=ANNA)
    mine, theirs = unread("1", record), replace(unread("2", record, tenant="other"), connection="con_2")
    await inbox.deliver(mine, theirs)
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    await finish(Eraser(inbox.pool, AllConnections()))
    assert sorted(await stored(inbox))[:2] == [("1", "erased", False), ("2", "quarantined", True)]


async def test_the_eraser_waits_through_an_outage(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    await inbox.deliver(unread("1", response(nps(), customer=ANNA)))
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    claim, failures = jobs_of_erasures.claim_jobs, [ConnectionResetError(), TimeoutError()]

    async def failing(pool: Any) -> Any:
        if failures:
            raise failures.pop()
        return await claim(pool)

    monkeypatch.setattr(jobs_of_erasures, "claim_jobs", failing)
    running = asyncio.create_task(Eraser(inbox.pool, AllConnections()).run())
    for _ in range(200):
        if not await jobs(inbox):
            break
        await asyncio.sleep(0.05)
    assert not running.done()
    running.cancel()
    assert (await stored(inbox))[0] == ("1", "erased", False)


async def test_a_step_is_bounded_by_bytes_too(inbox: Inbox) -> None:
    large = {"x": "y" * 300_000}
    await inbox.deliver(*[unread(str(n), large) for n in range(5)])
    bodies = await jobs_of_erasures.next_bodies(inbox.pool, "acme", 0, 2**62, 200, 700_000)
    assert len(bodies) == 3
    assert len(await jobs_of_erasures.next_bodies(inbox.pool, "acme", bodies[-1].seq, 2**62, 200, 1)) == 1


async def test_a_body_that_raises_an_exception_does_not_stop_the_search_of_others(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_body = module.search_body

    def failing(body: Any, *rest: Any) -> Any:
        if b"broken" in body.raw:
            raise KeyError("anna")
        return search_body(body, *rest)

    monkeypatch.setattr(module, "search_body", failing)
    await inbox.deliver(unread("1", {"broken": True}), unread("2", response(nps(), customer=ANNA)))
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    with capture_logs() as logs:
        await finish(Eraser(inbox.pool, AllConnections()))
    assert sorted(await stored(inbox))[:2] == [("1", "quarantined", True), ("2", "erased", False)]
    assert [(entry["event"], entry["error"]) for entry in logs if entry["log_level"] == "error"] == [
        ("eraser.unreadable", "KeyError")
    ]
    assert "anna" not in str(logs)
