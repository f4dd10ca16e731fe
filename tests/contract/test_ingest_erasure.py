"""Erasing a customer on a real PostgreSQL: all subjects and content of that customer, and of nobody else."""

import asyncio

from shared.events import Tombstone
from tests.contract.inbox import Inbox, erasure_delivery, nps_delivery

ANNA = {"id": "anna"}
ANNA_WITH_ADDRESS = {"id": "anna", "email": "anna@example.org"}


async def tombstones(inbox: Inbox) -> list[str]:
    return sorted(event.subject.rpartition("/")[2] for event in await inbox.events() if isinstance(event.body, Tombstone))


async def test_every_subject_ever_tied_to_the_customer_gets_a_tombstone_and_loses_its_content(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", subject="r-1", customer=ANNA))
    await inbox.deliver(nps_delivery(8, id="2", subject="r-1"))
    await inbox.deliver(nps_delivery(7, id="3", subject="r-2", customer=ANNA))
    await inbox.deliver(nps_delivery(6, id="4", subject="r-3", customer={"id": "ben"}))
    inbox.published.clear()
    assert await inbox.deliver(erasure_delivery(ANNA, "5")) == ["accepted"]
    events = await inbox.events()
    assert [(event.subject[-3:], type(event.body).__name__) for event in events] == [
        ("r-3", "Response"), ("r-1", "Tombstone"), ("r-2", "Tombstone"),
    ]  # fmt: skip
    assert all(event.customer is None and event.dimensions == {} for event in events[1:])
    raws = await inbox.pool.fetch("SELECT delivery, raw FROM inbox ORDER BY seq")
    assert [tuple(row) for row in raws] == [("1", None), ("2", None), ("3", None), ("4", b"raw"), ("5", b"")]
    assert [published.event for published in inbox.published] == events[1:]
    assert await inbox.pool.fetchval("SELECT count(*) FROM unpublished WHERE seq = $1", events[-1].seq) == 1


async def test_the_address_leads_to_the_id_and_the_id_to_the_address(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", subject="r-1", customer=ANNA_WITH_ADDRESS))
    await inbox.deliver(nps_delivery(8, id="2", subject="r-2", customer=ANNA))
    await inbox.deliver(nps_delivery(7, id="3", subject="r-3", customer={"email": "Anna@Example.org"}))
    await inbox.deliver(nps_delivery(6, id="4", subject="r-4", customer={"id": "ben", "email": "ben@example.org"}))
    await inbox.deliver(erasure_delivery({"email": "anna@example.org"}))
    assert await tombstones(inbox) == ["r-1", "r-2", "r-3"]


async def test_a_customer_with_the_same_address_and_another_id_is_kept(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", subject="r-1", customer=ANNA_WITH_ADDRESS))
    await inbox.deliver(nps_delivery(8, id="2", subject="r-2", customer={"id": "carl", "email": "anna@example.org"}))
    await inbox.deliver(erasure_delivery(ANNA))
    assert await tombstones(inbox) == ["r-1"]


async def test_another_tenants_customers_and_subjects_of_the_same_names_are_kept(inbox: Inbox) -> None:
    """Nor does the other tenant's data extend the search: there, the address belongs to Zoe."""
    zoe = {"id": "zoe", "email": ANNA_WITH_ADDRESS["email"]}
    await inbox.deliver(
        nps_delivery(9, id="1", subject="r-1", customer=ANNA), nps_delivery(8, id="2", subject="r-2", customer={"id": "zoe"})
    )
    await inbox.deliver(nps_delivery(7, id="3", subject="r-1", customer=ANNA, tenant="other"))
    await inbox.deliver(nps_delivery(6, id="4", subject="r-3", customer=zoe, tenant="other"))
    await inbox.deliver(erasure_delivery(ANNA_WITH_ADDRESS))
    events = [(event.tenant, event.subject[-3:], type(event.body).__name__) for event in await inbox.events()]
    assert sorted(events) == [
        ("acme", "r-1", "Tombstone"), ("acme", "r-2", "Response"), ("other", "r-1", "Response"), ("other", "r-3", "Response"),
    ]  # fmt: skip


async def test_a_repeated_erasure_is_a_duplicate_and_one_of_an_unknown_customer_is_accepted(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA))
    assert [(await inbox.deliver(erasure_delivery(ANNA, "5")))[0] for _ in range(2)] == ["accepted", "duplicate"]
    assert await inbox.deliver(erasure_delivery({"id": "nobody"}, "6")) == ["accepted"]
    assert await tombstones(inbox) == ["r-1"]


async def test_a_retried_delivery_does_not_restore_an_erased_subject(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA))
    await inbox.deliver(erasure_delivery(ANNA))
    assert await inbox.deliver(nps_delivery(9, id="1", customer=ANNA)) == ["duplicate"]


async def test_a_delivery_written_beside_an_erasure_is_either_erased_or_ordered_after_it(inbox: Inbox) -> None:
    writing = [inbox.deliver(nps_delivery(n % 10, id=str(n), subject=f"r-{n}", customer=ANNA)) for n in range(300)]
    await asyncio.gather(*writing[:150], inbox.deliver(erasure_delivery(ANNA, "erase")), *writing[150:])
    events = await inbox.events()
    erased_at = await inbox.pool.fetchval("SELECT seq FROM inbox WHERE delivery = 'erase'")
    assert {event.seq for event in events if isinstance(event.body, Tombstone)} <= {erased_at}
    assert all(event.seq > erased_at for event in events if not isinstance(event.body, Tombstone))
    assert len(events) == 300


async def test_an_address_that_is_also_an_id_erases_subjects_of_both(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", subject="r-1", customer={"id": "Anna@Example.org"}))
    await inbox.deliver(nps_delivery(8, id="2", subject="r-2", customer={"id": "77", "email": "anna@example.org"}))
    await inbox.deliver(nps_delivery(7, id="3", subject="r-3", customer={"id": "ben"}))
    await inbox.deliver(erasure_delivery({"email": "anna@example.org"}))
    assert await tombstones(inbox) == ["r-1", "r-2"]
    await inbox.deliver(nps_delivery(6, id="4", subject="r-4", customer={"email": "zoe@example.org"}))
    await inbox.deliver(erasure_delivery({"id": "Zoe@example.org"}))
    assert await tombstones(inbox) == ["r-1", "r-2", "r-4"]


async def test_an_id_that_is_an_address_matches_rows_of_an_earlier_version(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", subject="r-1", customer={"id": "anna@example.org"}))
    await inbox.pool.execute("UPDATE events SET email = NULL")
    await inbox.deliver(erasure_delivery({"email": "Anna@example.org"}))
    assert await tombstones(inbox) == ["r-1"]


async def test_an_address_leads_to_the_other_addresses_of_the_same_id(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", subject="r-1", customer=ANNA_WITH_ADDRESS))
    await inbox.deliver(nps_delivery(8, id="2", subject="r-2", customer={"id": "anna", "email": "work@example.org"}))
    await inbox.deliver(nps_delivery(7, id="3", subject="r-3", customer={"email": "work@example.org"}))
    await inbox.deliver(erasure_delivery({"email": "anna@example.org"}))
    assert await tombstones(inbox) == ["r-1", "r-2", "r-3"]


async def test_a_tombstone_is_never_deleted_and_a_subject_has_at_most_one(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", customer=ANNA))
    await inbox.deliver(erasure_delivery(ANNA, "first"))
    [tombstone] = await inbox.events()
    assert await inbox.deliver(nps_delivery(9, id="2", customer=ANNA), nps_delivery(8, customer=ANNA)) == ["ignored", "ignored"]
    assert await inbox.deliver(erasure_delivery(ANNA, "second"), erasure_delivery(ANNA)) == ["accepted", "accepted"]
    assert await inbox.events() == [tombstone]
