"""Reading accepted deliveries again beside erasures: nothing of an erased customer is stored."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from services.ingest.domain.connection import Connection, FieldMapping
from services.ingest.domain.delivery import Delivery, StoredDelivery
from services.ingest.domain.pseudonym import pseudonym_of_id
from services.ingest.domain.receive import reread
from services.ingest.inbox.rereading import Step, replace_events
from tests.contract.inbox import Inbox, erasure_delivery
from tests.unit.ingest.making import connection, receive_body
from tests.unit.ingest.test_provider_contract import FIXTURES

MAIL = {"type": "email", "email": "anna@example.org", "field": {"id": "mail", "ref": "mail", "type": "email"}}
FORM = {"form_id": "f", "token": "t-1", "submitted_at": "2026-11-20T10:00:00Z", "answers": [MAIL]}
BODY = json.dumps({"event_id": "e-1", "event_type": "form_response", "form_response": FORM}).encode()

WITHOUT_MAIL = connection("typeform", mapping=FieldMapping.model_validate({"questions": {"mail": {"kind": "ignore"}}}))
WITH_MAIL = replace(WITHOUT_MAIL, mapping=FieldMapping(), revision=2)


async def read_again(inbox: Inbox, under: Connection) -> tuple[int, Delivery]:
    """The sequence number of the one delivery with a body, and the delivery as it reads under these settings."""
    row = await inbox.pool.fetchrow("SELECT seq, delivery, received_at, headers, raw, revision FROM inbox WHERE raw <> ''")
    assert row
    stored = StoredDelivery(row[0], under.id, row[1], row[2], json.loads(row[3]), row[4], "", row[5])
    return row[0], reread(under, stored, datetime.now(UTC))


async def store_again(inbox: Inbox, seq: int, delivery: Delivery) -> Step:
    async with inbox.pool.acquire() as db, db.transaction():
        return await replace_events(db, delivery.tenant, {seq: delivery})


async def test_a_customer_who_is_named_only_by_the_new_reading_is_stored(inbox: Inbox) -> None:
    await inbox.deliver(receive_body(WITHOUT_MAIL, {}, BODY, datetime.now(UTC)))
    await inbox.pool.execute("DELETE FROM unpublished")
    [event] = await inbox.events()
    assert event.customer is None
    step = await store_again(inbox, *await read_again(inbox, WITH_MAIL))
    [event] = await inbox.events()
    assert event.customer
    assert [stored.event for stored in step.events] == [event]
    assert await inbox.pool.fetchval("SELECT count(*) FROM events WHERE customer = $1 AND email = $1", event.customer) == 1
    assert await inbox.pool.fetchval("SELECT count(*) FROM unpublished") == 1


async def test_a_statement_of_an_earlier_version_gets_the_namespace_of_its_tool_and_its_aliases(inbox: Inbox) -> None:
    desk = connection("zammad")
    sent = json.loads((FIXTURES / "zammad__created.json").read_text())["body"]
    await inbox.deliver(receive_body(desk, {"x-zammad-delivery": "d-1"}, json.dumps(sent).encode(), datetime.now(UTC)))
    await inbox.pool.execute("DELETE FROM unpublished")
    former = pseudonym_of_id(desk.key, "8")
    await inbox.pool.execute("UPDATE events SET customer = $1, aliases = NULL, fingerprint = 'of another content'", former)
    await store_again(inbox, *await read_again(inbox, replace(desk, revision=2)))
    [event] = await inbox.events()
    assert event.customer == pseudonym_of_id(desk.key, "zammad:8")
    assert [alias.kind for alias in event.aliases] == ["email"]
    row = await inbox.pool.fetchrow("SELECT customer, email, aliases FROM events")
    assert row
    assert tuple(row) == (event.customer, event.aliases[0].pseudonym, [])


async def test_a_customer_who_was_erased_after_the_delivery_is_not_stored_by_the_new_reading(inbox: Inbox) -> None:
    await inbox.deliver(receive_body(WITHOUT_MAIL, {}, BODY, datetime.now(UTC)))
    await inbox.pool.execute("DELETE FROM unpublished")
    seq, delivery = await read_again(inbox, WITH_MAIL)
    await inbox.deliver(erasure_delivery({"email": "anna@example.org"}))
    step = await store_again(inbox, seq, delivery)
    assert step == Step([], [])
    [event] = await inbox.events()
    assert (event.customer, event.revision) == (None, 1)


async def test_an_erased_subject_is_not_stored_by_a_reading_that_began_before_the_erasure(inbox: Inbox) -> None:
    await inbox.deliver(receive_body(WITH_MAIL, {}, BODY, datetime.now(UTC)))
    await inbox.pool.execute("DELETE FROM unpublished")
    seq, delivery = await read_again(inbox, replace(WITH_MAIL, revision=3, dimensions={"region": "DE"}))
    await inbox.deliver(erasure_delivery({"email": "anna@example.org"}))
    await store_again(inbox, seq, delivery)
    assert [type(event.body).__name__ for event in await inbox.events()] == ["Tombstone"]


async def test_a_delivery_that_waits_to_be_published_is_not_changed(inbox: Inbox) -> None:
    await inbox.deliver(receive_body(WITHOUT_MAIL, {}, BODY, datetime.now(UTC)))
    seq, delivery = await read_again(inbox, WITH_MAIL)
    assert await store_again(inbox, seq, delivery) == Step([], [seq])
    [event] = await inbox.events()
    assert event.customer is None
    assert await inbox.pool.fetchval("SELECT revision FROM inbox WHERE seq = $1", seq) == 1
    await inbox.pool.execute("UPDATE unpublished SET comments = 100")
    assert (await store_again(inbox, seq, delivery)).waiting == []
    [event] = await inbox.events()
    assert event.customer


async def test_a_delivery_that_is_about_another_subject_now_keeps_its_events(inbox: Inbox) -> None:
    await inbox.deliver(receive_body(WITHOUT_MAIL, {}, BODY, datetime.now(UTC)))
    await inbox.pool.execute("DELETE FROM unpublished")
    seq, delivery = await read_again(inbox, WITH_MAIL)
    [statement] = delivery.statements
    moved = msgspec.structs.replace(statement, event=msgspec.structs.replace(statement.event, subject="con_1/response/t-2"))
    for statements in ((moved,), (statement, moved), ()):
        await inbox.pool.execute("UPDATE inbox SET revision = 1")
        assert await store_again(inbox, seq, msgspec.structs.replace(delivery, statements=statements)) == Step([], [])
    [event] = await inbox.events()
    assert (event.customer, event.revision) == (None, 1)
