"""The history of Freshdesk: tickets with their messages."""

from typing import Any

import pytest

from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.freshdesk.settings import FreshdeskSettings
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.receive import parse_records
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.history_pages import Answers, begin, deliveries, read_page
from tests.unit.ingest.making import NOW, connection

TOOL = connection(
    "freshdesk",
    mapping=FreshdeskSettings.model_validate({"statuses": {"On the way": "on_hold"}, "dimensions": {"plan": "segment"}}),
)
TICKETS, FIELDS = "/api/v2/tickets", "/api/v2/ticket_fields"
CHOICES = {
    "2": ["Open", "Being Processed"],
    "4": ["Resolved", "Resolved"],
    "5": ["Closed", "Closed"],
    "8": ["On the way", "On the way"],
}
UNTIL = "2026-11-21T00:00:00+00:00"


def ticket(**changed: Any) -> dict[str, Any]:
    return {
        "id": 11,
        "created_at": "2026-11-20T08:00:00Z",
        "updated_at": "2026-11-20T10:00:00Z",
        "status": 4,
        "priority": 3,
        "source": 1,
        "type": "Incident",
        "subject": "Broken",
        "description": "<div>It is broken.</div>",
        "description_text": "It is broken.",
        "requester_id": 1001,
        "responder_id": 12,
        "group_id": 3,
        "spam": False,
        "custom_fields": {"cf_plan": "pro", "cf_note": None},
        "requester": {"id": 1001, "name": "Jo", "email": "jo@example.org", "mobile": None, "phone": None},
        "stats": {
            "agent_responded_at": "2026-11-20T09:00:00Z",
            "requester_responded_at": None,
            "first_responded_at": "2026-11-20T09:00:00Z",
            "status_updated_at": "2026-11-20T09:30:00Z",
            "reopened_at": None,
            "resolved_at": "2026-11-20T09:30:00Z",
            "closed_at": None,
            "pending_since": None,
        },
        **changed,
    }


def message(number: int, minute: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": f"2026-11-20T09:{minute:02}:00Z",
        "body": "<div>Which one?</div>",
        "body_text": "Which one?",
        "incoming": False,
        "private": False,
        "user_id": 12,
        **changed,
    }


def answers(*tickets: dict[str, Any], **more: Any) -> Answers:
    return {
        TICKETS: list(tickets),
        FIELDS: [{"id": 1, "name": "status", "choices": CHOICES}],
        "/api/v2/groups": [{"id": 3, "name": "Billing"}],
        "/api/v2/agents": [{"id": 12, "contact": {"name": "Ada Byron", "email": "ada@shop.example"}}],
        f"{TICKETS}/11/conversations": [message(1, 0), message(2, 10, incoming=True, user_id=1001, body_text="Both.")],
        **more,
    }


def only_record(documents: Answers) -> Any:
    page, _ = read_page(TOOL, begin(TOOL, until=UNTIL), documents)
    [delivery] = deliveries(TOOL, page)
    assert delivery.verdict == "accepted", delivery.reason
    [value] = parse_records(TOOL, delivery)
    record = read_record(value, NOW)
    assert isinstance(record, Ticket)
    return record


def test_a_ticket_comes_with_its_messages_and_with_names_in_place_of_ids() -> None:
    record = only_record(answers(ticket()))
    assert (record.id, record.channel, record.customer and record.customer.email) == ("11", "email", "jo@example.org")
    assert record.dimensions.get("segment") == "pro"
    opened, question, replied, solved, assigned, priority = record.facts
    assert (opened.fact, opened.text) == ("opened", "It is broken.")
    assert (question.id, question.by, question.agent, question.text) == ("1", "agent", "Ada Byron", "Which one?")
    assert (replied.id, replied.by, replied.agent, replied.text) == ("2", "customer", None, "Both.")
    assert (solved.status, f"{solved.at:%H:%M}") == ("solved", "09:30")
    assert (assigned.team, assigned.agent) == ("Billing", "Ada Byron")
    assert priority.priority == "high"


