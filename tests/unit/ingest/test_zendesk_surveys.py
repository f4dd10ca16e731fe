"""Answers to Zendesk's satisfaction surveys: the events that announce them, the calls, and the ratings."""

import json
from typing import Any

import pytest

from services.ingest.domain.delivery import Delivery, StoredDelivery
from services.ingest.domain.providers.payload import NotYet, Unusable
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.providers.zendesk.settings import ZendeskSettings
from services.ingest.domain.receive import parse_records, receive, receive_again, receive_fetched
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, connection, request
from tests.unit.ingest.zendesk_payloads import PROVIDER, event

API = PROVIDER.api
assert API
ON, OFF = ZendeskSettings(fetch_surveys=True), ZendeskSettings()
TOOL = connection("zendesk", mapping=ON)
TICKET = "35436"
RATED = event("csat_received", {})
SURVEY_PATH = "/api/v2/guide/en-us/surveys/01J58KJ9RAE0D2EK7HRVM7Z8F2/3"


def rating(value: Any = 4, category: Any = "good", at: str = "2026-11-16T12:59:00.000Z", **changed: Any) -> dict[str, Any]:
    question = {"id": "q-1", "type": "rating_scale_numeric", "sub_type": "customer_satisfaction"}
    times = {"created_at": "2026-11-16T12:00:00.000Z", "updated_at": at}
    return {"type": "rating_scale", "rating": value, "rating_category": category, "question": question, **times, **changed}


def comment(text: Any) -> dict[str, Any]:
    return {"type": "open_ended", "value": text, "question": {"id": "q-3", "type": "open_ended", "headline": {"value": "Why?"}}}


def response(*answers: dict[str, Any], ticket: str = TICKET, **changed: Any) -> dict[str, Any]:
    """Answers to a survey, as Zendesk's documentation shows them."""
    subject = {"subject_zrns": [f"zen:ticket:{ticket}"], "subjects": [{"id": ticket, "type": "ticket"}]}
    survey = {"id": "01J58KJ9RAE0D2EK7HRVM7Z8F2", "state": "enabled", "version": 3}
    return {"id": "01J1WB51MG6HX", "responder_id": 4398080151295, "survey": survey, "answers": [*answers], **subject, **changed}


def documents(*responses: dict[str, Any], scale: tuple[int, ...] = (1, 2, 3, 4, 5)) -> dict[str, Any]:
    options = [{"rating": value, "label": {"type": "static", "value": f"Level {value}"}} for value in scale]
    reasons = {"id": "q-2", "type": "closed_ended", "options": [{"id": "o-1", "label": {"value": "Too slow"}}]}
    questions = [{"id": "q-1", "headline": {"value": "Satisfied?"}, "options": options}, reasons]
    meta = {"has_more": False, "after_cursor": None}
    return {
        "survey_responses": {"survey_responses": list(responses), "meta": meta},
        "survey": {"survey": {"id": "01J58KJ9RAE0D2EK7HRVM7Z8F2", "questions": questions}},
    }


def fetches(fetched: dict[str, Any], body: bytes = RATED) -> list[Fetch]:
    assert API
    return list(API.fetches(request(body), fetched, ON))


def pending(body: bytes = RATED) -> StoredDelivery:
    delivery = receive(TOOL, request(body), NOW)
    assert (delivery.verdict, delivery.fetch) == ("pending", f"survey_responses/{TICKET}")
    return StoredDelivery(1, TOOL.id, delivery.id, NOW, delivery.headers, delivery.raw, "", 1)


def fetched_delivery(fetched: dict[str, Any], body: bytes = RATED) -> Delivery:
    return receive_fetched(TOOL, pending(body), fetched, NOW)


def rated(fetched: dict[str, Any], body: bytes = RATED) -> Any:
    """The one rating of a fetched delivery."""
    delivery = fetched_delivery(fetched, body)
    assert (delivery.verdict, delivery.reason) == ("accepted", None)
    [value] = parse_records(TOOL, delivery)
    ticket = read_record(value, NOW)
    assert isinstance(ticket, Ticket)
    assert {"opened", "assigned"} < {fact.fact for fact in ticket.facts}
    [fact] = [fact for fact in ticket.facts if fact.fact == "rating"]
    return fact


# --- events


@pytest.mark.parametrize("happened", [{}, {"satisfaction_score": {"score": "GOOD"}}, {"survey_response": {"id": "01J"}}])
def test_an_answer_is_fetched_if_the_mapping_says_so(happened: dict[str, Any]) -> None:
    body = event("csat_received", happened)
    assert PROVIDER.parse(request(body), ON).fetch == f"survey_responses/{TICKET}"
    assert PROVIDER.parse(request(body), ON).about == (f"ticket/{TICKET}",)
    assert PROVIDER.parse(request(body), OFF).fetch is None


def test_other_events_and_offered_ratings_are_not_fetched() -> None:
    assert PROVIDER.parse(request(event("csat_received", {"satisfaction_score": {"score": "OFFERED"}})), ON).ignored
    assert PROVIDER.parse(request(event("status_changed", {"current": "SOLVED"})), ON).records
    assert PROVIDER.parse(request(event("tags_changed", {})), ON).ignored


def test_an_event_whose_ticket_has_no_usable_id_is_a_problem() -> None:
    assert API
    body = event("csat_received", {}, id="1/../../users")
    assert PROVIDER.parse(request(body), ON).problem == "detail.id is needed, of letters and digits"
    with pytest.raises(Unusable):
        API.fetches(request(body), {}, ON)


