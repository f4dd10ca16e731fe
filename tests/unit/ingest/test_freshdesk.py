"""Freshdesk: the published template, filled in with and without escapes, and *Simple* content."""

import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, Request, read_settings
from services.ingest.domain.providers.freshdesk.template import template
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, fixture_request, request

PROVIDER = PROVIDERS["freshdesk"]
ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "fixtures" / "providers"


def fixture(name: str, **changed: Any) -> Request:
    sent = fixture_request(FIXTURES / f"freshdesk__{name}.json")
    return request(json.dumps(json.loads(sent.body) | changed).encode()) if changed else sent


def parse(sent: Request, mapping: dict[str, Any] | None = None) -> Parsed:
    return PROVIDER.parse(sent, read_settings("freshdesk", mapping or {}))


def record(sent: Request, mapping: dict[str, Any] | None = None) -> Ticket:
    parsed = parse(sent, mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Ticket)
    return read


def facts(sent: Request, kind: str, mapping: dict[str, Any] | None = None) -> list[Any]:
    return [fact for fact in record(sent, mapping).facts if fact.fact == kind]


def test_the_secret_is_in_a_header_or_the_password_of_basic_authentication() -> None:
    basic = base64.b64encode(b"earshot:a-secret").decode()
    PROVIDER.verify(request(b"{}", {"X-Earshot-Secret": "a-secret"}), ["a-former-secret", "a-secret"], NOW)
    PROVIDER.verify(request(b"{}", {"Authorization": f"Basic {basic}"}), ["a-secret"], NOW)
    wrong = base64.b64encode(b"a-secret:other").decode()
    for headers in (
        {},
        {"X-Earshot-Secret": "other"},
        {"X-Earshot-Secret": "other", "Authorization": f"Basic {basic}"},
        {"Authorization": f"Basic {wrong}"},
        {"Authorization": "Basic %%"},
        {"Authorization": "Bearer a-secret"},
    ):
        with pytest.raises(NotVerified):
            PROVIDER.verify(request(b"{}", headers), ["a-secret"], NOW)


def test_the_page_has_the_template_and_a_filled_in_template_is_read() -> None:
    page = (ROOT / "docs" / "providers" / "freshdesk.md").read_text()
    assert template() in page
    filled = re.sub(r"\{\{ticket\.id\}\}", "7", template()).replace("{{ticket.status}}", "Open")
    assert record(request(filled.encode())).id == "7"


def test_a_created_ticket_is_opened_by_its_requester_at_the_time_of_receipt() -> None:
    read = record(fixture("created"), {"dimensions": {"type": "segment"}})
    assert (read.id, read.at, read.channel, read.dimensions.get("segment")) == ("11", NOW, "email", "Incident")
    assert read.customer
    assert (read.customer.id, read.customer.email) == (None, "bob@example.org")
    [opened] = facts(fixture("created"), "opened")
    assert (opened.by, opened.text, opened.at) == ("customer", "My invoice is wrong.", NOW)
    assert [(fact.team, fact.agent) for fact in facts(fixture("created"), "assigned")] == [("Billing", None)]
    assert [fact.priority for fact in facts(fixture("created"), "priority")] == ["low"]
    assert facts(fixture("agent_replied"), "opened") == []


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("agent_replied", ("agent", "Ada Byron", True, "Which one?")),
        ("note_added", ("agent", "Ada Byron", False, None)),
        ("customer_replied", ("customer", None, True, "Which one?")),
    ],
)
def test_the_event_says_who_wrote(event: str, message: tuple[Any, ...]) -> None:
    [fact] = facts(fixture("agent_replied", event=event), "message")
    assert (fact.by, fact.agent, fact.public, fact.text) == message
    assert facts(fixture("agent_replied", event="updated"), "message") == []


def test_values_without_escapes_are_read() -> None:
    sent = fixture("customer_replied_unescaped")
    [message] = facts(sent, "message")
    assert message.text == 'The "last"\none.'
    assert [fact.agent for fact in facts(sent, "assigned")] == ['Ada "Ace" Byron']
    pasted = request(sent.body.replace(b"one.", b"one\x0b\x1f."), {})
    assert [fact.text for fact in facts(pasted, "message")] == ['The "last"\none\n.']


def test_simple_content_is_read() -> None:
    sent = fixture("simple")
    read = record(sent)
    assert (read.id, read.customer and read.customer.email) == ("11", "bob@example.org")
    assert [fact.status for fact in facts(sent, "status")] == ["pending"]
    assert facts(sent, "opened") == []
    opened = sent.body.replace(b"{status:{from:4,to:6}}", b"{ticket_action:created}")
    assert [fact.text for fact in facts(request(opened), "opened")] == ["My invoice is wrong."]


@pytest.mark.parametrize(
    ("status", "expected"),
    [("Open", "open"), ("resolved", "solved"), ("Waiting on Third Party", "on_hold"), ("Closed", "closed")],
)
def test_statuses_of_freshdesk_are_known(status: str, expected: str) -> None:
    assert [fact.status for fact in facts(fixture("created", status=status), "status")] == [expected]


def test_a_status_of_the_accounts_own_needs_the_mapping() -> None:
    parsed = parse(fixture("created", status="Geparkt"))
    assert parsed.problem == "status: unknown; declare your own statuses in `statuses` of the mapping"
    assert parsed.problem_code == "unknown_value"
    assert parsed.about == ("ticket/11",)
    mapping = {"statuses": {"Geparkt": "on_hold"}}
    assert [fact.status for fact in facts(fixture("created", status="Geparkt"), "status", mapping)] == ["on_hold"]


def test_a_deletion_is_one() -> None:
    assert [fact.fact for fact in record(fixture("deleted")).facts] == ["deleted"]


def test_a_delivery_that_is_read_again_keeps_its_time() -> None:
    former = NOW - timedelta(days=1)
    stored = Request.stored({}, fixture("created").body, former)
    assert record(stored).at == former
    assert parse(Request.stored({}, fixture("created").body)).problem == "the delivery has no time"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"id": "1"}', "the body is not made from Earshot's template"),
        (b'{"earshot": "', "the body is no JSON; its text must come last, as in Earshot's template"),
        (b'{"earshot": 1, "event": "solved"}', "event: unknown; known are created, updated, customer_replied, agent_replied, "
         "note_added, deleted"),
        (b'{"earshot": 1, "event": "updated"}', "id is missing"),
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_a_problem(body: bytes, problem: str) -> None:
    assert parse(request(body)).problem == problem
