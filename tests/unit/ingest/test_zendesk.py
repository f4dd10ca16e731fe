"""Zendesk: signatures, and ticket events."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import UNSET

from services.ingest.domain.providers import NotVerified
from services.ingest.domain.providers.zendesk import PUBLIC_SECRET
from services.ingest.domain.providers.zendesk.events import PREFIX, READERS
from tests import signing
from tests.unit.ingest.making import NOW, request
from tests.unit.ingest.zendesk_payloads import (
    FIXTURES,
    PROVIDER,
    TRIGGER,
    event,
    facts,
    filled,
    fixture,
    mapping_of,
    parse,
    record,
)

SECRET = "dGhlIGxpdGVyYWwgdGV4dA=="


def verify(headers: dict[str, str], body: bytes, secrets: list[str], now: datetime) -> None:
    PROVIDER.verify(request(body, headers), secrets, now)


def test_the_literal_secret_signs_timestamp_and_body() -> None:
    headers = signing.zendesk(SECRET, b"{}", at=NOW)
    verify(headers, b"{}", [SECRET], NOW)
    verify(signing.zendesk(SECRET, b"", at=NOW), b"", [SECRET], NOW)
    for refused, body in ((headers, b"{} "), ({}, b"{}"), (headers | {"x-zendesk-webhook-signature-timestamp": "now"}, b"{}")):
        with pytest.raises(NotVerified):
            verify(refused, body, [SECRET], NOW)


def test_the_signature_follows_the_documented_scheme() -> None:
    headers = {
        "x-zendesk-webhook-signature": "QtSnAr84G9xsgq49AJqIsm+DqiL3QUHmA57eJpInzfY=",
        "x-zendesk-webhook-signature-timestamp": "2021-03-25T05:09:27Z",
    }
    body, sent = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}', datetime(2021, 3, 25, 5, 9, 27, tzinfo=UTC)
    with pytest.raises(NotVerified, match="signature"):  # it is made with the public secret
        verify(headers, body, [PUBLIC_SECRET], sent)


def test_the_public_test_secret_is_refused() -> None:
    with pytest.raises(NotVerified):
        verify(signing.zendesk(PUBLIC_SECRET, b"{}", at=NOW), b"{}", [PUBLIC_SECRET, SECRET], NOW)
    assert PROVIDER.refuse_secret(PUBLIC_SECRET)
    assert PROVIDER.refuse_secret(SECRET) is None


@pytest.mark.parametrize("offset", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_a_timestamp_may_be_five_minutes_off(offset: timedelta) -> None:
    headers = signing.zendesk(SECRET, b"{}", at=NOW)
    verify(headers, b"{}", [SECRET], NOW + offset)
    with pytest.raises(NotVerified, match="timestamp"):
        verify(headers, b"{}", [SECRET], NOW + offset * 1.01)


def test_every_event_has_the_opening_and_the_assignment() -> None:
    for kind in READERS:
        body = fixture(kind) if kind in KINDS_WITH_FIXTURE else event(kind, EVENTS[kind])
        [opened] = facts(body, "opened")
        assert opened.at == datetime(2026, 11, 16, 7, 15, tzinfo=UTC)
        assert opened.by == "customer"
        assert opened.text.startswith("My invoice")
        assigned = [fact.team for fact in facts(body, "assigned") if fact.team is not UNSET]
        assert set(assigned) == {"360000000000001"} | ({"42"} if kind == "group_assignment_changed" else set())


KINDS_WITH_FIXTURE = {path.name.split(".")[1] for path in FIXTURES.glob("zendesk__ticket.*.json")}


EVENTS: dict[str, dict[str, Any]] = {
    "assignment_changed": {"current": "412"},
    "group_assignment_changed": {"current": "42", "previous": None},
    "permanently_deleted": {},
    "undeleted": {},
    "marked_as_spam": {},
}


def test_a_status_is_set_at_the_events_time() -> None:
    [status] = facts(fixture("status_changed"), "status")
    assert (status.status, status.at) == ("solved", datetime(2026, 11, 16, 9, 30, 0, 999999, tzinfo=UTC))


@pytest.mark.parametrize(
    ("word", "status"),
    [("NEW", "new"), ("OPEN", "open"), ("PENDING", "pending"), ("HOLD", "on_hold"), ("CLOSED", "closed"), ("ARCHIVED", "closed")],
)
def test_every_word_for_a_status_is_known(word: str, status: str) -> None:
    assert [fact.status for fact in facts(event("status_changed", {"current": word}), "status")] == [status]


@pytest.mark.parametrize("word", ["DELETED", "SCRUBBED"])
def test_deleted_and_scrubbed_tickets_are_deleted(word: str) -> None:
    assert [fact.value for fact in facts(event("status_changed", {"current": word}), "deleted")] == [True]


def test_an_unknown_status_is_a_problem() -> None:
    for word in ("In progress", "", None, {"id": 5}, "solvedish"):
        parsed = parse(event("status_changed", {"current": word}))
        assert parsed.problem_code == "unknown_value"
        problem = parsed.problem or ""
        assert problem.startswith("status: unknown word; known are")
        assert problem.endswith('write the status itself in the trigger\'s body, such as "solved")')


def test_a_comment_is_a_message_of_its_author() -> None:
    [reply] = facts(fixture("comment_added"), "message")
    assert (reply.by, reply.agent, reply.public, reply.id) == ("agent", "411000000000000021", True, "55010")
    by_requester = {"comment": {"id": "1", "body": "hello", "is_public": True, "author": {"id": "902000000000000017"}}}
    [message] = facts(event("comment_added", by_requester), "message")
    assert (message.by, message.text) == ("customer", "hello")
    private = {"comment": {"id": "2", "body": "psst", "is_public": False, "author": {"id": "9", "is_staff": True}}}
    assert not facts(event("comment_added", private), "message")[0].public
    assert parse(event("comment_added", {})).problem == "event.comment is missing"


def test_other_names_of_kinds_are_read() -> None:
    comment = {"comment": {"id": "1", "body": "hello", "is_public": True, "author": {"id": "902000000000000017"}}}
    assert [fact.text for fact in facts(event("comment_created", comment), "message")] == ["hello"]
    assert len(facts(event("spam", {}), "spam")) == 1
    [assigned] = facts(event("assignment_changed", {"current": "412"}, assignee_id="412", group_id="360"), "assigned")
    assert (assigned.agent, assigned.team) == ("412", "360")


def test_assignments_priority_merging_spam_and_deletion_are_facts() -> None:
    assert [fact.agent for fact in facts(event("agent_assignment_changed", {"current": None}), "assigned")][-1] is None
    assert [fact.priority for fact in facts(fixture("priority_changed"), "priority")] == ["high", "high"]
    assert [fact.into for fact in facts(fixture("merged"), "merged")] == ["35400"]
    assert [fact.value for fact in facts(event("undeleted", {}), "deleted")] == [False]
    assert [fact.value for fact in facts(event("permanently_deleted", {}), "deleted")] == [True]
    assert len(facts(event("marked_as_spam", {}), "spam")) == 1


@pytest.mark.parametrize("nobody", ["0", 0, "", None])
def test_the_id_0_is_nobody(nobody: Any) -> None:
    detail = {"assignee_id": nobody, "group_id": nobody, "organization_id": nobody, "submitter_id": nobody}
    mapping = mapping_of(organization_id="segment")
    body = event("agent_assignment_changed", {"current": nobody}, **detail)
    assert {fact.agent for fact in facts(body, "assigned")} == {None}
    assert [fact.team for fact in facts(body, "assigned") if fact.team is not UNSET] == [None]
    assert facts(event("group_assignment_changed", {"current": nobody}), "assigned")[-1].team is None
    assert facts(body, "opened")[0].by == "customer"
    assert record(body, mapping).dimensions == {}
    assert record(event("created", {}, requester_id=nobody)).customer is None
    read = record(filled(assignee=nobody, group=nobody, requester=nobody))
    assert read.customer is None
    assert [(fact.team, fact.agent) for fact in read.facts if fact.fact == "assigned"] == [(None, None)]


def test_a_ticket_submitted_for_its_requester_was_opened_by_an_agent() -> None:
    [opened] = facts(event("created", {}, submitter_id="411000000000000021"), "opened")
    assert (opened.by, opened.agent) == ("agent", "411000000000000021")


def test_the_mapping_fills_dimensions_from_the_tickets_fields() -> None:
    mapping = mapping_of(brand_id="product", organization_id="segment", nothing="region")
    read = record(fixture("created"), mapping)
    assert read.dimensions == {"product": "77001", "segment": "88002"}
    assert (read.channel, read.customer and read.customer.id) == ("email", "zendesk:902000000000000017")


def test_a_ticket_is_filed_under_the_time_of_its_opening() -> None:
    read = record(fixture("status_changed"))
    assert (read.at, read.updated_at) == (
        datetime(2026, 11, 16, 7, 15, tzinfo=UTC),
        datetime(2026, 11, 16, 9, 30, 0, 999999, tzinfo=UTC),
    )


def test_unused_kinds_of_events_are_ignored() -> None:
    assert parse(fixture("tags_changed")).ignored == PREFIX + "tags_changed"
    assert parse(b'{"type": "zen:event-type:user.created", "id": "u"}').ignored == "zen:event-type:user.created"
    assert parse(b'{"type": "created"}').ignored == "created"


def test_the_delivery_id_is_the_events_or_the_triggers_invocation() -> None:
    headers = {"x-zendesk-webhook-invocation-id": "inv-1"}
    assert parse(fixture("created"), headers=headers).id == "0b0c5a10-0000-4000-8000-000000000001"
    assert parse(TRIGGER, headers=headers).id == "inv-1"
    assert parse(b"{", headers=headers).id == "inv-1"


def test_a_channel_may_be_mapped_from_a_field() -> None:
    mapping = mapping_of(brand_id="channel")
    read = record(fixture("created"), mapping)
    assert (read.channel, read.dimensions) == ("77001", {})
    triggered = record(filled(channel="Web form", brand="shop"), mapping_of(brand="channel"))
    assert triggered.channel == "shop"


def test_an_author_who_is_not_staff_is_a_customer() -> None:
    colleague = {"comment": {"id": "1", "body": "me too", "is_public": True, "author": {"id": "903", "is_staff": False}}}
    [message] = facts(event("comment_added", colleague), "message")
    assert (message.by, message.agent, message.text) == ("customer", None, "me too")
    unknown = {"comment": {"id": "1", "body": "me too", "author": {"id": "903"}}}
    assert facts(event("comment_added", unknown), "message")[0].by == "agent"


def test_a_ticket_whose_detail_lacks_its_opening_or_its_requester_is_read() -> None:
    read = record(event("status_changed", {"current": "OPEN"}, created_at=None, id=35436))
    assert [fact.fact for fact in read.facts] == ["assigned", "priority", "status"]
    assert read.at == datetime(2026, 11, 16, 13, tzinfo=UTC)
    assert read.id == "35436"
    assert record(event("created", {}, id=35436.0, group_id=5.0)).id == "35436"
    assert facts(event("created", {}, requester_id=None, submitter_id="411"), "opened")[0].by == "customer"


REQUESTER, AGENT = "902000000000000017", "411000000000000021"


DESCRIPTION = json.loads(fixture("created"))["detail"]["description"]


def first_comment(author: str, time: str = "2026-11-16T07:15:00.4Z", body: str = DESCRIPTION, **detail: Any) -> bytes:
    """`comment_added` for the comment with which the ticket was opened."""
    comment = {
        "id": "1",
        "body": body,
        "is_public": detail.pop("public", True),
        "author": {"id": author, "is_staff": author == AGENT},
    }
    payload = json.loads(event("comment_added", {"comment": comment}, **detail))
    return json.dumps(payload | {"time": time}).encode()


@pytest.mark.parametrize(
    ("author", "detail"),
    [
        (REQUESTER, {}),
        (REQUESTER, {"submitter_id": None}),
        (AGENT, {"submitter_id": AGENT}),
        (AGENT, {"submitter_id": AGENT, "requester_id": AGENT}),
    ],
)
def test_a_comment_that_repeats_the_opening_is_no_message(author: str, detail: dict[str, Any]) -> None:
    body = first_comment(author, body=f" {DESCRIPTION}\n", **detail)
    assert facts(body, "message") == []
    assert facts(first_comment(author, "2026-11-16T07:15:05Z", **detail), "message") == []
    assert [fact.text for fact in facts(body, "opened")] == [DESCRIPTION]


@pytest.mark.parametrize(
    "changed",
    [
        {"time": "2026-11-16T07:15:05.1Z"},
        {"time": None},
        {"body": "My invoice is wrong"},
        {"author": AGENT},
        {"description": None, "body": ""},
        {"created_at": "yesterday"},
    ],
)
def test_a_comment_of_another_time_text_or_author_is_a_message(changed: dict[str, Any]) -> None:
    [parsed] = parse(first_comment(**({"author": REQUESTER} | changed))).records
    assert [fact["fact"] for fact in parsed["facts"]].count("message") == 1


@pytest.mark.parametrize(
    ("body", "public"),
    [
        (event("created", {}, is_public=True), True),
        (event("created", {}, is_public=False), False),
        (event("status_changed", {"current": "OPEN"}, is_public=False), False),
        (event("status_changed", {"current": "OPEN"}, is_public=True), None),
        (event("created", {}, is_public=None), None),
        (first_comment(REQUESTER, public=False, is_public=True), False),
        (first_comment(REQUESTER, public=True, is_public=True), True),
    ],
)
def test_public_of_the_opening_is_read_where_the_event_tells(body: bytes, public: bool | None) -> None:
    """`is_public` of a ticket says whether any of its comments is public."""
    [opened] = facts(body, "opened")
    assert (None if opened.public is UNSET else opened.public) is public


def test_a_payload_with_a_problem_has_its_ticket_and_its_delivery_id() -> None:
    trigger = json.dumps({"earshot": 1, "id": "7", "status": "solved"}).encode()
    headers = {"x-zendesk-webhook-invocation-id": "inv-1"}
    parsed = parse(trigger, headers=headers)
    assert (parsed.id, parsed.about, bool(parsed.problem)) == ("inv-1", ("ticket/7",), True)
    parsed = parse(json.dumps({"type": PREFIX + "comment_added", "id": "e-1", "detail": {"id": "7"}}).encode(), headers=headers)
    assert (parsed.id, parsed.about, bool(parsed.problem)) == ("e-1", ("ticket/7",), True)
    parsed = parse(json.dumps({"type": PREFIX + "comment_added", "id": "e-1"}).encode(), headers=headers)
    assert (parsed.about, bool(parsed.problem)) == ((), True)
