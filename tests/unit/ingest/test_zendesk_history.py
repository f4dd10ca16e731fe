"""The history of Zendesk: tickets with their audits."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage
from services.ingest.domain.receive import parse_records, receive_listed
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, connection, to_values

HISTORY = PROVIDERS["zendesk"].history
assert HISTORY
TOOL = connection("zendesk", mapping=FieldMapping.model_validate({"dimensions": {"custom_field_7": "segment"}}))
LIST = "/api/v2/incremental/tickets/cursor.json"


def ticket(**changed: Any) -> dict[str, Any]:
    return {
        "id": 5158,
        "created_at": "2026-11-20T08:00:00Z",
        "updated_at": "2026-11-20T10:00:00Z",
        "status": "solved",
        "priority": "high",
        "description": "It is broken.",
        "subject": "Broken",
        "requester_id": 8447,
        "submitter_id": 8447,
        "assignee_id": 12,
        "group_id": 3,
        "via": {"channel": "email", "source": {"from": {"address": "jo@example.org"}}},
        "custom_fields": [{"id": 7, "value": "pro"}, {"id": 8, "value": None}],
        **changed,
    }


def comment(id: int, author: int, text: str, public: bool = True) -> dict[str, Any]:
    body = {"body": text, "html_body": f"<p>{text}</p>", "plain_body": text}
    return {"id": id, "type": "Comment", "author_id": author, "public": public, **body, "attachments": []}


def change(field: str, value: Any, kind: str = "Change") -> dict[str, Any]:
    return {"id": 1, "type": kind, "field_name": field, "value": value, "previous_value": None}


def audit(minute: int, *events: dict[str, Any]) -> dict[str, Any]:
    at = f"2026-11-20T08:{minute:02}:00Z"
    return {
        "id": minute,
        "ticket_id": 5158,
        "created_at": at,
        "author_id": 12,
        "metadata": {"system": {"ip": "192.0.2.7"}},
        "events": list(events),
    }


AUDITS = [
    audit(0, comment(100, 8447, "It is broken."), change("status", "new", "Create"), change("priority", None, "Create")),
    audit(5, change("assignee_id", "12"), change("group_id", "3"), change("status", "open"), change("tags", ["x"])),
    audit(9, comment(101, 12, "VIP", public=False)),
    audit(10, comment(102, 12, "Which one?"), change("status", "pending"), {"id": 2, "type": "Notification", "body": "A letter"}),
    audit(20, comment(103, 99, "The blue one, says her friend."), change("status", "open"), change("priority", "high")),
    audit(30, comment(104, 12, "Done."), change("status", "solved")),
    audit(50, change("satisfaction_score", "good"), change("satisfaction_comment", "Great")),
]
USERS = {
    "users": [
        {"id": 8447, "role": "end-user", "name": "Jo Doe"},
        {"id": 12, "role": "agent", "name": "Ada Byron"},
        {"id": 99, "role": "end-user", "name": "Mo Doe"},
    ]
}


def begin(**changed: Any) -> Cursor:
    assert HISTORY
    return {**HISTORY.begin(datetime(2026, 1, 1, tzinfo=UTC), []), **changed}


def documents(*audits: dict[str, Any], users: Any = USERS, tickets: Any = None, **listed: Any) -> dict[str, Any]:
    page = {"tickets": [ticket()] if tickets is None else tickets, "after_cursor": "c-2", "end_of_stream": True, **listed}
    return {"tickets": page, "audits:5158:1": {"audits": list(audits or AUDITS)}, "users": users}


def read_page(fetched: dict[str, Any], cursor: Cursor | None = None) -> HistoryPage:
    assert HISTORY
    return HISTORY.read(cursor or begin(), fetched, TOOL.mapping)


def received(fetched: dict[str, Any]) -> Delivery:
    [one] = read_page(fetched).deliveries
    return receive_listed(TOOL, one, NOW)


def record(fetched: dict[str, Any]) -> Ticket:
    delivery = received(fetched)
    assert (delivery.verdict, delivery.reason) == ("accepted", None)
    [value] = parse_records(TOOL, delivery)
    parsed = read_record(value, NOW)
    assert isinstance(parsed, Ticket)
    return parsed


def facts(fetched: dict[str, Any], kind: str) -> list[Any]:
    return [fact for fact in record(fetched).facts if fact.fact == kind]


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


def test_tickets_are_listed_then_their_audits_then_the_authors() -> None:
    assert HISTORY
    first = {"start_time": "1767225600", "per_page": "10"}
    assert list(HISTORY.fetches(begin(), {}, TOOL.mapping)) == [Fetch("tickets", LIST, first)]
    assert HISTORY.fetches(begin(cursor="c-1"), {}, TOOL.mapping)[0].query == {"cursor": "c-1", "per_page": "10"}
    fetched = documents()
    listed = {"tickets": fetched["tickets"]}
    path = "/api/v2/tickets/5158/audits.json"
    one = Fetch("audits:5158:1", path, {"page": "1", "per_page": "100"}, optional=True)
    assert list(HISTORY.fetches(begin(), listed, TOOL.mapping)) == [one]
    full = listed | {"audits:5158:1": {"audits": [audit(1)] * 100}}
    assert [fetch.query["page"] for fetch in HISTORY.fetches(begin(), full, TOOL.mapping)] == ["2"]
    users = Fetch("users", "/api/v2/users/show_many.json", {"ids": "12,8447,99"}, optional=True)
    assert list(HISTORY.fetches(begin(), listed | {"audits:5158:1": fetched["audits:5158:1"]}, TOOL.mapping)) == [users]
    assert list(HISTORY.fetches(begin(), fetched, TOOL.mapping)) == []


def test_a_ticket_has_its_opening_and_its_state() -> None:
    read_ticket = record(documents())
    assert (read_ticket.id, read_ticket.at, read_ticket.channel, read_ticket.dimensions.get("segment")) == (
        "5158",
        at(8),
        "email",
        "pro",
    )
    assert read_ticket.customer
    assert read_ticket.customer.id == "zendesk:8447"
    [opened] = facts(documents(), "opened")
    assert (opened.by, opened.public, opened.text, opened.at) == ("customer", True, "It is broken.", at(8))
    assert to_values(facts(documents(), "assigned")[-1]) == {
        "fact": "assigned",
        "team": "3",
        "agent": "12",
        "at": at(10),
    }


def test_messages_have_the_ids_of_webhooks_and_authors_by_their_role() -> None:
    messages = [(fact.id, fact.by, fact.agent, fact.public, fact.text, fact.at) for fact in facts(documents(), "message")]
    assert messages == [
        ("101", "agent", "12", False, "VIP", at(8, 9)),
        ("102", "agent", "12", True, "Which one?", at(8, 10)),
        ("103", "customer", None, True, "The blue one, says her friend.", at(8, 20)),
        ("104", "agent", "12", True, "Done.", at(8, 30)),
    ]
    assert received(documents()).names == (("agent", "12", "Ada Byron"),)
    unknown = [fact.by for fact in facts(documents(users=None), "message")]
    assert unknown == ["agent"] * 4, "whoever is not the requester, as in webhooks"
    own = documents(AUDITS[0], audit(1, comment(105, 8447, "And now?")), users=None)
    assert [(fact.by, fact.agent) for fact in facts(own, "message")] == [("customer", None)]


@pytest.mark.parametrize("missing", ["plain_body", "body"])
def test_a_comment_has_its_plain_text_or_the_other_if_that_is_missing(missing: str) -> None:
    written = comment(101, 12, "Which one?") | {"plain_body": "plain", "body": "rich"}
    [message] = facts(documents(AUDITS[0], audit(1, written)), "message")
    assert message.text == "plain"
    del written[missing]
    [message] = facts(documents(AUDITS[0], audit(1, written)), "message")
    assert message.text == ("rich" if missing == "plain_body" else "plain")


def test_statuses_priorities_and_the_rating_have_the_times_of_their_changes() -> None:
    statuses = [(fact.status, fact.at) for fact in facts(documents(), "status")]
    assert statuses == [
        ("new", at(8)), ("open", at(8, 5)), ("pending", at(8, 10)), ("open", at(8, 20)), ("solved", at(8, 30)),
        ("solved", at(10)),
    ]  # fmt: skip
    assert [(fact.priority, fact.at) for fact in facts(documents(), "priority")] == [
        (None, at(8)), ("high", at(8, 20)), ("high", at(10)),
    ]  # fmt: skip
    assert [(fact.value, fact.scale, fact.text, fact.at) for fact in facts(documents(), "rating")] == [
        (1, (0, 1), "Great", at(8, 50))
    ]


def test_a_deleted_ticket_without_audits_is_deleted() -> None:
    fetched = documents(tickets=[ticket(status="deleted")]) | {"audits:5158:1": None}
    assert [fact.at for fact in facts(fetched, "deleted")] == [at(10)]
    assert facts(fetched, "message") == []


def test_only_fields_that_are_read_are_stored() -> None:
    delivery = received(documents())
    for text in (b"192.0.2.7", b"html_body", b"Broken", b"A letter", b"jo@example.org", b"Doe"):
        assert text not in delivery.raw


def test_pages_go_on_by_the_cursor_until_the_end_of_the_stream() -> None:
    page = read_page(documents(end_of_stream=False), begin(cursor="c-1"))
    assert (page.cursor, page.expected) == (begin(cursor="c-2"), 1)
    assert read_page(documents()).cursor is None
    with pytest.raises(Unusable, match="the same page again"):
        read_page(documents(end_of_stream=False), begin(cursor="c-2"))
    with pytest.raises(Unusable, match="has no `tickets`"):
        read_page(documents() | {"tickets": {"error": "x"}})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"created_at": None}, "created_at is no RFC 3339 time"), ({"updated_at": 5}, "updated_at is no RFC 3339 time")],
)
def test_a_ticket_without_times_is_quarantined(changed: dict[str, Any], reason: str) -> None:
    delivery = received(documents(tickets=[ticket(**changed)]))
    assert (delivery.verdict, delivery.reason, delivery.subjects) == ("quarantined", reason, ("con_1/ticket/5158",))


def test_the_host_is_one_label_under_zendesk_and_the_token_is_in_the_call() -> None:
    assert HISTORY
    fields = {"subdomain": "acme", "email": "ada@example.com", "api_token": "the-token"}
    values = HISTORY.credentials.model_validate(fields)
    assert HISTORY.base_url(values) == "https://acme.zendesk.com"
    expected = base64.b64encode(b"ada@example.com/token:the-token").decode()
    assert HISTORY.headers(values) == {"authorization": f"Basic {expected}"}
    for wrong in ("a.b", "evil.example/", "-a", "a_b", "", "A"):
        with pytest.raises(ValidationError):
            HISTORY.credentials.model_validate(fields | {"subdomain": wrong})
