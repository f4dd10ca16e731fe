"""Zendesk: who is let in, and what its events and our trigger say of a ticket."""

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.providers.zendesk import PUBLIC_SECRET, trigger
from services.ingest.domain.providers.zendesk.events import PREFIX, READERS
from services.ingest.domain.providers.zendesk.values import WORDS, spelling
from services.ingest.domain.record import Ticket, read_record
from services.metrics.domain.contributions import contributions
from services.metrics.domain.view import view
from tests import signing
from tests.unit.ingest.making import NOW, connection, receive_body, request

PROVIDER = PROVIDERS["zendesk"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
SECRET = "dGhlIGxpdGVyYWwgdGV4dA=="
TRIGGER = (FIXTURES / "zendesk__trigger.json").read_bytes()


def verify(headers: dict[str, str], body: bytes, secrets: list[str], now: datetime) -> None:
    PROVIDER.verify(request(body, headers), secrets, now)


def parse(body: bytes, mapping: FieldMapping | None = None, headers: dict[str, str] | None = None) -> Parsed:
    return PROVIDER.parse(request(body, headers), mapping or FieldMapping())


def mapping_of(**dimensions: str) -> FieldMapping:
    return FieldMapping.model_validate({"dimensions": dimensions})


def fixture(kind: str) -> bytes:
    return (FIXTURES / f"zendesk__ticket.{kind}.json").read_bytes()


def record(body: bytes, mapping: FieldMapping | None = None) -> Ticket:
    parsed = parse(body, mapping or FieldMapping())
    assert parsed.problem is None, parsed.problem
    read = read_record(parsed.records[0], NOW)
    assert isinstance(read, Ticket)
    return read


def facts(body: bytes, kind: str) -> list[Any]:
    return [fact for fact in record(body).facts if fact.fact == kind]


def event(kind: str, happened: dict[str, Any], **detail: Any) -> bytes:
    payload = json.loads(fixture("created"))
    payload |= {"type": PREFIX + kind, "event": happened, "time": "2026-11-16T13:00:00Z"}
    payload["detail"] |= detail
    return json.dumps(payload).encode()


def test_the_literal_secret_signs_timestamp_and_body() -> None:
    headers = signing.zendesk(SECRET, b"{}", at=NOW)
    verify(headers, b"{}", [SECRET], NOW)
    verify(signing.zendesk(SECRET, b"", at=NOW), b"", [SECRET], NOW)
    for refused, body in ((headers, b"{} "), ({}, b"{}"), (headers | {"x-zendesk-webhook-signature-timestamp": "now"}, b"{}")):
        with pytest.raises(NotVerified):
            verify(refused, body, [SECRET], NOW)


def test_the_scheme_is_the_documented_one() -> None:
    headers = {
        "x-zendesk-webhook-signature": "QtSnAr84G9xsgq49AJqIsm+DqiL3QUHmA57eJpInzfY=",
        "x-zendesk-webhook-signature-timestamp": "2021-03-25T05:09:27Z",
    }
    body, sent = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}', datetime(2021, 3, 25, 5, 9, 27, tzinfo=UTC)
    with pytest.raises(NotVerified, match="signature"):  # it is made with the public secret
        verify(headers, body, [PUBLIC_SECRET], sent)


def test_the_public_test_secret_is_never_taken() -> None:
    with pytest.raises(NotVerified):
        verify(signing.zendesk(PUBLIC_SECRET, b"{}", at=NOW), b"{}", [PUBLIC_SECRET, SECRET], NOW)
    assert PROVIDER.refuse_secret(PUBLIC_SECRET)
    assert PROVIDER.refuse_secret(SECRET) is None


