"""The messages of HubSpot's tickets: of conversations from which they were created."""

from typing import Any

from services.ingest.domain.delivery import Delivery, StoredDelivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.hubspot.settings import HubSpotSettings
from services.ingest.domain.receive import parse_records, receive, receive_fetched
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.history_pages import begin, deliveries, read_page
from tests.unit.ingest.hubspot_documents import (
    CONTACT,
    MESSAGE_EVENT,
    MESSAGES,
    OWNER,
    PIPELINES,
    THREAD,
    THREAD_ID,
    TICKET_EVENT,
    event,
    ticket,
    ticket_documents,
)
from tests.unit.ingest.making import NOW, connection, request

TOOL = connection("hubspot", mapping=HubSpotSettings.model_validate({"stages": {"1": "new"}}))
WITH_THREAD = {"hs_conversations_originating_thread_id": THREAD_ID}


def fetched(base: dict[str, Any], documents: dict[str, Any]) -> Delivery:
    return receive_fetched(TOOL, StoredDelivery(1, "con_1", "e", NOW, {}, event(base), "", 1), documents, NOW)


def facts(delivery: Delivery, kind: str) -> list[Any]:
    assert delivery.verdict == "accepted", delivery.reason
    [value] = parse_records(TOOL, delivery)
    record = read_record(value, NOW)
    assert isinstance(record, Ticket)
    return [fact for fact in record.facts if fact.fact == kind]


def calls(base: dict[str, Any], documents: dict[str, Any]) -> list[str]:
    api = PROVIDERS["hubspot"].api
    assert api
    return [call.path for call in api.fetches(request(event(base)), documents, TOOL.mapping)]


def test_the_messages_since_the_creation_are_facts_with_their_authors() -> None:
    delivery = fetched(TICKET_EVENT, ticket_documents(**WITH_THREAD) | {"messages": MESSAGES})
    messages = [(fact.id, fact.by, fact.agent, fact.public, fact.auto, fact.text) for fact in facts(delivery, "message")]
    assert messages == [
        ("m-2", "agent", "77", True, False, None),
        ("m-3", "agent", None, False, False, None),
        ("m-4", "customer", None, True, False, "The words of m-4"),
        ("m-5", "bot", None, True, True, None),
    ]
    assert [fact.text for fact in facts(delivery, "opened")] == ["My invoice is wrong."]
    assert b"The words of m-2" not in delivery.raw, "words of agents are not stored"


def test_a_ticket_without_a_conversation_needs_no_call_for_messages() -> None:
    thread = f"/conversations/v3/conversations/threads/{THREAD_ID}/messages"
    assert thread not in calls(TICKET_EVENT, ticket_documents())
    assert calls(TICKET_EVENT, ticket_documents(**WITH_THREAD)) == [thread]
    assert calls(TICKET_EVENT, ticket_documents(**WITH_THREAD) | {"messages": None}) == []


def test_an_event_about_a_message_fetches_the_ticket_of_its_conversation() -> None:
    delivery = receive(TOOL, request(event(MESSAGE_EVENT)), NOW)
    assert (delivery.verdict, delivery.fetch) == ("pending", f"thread/{THREAD_ID}")
    assert calls(MESSAGE_EVENT, {}) == [f"/conversations/v3/conversations/threads/{THREAD_ID}"]
    assert calls(MESSAGE_EVENT, {"thread": THREAD})[0] == "/crm/v3/objects/tickets/9988776655"
    documents = ticket_documents(**WITH_THREAD) | {"messages": MESSAGES, "thread": THREAD}
    assert calls(MESSAGE_EVENT, documents) == []
    by_message, by_ticket = fetched(MESSAGE_EVENT, documents), fetched(TICKET_EVENT, documents)
    assert [one.fingerprint for one in by_message.statements] == [one.fingerprint for one in by_ticket.statements]


def test_a_message_of_a_conversation_without_a_ticket_is_ignored() -> None:
    for thread in (None, THREAD | {"threadAssociations": {}}):
        assert calls(MESSAGE_EVENT, {"thread": thread}) == []
        delivery = fetched(MESSAGE_EVENT, {"thread": thread})
        assert (delivery.verdict, delivery.reason) == ("ignored", "conversation.newMessage")


def test_a_back_fill_brings_the_messages_too() -> None:
    answers = {
        "/crm/v3/pipelines/tickets": PIPELINES,
        "/crm/v3/owners": {"results": [OWNER]},
        "/crm/v3/objects/contacts/batch/read": {"results": [CONTACT]},
        "/crm/v3/objects/tickets": {"results": [ticket(**WITH_THREAD)]},
        f"/conversations/v3/conversations/threads/{THREAD_ID}/messages": MESSAGES,
    }
    page, _ = read_page(TOOL, begin(TOOL), answers)
    [listed] = deliveries(TOOL, page)
    by_event = fetched(TICKET_EVENT, ticket_documents(**WITH_THREAD) | {"messages": MESSAGES})
    assert [one.fingerprint for one in listed.statements] == [one.fingerprint for one in by_event.statements]
