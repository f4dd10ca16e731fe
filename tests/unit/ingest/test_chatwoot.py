"""Chatwoot: signatures and tokens, conversations, messages and ratings."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.record import Ticket, read_record
from tests import signing
from tests.unit.ingest.making import NOW, request

PROVIDER = PROVIDERS["chatwoot"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
OPENED = datetime(2026, 1, 10, 7, 56, 29, tzinfo=UTC)
SECRET = "a-chatwoot-secret"
HEADERS = {"x-chatwoot-timestamp": "1768033000", "x-chatwoot-delivery": "d-1"}


def fixture(name: str, **changed: Any) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((FIXTURES / f"chatwoot__{name}.json").read_text())
    return payload | changed


def parse(payload: Any, mapping: FieldMapping | None = None, headers: dict[str, str] = HEADERS) -> Parsed:
    return PROVIDER.parse(request(json.dumps(payload).encode(), headers), mapping or FieldMapping())


def record(payload: Any, mapping: FieldMapping | None = None, headers: dict[str, str] = HEADERS) -> Ticket:
    parsed = parse(payload, mapping, headers)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Ticket)
    return read


def facts(payload: Any, kind: str, headers: dict[str, str] = HEADERS) -> list[Any]:
    return [fact for fact in record(payload, headers=headers).facts if fact.fact == kind]


def test_timestamp_and_body_are_signed() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    headers = {
        "x-chatwoot-signature": "sha256=353b17ff6600a766bdb968fdff1ee666b71ebd53764763d96bc3c27af5f64cd1",
        "x-chatwoot-timestamp": "1700000000",
    }
    sent = datetime.fromtimestamp(1_700_000_000, UTC)
    PROVIDER.verify(request(body, headers), ["former-secret", "test-secret"], sent + timedelta(minutes=5))
    for refused, at in (
        (headers, sent + timedelta(minutes=6)),
        (headers | {"x-chatwoot-timestamp": "1700000001"}, sent),
        ({}, sent),
    ):
        with pytest.raises(NotVerified):
            PROVIDER.verify(request(body, refused), ["test-secret"], at)


def test_a_delivery_without_a_signature_needs_the_token_in_the_url() -> None:
    PROVIDER.verify(request(b"{}", query=f"token={SECRET}"), [SECRET], NOW)
    forged = signing.chatwoot("another-secret", b"{}", at=NOW.timestamp())
    for headers, query in (({}, "token=wrong"), ({}, "token="), ({}, ""), (forged, f"token={SECRET}")):
        with pytest.raises(NotVerified):
            PROVIDER.verify(request(b"{}", headers, query=query), [SECRET], NOW)


def test_the_delivery_is_identified_by_its_header() -> None:
    assert parse(fixture("message_created_reply")).id == "d-1"
    assert parse(fixture("message_created_reply"), headers={}).id is None


def test_a_conversation_is_opened_by_the_author_of_its_first_message() -> None:
    mapping = FieldMapping.model_validate(
        {"dimensions": {"plan": "segment", "browser_language": "language", "inbox_id": "region"}}
    )
    read = record(fixture("conversation_created"), mapping)
    assert (read.id, read.at, read.channel) == ("42", OPENED, "WebWidget")
    assert (read.dimensions.get("segment"), read.dimensions.get("language"), read.dimensions.get("region")) == ("pro", "de", "2")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("c-77", "jo@example.org")
    [opened] = facts(fixture("conversation_created"), "opened")
    assert (opened.by, opened.text, opened.at) == ("customer", "My invoice is wrong.", OPENED)
    assert [fact.status for fact in facts(fixture("conversation_created"), "status")] == ["pending"]
    by_agent = {"message_type": 1, "content": "Hello!", "sender": {"id": 3, "type": "user"}}
    [opened] = facts(fixture("conversation_created", messages=[by_agent]), "opened")
    assert (opened.by, opened.agent) == ("agent", "3")


def test_the_first_message_states_the_opening_too_and_a_greeting_does_not() -> None:
    [opened] = facts(fixture("message_created_first"), "opened")
    assert (opened.by, opened.text, opened.at) == ("customer", "My invoice is wrong.", OPENED)
    for name in ("message_created_bot", "message_created_reply", "conversation_updated", "conversation_status_changed"):
        assert facts(fixture(name), "opened") == []
    greeting = {"message_type": 1, "content": "Hi", "sender": {"type": "agent_bot"}}
    [opened] = facts(fixture("conversation_created", messages=[greeting]), "opened")
    assert (opened.by, opened.text) == ("customer", None)


@pytest.mark.parametrize(
    ("name", "author"),
    [
        ("message_created_first", ("customer", None, True, False)),
        ("message_created_reply", ("agent", "3", True, False)),
        ("message_created_note", ("agent", "3", False, False)),
        ("message_created_bot", ("bot", None, True, True)),
    ],
)
def test_the_sender_and_the_type_decide_who_wrote(name: str, author: tuple[Any, ...]) -> None:
    payload = fixture(name)
    [message] = facts(payload, "message")
    assert (message.by, message.agent, message.public, message.auto) == author
    assert (message.id, message.text) == (str(payload["id"]), payload["content"])


@pytest.mark.parametrize(
    ("sender", "sender_type", "author"),
    [
        ({"id": 3, "name": "Ada", "email": "ada@shop.example"}, None, ("agent", "3")),
        ({"id": 3, "name": "Ada"}, "User", ("agent", "3")),
        ({"id": 8, "name": "Bot"}, "AgentBot", ("bot", None)),
        ({}, None, ("bot", None)),
    ],
)
def test_a_sender_without_a_type_is_a_person_if_something_else_says_so(
    sender: dict[str, Any], sender_type: str | None, author: tuple[str, str | None]
) -> None:
    [message] = facts(fixture("message_created_reply", sender=sender, sender_type=sender_type), "message")
    assert (message.by, message.agent) == author


def test_a_sender_that_nothing_describes_is_a_problem() -> None:
    problem = "sender.type is missing: it is not known whether a person wrote the message"
    assert parse(fixture("message_created_reply", sender={"id": 3, "name": "Ada"})).problem == problem


def test_a_deleted_message_loses_its_text_and_keeps_its_id() -> None:
    deleted = fixture("message_created_first", event="message_updated", content_attributes={"deleted": True})
    [message] = facts(deleted, "message")
    assert (message.id, message.text) == ("9001", None)


@pytest.mark.parametrize(
    ("status", "read"), [("open", "open"), ("pending", "pending"), ("snoozed", "pending"), ("resolved", "solved")]
)
def test_a_changed_status_counts_from_the_update(status: str, read: str) -> None:
    [fact] = facts(fixture("conversation_status_changed", status=status), "status")
    assert (fact.status, fact.at) == (read, OPENED + timedelta(seconds=600.25))


def test_assignment_and_priority_are_those_after_the_event() -> None:
    payload = fixture("conversation_updated")
    [assigned] = facts(payload, "assigned")
    assert (assigned.agent, assigned.team, assigned.at) == ("3", "5", OPENED + timedelta(seconds=300))
    assert [fact.priority for fact in facts(payload, "priority")] == ["high"]
    payload["meta"]["assignee_type"] = "AgentBot"
    assert [fact.agent for fact in facts(payload, "assigned")] == [None]
    assert ("agent", "3", "Ada Byron") not in parse(payload).names
    assert set(parse(fixture("conversation_updated")).names) == {("team", "5", "billing"), ("agent", "3", "Ada Byron")}


def test_a_rating_counts_from_its_delivery_and_a_survey_that_is_not_answered_states_none() -> None:
    payload = fixture("message_updated_csat")
    [rating] = facts(payload, "rating")
    assert (rating.value, rating.scale, rating.text, rating.id) == (4, (1, 5), "Quick and clear", "csat-9010")
    assert rating.at == datetime.fromtimestamp(1_768_033_000, UTC) == record(payload).updated_at
    [rating] = facts(payload, "rating", headers={})
    assert rating.at == OPENED + timedelta(seconds=600.25)
    assert facts(payload, "message") == []
    assert facts(fixture("message_updated_csat", content_attributes={}), "rating") == []


@pytest.mark.parametrize(
    "written", ["2026-01-10 08:01:29 UTC", "2026-01-10T08:01:29.000Z", 1768032089, 1768032089.0, "1768032089"]
)
def test_a_time_may_have_any_of_chatwoots_formats(written: Any) -> None:
    [message] = facts(fixture("message_created_reply", created_at=written), "message")
    assert message.at == OPENED + timedelta(seconds=300)


def test_other_events_and_activities_are_ignored() -> None:
    assert parse(fixture("conversation_created", event="contact_updated")).ignored == "contact_updated"
    for kind in ("activity", 2):
        assert parse(fixture("message_created_reply", message_type=kind)).ignored == "message_created"


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"id": 1}, "event is missing"),
        ({"event": "conversation_created"}, "the conversation has no id"),
        ({"event": "conversation_updated", "id": 5}, "the event has no time"),
        (fixture("conversation_status_changed", status="parked"), "status: unknown; known are open, pending, snoozed, resolved"),
        (fixture("message_created_reply", message_type="odd"), "message_type or created_at is missing or unknown"),
        (fixture("message_created_reply", created_at=None), "message_type or created_at is missing or unknown"),
        (fixture("message_created_reply", created_at="soon"), "a time is neither Unix seconds nor RFC 3339"),
        (fixture("message_created_reply", created_at=1e300), "a time is neither Unix seconds nor RFC 3339"),
    ],
)
def test_a_payload_of_another_shape_is_a_problem(payload: dict[str, Any], problem: str) -> None:
    assert parse(payload, headers={}).problem == problem


def test_an_old_payload_with_the_number_of_the_conversation_alone_is_read() -> None:
    old = {
        "event": "message_created",
        "id": "1",
        "content": "Hi",
        "message_type": "incoming",
        "created_at": "2020-03-03 13:05:57 UTC",
    }
    old_message = old | {"conversation": {"display_id": "7"}, "contact": {"id": "1", "name": "Jo"}}
    read = record(old_message, headers={})
    assert (read.id, read.customer and read.customer.id, [fact.fact for fact in read.facts]) == ("7", "chatwoot:1", ["message"])
    assert parse(fixture("message_created_reply", message_type="odd")).about == ("ticket/42",)
