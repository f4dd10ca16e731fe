"""Intercom: signatures, conversations and tickets in the shapes of old and new API versions."""

from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import NotVerified
from tests import signing
from tests.unit.ingest.intercom_payloads import OPENED, PROVIDER, at, changed, facts, fixture, parse, record, with_part
from tests.unit.ingest.making import NOW, request

# --- signature and identity


def test_the_client_secret_signs_the_body_with_hmac_sha1() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    documented = {"x-hub-signature": "sha1=4a4a0cfd7388777847ed1a45cde8ab5859f59630"}
    PROVIDER.verify(request(body, documented), ["former", "test-secret"], NOW)
    PROVIDER.verify(request(body, signing.intercom("test-secret", body)), ["test-secret"], NOW)
    for headers in (documented, {"x-hub-signature": documented["x-hub-signature"][5:]}, {}, {"x-hub-signature": "sha1="}):
        with pytest.raises(NotVerified):
            PROVIDER.verify(request(body + b" ", headers), ["test-secret"], NOW)


def test_a_retry_has_the_same_delivery_id() -> None:
    payload = fixture("conversation.admin.closed")
    assert parse(payload).id == f"ws1shop {payload['id']}"
    assert parse(payload | {"app_id": "other"}).id != parse(payload).id
    without_id = payload | {"id": None}
    retry = without_id | {"delivery_attempts": 2, "delivery_status": "retry", "first_sent_at": 1, "delivered_at": 5}
    assert (parse(without_id).id or "").startswith("body:")
    assert parse(without_id).id == parse(retry).id != parse(without_id | {"created_at": 5}).id


def test_other_topics_are_ignored_and_odd_notifications_are_problems() -> None:
    for topic in ("ping", "contact.tag.created", "conversation.read", "conversation.admin.replied.translated"):
        assert parse(fixture("conversation.deleted") | {"topic": topic}).ignored == topic
    assert parse({"id": "n-1"}).problem == "topic is missing"
    assert parse([1]).problem == "the body is not an object"
    assert parse(fixture("conversation.deleted") | {"data": None}).problem == "data.item has no id"
    nowhen = changed("conversation.user.created", updated_at=None) | {"created_at": None}
    assert parse(nowhen).problem == "created_at of the notification is missing"


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (changed("conversation.user.created", state="parked"), "state: unknown; known are open, closed, snoozed"),
        (changed("conversation.user.created", state=["open"]), "state: unknown; known are open, closed, snoozed"),
        (
            changed("ticket.created", ticket_state={"category": "parked"}),
            "ticket_state: unknown category; known are submitted, in_progress, waiting_on_customer, resolved",
        ),
        (with_part(author={"type": "robot"}), "author: unknown type; known are user, lead, contact, visitor, admin, bot"),
        (changed("conversation.user.created", "conversation.rating.added"), "conversation_rating.rating is missing"),
        (changed("ticket.created", "ticket.rating.provided"), "conversation_rating.rating is missing"),
        (changed("conversation.user.created", created_at=True), "a time is neither Unix seconds nor RFC 3339"),
        (changed("conversation.user.created", created_at=-5), "a time is neither Unix seconds nor RFC 3339"),
    ],
)  # fmt: skip
def test_a_payload_of_another_shape_is_a_problem_that_names_its_subject(payload: dict[str, Any], problem: str) -> None:
    parsed = parse(payload)
    assert (parsed.problem, parsed.about) == (problem, (f"ticket/{payload['data']['item']['id']}",))


# --- conversations


def test_a_new_conversation_is_opened_by_its_author() -> None:
    read = record(fixture("conversation.user.created"), FieldMapping.model_validate({"dimensions": {"Plan": "segment"}}))
    assert (read.id, read.at, read.channel, read.dimensions.get("segment")) == ("215472600000001", at(0), "messenger", "pro")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("c-77", "jo@example.org")
    opened, assigned, priority, status = read.facts
    assert (opened.fact, opened.at, opened.by) == ("opened", at(0), "customer")  # type: ignore[union-attr]
    assert opened.text == "My invoice is wrong.\nIt lists two seats & I have one."  # type: ignore[union-attr]
    assert (assigned.team, assigned.agent, priority.priority, status.status) == (None, None, None, "open")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("author", "by", "agent"),
    [
        ({"type": "admin", "id": 501}, "agent", "501"),
        ({"type": "lead", "id": "1"}, "customer", None),
        ({"type": "contact", "id": "1"}, "customer", None),
        ({"type": "bot", "id": "900"}, "bot", None),
        ({"type": "admin", "id": 501, "from_ai_agent": True}, "bot", None),
    ],
)
def test_the_author_decides_who_opened_or_wrote(author: dict[str, Any], by: str, agent: str | None) -> None:
    [opened] = facts(
        changed("conversation.user.created", "conversation.admin.single.created", source={"author": author}), "opened"
    )
    assert (opened.by, opened.agent) == (by, agent)
    [message] = facts(with_part(author=author), "message")
    assert (message.by, message.agent, message.public) == (by, agent, True)


