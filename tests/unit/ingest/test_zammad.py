"""Zammad: tickets with and without an article, states of an installation's own, repeated keys."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, Request, read_settings
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, request

PROVIDER = PROVIDERS["zammad"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
OPENED = datetime(2026, 11, 20, 8, 0, 0, 282_000, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


def fixture(name: str, article: dict[str, Any] | None = None, **ticket: Any) -> Request:
    """The request of a fixture, with changed fields of its ticket and of its article."""
    value: dict[str, Any] = json.loads((FIXTURES / f"zammad__{name}.json").read_text())
    body = value["body"]
    changed = {"ticket": body["ticket"] | ticket, "article": body["article"] and body["article"] | (article or {})}
    return request(json.dumps(changed).encode(), value["headers"])


def parse(sent: Request, mapping: dict[str, Any] | None = None) -> Parsed:
    return PROVIDER.parse(sent, read_settings("zammad", mapping or {}))


def record(sent: Request, mapping: dict[str, Any] | None = None) -> Ticket:
    parsed = parse(sent, mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Ticket)
    return read


def facts(sent: Request, kind: str, mapping: dict[str, Any] | None = None) -> list[Any]:
    return [fact for fact in record(sent, mapping).facts if fact.fact == kind]


def test_the_body_is_signed() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    headers = {"X-Hub-Signature": "sha1=4a4a0cfd7388777847ed1a45cde8ab5859f59630"}
    PROVIDER.verify(request(body, headers), ["a-former-secret", "test-secret"], NOW)
    for refused in (request(b"{}", headers), request(body), request(body, {"X-Hub-Signature": headers["X-Hub-Signature"][5:]})):
        with pytest.raises(NotVerified):
            PROVIDER.verify(refused, ["test-secret"], NOW)


def test_the_job_of_the_trigger_identifies_the_delivery() -> None:
    assert parse(fixture("created")).id == "d-1"
    assert parse(request(fixture("created").body)).id is None


def test_the_first_article_is_the_opening() -> None:
    read = record(fixture("created"), {"dimensions": {"plan": "segment", "organization": "region"}})
    assert (read.id, read.at, read.channel) == ("81", OPENED, "email")
    assert (read.dimensions.get("segment"), read.dimensions.get("region")) == ("pro", "Awesome Customer Inc.")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("zammad:8", "emily@example.com")
    [opened] = facts(fixture("created"), "opened")
    assert (opened.by, opened.text, opened.public) == ("customer", "My invoice is wrong.\n\nAll of it.", True)
    assert facts(fixture("created"), "message") == []
    [opened] = facts(fixture("created", {"internal": True, "sender": "Agent", "created_by_id": 5}), "opened")
    assert (opened.by, opened.agent, opened.public) == ("agent", "5", False)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("agent_reply", ("105", "agent", "5", True, False, "Which one?")),
        ("note", ("106", "agent", "5", False, False, "VIP")),
        ("customer_reply", ("108", "customer", None, True, False, "The last one.")),
        ("system", ("107", "bot", None, True, True, "We got your message.")),
    ],
)
def test_a_later_article_is_a_message_of_its_sender(name: str, message: tuple[Any, ...]) -> None:
    [fact] = facts(fixture(name), "message")
    assert (fact.id, fact.by, fact.agent, fact.public, fact.auto, fact.text) == message
    [opened] = facts(fixture(name), "opened")
    assert (opened.by, opened.text) == ("customer", None)


def test_a_change_without_an_article_states_status_priority_and_assignment() -> None:
    sent = fixture("closed")
    assert [(fact.status, fact.at) for fact in facts(sent, "status")] == [("closed", at(9))]
    assert [fact.priority for fact in facts(sent, "priority")] == ["high"]
    assert [(fact.agent, fact.team) for fact in facts(sent, "assigned")] == [("5", "3")]
    assert facts(sent, "message") == []
    assert [fact.agent for fact in facts(fixture("created"), "assigned")] == [None]
    assert [(fact.status, fact.at) for fact in facts(fixture("created"), "status")] == [("new", OPENED)]


@pytest.mark.parametrize(
    ("state", "status"),
    [("open", "open"), ("pending reminder", "pending"), ("pending close", "pending"), ({"name": "closed"}, "closed")],
)
def test_states_that_zammad_creates_are_known(state: Any, status: str) -> None:
    assert [fact.status for fact in facts(fixture("closed", state=state), "status")] == [status]


def test_a_state_of_the_installations_own_needs_the_mapping() -> None:
    sent = fixture("closed", state="waiting for supplier")
    parsed = parse(sent)
    assert parsed.problem == "state: unknown; declare your own states in `states` of the mapping"
    assert parsed.problem_code == "unknown_value"
    assert parsed.about == ("ticket/81",)
    mapping = {"states": {"waiting for supplier": "on_hold", "closed": "solved"}}
    assert [fact.status for fact in facts(sent, "status", mapping)] == ["on_hold"]
    assert [fact.status for fact in facts(fixture("closed"), "status", mapping)] == ["solved"]


def test_merged_and_removed_tickets_have_no_status() -> None:
    assert [fact.at for fact in facts(fixture("merged"), "merged")] == [at(9, 10)]
    assert [fact.at for fact in facts(fixture("merged", state="removed"), "deleted")] == [at(9, 10)]
    assert facts(fixture("merged"), "status") == []


def test_owner_group_and_author_have_names_and_nobody_has_none() -> None:
    assert parse(fixture("agent_reply")).names == (("team", "3", "Service Desk"), ("agent", "5", "Emma Taylor"))
    assert parse(fixture("created")).names == (("team", "3", "Service Desk"),)


def test_a_key_that_is_repeated_in_an_object_is_no_problem() -> None:
    body = fixture("created").body.replace(b'"active": true', b'"active": true, "created_by": "-", "created_by": "-"', 1)
    assert parse(request(body)).problem is None


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (request(b'{"text": "mine"}'), "ticket.id is missing: use Zammad's default payload"),
        (fixture("created", updated_at=None), "created_at and updated_at of the ticket are needed"),
        (fixture("created", created_at="soon"), "created_at is no RFC 3339 time"),
        (fixture("agent_reply", {"created_at": None}), "created_at of the article is missing"),
        (fixture("agent_reply", {"sender": "Robot"}), "sender: unknown; known are customer, agent, system"),
    ],
)
def test_a_payload_of_another_shape_is_a_problem(sent: Request, problem: str) -> None:
    assert parse(sent).problem == problem


def test_an_article_that_was_written_seconds_later_is_no_opening() -> None:
    late = (OPENED + timedelta(seconds=6)).isoformat()
    assert len(facts(fixture("created", {"created_at": late}), "message")) == 1
    assert len(facts(fixture("created", {"id": 105}, article_ids=[104, 105]), "message")) == 1