@pytest.mark.parametrize("away", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_five_minutes_both_ways_are_tolerated(away: timedelta) -> None:
    headers = signing.zendesk(SECRET, b"{}", at=NOW)
    verify(headers, b"{}", [SECRET], NOW + away)
    with pytest.raises(NotVerified, match="timestamp"):
        verify(headers, b"{}", [SECRET], NOW + away * 1.01)


def test_every_event_states_the_opening_and_who_holds_the_ticket() -> None:
    for kind in READERS:
        body = fixture(kind) if kind in KINDS_WITH_FIXTURE else event(kind, EVENTS[kind])
        [opened] = facts(body, "opened")
        assert opened.at == datetime(2026, 11, 16, 7, 15, tzinfo=UTC)
        assert opened.by == "customer"
        assert opened.text.startswith("My invoice")
        assigned = [fact.team for fact in facts(body, "assigned") if "team" in fact.model_fields_set]
        assert set(assigned) == {"360000000000001"} | ({"42"} if kind == "group_assignment_changed" else set())


KINDS_WITH_FIXTURE = {path.name.split(".")[1] for path in FIXTURES.glob("zendesk__ticket.*.json")}
EVENTS: dict[str, dict[str, Any]] = {
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
def test_a_ticket_that_is_gone_is_deleted(word: str) -> None:
    assert [fact.value for fact in facts(event("status_changed", {"current": word}), "deleted")] == [True]


def test_a_status_that_nobody_knows_is_a_problem() -> None:
    for word in ("In progress", "", None, {"id": 5}, "solvedish"):
        assert "status: unknown word" in (parse(event("status_changed", {"current": word})).problem or "")


def test_a_comment_is_a_message_of_whoever_wrote_it() -> None:
    [reply] = facts(fixture("comment_added"), "message")
    assert (reply.by, reply.agent, reply.public, reply.id) == ("agent", "411000000000000021", True, "55010")
    by_requester = {"comment": {"id": "1", "body": "hello", "is_public": True, "author": {"id": "902000000000000017"}}}
    [message] = facts(event("comment_added", by_requester), "message")
    assert (message.by, message.text) == ("customer", "hello")
    private = {"comment": {"id": "2", "body": "psst", "is_public": False, "author": {"id": "9", "is_staff": True}}}
    assert not facts(event("comment_added", private), "message")[0].public
    assert parse(event("comment_added", {})).problem


@pytest.mark.parametrize(("score", "value"), [("GOOD", 1), ("BAD", 0), ("good_with_comment", 1), ("BAD_WITH_COMMENT", 0)])
def test_a_rating_is_good_or_bad_and_keeps_the_tools_word(score: str, value: int) -> None:
    body = event("csat_received", {"satisfaction_score": {"score": score, "comment": "because"}})
    [rating] = facts(body, "rating")
    assert (rating.value, rating.scale, rating.raw, rating.text, rating.id) == (value, (0, 1), score, "because", "satisfaction")


def test_an_offered_rating_is_none_yet_and_an_unknown_one_is_a_problem() -> None:
    assert parse(event("csat_received", {"satisfaction_score": {"score": "OFFERED"}})).ignored
    assert parse(event("csat_received", {"satisfaction_score": {"score": "4"}})).problem


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
    assert [fact.team for fact in facts(body, "assigned") if "team" in fact.model_fields_set] == [None]
    assert facts(event("group_assignment_changed", {"current": nobody}), "assigned")[-1].team is None
    assert facts(body, "opened")[0].by == "customer"
    assert record(body, mapping).dimensions.model_dump(exclude_unset=True) == {}
    assert record(event("created", {}, requester_id=nobody)).customer is None
    read = record(filled(assignee=nobody, group=nobody, requester=nobody))
    assert read.customer is None
    assert [(fact.team, fact.agent) for fact in read.facts if fact.fact == "assigned"] == [(None, None)]


def filled(**fields: Any) -> bytes:
    """Our trigger's body as Zendesk sends it."""
    payload = {
        "earshot": "ticket",
        "id": "7",
        "status": "Open",
        "created_at": "2026-11-16T07:15Z",
        "updated_at": "2026-11-16T07:15Z",
    }
    return json.dumps(payload | fields).encode()


def test_a_ticket_that_somebody_else_submitted_was_opened_by_an_agent() -> None:
    [opened] = facts(event("created", {}, submitter_id="411000000000000021"), "opened")
    assert (opened.by, opened.agent) == ("agent", "411000000000000021")


def test_the_mapping_fills_dimensions_from_the_tickets_fields() -> None:
    mapping = mapping_of(brand_id="product", organization_id="segment", nothing="region")
    read = record(fixture("created"), mapping)
    assert read.dimensions.model_dump(exclude_unset=True) == {"product": "77001", "segment": "88002"}
    assert (read.channel, read.customer and read.customer.id) == ("email", "902000000000000017")


def test_kinds_that_we_do_not_use_are_ignored_whatever_they_are_called() -> None:
    assert parse(fixture("tags_changed")).ignored == PREFIX + "tags_changed"
    assert parse(b'{"type": "zen:event-type:user.created", "id": "u"}').ignored == "zen:event-type:user.created"
    assert parse(b"{}").ignored
    assert parse(b'{"type": "created"}').ignored == "created"


def test_an_event_goes_by_its_own_id_and_a_trigger_by_its_invocation() -> None:
    headers = {"x-zendesk-webhook-invocation-id": "inv-1"}
    assert parse(fixture("created"), headers=headers).id == "0b0c5a10-0000-4000-8000-000000000001"
    assert parse(TRIGGER, headers=headers).id == "inv-1"
    assert parse(b"{", headers=headers).id == "inv-1"


def test_quotes_and_line_breaks_in_a_triggers_comment_do_no_harm() -> None:
    [rating] = facts(TRIGGER, "rating")
    assert (rating.value, rating.text) == (1, 'They said "done in an hour",\nand it was!')
    assert [fact.status for fact in facts(TRIGGER, "status")] == ["solved"]


def test_our_template_is_read_once_zendesk_has_filled_it_in() -> None:
    body = trigger.template()
    values = {
        "ticket.id": "7",
        "ticket.priority": "High",
        "ticket.requester.id": "902",
        "ticket.submitter.id": "411",
        "ticket.status": "On-hold",
        "ticket.created_at_with_timestamp": "2026-11-16T07:15:00Z",
        "ticket.updated_at_with_timestamp": "2026-11-16T08:15:00Z",
        "satisfaction.current_comment": 'a \\ b "c"\td',
        "satisfaction.current_rating": "Bad, I'm unsatisfied",
    }
    for name in TEMPLATE_FIELDS:
        body = body.replace("{{" + name + "}}", values.get(name, ""))
    assert "{{" not in body
    assert not values.keys() - set(TEMPLATE_FIELDS)
    read = record(body.encode())
    assert [fact.fact for fact in read.facts] == ["opened", "assigned", "priority", "status", "rating"]
    opening, _, priority, status, rating = read.facts
    assert (opening.by, opening.agent) == ("agent", "411")  # type: ignore[union-attr]
    assert priority.priority == "high"  # type: ignore[union-attr]
    assert status.status == "on_hold"  # type: ignore[union-attr]
    assert (rating.value, rating.text) == (0, 'a \\ b "c"\td')  # type: ignore[union-attr]
    assert read.customer is not None
    assert read.customer.id == "902"


def test_a_body_of_an_earlier_template_is_read() -> None:
    """It named the rating `ticket.satisfaction.…`, under the same keys, and no submitter."""
    read = record(TRIGGER)
    assert [fact.fact for fact in read.facts] == ["opened", "assigned", "priority", "status", "rating"]
    assert facts(TRIGGER, "opened")[0].by == "customer"


STATUS_WORDS = [(status, word) for words in WORDS["statuses"].values() for status, several in words.items() for word in several]


@pytest.mark.parametrize(("status", "word"), STATUS_WORDS)
def test_a_status_is_read_in_every_language_of_zendesk_whatever_its_case(status: str, word: str) -> None:
    for written in (word, word.upper(), word.lower(), f" {word} ", unicodedata.normalize("NFD", word)):
        assert [fact.status for fact in facts(filled(status=written), "status")] == [status], written


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Gelöst", "solved"),
        ("Resolu", "solved"),
        ("résolu", "solved"),
        ("Wartend", "pending"),
        ("En attente", "pending"),
        ("In attesa", "pending"),
        ("En espera", "on_hold"),
        ("保留中", "pending"),
        ("待機中", "on_hold"),
        ("AÇIK", "open"),
        ("on_hold", "on_hold"),
        ("On hold", "on_hold"),
    ],
)
def test_well_known_translations_are_among_them(word: str, status: str) -> None:
    assert [fact.status for fact in facts(filled(status=word), "status")] == [status]