def test_a_reply_is_a_public_message_and_a_note_a_private_one() -> None:
    [reply] = facts(fixture("conversation.admin.replied"), "message")
    assert (reply.id, reply.at, reply.by, reply.agent, reply.public, reply.text) == (
        "1002",
        at(300),
        "agent",
        "501",
        True,
        "We correct it.",
    )
    [note] = facts(fixture("conversation.admin.noted"), "message")
    assert (note.by, note.public) == ("agent", False)
    [thanks] = facts(fixture("conversation.user.replied"), "message")
    assert (thanks.by, thanks.text) == ("customer", "Thank you!")


def test_operator_replies_automatically_and_an_ai_agent_does_not() -> None:
    [operator] = facts(fixture("conversation.operator.replied"), "message")
    assert (operator.by, operator.auto) == ("bot", True)
    fin = {"type": "bot", "id": "900", "from_ai_agent": True}
    [answer] = facts(with_part(topic="conversation.operator.replied", author=fin), "message")
    assert (answer.by, answer.auto) == ("bot", False)


def test_the_body_of_an_assignment_is_a_reply_only_if_the_topic_says_so() -> None:
    assert len(facts(with_part("assignment"), "message")) == 1
    assert facts(with_part("assignment", "conversation.admin.assigned"), "message") == []


@pytest.mark.parametrize(("body", "messages"), [(None, 0), ("<p> </p>", 0), ('<img src="x">', 1)])
def test_a_part_without_content_is_no_message(body: str | None, messages: int) -> None:
    assert len(facts(with_part(body=body), "message")) == messages
    assert len(facts(with_part(body=None, attachments=[{"name": "a.pdf"}]), "message")) == 1


def test_a_redacted_part_loses_its_text_and_keeps_its_id() -> None:
    [message] = facts(fixture("conversation_part.redacted"), "message")
    [former] = facts(fixture("conversation.user.replied"), "message")
    assert (message.id, message.at, message.by, message.text) == (former.id, former.at, former.by, None)


@pytest.mark.parametrize(
    ("topic", "status", "seconds"),
    [
        ("conversation.admin.closed", "closed", 500),
        ("conversation.admin.snoozed", "pending", 430),
        ("conversation.user.replied", "open", 400),
        ("conversation.rating.added", "closed", 500),
    ],
)
def test_a_state_is_a_status_at_the_time_of_its_change(topic: str, status: str, seconds: int) -> None:
    assert {(fact.status, fact.at) for fact in facts(fixture(topic), "status")} == {(status, at(seconds))}


def test_a_reply_of_an_agent_states_no_status() -> None:
    """Its time may be the second of the closing, with which it was sent."""
    assert facts(fixture("conversation.admin.replied"), "status") == []
    assert [fact.status for fact in facts(with_part("close"), "status")] == ["closed"]
    assert [fact.status for fact in facts(with_part("open"), "status")] == ["open"]


def test_assignment_and_priority_are_those_after_the_event() -> None:
    payload = fixture("conversation.priority.updated")
    [assigned] = facts(payload, "assigned")
    assert (assigned.team, assigned.agent, assigned.at) == ("77", "501", at(420))
    [priority] = facts(payload, "priority")
    assert (priority.priority, priority.at) == ("priority", at(420))


def test_a_rating_counts_from_when_it_was_given_and_replaces_the_former_one() -> None:
    payload = fixture("conversation.rating.added")
    [rating] = facts(payload, "rating")
    assert (rating.value, rating.scale, rating.text, rating.id, rating.at) == (4, (1, 5), "Quick and clear", "rating", at(900))
    payload["data"]["item"]["conversation_rating"] |= {"updated_at": None, "rating": 2, "remark": None}
    [rating] = facts(payload, "rating")
    assert (rating.value, rating.text, rating.id, rating.at) == (2, None, "rating", at(901))
    assert facts(payload | {"topic": "conversation.admin.closed"}, "rating") == []


def test_a_deleted_conversation_is_deleted_when_it_is_notified() -> None:
    read = record(fixture("conversation.deleted"))
    [deleted] = read.facts
    assert (read.id, deleted.fact, deleted.at) == ("215472600000001", "deleted", at(2000))


