"""Tally: submissions under the mapping of their fields, choices, hidden fields."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.record import Response, read_record
from tests.unit.ingest.making import NOW, request, to_values

PROVIDER = PROVIDERS["tally"]
FIXTURE = Path(__file__).parents[2] / "fixtures" / "providers" / "tally__FORM_RESPONSE.json"
MAPPING = FieldMapping.model_validate(
    {
        "questions": {"question_nps": {"kind": "nps"}, "question_star": {"kind": "csat", "scale": [1, 5]}},
        "dimensions": {"question_plan": "segment", "region": "region"},
    }
)


def payload(**answers: Any) -> dict[str, Any]:
    """The fixture, with the values of these fields changed."""
    value: dict[str, Any] = json.loads(FIXTURE.read_text())
    for field in value["data"]["fields"]:
        field["value"] = answers.get(field["key"], field["value"])
    return value


def parse(value: Any, mapping: FieldMapping = MAPPING) -> Parsed:
    return PROVIDER.parse(request(json.dumps(value).encode()), mapping)


def record(value: Any, mapping: FieldMapping = MAPPING) -> Response:
    parsed = parse(value, mapping)
    assert parsed.problem is None, parsed.problem
    [one] = parsed.records
    read = read_record(one, NOW)
    assert isinstance(read, Response)
    return read


def test_the_body_is_signed() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    headers = {"Tally-Signature": "9Qk43kDnGfuJw9YvfsvFTDJXHLif38Rp6U+mXLoaUNg="}
    PROVIDER.verify(request(body, headers), ["a-former-secret", "test-secret"], NOW)
    for refused in (request(body + b" ", headers), request(body)):
        with pytest.raises(NotVerified):
            PROVIDER.verify(refused, ["test-secret"], NOW)


def test_a_submission_has_the_answers_that_the_mapping_declares_and_its_comments() -> None:
    read = record(payload())
    assert (parse(payload()).id, read.id, read.channel) == ("ce9f355d-2fc8-4f16-b56f-db656ef57f4a", "Z9Z97Go", "survey")
    assert read.survey
    assert (read.survey.id, read.survey.name) == ("XxA4WO", "Customer feedback")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("c-77", "jo@example.org")
    assert read.dimensions == {"segment": "pro", "region": "DE"}
    assert [to_values(answer) for answer in read.answers] == [
        {"question": "question_nps", "kind": "nps", "value": 9},
        {"question": "question_star", "kind": "csat", "scale": (1, 5), "value": 4},
        {"question": "question_text", "kind": "comment", "text": "Great answers, slow export."},
        {"question": "question_why", "kind": "comment", "text": "It is fast."},
    ]


def test_without_a_mapping_ratings_and_choices_are_unmapped_and_nothing_is_guessed() -> None:
    parsed = parse(payload(), FieldMapping())
    assert [answer["kind"] for answer in parsed.records[0]["answers"]] == ["comment", "comment"]
    assert parsed.use.unmapped == (
        UnmappedQuestion("question_name", None, "First name"),
        UnmappedQuestion("question_nps", None, "How likely are you to recommend us?"),
        UnmappedQuestion("question_star", None, "Rate our support"),
        UnmappedQuestion("question_plan", None, "Your plan"),
    )
    used = parse(payload()).use
    assert (used.questions, used.dimensions) == ({"question_nps", "question_star"}, {"question_plan", "region"})


def test_a_choice_is_read_by_the_text_of_its_option() -> None:
    rated = FieldMapping.model_validate({"questions": {"question_plan": {"kind": "csat", "scale": [1, 5]}}})
    value = payload()
    for field in value["data"]["fields"]:
        if field["key"] == "question_plan":
            field |= {"value": ["o-2"], "options": [{"id": "o-1", "text": "1"}, {"id": "o-2", "text": "5"}]}
    assert [answer.value for answer in record(value, rated).answers if answer.kind == "csat"] == [5]
    several = payload(question_plan=["opt-pro", "opt-free"])
    assert record(several).dimensions.get("segment") is None


def test_a_skipped_question_is_no_answer_and_an_ignored_one_neither() -> None:
    skipped = payload(question_nps=None, question_text="")
    assert [answer.question for answer in record(skipped).answers] == ["question_star", "question_why"]
    ignored = FieldMapping.model_validate(
        {"questions": {"question_text": {"kind": "ignore"}, "question_why": {"kind": "ignore"}}}
    )
    assert record(payload(), ignored).answers == ()


def test_a_hidden_field_that_cannot_be_used_is_left_out() -> None:
    read = record(payload(question_hidden_region="x" * 201, question_hidden_id="", question_email="not an address"))
    assert (read.dimensions.get("region"), read.customer) == (None, None)


def test_other_events_are_ignored() -> None:
    assert parse({"eventType": "FORM_VIEW", "eventId": "1"}).ignored == "FORM_VIEW"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"eventType": "FORM_RESPONSE", "data": {}}, "data.submissionId is missing"),
        ({"eventType": "FORM_RESPONSE", "data": {"submissionId": "1", "fields": 5}}, "data.fields is no list"),
        (
            payload(question_star="great"),
            "question question_star is a rating by the mapping, but its answer is no whole number",
        ),
        (
            payload(question_star="--5"),
            "question question_star is a rating by the mapping, but its answer is no whole number",
        ),
        (payload(question_text=["a"]), "question question_text is a comment, but its answer is no text"),
    ],
)
def test_an_answer_of_another_type_is_a_problem(value: dict[str, Any], problem: str) -> None:
    assert parse(value).problem == problem