def test_the_first_calls_ask_for_the_list_in_the_order_of_changes() -> None:
    _, calls = read_page(TOOL, begin(TOOL), answers(ticket()))
    assert (calls[0].path, calls[0].query["updated_since"], calls[0].query["order_type"]) == (
        TICKETS,
        "2026-11-01T00:00:00Z",
        "asc",
    )
    assert [call.query.get("page") for call in calls[2:]] == ["1", "1", "1"]
    assert [call.path for call in calls[1:]] == [FIELDS, "/api/v2/groups", "/api/v2/agents", f"{TICKETS}/11/conversations"]


def test_a_note_is_a_private_message_without_its_text() -> None:
    conversations = [message(3, 5, private=True)]
    record = only_record(answers(ticket(), **{f"{TICKETS}/11/conversations": conversations}))
    [note] = [fact for fact in record.facts if fact.fact == "message"]
    assert (note.public, note.text) == (False, None)


def test_facts_after_the_first_webhook_are_left_out() -> None:
    until = "2026-11-20T09:05:00+00:00"
    page, _ = read_page(TOOL, begin(TOOL, until=until), answers(ticket(), ticket(id=12, created_at="2026-11-20T09:30:00Z")))
    [delivery] = deliveries(TOOL, page)
    [value] = parse_records(TOOL, delivery)
    assert [fact["fact"] for fact in value["facts"]] == ["opened", "message"]


def test_the_next_page_begins_at_the_time_of_the_last_ticket() -> None:
    full = [ticket(id=number, updated_at=f"2026-11-20T10:00:{number:02}Z") for number in range(10)]
    page, _ = read_page(TOOL, begin(TOOL), answers(*full))
    assert ((page.cursor or {})["since"], (page.cursor or {})["page"]) == ("2026-11-20T10:00:09Z", 1)
    same_second = [ticket(id=number, updated_at="2026-11-20T10:00:09Z") for number in range(10)]
    page, _ = read_page(TOOL, page.cursor or {}, answers(*same_second))
    assert ((page.cursor or {})["since"], (page.cursor or {})["page"]) == ("2026-11-20T10:00:09Z", 2)
    page, _ = read_page(TOOL, page.cursor or {}, answers(ticket()))
    assert page.cursor is None


@pytest.mark.parametrize(
    ("number", "fields", "status"),
    [
        (8, None, "on_hold"),
        (5, {FIELDS: None}, "closed"),
        (2, {FIELDS: None}, "open"),
    ],
)
def test_a_status_is_known_by_its_name_or_freshdesks_own_number(number: int, fields: Any, status: str) -> None:
    stats = {"status_updated_at": "2026-11-20T09:30:00Z"}
    record = only_record(answers(ticket(status=number, stats=stats), **(fields or {})))
    assert [fact.status for fact in record.facts if fact.fact == "status"] == [status]


def test_a_status_without_a_name_is_quarantined() -> None:
    page, _ = read_page(TOOL, begin(TOOL), answers(ticket(status=9)))
    [delivery] = deliveries(TOOL, page)
    assert (delivery.verdict, delivery.subjects) == ("quarantined", ("con_1/ticket/11",))
    assert delivery.reason_code == "unknown_value"


def test_an_answer_that_is_no_list_is_unusable() -> None:
    with pytest.raises(Unusable, match="no list of tickets"):
        read_page(TOOL, begin(TOOL), {TICKETS: {"description": "Validation failed"}, FIELDS: []})


def test_an_agents_key_is_sent_as_the_user_of_basic_authentication() -> None:
    history = PROVIDERS["freshdesk"].history
    assert history
    credentials = history.credentials.model_validate({"domain": "acme", "api_key": "the-api-key-0"})
    assert history.base_url(credentials) == "https://acme.freshdesk.com"
    assert history.headers(credentials) == {"authorization": "Basic dGhlLWFwaS1rZXktMDpY"}
