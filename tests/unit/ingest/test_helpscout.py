"""Help Scout: conversations in both versions of its API, with and without threads, and ratings."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict

from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, Request
from services.ingest.domain.providers.helpscout.threads import HelpScoutSettings
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, request, to_values

PROVIDER = PROVIDERS["helpscout"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


def fixture(name: str, **changed: Any) -> Request:
    value: dict[str, Any] = json.loads((FIXTURES / f"helpscout__{name}.json").read_text())
    return request(json.dumps(value["body"] | changed).encode(), value["headers"])


def parse(sent: Request, mapping: HelpScoutSettings | None = None) -> Parsed:
    return PROVIDER.parse(sent, mapping or HelpScoutSettings())


def record(sent: Request, mapping: HelpScoutSettings | None = None) -> Ticket:
    parsed = parse(sent, mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Ticket)
    return read


def facts(sent: Request, kind: str) -> list[Any]:
    return [fact for fact in record(sent).facts if fact.fact == kind]


def test_the_body_is_signed() -> None:
    headers = {"X-HelpScout-Signature": "YhXKie6t+YQPJLRzdKWwTPsJN2w="}
    PROVIDER.verify(request(b'{"id":123}', headers), ["a-former-secret", "asdffdsa"], NOW)
    for refused in (request(b'{"id":124}', headers), request(b'{"id":123}')):
        with pytest.raises(NotVerified):
            PROVIDER.verify(refused, ["asdffdsa"], NOW)


def test_a_secret_has_at_most_40_characters() -> None:
    assert PROVIDER.refuse_secret("x" * 40) is None
    assert PROVIDER.refuse_secret("x" * 41) == "8 to 40 characters, as Help Scout allows"


def test_a_retry_has_the_same_id_and_another_event_with_this_body_has_not() -> None:
    first = parse(fixture("convo.created")).id
    assert parse(fixture("convo.created")).id == first
    assert parse(request(fixture("convo.created").body, {"X-HelpScout-Event": "convo.tags"})).id != first
    assert parse(fixture("convo.created", userUpdatedAt="2026-11-20T08:01:00Z")).id != first


def test_a_conversation_is_opened_by_its_creator() -> None:
    mapping = HelpScoutSettings.model_validate({"dimensions": {"Account Type": "segment", "mailboxId": "product"}})
    read = record(fixture("convo.created"), mapping)
    assert (read.id, read.at, read.channel) == ("1560011", at(8), "email")
    assert (read.dimensions.get("segment"), read.dimensions.get("product")) == ("pro", "85")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("helpscout:238604", "jo@example.org")
    [opened] = facts(fixture("convo.created"), "opened")
    assert (opened.by, opened.text) == ("customer", "My invoice is wrong.")
    [opened] = facts(fixture("convo.created", createdBy={"id": 256, "type": "user"}), "opened")
    assert (opened.by, opened.agent) == ("agent", "256")
    [opened] = facts(fixture("convo.status"), "opened")
    assert (opened.by, opened.text) == ("customer", None)


def test_the_channel_is_that_of_the_mapping_else_of_the_source_else_of_the_conversation() -> None:
    fields = {"type": "chat", "source": {"type": "email"}, "customFields": [{"name": "Via", "text": "phone"}]}
    mapping = HelpScoutSettings.model_validate({"dimensions": {"Via": "channel"}})
    assert record(fixture("convo.created", **fields), mapping).channel == "phone"
    assert record(fixture("convo.created", **fields)).channel == "email"
    assert record(fixture("convo.created", **fields | {"source": {"via": "customer"}})).channel == "chat"


def test_a_conversation_of_the_first_version_is_read() -> None:
    sent = fixture("convo.created_v1")
    read = record(sent, HelpScoutSettings.model_validate({"dimensions": {"mailbox": "product"}}))
    assert (read.id, read.channel, read.dimensions.get("product")) == ("1560011", "email", "Support")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("helpscout:238604", "jo@example.org")
    assert [fact.agent for fact in facts(sent, "assigned")] == ["256"]
    assert [fact.text for fact in facts(sent, "opened")] == ["My invoice is wrong."]
    assert facts(sent, "message") == []
    assert parse(sent).names == (("agent", "256", "Ada Byron"),)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("convo.agent.reply.created", ("agent", True, at(8, 20))),
        ("convo.note.created", ("agent", False, at(8, 10))),
        ("convo.customer.reply.created", ("customer", True, at(8, 40))),
    ],
)
def test_without_threads_a_reply_is_known_by_its_time(name: str, message: tuple[Any, ...]) -> None:
    [fact] = facts(fixture(name), "message")
    assert (fact.by, fact.public, fact.at) == message
    assert (fact.id, fact.text) == (None, None)


@pytest.mark.parametrize(
    ("name", "missing", "problem"),
    [
        ("convo.agent.reply.created", "userUpdatedAt", "userUpdatedAt, the time of the reply, is missing"),
        ("convo.note.created", "userUpdatedAt", "userUpdatedAt, the time of the reply, is missing"),
        ("convo.customer.reply.created", "customerWaitingSince", "customerWaitingSince.time, the time of the reply, is missing"),
    ],
)
def test_a_reply_without_its_time_is_a_problem_and_not_lost(name: str, missing: str, problem: str) -> None:
    assert parse(fixture(name, **{missing: None})).problem == problem


def test_published_threads_are_messages_with_author_and_text() -> None:
    sent = fixture("convo.agent.reply.created_threads")
    [opened] = facts(sent, "opened")
    assert (opened.text, opened.public) == ("My invoice is wrong. All of it.", True)
    messages = [(fact.id, fact.by, fact.agent, fact.public, fact.text) for fact in facts(sent, "message")]
    assert messages == [("2", "agent", "256", True, "Which one?\nRegards"), ("4", "agent", "256", False, "VIP")]


def test_an_assignee_is_a_user_a_team_or_nobody() -> None:
    [fact] = facts(fixture("convo.assigned"), "assigned")
    assert to_values(fact) == {"fact": "assigned", "at": at(8, 5), "agent": "256"}
    [fact] = facts(fixture("convo.assigned_team"), "assigned")
    assert to_values(fact) == {"fact": "assigned", "at": at(8, 6), "team": "31"}
    [fact] = facts(fixture("convo.created", assignee={"id": 256}, userUpdatedAt="2026-11-20T09:30:00Z"), "assigned")
    assert (fact.agent, fact.at) == ("256", at(8))
    [fact] = facts(fixture("convo.assigned", assignee=None), "assigned")
    assert fact.agent is None
    assert parse(fixture("convo.assigned")).names == (("agent", "256", "Ada Byron"),)
    assert parse(fixture("convo.assigned_team")).names == (("team", "31", "Billing"),)


def test_statuses_have_the_time_of_the_change() -> None:
    [fact] = facts(fixture("convo.status", userUpdatedAt="2026-11-20T09:30:00Z"), "status")
    assert (fact.status, fact.at) == ("closed", at(9))
    [fact] = facts(fixture("convo.agent.reply.created"), "status")
    assert (fact.status, fact.at) == ("pending", at(8, 20))
    [fact] = facts(fixture("convo.customer.reply.created"), "status")
    assert (fact.status, fact.at) == ("open", at(8, 40))
    [fact] = facts(fixture("convo.created", userUpdatedAt="2026-11-20T09:30:00Z"), "status")
    assert fact.at == at(8)
    assert facts(fixture("convo.note.created"), "status") == []


def test_spam_is_a_fact_that_another_status_takes_back() -> None:
    [fact] = facts(fixture("convo.status", status="spam"), "spam")
    assert (fact.value, facts(fixture("convo.status", status="spam"), "status")) == (True, [])
    assert [fact.value for fact in facts(fixture("convo.status"), "spam")] == [False]
    assert facts(fixture("convo.created"), "spam") == []


def test_a_deletion_counts_from_its_receipt() -> None:
    [fact] = record(fixture("convo.deleted")).facts
    assert (fact.fact, fact.at) == ("deleted", NOW)
    stored = Request.stored({"x-helpscout-event": "convo.deleted"}, b'{"id": 1}')
    assert PROVIDER.parse(stored, HelpScoutSettings()).problem == "the deletion has no time"


def test_a_rating_is_one_of_three_and_an_edit_replaces_it() -> None:
    read = record(fixture("satisfaction.ratings"))
    [rating] = read.facts
    assert (read.id, rating.fact, rating.at, read.updated_at) == ("1560011", "rating", at(9, 30), at(9, 31))
    fields = asdict(rating)
    assert (fields["value"], fields["scale"], fields["raw"], fields["text"]) == (3, (1, 3), "Great", "She was really helpful")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("helpscout:238604", "jo@example.org")
    second = record(fixture("satisfaction.ratings_v2"))
    [changed] = [asdict(fact) for fact in second.facts]
    assert (fields["id"], changed["id"]) == ("rating-5434", "rating-5434")
    assert (second.id, changed["value"], changed["text"]) == ("1560011", 1, None)
    assert second.customer
    assert second.customer.id == "helpscout:238604"


def test_a_rating_may_state_no_customer() -> None:
    payload = json.loads(fixture("satisfaction.ratings").body)
    anonymous = {key: value for key, value in payload.items() if key not in ("customer", "customerId")}
    [read] = parse(request(json.dumps(anonymous).encode(), {"X-HelpScout-Event": "satisfaction.ratings"})).records
    assert "customer" not in read


def test_other_events_are_ignored() -> None:
    for event in ("convo.merged", "customer.created", "helpscout.test", "beacon.chat.created"):
        assert parse(request(b'{"id": 1}', {"X-HelpScout-Event": event})).ignored == event


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (request(b'{"id": 1}'), "the header X-HelpScout-Event is missing"),
        (fixture("convo.created", id=None), "the conversation has no id"),
        (fixture("convo.created", createdAt=None), "createdAt is missing"),
        (fixture("convo.created", createdAt="yesterday"), "createdAt is no RFC 3339 time"),
        (fixture("convo.status", closedAt="soon"), "closedAt is no RFC 3339 time"),
        (fixture("convo.status", status="parked"), "status: unknown; known are active, open, pending, closed, spam"),
        (fixture("satisfaction.ratings", rating="Meh"), "rating: unknown word; known are Great, Okay, Bad and Not Good"),
        (fixture("satisfaction.ratings", ticketId=None), "the conversation has no id"),
        (fixture("satisfaction.ratings", createdAt=None), "createdAt is missing"),
    ],
)
def test_a_payload_of_another_shape_is_a_problem(sent: Request, problem: str) -> None:
    assert parse(sent).problem == problem
