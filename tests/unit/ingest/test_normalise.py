"""A record becomes an event: redacted, with pseudonyms, with all defaults."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import UNSET

from services.ingest.domain.delivery import Statement
from services.ingest.domain.normalise import TooLong, normalise
from services.ingest.domain.record import Erasure, read_record
from shared import events
from shared.events import Event, encode
from tests.unit.ingest.making import NOW, comment, connection, nps, response, ticket


def statement(record: dict[str, Any], **changed: Any) -> Statement:
    read = read_record(record, NOW)
    assert not isinstance(read, Erasure)
    return normalise(read, connection(**changed), NOW)


def event(record: dict[str, Any], **changed: Any) -> Event:
    return statement(record, **changed).event


OPENED = {"fact": "opened", "at": "2026-11-20T08:00:00Z", "text": "I am a@b.de"}


def test_a_response_becomes_a_statement_of_its_subject() -> None:
    made = event(response(nps(9), survey={"id": "s"}, channel="email", dimensions={"region": "DE", "team": None}), revision=3)
    assert (made.tenant, made.subject, made.source, made.connection, made.revision) == (
        "acme",
        "con_1/response/r-1",
        "standard",
        "con_1",
        3,
    )
    assert made.dimensions == {"region": "DE", "team": None, "channel": "email", "survey": "s"}
    assert isinstance(made.body, events.Response)
    assert made.body == events.Response(
        at=made.body.at, answers=(events.Answer(question="q1", kind="nps", value=9, scale=(0, 10)),)
    )


def test_the_stamp_is_the_time_of_the_edit_else_of_the_receipt() -> None:
    assert event(response(updated_at="2026-11-20T11:00:00Z")).at.hour == 11
    assert event(response()).at == NOW


def test_an_id_and_an_address_of_one_customer_are_published_as_aliases() -> None:
    both = statement(response(nps(), customer={"id": "c-77", "email": "Jo@example.org"}))
    assert [(alias.pseudonym, alias.kind) for alias in both.event.aliases] == [(both.email, "email")]
    assert both.aliases == []
    assert statement(response(nps(), customer={"id": "c-77"})).event.aliases == ()
    assert statement(response(nps(), customer={"email": "jo@example.org"})).event.aliases == ()
    assert statement(response(nps())).event.aliases == ()


def test_further_aliases_are_published_once() -> None:
    further = [{"id": "zendesk:351"}, {"id": "c-77"}, {"email": "JO@example.org"}, {"email": "old@example.org"}]
    made = statement(response(nps(), customer={"id": "c-77", "email": "jo@example.org", "aliases": further}))
    assert [alias.kind for alias in made.event.aliases] == ["email", "id", "email"]
    assert [alias.kind for alias in made.aliases] == ["id", "email"]
    assert len(made.pseudonyms) == 4


def test_another_address_is_another_statement() -> None:
    first, second = (statement(response(nps(), customer={"id": "c-77", "email": f"{name}@example.org"})) for name in ("a", "b"))
    assert first.fingerprint != second.fingerprint


def test_no_identity_is_published() -> None:
    made = statement(response(comment("call +49 30 1234567 or a@b.de"), customer={"id": "c-77", "email": "jo@example.org"}))
    travelling = encode(made.event)
    for identity in (b"c-77", b"jo@example.org", b"1234567", b"a@b.de"):
        assert identity not in travelling
    assert made.event.customer
    assert made.email
    assert made.event.customer != made.email


@pytest.mark.parametrize("by", ["agent", "bot"])
def test_only_customers_texts_are_published(by: str) -> None:
    messages = [
        {"fact": "message", "at": "2026-11-20T09:00:00Z", "by": by, "text": "as your agent"},
        {"fact": "message", "at": "2026-11-20T09:30:00Z", "by": "customer", "text": "as a customer"},
    ]
    travelling = encode(event(ticket({**OPENED, "by": by}, *messages)))
    assert b"as a customer" in travelling
    assert b"as your agent" not in travelling
    assert b"I am" not in travelling


def test_texts_of_agents_become_a_keyed_digest_and_texts_of_customers_have_none() -> None:
    def digests(*texts: str | None, by: str = "agent", **changed: Any) -> list[str | None]:
        facts: list[dict[str, Any]] = [{"fact": "opened", "at": "2026-11-20T08:00:00Z", "by": by, "text": texts[0]}]
        facts += [{"fact": "message", "at": "2026-11-20T08:00:00Z", "by": by, "text": text} for text in texts[1:]]
        body = event(ticket(*facts), **changed).body
        assert isinstance(body, events.Ticket)
        return [fact.text_digest for fact in body.facts if isinstance(fact, events.Opened | events.Message)]

    first, same, other, blank = digests("Hello Jo", " Hello\nJo ", "Hello Joe", "  ")
    assert first == same != other
    assert first
    assert blank is None
    assert digests("Hello Jo", key=bytes(31) + b"x") != [first], "a tenant's digests are its own"
    assert digests("Hello Jo", "Hello Jo", by="customer") == [None, None]


def test_public_of_an_opening_is_published_only_if_the_record_states_it() -> None:
    for fields, public in (({}, UNSET), ({"public": True}, True), ({"public": False}, False)):
        body = event(ticket({**OPENED, **fields})).body
        assert isinstance(body, events.Ticket)
        [opened] = body.facts
        assert isinstance(opened, events.Opened)
        assert opened.public is public


def test_every_customers_text_is_redacted() -> None:
    rating = {
        "fact": "rating",
        "at": "2026-11-20T09:00:00Z",
        "scale": [0, 1],
        "value": 1,
        "text": "thanks, c@d.de",
        "raw": "good e@f.de",
    }
    message = {"fact": "message", "at": "2026-11-20T09:30:00Z", "by": "customer", "text": "g@h.de"}
    review = {"type": "review", "id": "v", "at": "2026-11-20T10:00:00Z", "title": "i@j.de", "text": "k@l.de"}
    assert b"@" not in encode(event(ticket(OPENED, message, rating)))
    assert b"@" not in encode(event(review))
    assert b"@" not in encode(event(response(nps(9, raw="great m@n.de"), comment("o@p.de"))))


def test_team_and_agent_of_a_ticket_stay_dimensions() -> None:
    """They are the assignment at the opening, whose time another record may state."""
    for facts in ([], [OPENED]):
        made = event(ticket(*facts, dimensions={"team": "billing", "agent": None}))
        assert made.dimensions == {"team": "billing", "agent": None}
        assert isinstance(made.body, events.Ticket)
        assert len(made.body.facts) == len(facts)


def test_a_ticket_without_an_opening_gets_none() -> None:
    body = event(ticket({"fact": "status", "at": "2026-11-20T09:00:00Z", "status": "solved"})).body
    assert isinstance(body, events.Ticket)
    assert not [fact for fact in body.facts if isinstance(fact, events.Opened)]


def test_the_records_dimensions_override_the_connections() -> None:
    assert event(response(), dimensions={"region": "AT", "product": "app"}).dimensions == {"region": "AT", "product": "app"}
    assert event(response(dimensions={"region": "DE"}), dimensions={"region": "AT"}).dimensions == {"region": "DE"}


def test_dimensions_of_the_tenants_own_are_part_of_the_event_in_any_order_of_the_record() -> None:
    one, other = (
        statement(response(dimensions=dimensions))
        for dimensions in ({"tier": None, "plan": "pro", "team": "a"}, {"team": "a", "plan": "pro", "tier": None})
    )
    assert one.event.dimensions == {"team": "a", "plan": "pro", "tier": None}
    assert one.fingerprint == other.fingerprint


def test_the_connections_fixed_dimensions_are_in_nfc() -> None:
    assert event(response(), dimensions={"product": "Cafe\u0301"}).dimensions == {"product": "Caf\u00e9"}


def test_the_text_of_an_opening_is_redacted_and_the_product_of_a_review_is_a_dimension() -> None:
    body = event(ticket(OPENED)).body
    assert isinstance(body, events.Ticket)
    [opened] = body.facts
    assert isinstance(opened, events.Opened)
    assert opened.text == "I am [email]"
    review = {"type": "review", "id": "v", "at": "2026-11-20T10:00:00Z", "product": "app"}
    assert event(review).dimensions == {"product": "app"}


def test_a_missing_assignee_is_unset_and_null_removes_one() -> None:
    at = "2026-11-20T09:00:00Z"
    body = event(
        ticket(
            {"fact": "assigned", "at": at, "team": "billing"},
            {"fact": "assigned", "at": at, "agent": None},
            {"fact": "message", "at": at, "by": "agent"},
            {"fact": "spam", "at": at},
        )
    ).body
    assert isinstance(body, events.Ticket)
    team, agent, message, spam = body.facts
    assert isinstance(team, events.Assigned)
    assert isinstance(agent, events.Assigned)
    assert (team.team, team.agent, agent.team, agent.agent) == ("billing", UNSET, UNSET, None)
    assert isinstance(message, events.Message)
    assert (message.public, message.auto) == (True, False)
    assert isinstance(spam, events.Spam)
    assert spam.value is True


def test_defaults_of_an_answer_are_filled_in_unless_it_is_withdrawn() -> None:
    body = event(
        response(
            {"question": "a", "kind": "csat", "scale": [1, 7], "value": 6},
            {"question": "b", "kind": "ces", "value": 2},
            {"question": "c", "kind": "nps", "value": None},
            {"question": "d", "kind": "comment", "text": ""},
        )
    ).body
    assert isinstance(body, events.Response)
    assert body.answers == (
        events.Answer(question="a", kind="csat", value=6, scale=(1, 7), positive_from=6),
        events.Answer(question="b", kind="ces", value=2, scale=(1, 7), polarity="easy_is_high"),
        events.Answer(question="c", kind="nps"),
        events.Answer(question="d", kind="comment"),
    )


def test_the_fingerprint_depends_on_the_content_alone() -> None:
    record = response(nps(9))
    assert statement(record).fingerprint == statement(record, revision=2).fingerprint
    read = read_record(record, NOW)
    assert not isinstance(read, Erasure)
    assert normalise(read, connection(), NOW + timedelta(days=1), position=3).fingerprint == statement(record).fingerprint
    assert statement(record).fingerprint != statement(response(nps(8))).fingerprint
    assert statement(record).fingerprint != statement(response(nps(9), updated_at="2026-11-20T11:00:00Z")).fingerprint


def test_an_override_becomes_a_statement_of_its_subject() -> None:
    override = {
        "type": "override",
        "id": "o",
        "at": "2026-11-20T10:00:00Z",
        "subject": "con_9/review/v",
        "comment": "0" * 32,
        "label": "negative",
    }
    made = event(override)
    assert made.subject == "con_9/review/v"
    assert made.body == events.Override(comment="0" * 32, label="negative")


def test_every_kind_of_fact_is_published() -> None:
    at = "2026-11-20T09:00:00Z"
    facts: list[dict[str, Any]] = [
        OPENED,
        {"fact": "message", "at": at, "by": "agent", "agent": "a", "public": False, "auto": True, "id": "m", "language": "fr"},
        {"fact": "status", "at": at, "status": "on_hold"},
        {"fact": "assigned", "at": at, "agent": "a"},
        {"fact": "priority", "at": at, "priority": "high"},
        {"fact": "rating", "at": at, "value": None, "id": "s", "text": "no", "language": "en"},
        {"fact": "merged", "at": at, "into": "t-2"},
        {"fact": "spam", "at": at, "value": False},
        {"fact": "deleted", "at": at},
    ]
    body = event(ticket(*facts)).body
    assert isinstance(body, events.Ticket)
    assert [type(fact).__name__ for fact in body.facts] == [
        "Opened", "Message", "StatusSet", "Assigned", "PrioritySet", "Rating", "Merged", "Spam", "Deleted",
    ]  # fmt: skip
    by_type = {type(fact): fact for fact in body.facts}
    message, rating = by_type[events.Message], by_type[events.Rating]
    assert isinstance(message, events.Message)
    assert isinstance(rating, events.Rating)
    assert (message.id, message.agent, message.public, message.auto, message.language) == ("m", "a", False, True, "fr")
    assert (rating.id, rating.value, rating.text, rating.language) == ("s", None, "no", "en")
    assert {fact.at.isoformat() for fact in body.facts[1:]} == {"2026-11-20T09:00:00+00:00"}


@pytest.mark.parametrize("kind", ["merged", "spam", "deleted"])
@pytest.mark.parametrize("value", [True, False])
def test_a_fact_that_undoes_another_is_published_as_one(kind: str, value: bool) -> None:
    body = event(ticket({"fact": kind, "at": "2026-11-20T09:00:00Z", "value": value})).body
    assert isinstance(body, events.Ticket)
    [fact] = body.facts
    assert isinstance(fact, events.Merged | events.Spam | events.Deleted)
    assert fact.value is value


def test_the_language_of_a_comment_is_published() -> None:
    body = event(response({**comment("Sehr gut."), "language": "de"})).body
    assert isinstance(body, events.Response)
    assert [(answer.text, answer.language) for answer in body.answers] == [("Sehr gut.", "de")]


def test_a_record_whose_event_is_too_long_is_refused() -> None:
    texts = [{"question": str(i), "kind": "comment", "text": "x" * 65_000} for i in range(24)]
    with pytest.raises(TooLong):
        event(response(*texts))
