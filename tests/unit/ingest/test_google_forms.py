"""Google Forms: the responses that our Apps Script sends."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, read_settings
from services.ingest.domain.record import Response, read_record
from tests import signing
from tests.unit.ingest.making import NOW, request, to_values

PROVIDER = PROVIDERS["google_forms"]
FIXTURE = Path(__file__).parents[2] / "fixtures" / "providers" / "google_forms__response.json"
BODY = FIXTURE.read_text()
HEADERS = {"webhook-id": "2_ABaOnue:2026-11-20T09:00:01.000Z", "webhook-timestamp": "1795165201"}
MAPPING = {
    "questions": {"101": {"kind": "nps"}, "102": {"kind": "csat", "scale": [1, 5]}},
    "dimensions": {"106": "segment"},
    "customer": "105",
}


def payload(*, scales: dict[str, Any] | None = None, **answers: Any) -> dict[str, Any]:
    """The fixture's body, with the answers to these questions changed: `q103="…"`, and their scales."""
    value: dict[str, Any] = json.loads(BODY)
    for answer in value["answers"]:
        answer["response"] = answers.get(f"q{answer['itemId']}", answer["response"])
        if answer["itemId"] in (scales or {}):
            answer["scale"] = (scales or {})[answer["itemId"]]
    return value


def parse(value: Any, mapping: dict[str, Any] | None = None) -> Parsed:
    settings = read_settings("google_forms", MAPPING if mapping is None else mapping)
    return PROVIDER.parse(request(json.dumps(value).encode(), HEADERS), settings)


def record(value: Any, mapping: dict[str, Any] | None = None) -> Response:
    parsed = parse(value, mapping)
    assert parsed.problem is None, parsed.problem
    [one] = parsed.records
    read = read_record(one, NOW)
    assert isinstance(read, Response)
    return read


def answers(value: Any, mapping: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [to_values(answer) for answer in record(value, mapping).answers]


def test_it_is_signed_by_standard_webhooks() -> None:
    secret = PROVIDER.new_secret(bytes(range(32)))
    headers = signing.standard(secret, b"{}", at=NOW.timestamp())
    PROVIDER.verify(request(b"{}", headers), [secret], NOW)
    with pytest.raises(NotVerified):
        PROVIDER.verify(request(b"{} ", headers), [secret], NOW)


def test_a_response_has_the_answers_that_the_mapping_declares_and_its_comments() -> None:
    read = record(payload())
    assert (parse(payload()).id, read.id, read.channel) == ("2_ABaOnue:2026-11-20T09:00:01.000Z", "2_ABaOnue", "survey")
    assert (read.at.isoformat(), read.updated_at and read.updated_at.isoformat()) == (
        "2026-11-20T09:00:00+00:00",
        "2026-11-20T09:00:01+00:00",
    )
    assert read.survey
    assert (read.survey.id, read.survey.name) == ("18Xgmr4XQb", "Support feedback")
    assert read.customer
    assert (read.customer.id, read.customer.email, read.dimensions.get("segment")) == ("c-77", "jo@example.org", "pro")
    assert answers(payload()) == [
        {"question": "101", "kind": "nps", "value": 9},
        {"question": "102", "kind": "csat", "scale": (1, 5), "value": 4},
        {"question": "103", "kind": "comment", "text": "Great support"},
        {"question": "104", "kind": "comment", "text": "It is fast."},
    ]


def test_without_a_mapping_scales_and_choices_are_unmapped_and_nothing_is_guessed() -> None:
    parsed = parse(payload(), {})
    assert [answer["kind"] for answer in parsed.records[0]["answers"]] == ["comment", "comment"]
    assert parsed.use.unmapped == (
        UnmappedQuestion("101", None, "How likely are you to recommend us?"),
        UnmappedQuestion("102", None, "Rate our support"),
        UnmappedQuestion("105", None, "Customer number"),
        UnmappedQuestion("106", None, "Your plan"),
    )
    assert parse(payload()).use.unmapped == ()


def test_an_edit_withdraws_the_answers_that_it_leaves_out() -> None:
    edited = payload(q101=None, q103="")
    assert answers(edited)[0] == {"question": "101", "kind": "nps", "value": None}
    assert answers(edited)[2] == {"question": "103", "kind": "comment", "text": None}


def test_a_mapping_that_contradicts_the_scale_of_the_form_is_a_problem() -> None:
    stretched = parse(payload(scales={"102": [1, 7]}))
    assert (stretched.problem, stretched.problem_code, stretched.about) == (
        "question 102 goes from 1 to 7 in the form, but from 1 to 5 by the mapping",
        "mapping_mismatch",
        ("response/2_ABaOnue",),
    )
    assert parse(payload(scales={"101": [1, 10]})).problem
    assert answers(payload(scales={"102": "x"}))[1]["value"] == 4


def test_a_question_that_names_the_customer_is_no_comment() -> None:
    named = MAPPING | {"customer": "104", "dimensions": {"103": "region"}}
    read = record(payload(), named)
    assert read.customer
    assert (read.customer.id, read.dimensions.get("region")) == ("It is fast.", "Great support")
    assert [answer.kind for answer in read.answers] == ["nps", "csat"]


def test_ignored_questions_are_left_out() -> None:
    ignored = {"questions": {name: {"kind": "ignore"} for name in ("101", "102", "103", "104", "105", "106")}}
    assert (answers(payload(), ignored), parse(payload(), ignored).use.unmapped) == ([], ())


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"responseId": "1"}, "the body is not made by Earshot's script"),
        ({"source": "google_forms"}, "responseId is missing"),
        ({"source": "google_forms", "responseId": "1", "answers": {}}, "answers is no list"),
        (payload(q102="good"), "question 102 is a rating by the mapping, but its answer is no whole number"),
        (payload(q102="--5"), "question 102 is a rating by the mapping, but its answer is no whole number"),
        (payload(q103=["a"]), "question 103 is a comment, but its answer is no text"),
    ],
)
def test_a_body_of_another_shape_is_a_problem(value: dict[str, Any], problem: str) -> None:
    assert parse(value).problem == problem