@pytest.mark.parametrize(
    "created",
    [
        OPENED,
        float(OPENED),
        str(OPENED),
        OPENED * 1000,
        "2026-01-10T07:56:29.000Z",
        "2026-01-10T08:56:29+01:00",
        "2026-01-10 07:56:29",
        "2026-01-10 07:56:29.000 UTC",
        "2026-01-10 08:56:29 +01:00",
    ],
)
def test_a_time_may_be_unix_seconds_milliseconds_or_rfc_3339(created: Any) -> None:
    assert record(changed("conversation.user.created", created_at=created)).at == at(0)


@pytest.mark.parametrize(
    ("contacts", "author", "customer"),
    [
        ([{"id": "6962", "external_id": "c-77"}], {"type": "user", "email": "jo@example.org"}, ("c-77", "jo@example.org")),
        ([{"id": "6962", "external_id": None}], {"type": "lead", "email": ""}, ("intercom:6962", None)),
        ([{"id": "6962"}], {"type": "admin", "email": "ada@shop.example"}, ("intercom:6962", None)),
        ([{"id": "6962"}], {"type": "user", "email": "not an address"}, ("intercom:6962", None)),
        ([], {"type": "user", "email": "jo@example.org"}, (None, "jo@example.org")),
        (None, {"type": "user"}, None),
        (
            [{"id": "6962", "external_id": "c-1"}, {"id": "7001", "external_id": "c-2"}],
            {"type": "user", "id": "7001", "email": "bob@example.org"},
            ("c-2", "bob@example.org"),
        ),
        ([{"id": "6962"}, {"id": "7001"}], {"type": "admin", "id": "7001", "email": "ada@shop.example"}, ("intercom:6962", None)),
        ([{"id": "6962"}, {"id": "7001"}], {"type": "user", "id": "9", "email": "bob@example.org"}, ("intercom:6962", None)),
        ([{"id": "6962"}], {"type": "user", "id": "9", "email": "bob@example.org"}, ("intercom:6962", None)),
        ([{"id": "6962"}, {"id": "7001"}], {"type": "user", "email": "bob@example.org"}, ("intercom:6962", None)),
    ],
)
def test_the_customer_is_the_contact_who_began_the_conversation_else_the_first(contacts: Any, author: Any, customer: Any) -> None:
    read = record(changed("conversation.user.created", contacts={"contacts": contacts}, source={"author": author}))
    assert (read.customer and (read.customer.id, read.customer.email)) == customer


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (with_part("comment", "conversation.user.replied", created_at=None), "created_at of the part is missing"),
        (with_part("note", "conversation.admin.noted", created_at=None), "created_at of the part is missing"),
        (changed("conversation.user.created", "conversation.admin.replied"), "the part with the reply is missing"),
    ],
)
def test_a_reply_that_can_not_be_read_is_a_problem_and_not_left_out(payload: dict[str, Any], problem: str) -> None:
    assert parse(payload).problem == problem


def test_a_reply_by_another_contact_leaves_the_customer() -> None:
    both = [{"id": "6962", "external_id": "c-1"}, {"id": "7001", "external_id": "c-2"}]
    source = {"author": {"type": "user", "id": "6962", "email": "jo@example.org"}}
    payload = with_part("comment", "conversation.user.replied", author={"type": "user", "id": "7001", "email": "bob@example.org"})
    for contacts in (both, both[::-1]):
        payload["data"]["item"] |= {"contacts": {"contacts": contacts}, "source": source}
        read = record(payload)
        assert read.customer
        assert (read.customer.id, read.customer.email) == ("c-1", "jo@example.org")


def test_names_of_admins_and_teams_are_read_and_those_of_customers_and_bots_are_not() -> None:
    assert parse(fixture("conversation.admin.replied")).names == (("agent", "501", "Ada Byron"),)
    assert parse(fixture("conversation.user.replied")).names == ()
    assert parse(fixture("conversation.operator.replied")).names == ()
    team = with_part("assignment", "conversation.admin.assigned", assigned_to={"type": "team", "id": 77, "name": "Billing"})
    assert ("team", "77", "Billing") in parse(team).names


# --- API versions up to 1.x


def test_a_conversation_of_an_old_api_version_is_read() -> None:
    read = record(fixture("conversation.admin.closed_v1"))
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("75067020-1204-495c-8edc-abb7d88bdd43", "jo@example.org")
    assert {fact.fact for fact in read.facts} == {"opened", "assigned", "status"}
    assert [fact.text for fact in facts(fixture("conversation.user.created_v1"), "opened")] == ["Hello"]
    assert [fact.agent for fact in facts(fixture("conversation.user.created_v1"), "assigned")] == [None]
    assert [fact.text for fact in facts(fixture("conversation.admin.replied_v1"), "message")] == ["How can I help?"]
    assert [fact.agent for fact in facts(fixture("conversation.admin.replied_v1"), "assigned")] == ["501"]
