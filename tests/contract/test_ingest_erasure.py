"""Forgetting a customer on a real PostgreSQL: every subject, all content, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.events import Tombstone
from tests.conftest import NewDatabase
from tests.contract.ingest_world import Inbox, emptied, erasure, opened, said

ANNA = {"id": "anna"}
ANNA_WITH_ADDRESS = {"id": "anna", "email": "anna@example.org"}


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


@pytest.fixture
async def inbox(url: str) -> AsyncIterator[Inbox]:
    async with emptied(url), opened(url) as inbox:
        yield inbox


async def graves(inbox: Inbox) -> list[str]:
    return sorted(event.subject.rpartition("/")[2] for event in await inbox.events() if isinstance(event.body, Tombstone))


async def test_every_subject_ever_tied_to_the_customer_gets_a_tombstone_and_its_content_goes(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", subject="r-1", customer=ANNA))
    await inbox.take(said(8, id="2", subject="r-1"))
    await inbox.take(said(7, id="3", subject="r-2", customer=ANNA))
    await inbox.take(said(6, id="4", subject="r-3", customer={"id": "ben"}))
    inbox.handed.clear()
    assert await inbox.take(erasure(ANNA, "5")) == ["accepted"]
    events = await inbox.events()
    assert [(event.subject[-3:], type(event.body).__name__) for event in events] == [
        ("r-3", "Response"), ("r-1", "Tombstone"), ("r-2", "Tombstone"),
    ]  # fmt: skip
    assert all(event.customer is None and event.dimensions == {} for event in events[1:])
    raws = await inbox.pool.fetch("SELECT delivery, raw FROM inbox ORDER BY seq")
    assert [tuple(row) for row in raws] == [("1", None), ("2", None), ("3", None), ("4", b"raw"), ("5", b"")]
    assert [stated.event for stated in inbox.handed] == events[1:]
    assert await inbox.pool.fetchval("SELECT count(*) FROM unpublished WHERE seq = $1", events[-1].seq) == 1


async def test_the_address_leads_to_the_id_and_the_id_to_the_address(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", subject="r-1", customer=ANNA_WITH_ADDRESS))
    await inbox.take(said(8, id="2", subject="r-2", customer=ANNA))
    await inbox.take(said(7, id="3", subject="r-3", customer={"email": "Anna@Example.org"}))
    await inbox.take(said(6, id="4", subject="r-4", customer={"id": "ben", "email": "ben@example.org"}))
    await inbox.take(erasure({"email": "anna@example.org"}))
    assert await graves(inbox) == ["r-1", "r-2", "r-3"]


async def test_whoever_shares_the_customers_address_under_an_id_of_their_own_is_left_alone(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", subject="r-1", customer=ANNA_WITH_ADDRESS))
    await inbox.take(said(8, id="2", subject="r-2", customer={"id": "carl", "email": "anna@example.org"}))
    await inbox.take(erasure(ANNA))
    assert await graves(inbox) == ["r-1"]


async def test_another_tenants_customers_and_subjects_of_the_same_names_are_left_alone(inbox: Inbox) -> None:
    """Nor do they lead anywhere: there, the address belongs to Zoe."""
    zoe = {"id": "zoe", "email": ANNA_WITH_ADDRESS["email"]}
    await inbox.take(said(9, id="1", subject="r-1", customer=ANNA), said(8, id="2", subject="r-2", customer={"id": "zoe"}))
    await inbox.take(said(7, id="3", subject="r-1", customer=ANNA, tenant="other"))
    await inbox.take(said(6, id="4", subject="r-3", customer=zoe, tenant="other"))
    await inbox.take(erasure(ANNA_WITH_ADDRESS))
    found = [(event.tenant, event.subject[-3:], type(event.body).__name__) for event in await inbox.events()]
    assert sorted(found) == [
        ("acme", "r-1", "Tombstone"), ("acme", "r-2", "Response"), ("other", "r-1", "Response"), ("other", "r-3", "Response"),
    ]  # fmt: skip


async def test_an_erasure_that_is_posted_again_is_a_duplicate_and_one_of_nobody_is_accepted(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", customer=ANNA))
    assert [(await inbox.take(erasure(ANNA, "5")))[0] for _ in range(2)] == ["accepted", "duplicate"]
    assert await inbox.take(erasure({"id": "nobody"}, "6")) == ["accepted"]
    assert await graves(inbox) == ["r-1"]


async def test_what_was_erased_does_not_come_back_with_a_retry(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", customer=ANNA))
    await inbox.take(erasure(ANNA))
    assert await inbox.take(said(9, id="1", customer=ANNA)) == ["duplicate"]


async def test_whatever_is_written_beside_an_erasure_is_either_erased_or_came_after_it(inbox: Inbox) -> None:
    writing = [inbox.take(said(n % 10, id=str(n), subject=f"r-{n}", customer=ANNA)) for n in range(300)]
    await asyncio.gather(*writing[:150], inbox.take(erasure(ANNA, "erase")), *writing[150:])
    events = await inbox.events()
    erased_at = await inbox.pool.fetchval("SELECT seq FROM inbox WHERE delivery = 'erase'")
    assert {event.seq for event in events if isinstance(event.body, Tombstone)} <= {erased_at}
    assert all(event.seq > erased_at for event in events if not isinstance(event.body, Tombstone))
    assert len(events) == 300


async def test_an_address_finds_the_customer_whose_id_it_is_and_such_an_id_whoever_stated_the_address(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", subject="r-1", customer={"id": "Anna@Example.org"}))
    await inbox.take(said(8, id="2", subject="r-2", customer={"id": "77", "email": "anna@example.org"}))
    await inbox.take(said(7, id="3", subject="r-3", customer={"id": "ben"}))
    await inbox.take(erasure({"email": "anna@example.org"}))
    assert await graves(inbox) == ["r-1", "r-2"]
    await inbox.take(said(6, id="4", subject="r-4", customer={"email": "zoe@example.org"}))
    await inbox.take(erasure({"id": "Zoe@example.org"}))
    assert await graves(inbox) == ["r-1", "r-2", "r-4"]


async def test_an_id_that_is_an_address_is_found_in_what_an_earlier_version_stored(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", subject="r-1", customer={"id": "anna@example.org"}))
    await inbox.pool.execute("UPDATE events SET email = NULL")
    await inbox.take(erasure({"email": "Anna@example.org"}))
    assert await graves(inbox) == ["r-1"]


async def test_an_address_leads_to_the_other_addresses_of_the_same_id(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", subject="r-1", customer=ANNA_WITH_ADDRESS))
    await inbox.take(said(8, id="2", subject="r-2", customer={"id": "anna", "email": "work@example.org"}))
    await inbox.take(said(7, id="3", subject="r-3", customer={"email": "work@example.org"}))
    await inbox.take(erasure({"email": "anna@example.org"}))
    assert await graves(inbox) == ["r-1", "r-2", "r-3"]


async def test_a_tombstone_is_never_deleted_and_a_subject_gets_one_alone(inbox: Inbox) -> None:
    await inbox.take(said(9, id="1", customer=ANNA))
    await inbox.take(erasure(ANNA, "first"))
    [tombstone] = await inbox.events()
    assert await inbox.take(said(9, id="2", customer=ANNA), said(8, customer=ANNA)) == ["ignored", "ignored"]
    assert await inbox.take(erasure(ANNA, "second"), erasure(ANNA)) == ["accepted", "accepted"]
    assert await inbox.events() == [tombstone]