def test_an_answer_in_quarantine_is_fetched_when_it_is_retried_under_the_new_mapping() -> None:
    quarantined = receive(connection("zendesk", mapping=OFF), request(RATED), NOW)
    assert "fetch_surveys" in (quarantined.reason or "")
    stored = StoredDelivery(1, TOOL.id, quarantined.id, NOW, quarantined.headers, quarantined.raw, "", 1)
    assert receive_again(TOOL, stored, NOW).verdict == "pending"


# --- calls


def test_the_answers_about_the_ticket_are_fetched_and_then_the_survey_of_the_rating() -> None:
    query = {"filter[subject_zrns]": f"zen:ticket:{TICKET}", "sort": "-id", "page[size]": "10"}
    assert fetches({}) == [Fetch("survey_responses", "/api/v2/guide/survey_responses", query, optional=True)]
    fetched = documents(response(rating()))
    answers = {"survey_responses": fetched["survey_responses"]}
    assert fetches(answers) == [Fetch("survey", SURVEY_PATH, shared=True, optional=True)]
    assert fetches(fetched) == fetches(answers | {"survey": None}) == []


@pytest.mark.parametrize("survey", [{}, {"id": "../users", "version": 3}, {"id": "01J", "version": None}])
def test_a_survey_without_usable_ids_is_not_fetched(survey: dict[str, Any]) -> None:
    assert fetches({"survey_responses": {"survey_responses": [response(rating(), survey=survey)]}}) == []


@pytest.mark.parametrize(
    "answers",
    [
        None,
        {"survey_responses": []},
        {"survey_responses": [response()]},
        {"survey_responses": [response({**rating(), "type": "skipped"})]},
        {"survey_responses": [response(rating(question={"id": "q-1", "sub_type": "other"}))]},
        {"survey_responses": [response(rating(), ticket="7")]},
        {"survey_responses": [response(rating(), subject_zrns=None)]},
        {"survey_responses": [response(rating(at="yesterday"))]},
        {"survey_responses": [response(rating(value=None)), response(rating(category="great")), "x"]},
    ],
)
def test_an_answer_that_is_not_listed_yet_is_fetched_again_unless_the_event_has_a_score(answers: Any) -> None:
    with pytest.raises(NotYet):
        fetches({"survey_responses": answers})
    scored = event("csat_received", {"satisfaction_score": {"score": "BAD", "comment": "Slow"}})
    assert fetches({"survey_responses": answers}, scored) == []
    fact = rated({"survey_responses": answers}, scored)
    assert (fact.value, fact.scale, fact.text) == (0, (0, 1), "Slow")


# --- ratings


@pytest.mark.parametrize(
    ("value", "category", "options", "scale"),
    [
        (1, "bad", (1, 2), (1, 2)),
        (2, "good", (1, 2), (1, 2)),
        (2, "neutral", (1, 2, 3), (1, 3)),
        (3, "neutral", (1, 2, 3, 4, 5), (1, 5)),
        (4, "good", (1, 2, 3, 4, 5), (1, 5)),
    ],
)
def test_a_rating_has_the_scale_of_its_survey_and_zendesks_meaning(
    value: int, category: str, options: tuple[int, ...], scale: tuple[int, int]
) -> None:
    fact = rated(documents(response(rating(value, category)), scale=options))
    assert (fact.value, fact.scale, fact.raw, fact.id) == (value, scale, f"{value} {category}", "satisfaction")
    assert fact.at.isoformat() == "2026-11-16T12:59:00+00:00"


@pytest.mark.parametrize(
    ("value", "category", "options", "expected"),
    [
        (4, "good", (), 1),
        (3, "neutral", (), 0),
        (3, "good", (1, 2, 3, 4, 5), 1),
        (4, "bad", (1, 2, 3, 4, 5), 0),
        (9, "good", (1, 2, 3, 4, 5), 1),
        (9, "good", (1, 10), 1),
    ],
)
def test_without_a_scale_that_agrees_the_category_counts(
    value: int, category: str, options: tuple[int, ...], expected: int
) -> None:
    fact = rated(documents(response(rating(value, category)), scale=options))
    assert (fact.value, fact.scale, fact.raw) == (expected, (0, 1), f"{value} {category}")


def test_a_survey_that_can_not_be_read_leaves_the_category() -> None:
    fact = rated(documents(response(rating())) | {"survey": None})
    assert (fact.value, fact.scale) == (1, (0, 1))


def test_the_latest_rating_of_this_ticket_counts() -> None:
    answers = [
        response(rating(1, "bad", "2026-11-16T12:30:00Z")),
        response(rating(5, "good", "2026-11-16T12:40:00Z")),
        response(rating(2, "bad", "2026-11-16T12:50:00Z"), ticket="354360"),
        response(rating(3, "neutral", "2026-11-16T12:20:00Z")),
    ]
    assert rated(documents(*answers)).value == 5


def test_comments_are_the_text_of_the_rating() -> None:
    skipped = {"type": "skipped", "question": {"id": "q-4"}}
    reason = {"type": "closed_ended", "selections": [{"option_id": "o-1"}], "question": {"id": "q-2"}}
    fact = rated(
        documents(response(rating(), comment("Quick."), reason, comment("  "), comment(None), comment("Kind."), skipped))
    )
    assert fact.text == "Quick.\nKind."
    assert rated(documents(response(rating()))).text is None


def test_a_comment_is_redacted_like_any_other() -> None:
    delivery = fetched_delivery(documents(response(rating(), comment("Call me: +43 1 5880030."))))
    [statement] = delivery.statements
    assert "5880030" not in str(statement.event)


def test_only_fields_that_are_read_are_stored() -> None:
    stored = fetched_delivery(documents(response(rating(), comment("Kind.")))).raw.decode()
    content = json.loads(stored)["documents"]
    assert "4398080151295" not in stored
    assert "Level" not in stored
    assert "Satisfied?" not in stored
    assert API
    assert API.condense(content) == content
