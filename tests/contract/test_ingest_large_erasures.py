"""Erasures of customers with very many statements on a real PostgreSQL: in steps, which any process continues."""

import pytest

from services.ingest.eraser import Eraser
from services.ingest.inbox import erasure, links
from services.ingest.inbox.customers import Customers
from services.ingest.inbox.erasure_jobs import claim_jobs
from services.ingest.inbox.writer import insert
from shared.events import Tombstone
from tests.contract.inbox import Inbox, erasure_delivery, nps_delivery
from tests.contract.test_ingest_eraser import AllConnections, finish, jobs

ANNA = {"id": "anna", "email": "anna@example.org"}


async def erased_subjects(inbox: Inbox) -> set[str]:
    return {event.subject.rpartition("/")[2] for event in await inbox.events() if isinstance(event.body, Tombstone)}


@pytest.mark.parametrize("linked", [True, False])
async def test_statements_beyond_the_first_are_erased_in_the_background(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    monkeypatch.setattr(erasure, "MOST_AT_ONCE", 10)
    await inbox.deliver(*[nps_delivery(9, id=f"{n:02}", subject=f"r-{n:02}", customer=ANNA) for n in range(35)])
    await inbox.deliver(nps_delivery(9, id="ben", subject="r-ben", customer={"id": "ben"}))
    await inbox.deliver(erasure_delivery(ANNA, "e", linked=linked))
    assert len(await erased_subjects(inbox)) == 10
    stored = await Customers(inbox.pool).receipt("con_1", "e")
    assert stored
    assert (stored[1].subjects, stored[1].statements, stored[1].remaining) == (10, 10, 25)
    first = Eraser(inbox.pool, AllConnections())
    assert await first.step()
    assert len(await erased_subjects(inbox)) == 20
    assert await claim_jobs(inbox.pool), "and now it crashes"
    await inbox.pool.execute("UPDATE erasures SET claimable = now()")
    await inbox.deliver(nps_delivery(9, id="new", subject="r-new", customer=ANNA))
    await finish(Eraser(inbox.pool, AllConnections()), Eraser(inbox.pool, AllConnections()))
    assert await erased_subjects(inbox) == {f"r-{n:02}" for n in range(35)}, "what was given after the erasure counts"
    assert await jobs(inbox) == 0
    bodies = await inbox.pool.fetch("SELECT delivery FROM inbox WHERE octet_length(raw) > 0 ORDER BY delivery")
    assert [row[0] for row in bodies] == ["ben", "new"]
    unpublished = await inbox.pool.fetchval("SELECT count(*) FROM unpublished JOIN events USING (seq) WHERE customer IS NULL")
    assert unpublished == 35, "the sweeper publishes every tombstone"


async def test_an_erasure_of_an_earlier_version_begins_anew_and_it_never_claims_ours(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA))
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    assert not await inbox.pool.fetchval("SELECT count(*) FROM erasures WHERE due <= now() + interval '1 year'")
    await inbox.pool.execute("UPDATE erasures SET due = now(), claimable = NULL, reached = seq - 1")
    [job] = await claim_jobs(inbox.pool)
    assert job.reached == -1, "the earlier version may not have been able to read the bodies"
    assert await inbox.pool.fetchval("SELECT due = 'infinity' FROM erasures")


async def test_of_a_name_with_very_many_statements_a_part_is_read(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_STATEMENTS", 20)
    await inbox.deliver(*[nps_delivery(9, id=f"{n:02}", subject=f"r-{n:02}", customer=ANNA) for n in range(25)])
    await inbox.deliver(erasure_delivery({"id": "anna"}, "e", linked=True))
    stored = await Customers(inbox.pool).receipt("con_1", "e")
    assert stored
    assert (stored[1].subjects, [one.reason for one in stored[1].left_out]) == (25, ["too_many_links"])


async def test_of_a_mailbox_of_very_many_ids_nothing_is_read_in_vain(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_STATEMENTS", 20)
    mailbox = ANNA["email"]
    deliveries = [nps_delivery(9, id=f"{n}", subject=f"r-{n}", customer={"id": f"c-{n}", "email": mailbox}) for n in range(25)]
    await inbox.deliver(*deliveries)
    await inbox.deliver(erasure_delivery({"id": "c-7"}, "e", linked=True))
    stored = await Customers(inbox.pool).receipt("con_1", "e")
    assert stored
    assert (stored[1].subjects, [one.reason for one in stored[1].left_out]) == (1, ["shared"])


async def test_the_key_of_an_erasure_that_an_earlier_version_carried_out_returns_what_is_known(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA))
    await inbox.deliver(erasure_delivery(ANNA, "e"))
    await inbox.pool.execute("UPDATE inbox SET headers = '{}' WHERE delivery = 'e'")
    stored = await Customers(inbox.pool).receipt("con_1", "e")
    assert stored
    receipt = stored[1]
    assert (receipt.subjects, receipt.statements, receipt.complete) == (1, None, False)
    assert [one.reason for one in receipt.left_out] == ["not_recorded"]


async def test_a_delivery_stored_beside_a_later_batch_without_seeing_it_is_deleted_afterwards(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delivery names no customer, so it waits for no lock."""
    monkeypatch.setattr(erasure, "MOST_AT_ONCE", 2)
    await inbox.deliver(*[nps_delivery(9, id=str(n), subject=f"r-{n}", customer={"id": "anna"}) for n in range(3)])
    await inbox.deliver(erasure_delivery({"id": "anna"}, "e"))
    [left] = {f"r-{n}" for n in range(3)} - await erased_subjects(inbox)
    eraser = Eraser(inbox.pool, AllConnections())
    async with inbox.pool.acquire() as db, db.transaction():
        await insert(db, [nps_delivery(8, id="late", subject=left)], [None])
        assert await eraser.step(), "the rest is erased"
    await finish(eraser)
    assert await erased_subjects(inbox) == {"r-0", "r-1", "r-2"}
    assert {type(event.body) for event in await inbox.events()} == {Tombstone}