def test_no_word_means_two_statuses_priorities_or_ratings_in_whatever_languages() -> None:
    for kind in ("statuses", "priorities", "ratings"):
        meanings: dict[str, set[str]] = {}
        for words in WORDS[kind].values():
            for meaning, several in words.items():
                for word in several:
                    meanings.setdefault(spelling(word), set()).add(meaning)
        assert {word: found for word, found in meanings.items() if len(found) > 1} == {}
        assert "" not in meanings


@pytest.mark.parametrize(
    ("word", "priority"),
    [
        ("HIGH", "high"),
        ("High", "high"),
        ("Hoch", "high"),
        ("Élevée", "high"),
        ("緊急", "urgent"),
        ("P1", "p1"),
        ("-", None),
        ("", None),
    ],
)
def test_a_priority_is_one_group_in_every_language(word: str, priority: str | None) -> None:
    assert [fact.priority for fact in facts(filled(priority=word), "priority")] == [priority]
    assert facts(event("priority_changed", {"current": word}), "priority")[-1].priority == priority


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("Good", 1),
        ("bad", 0),
        ("Good with comment", 1),
        ("bad_without_comment", 0),
        ("Good, I'm satisfied", 1),
        ("Bad, I’m unsatisfied", 0),
        ("Gut, ich bin zufrieden", 1),
        ("Schlecht, ich bin unzufrieden", 0),
        ("Bueno, estoy satisfecho", 1),
        ("Mauvaise, je suis mécontent(e)", 0),
    ],
)
def test_a_rating_may_be_the_text_that_the_placeholder_renders(word: str, value: int) -> None:
    [rating] = facts(filled(rating=word, comment="because"), "rating")
    assert (rating.value, rating.scale, rating.raw, rating.text) == (value, (0, 1), word, "because")


