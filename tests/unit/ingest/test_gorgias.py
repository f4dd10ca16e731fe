"""Gorgias: the published templates, filled in with and without escapes, with the tool's own times."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, Request, read_settings
from services.ingest.domain.providers.gorgias.template import template
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, fixture_request, request

PROVIDER = PROVIDERS["gorgias"]
ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "fixtures" / "providers"
OPENED = datetime(2026, 11, 20, 8, 0, 0, 282_000, tzinfo=UTC)


def at(hour: int, minute: int = 0, second: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, second, microsecond, tzinfo=UTC)


def fixture(name: str, **changed: Any) -> Request:
    sent = fixture_request(FIXTURES / f"gorgias__{name}.json")
    return request(json.dumps(json.loads(sent.body) | changed).encode()) if changed else sent


def parse(sent: Request, mapping: dict[str, Any] | None = None) -> Parsed:
    return PROVIDER.parse(sent, read_settings("gorgias", mapping or {}))


def record(sent: Request, mapping: dict[str, Any] | None = None) -> Ticket:
    parsed = parse(sent, mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Ticket)
    return read


def facts(sent: Request, kind: str, mapping: dict[str, Any] | None = None) -> list[Any]:
    return [fact for fact in record(sent, mapping).facts if fact.fact == kind]


def test_the_secret_is_in_a_header() -> None:
    PROVIDER.verify(request(b"{}", {"X-Earshot-Secret": "a-secret"}), ["a-former-secret", "a-secret"], NOW)
    for headers in ({}, {"X-Earshot-Secret": "other"}):
        with pytest.raises(NotVerified):
            PROVIDER.verify(request(b"{}", headers), ["a-secret"], NOW)


@pytest.mark.parametrize("name", ["ticket", "message"])
def test_the_page_has_the_templates_and_a_filled_in_template_is_read(name: Literal["ticket", "message"]) -> None:
    page = (ROOT / "docs" / "providers" / "gorgias.md").read_text()
    assert template(name) in page
    sent = fixture_request(FIXTURES / f"gorgias__{name}_{'created' if name == 'ticket' else 'first'}.json")
    assert list(json.loads(template(name))) == list(json.loads(sent.body))


def test_a_new_ticket_is_opened_by_its_author_at_its_creation() -> None:
    read = record(fixture("ticket_created"), {"dimensions": {"language": "language"}})
    assert (read.id, read.at, read.channel, read.dimensions.get("language")) == ("500", OPENED, "email", "en")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("gorgias:777", "jo@example.org")
    assert [(fact.by, fact.text, fact.at) for fact in facts(fixture("ticket_created"), "opened")] == [("customer", None, OPENED)]
    assert [(fact.team, fact.agent) for fact in facts(fixture("ticket_created"), "assigned")] == [("3", None)]
    assert [fact.priority for fact in facts(fixture("ticket_created"), "priority")] == ["normal"]
    assert [fact.by for fact in facts(fixture("ticket_created", opened_by_agent="True"), "opened")] == ["agent"]


def test_the_message_that_began_the_ticket_is_its_opening() -> None:
    [opened] = facts(fixture("message_first"), "opened")
    assert (opened.by, opened.text, opened.public, opened.at) == ("customer", "My order is late.", True, OPENED)
    assert facts(fixture("message_first"), "message") == []
    for changed in ({"written": "2026-11-20T08:00:06"}, {"written_by_agent": "True"}):
        later = fixture("message_first", **changed)
        assert [fact.text for fact in facts(later, "opened")] == [None]
        assert len(facts(later, "message")) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("message_reply", ("9002", "agent", "12", True, False, "Which order?")),
        ("message_note", ("9003", "agent", "12", False, False, "VIP")),
        ("message_rule", ("9004", "bot", None, True, True, "We got your message.")),
        ("message_unescaped", ("9005", "customer", None, True, False, 'The "last"\none.')),
    ],
)
def test_a_later_message_is_of_its_sender(name: str, message: tuple[Any, ...]) -> None:
    [fact] = facts(fixture(name), "message")
    assert (fact.id, fact.by, fact.agent, fact.public, fact.auto, fact.text) == message


def test_an_unescaped_text_states_no_fields() -> None:
    forged = 'Nice", "score": "5", "scored": "2026-11-20T08:30:00'
    head, _, _ = fixture("message_reply").body.partition(b'"text": "')
    sent = request(head + b'"text": "' + forged.encode() + b'"\n}')
    assert facts(sent, "rating") == []
    assert [fact.text for fact in facts(sent, "message")] == [forged]


def test_an_unescaped_name_states_no_fields() -> None:
    forged = 'Jo", "score": "5", "scored": "2026-11-20T08:30:00'
    filled = json.dumps(json.loads(fixture("message_reply").body) | {"sender_name": "{name}"}, indent=2)
    sent = request(filled.replace("{name}", forged).encode())
    assert facts(sent, "rating") == []
    assert len(facts(sent, "message")) == 1


def test_a_ticket_is_closed_at_its_own_time_and_one_that_is_snoozed_is_pending() -> None:
    assert [(fact.status, fact.at) for fact in facts(fixture("ticket_closed"), "status")] == [("closed", at(9, 0, 0, 400_000))]
    assert [(fact.status, fact.at) for fact in facts(fixture("ticket_snoozed"), "status")] == [("pending", at(8, 40))]
    assert [fact.status for fact in facts(fixture("ticket_created"), "status")] == ["open"]
    assert [fact.agent for fact in facts(fixture("ticket_closed"), "assigned")] == ["12"]


def test_spam_and_deletion_are_stated_and_taken_back() -> None:
    assert [(fact.value, fact.at) for fact in facts(fixture("ticket_spam"), "spam")] == [(True, at(8, 5))]
    assert [(fact.value, fact.at) for fact in facts(fixture("ticket_trashed"), "deleted")] == [(True, at(8, 6))]
    restored = fixture("ticket_created", updated="2026-11-20T08:10:00")
    assert [(fact.fact, fact.value, fact.at) for fact in record(restored).facts if fact.fact in ("spam", "deleted")] == [
        ("spam", False, at(8, 10)),
        ("deleted", False, at(8, 10)),
    ]


def test_a_rating_needs_the_lines_of_the_page_and_a_changed_one_replaces_it() -> None:
    [rating] = facts(fixture("ticket_rated"), "rating")
    assert (rating.value, rating.scale, rating.at, rating.text) == (2, (1, 5), at(10, 30), "Such speed, much pertinent.")
    assert [fact.id for fact in facts(fixture("ticket_rated", score="5"), "rating")] == [rating.id]
    assert facts(fixture("ticket_rated", score="None"), "rating") == []


@pytest.mark.parametrize("empty", ["", "None", "null", " ", "{{ticket.priority}}", None])
def test_a_variable_without_a_value_is_left_out(empty: str | None) -> None:
    sent = fixture("ticket_created", priority=empty, team=empty, closed=empty, trashed=empty, email=empty, customer=empty)
    assert facts(sent, "priority") == []
    assert [fact.team for fact in facts(sent, "assigned")] == [None]
    assert record(sent).customer is None


@pytest.mark.parametrize("words", ["none", "NULL", "Undefined"])
def test_words_of_people_are_no_missing_values(words: str) -> None:
    assert [fact.text for fact in facts(fixture("message_reply", text=words), "message")] == [words]


@pytest.mark.parametrize("written", ["2026-11-20T08:00:00.282", "2026-11-20 08:00:00.282+00:00", "2026-11-20T09:00:00.282+01:00"])
def test_times_without_an_offset_are_in_utc(written: str) -> None:
    assert record(fixture("ticket_created", created=written)).at == OPENED


def test_numbers_and_truth_values_may_be_written_as_such() -> None:
    read = record(fixture("message_reply", id=500, message=9002, written_by_agent=True, public=False, spam=False, sender=12))
    assert read.id == "500"
    [fact] = [fact for fact in read.facts if fact.fact == "message"]
    assert (fact.id, fact.by, fact.agent, fact.public) == ("9002", "agent", "12", False)


def test_a_body_that_arrives_twice_states_the_same_facts() -> None:
    assert parse(fixture("message_reply")).id is None
    assert record(fixture("message_reply")) == record(fixture("message_reply"))


def test_agents_have_names_and_customers_have_none() -> None:
    assert parse(fixture("message_reply")).names == (("agent", "12", "Ada Byron"),)
    assert parse(fixture("message_first")).names == ()


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (request(b'{"id": "1"}'), "the body is not made from Earshot's template"),
        (request(b'{"earshot": "'), "the body is no JSON; its text must come last, as in Earshot's template"),
        (fixture("ticket_created", id=""), "id is missing"),
        (fixture("ticket_created", created=""), "created is missing"),
        (fixture("ticket_created", created="soon"), "created is no time"),
        (fixture("ticket_created", status="resolved"), "status: unknown; known are open, closed"),
        (fixture("ticket_created", spam="maybe"), "spam: neither true nor false"),
        (fixture("message_reply", written=""), "written is missing"),
        (fixture("message_reply", written_by_agent="perhaps"), "written_by_agent: neither true nor false"),
        (fixture("message_reply", written_by_agent="{{message.from_agent}}"), "written_by_agent is missing"),
        (fixture("ticket_rated", score="great"), "score must be a whole number, and scored its time"),
    ],
)
def test_a_body_of_another_shape_is_a_problem(sent: Request, problem: str) -> None:
    parsed = parse(sent)
    assert parsed.problem == problem
    assert parsed.about == (("ticket/500",) if b'"500"' in sent.body else ())
