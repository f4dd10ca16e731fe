"""Zendesk's triggers: our template, and its words in every language."""

import json
import unicodedata

import pytest
from msgspec.structs import replace

from services.ingest.domain.providers.zendesk import trigger
from services.ingest.domain.providers.zendesk.values import WORDS, spelling
from services.metrics.domain.contributions import contributions
from services.metrics.domain.view import view
from tests.unit.ingest.making import NOW, connection, receive_body
from tests.unit.ingest.zendesk_payloads import (
    TRIGGER,
    event,
    facts,
    filled,
    parse,
    record,
)

STATUS_WORDS = [(status, word) for words in WORDS["statuses"].values() for status, several in words.items() for word in several]


TEMPLATE_FIELDS = [
    value.strip("{}") for value in json.loads(trigger.template()).values() if value.startswith("{{")
]  # fmt: skip


def test_a_triggers_comment_may_hold_quotes_and_line_breaks() -> None:
    [rating] = facts(TRIGGER, "rating")
    assert (rating.value, rating.text) == (1, 'They said "done in an hour",\nand it was!')
    assert [fact.status for fact in facts(TRIGGER, "status")] == ["solved"]
    [rating] = facts(TRIGGER.replace(b"and it", b"and\x0bit"), "rating")
    assert rating.text == 'They said "done in an hour",\nand\x0bit was!'


def test_an_unescaped_comment_states_no_fields() -> None:
    forged = 'Nice", "plan": "gold'
    body = filled(rating="Good").removesuffix(b"}") + b', "comment": "' + forged.encode() + b'"}'
    assert [fact.text for fact in facts(body, "rating")] == [forged]


def test_a_comment_without_its_closing_quote_is_a_problem() -> None:
    body = filled(rating="Good").removesuffix(b"}") + b', "comment": "}'
    assert "no JSON; its comment must come last" in (parse(body).problem or "")


def test_our_filled_in_template_is_read() -> None:
    body = trigger.template()
    values = {
        "ticket.id": "7",
        "ticket.priority": "High",
        "ticket.requester.id": "902",
        "ticket.submitter.id": "411",
        "ticket.group.id": "360",
        "ticket.assignee.id": "412",
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
    opening, assigned, priority, status, rating = read.facts
    assert (assigned.team, assigned.agent) == ("360", "412")  # type: ignore[union-attr]
    assert (opening.by, opening.agent) == ("agent", "411")  # type: ignore[union-attr]
    assert priority.priority == "high"  # type: ignore[union-attr]
    assert status.status == "on_hold"  # type: ignore[union-attr]
    assert (rating.value, rating.text) == (0, 'a \\ b "c"\td')  # type: ignore[union-attr]
    assert read.customer is not None
    assert read.customer.id == "zendesk:902"


def test_a_body_of_an_earlier_template_is_read() -> None:
    """It named the rating `ticket.satisfaction.…`, under the same keys, and no submitter."""
    read = record(TRIGGER)
    assert [fact.fact for fact in read.facts] == ["opened", "assigned", "priority", "status", "rating"]
    assert facts(TRIGGER, "opened")[0].by == "customer"


@pytest.mark.parametrize(("status", "word"), STATUS_WORDS)
def test_a_status_is_read_in_every_language_and_case(status: str, word: str) -> None:
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
def test_well_known_translations_are_read(word: str, status: str) -> None:
    assert [fact.status for fact in facts(filled(status=word), "status")] == [status]


def test_no_word_has_two_meanings() -> None:
    for kind in ("statuses", "priorities", "ratings"):
        meanings: dict[str, set[str]] = {}
        for words in WORDS[kind].values():
            for meaning, several in words.items():
                for word in several:
                    meanings.setdefault(spelling(word), set()).add(meaning)
        assert {word: several for word, several in meanings.items() if len(several) > 1} == {}
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
def test_a_missing_rating_is_no_fact(word: str | None) -> None:
    assert facts(filled(rating=word), "rating") == []


def test_an_unknown_rating_of_a_trigger_is_a_problem() -> None:
    assert "rating: unknown word" in (parse(filled(rating="Meh, I'm indifferent")).problem or "")


def test_a_triggers_comment_may_look_like_the_template() -> None:
    raw = filled(rating="Good").removesuffix(b"}") + b', "comment": "I wrote "comment": "ok" there"}'
    [rating] = facts(raw, "rating")
    assert rating.text == 'I wrote "comment": "ok" there'


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