@pytest.mark.parametrize("word", ["", "Offered", "Unoffered", "OFFERED", None])
def test_a_rating_that_nobody_gave_is_none(word: str | None) -> None:
    assert facts(filled(rating=word), "rating") == []


def test_a_rating_that_nobody_knows_is_a_problem() -> None:
    assert "rating: unknown word" in (parse(filled(rating="Meh, I'm indifferent")).problem or "")


def test_a_triggers_comment_may_look_like_the_template() -> None:
    raw = filled(rating="Good").removesuffix(b"}") + b', "comment": "I wrote "comment": "ok" there"}'
    [rating] = facts(raw, "rating")
    assert rating.text == 'I wrote "comment": "ok" there'


def test_a_channel_may_be_mapped_from_a_field() -> None:
    mapping = mapping_of(brand_id="channel")
    read = record(fixture("created"), mapping)
    assert (read.channel, read.dimensions.model_dump(exclude_unset=True)) == ("77001", {})
    triggered = record(filled(channel="Web form", brand="shop"), mapping_of(brand="channel"))
    assert triggered.channel == "shop"


def test_an_author_who_is_no_staff_is_a_customer_also_if_another_asked() -> None:
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


# --- the opening, stated again --------------------------------------------------------------------------------------------
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
    [(REQUESTER, {}), (AGENT, {"submitter_id": AGENT}), (AGENT, {"submitter_id": AGENT, "requester_id": AGENT})],
)
def test_a_comment_that_repeats_the_opening_is_no_message(author: str, detail: dict[str, Any]) -> None:
    body = first_comment(author, body=f" {DESCRIPTION}\n", **detail)
    assert facts(body, "message") == []
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
def test_an_opening_is_public_or_not_where_the_event_tells(body: bytes, public: bool | None) -> None:
    """`is_public` of a ticket says whether any of its comments is public."""
    [opened] = facts(body, "opened")
    assert (opened.public if "public" in opened.model_fields_set else None) is public


# --- two updates within a minute ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("words", "reopened", "open_now"), [(("Solved", "Open"), 1, 1), (("Offen", "Gelöst"), 0, 0)])
def test_two_triggers_of_one_minute_keep_their_order(words: tuple[str, str], reopened: int, open_now: int) -> None:
    statements = []
    for seq, word in enumerate(words, 1):
        raw = filled(status=word, updated_at="2026-11-16T07:37Z")
        delivery = receive_body(connection("zendesk"), {"x-zendesk-webhook-invocation-id": f"i-{seq}"}, raw, NOW)
        statements.append(replace(delivery.statements[0].event, seq=seq, statement=f"i-{seq}"))
    for arrived in (statements, statements[::-1]):
        counted = contributions(view(arrived), {})
        assert sum(row.measure == "reopened" for row in counted) == reopened
        assert sum(row.amount for row in counted if row.measure == "backlog") == open_now


TEMPLATE_FIELDS = [
    value.strip("{}") for value in json.loads(trigger.template()).values() if value.startswith("{{")
]  # fmt: skip


def test_a_trigger_without_its_times_or_with_a_foreign_status_is_a_problem() -> None:
    payload = {
        "earshot": "ticket",
        "id": "7",
        "status": "In progress",
        "created_at": "2026-11-16T07:15Z",
        "updated_at": "2026-11-16T07:15Z",
    }
    assert parse(json.dumps(payload).encode()).problem
    assert parse(json.dumps(payload | {"status": "Open", "created_at": ""}).encode()).problem
    assert parse(json.dumps(payload | {"status": "Open"}).encode()).problem is None


def test_of_a_payload_with_a_problem_the_ticket_is_known_and_the_delivery_goes_by_its_own_id() -> None:
    trigger = json.dumps({"earshot": 1, "id": "7", "status": "solved"}).encode()
    headers = {"x-zendesk-webhook-invocation-id": "inv-1"}
    parsed = parse(trigger, headers=headers)
    assert (parsed.id, parsed.about, bool(parsed.problem)) == ("inv-1", ("ticket/7",), True)
    parsed = parse(json.dumps({"type": PREFIX + "comment_added", "id": "e-1", "detail": {"id": "7"}}).encode(), headers=headers)
    assert (parsed.id, parsed.about, bool(parsed.problem)) == ("e-1", ("ticket/7",), True)
    parsed = parse(json.dumps({"type": PREFIX + "comment_added", "id": "e-1"}).encode(), headers=headers)
    assert (parsed.about, bool(parsed.problem)) == ((), True)
