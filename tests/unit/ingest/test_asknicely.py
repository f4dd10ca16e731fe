"""AskNicely: a response and its changes, scores by the mapping alone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.record import Response, read_record
from tests import signing
from tests.unit.ingest.making import NOW, request, to_values

PROVIDER = PROVIDERS["asknicely"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
RESPONDED = datetime.fromtimestamp(1795160200, UTC)
MAPPING = {
    "questions": {"score": {"kind": "nps"}, "ai_question_1": {"kind": "comment"}},
    "dimensions": {"person.segment": "segment", "scorecard1": "praise"},
}


def payload(name: str = "response_with_comment", *, count: Any = None, **question: Any) -> dict[str, Any]:
    """A fixture, with these fields of `question` changed."""
    value: dict[str, Any] = json.loads((FIXTURES / f"asknicely__{name}.json").read_text())
    value["question"] |= question
    return value if count is None else {**value, "count": count}


def parse(value: Any, mapping: dict[str, Any] | None = None) -> Parsed:
    settings = FieldMapping.model_validate(MAPPING if mapping is None else mapping)
    return PROVIDER.parse(request(json.dumps(value).encode()), settings)


def record(value: Any, mapping: dict[str, Any] | None = None) -> Response:
    parsed = parse(value, mapping)
    assert parsed.problem is None, parsed.problem
    [one] = parsed.records
    read = read_record(one, NOW)
    assert isinstance(read, Response)
    return read


def answers(value: Any, mapping: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [to_values(answer) for answer in record(value, mapping).answers]


def test_a_header_presents_the_secret() -> None:
    PROVIDER.verify(request(b"{}", signing.shared_secret("a-shared-secret", b"{}")), ["former-one", "a-shared-secret"], NOW)
    with pytest.raises(NotVerified, match="x-earshot-secret"):
        PROVIDER.verify(request(b"{}"), ["a-shared-secret"], NOW)


def test_a_comment_that_arrives_later_belongs_to_the_same_response() -> None:
    first, second = payload("response"), payload()
    assert (parse(first).id, parse(second).id) == ("345094:1", "345094:2")
    assert {record(first).id, record(second).id} == {"345094"}
    assert answers(first) == [{"question": "Default", "kind": "nps", "value": 9}]
    assert answers(second) == [
        {"question": "Default", "kind": "nps", "value": 9},
        {"question": "comment", "kind": "comment", "text": "Quick and kind."},
        {"question": "ai_question_1", "kind": "comment", "text": "The answer came at once."},
    ]


def test_the_highest_count_is_the_latest_whatever_the_order_of_arrival() -> None:
    assert record(payload("response")).updated_at == RESPONDED + timedelta(microseconds=1)
    assert record(payload()).updated_at == RESPONDED + timedelta(microseconds=2)
    assert record(payload(count="many")).updated_at == RESPONDED
    assert record(payload(count=10**12)).updated_at == RESPONDED + timedelta(microseconds=999_999)


def test_a_response_has_its_times_its_customer_and_what_the_mapping_names() -> None:
    read = record(payload())
    assert (read.at, read.sent_at, read.channel) == (RESPONDED, datetime.fromtimestamp(1795160000, UTC), "email")
    assert read.survey
    assert read.survey.id == "Default"
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("asknicely:163012", "ada@example.org")
    assert read.dimensions == {"segment": "retail", "praise": "Great knowledge"}
    use = parse(payload()).use
    assert (use.questions, use.dimensions, use.unmapped) == ({"score", "ai_question_1"}, {"person.segment", "scorecard1"}, ())


def test_without_a_mapping_the_comment_alone_is_read() -> None:
    parsed = parse(payload(), {})
    assert [answer["kind"] for answer in parsed.records[0]["answers"]] == ["comment"]
    assert parsed.use.unmapped == (
        UnmappedQuestion("Default", "score"),
        UnmappedQuestion("ai_question_1"),
        UnmappedQuestion("scorecard1"),
    )


def test_the_mapping_of_a_template_comes_before_that_of_all_scores() -> None:
    mapping = {"questions": {"Default": {"kind": "csat", "scale": [1, 5]}, "score": {"kind": "nps"}}}
    assert answers(payload(score="4"), mapping)[0] == {"question": "Default", "kind": "csat", "scale": (1, 5), "value": 4}
    assert answers(payload(survey_template="Other"), mapping)[0] == {"question": "Other", "kind": "nps", "value": 9}
    assert answers(payload(survey_template=None), mapping)[0] == {"question": "score", "kind": "nps", "value": 9}
    assert answers(payload(), {"questions": {"comment": {"kind": "ignore"}}}) == []


@pytest.mark.parametrize(
    ("value", "problem", "about"),
    [
        ({}, "question.id is missing", ()),
        ({"question": {"id": "5"}}, "question.responded is missing", ("response/5",)),
        (payload(responded="yesterday"), "question.responded is no Unix time in seconds", ("response/345094",)),
        (
            payload(score="great"),
            "question Default is a rating by the mapping, but its answer is no whole number",
            ("response/345094",),
        ),
    ],
)
def test_a_response_that_cannot_be_read_is_a_problem(value: Any, problem: str, about: tuple[str, ...]) -> None:
    assert (parse(value).problem, parse(value).about) == (problem, about)
