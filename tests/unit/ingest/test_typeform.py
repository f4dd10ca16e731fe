"""Typeform: who is let in, and what a submission says."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.connection import Mapping
from services.ingest.domain.providers import NotVerified
from services.ingest.domain.providers.typeform import parse, verify
from services.ingest.domain.record import Response, read_record
from tests import signing
from tests.unit.ingest.making import NOW

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
BODY = (FIXTURES / "typeform__form_response.json").read_bytes()
PARTIAL = (FIXTURES / "typeform__form_response_partial.json").read_bytes()


def mapping(**fields: Any) -> Mapping:
    return Mapping.model_validate(fields)


def changed(**answer: Any) -> bytes:
    payload = json.loads(BODY)
    payload["form_response"]["answers"] = [answer]
    return json.dumps(payload).encode()


def test_a_right_signature_is_let_in_and_any_other_is_not() -> None:
    headers = signing.typeform("test-secret", BODY)
    verify(headers, BODY, ["other-secret", "test-secret"], NOW)
    for refused, body in (
        (headers, BODY + b" "),
        ({}, BODY),
        ({"typeform-signature": "sha256="}, BODY),
        ({"typeform-signature": "ü"}, BODY),
    ):
        with pytest.raises(NotVerified):
            verify(refused, body, ["test-secret"], NOW)


def test_the_signature_is_base64_under_githubs_prefix() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    verify({"typeform-signature": "sha256=9Qk43kDnGfuJw9YvfsvFTDJXHLif38Rp6U+mXLoaUNg="}, body, ["test-secret"], NOW)


def test_a_submission_says_what_is_typed_and_leaves_out_what_nobody_declared() -> None:
    parsed = parse({}, BODY, Mapping())
    assert parsed.id == "01J9EVENT0000000000000001"
    record = read_record(parsed.records[0], NOW)
    assert isinstance(record, Response)
    assert (record.id, record.channel, record.survey and record.survey.id) == ("tok-5f2c", "survey", "Fq3xW1")
    assert [(a.question, a.kind) for a in record.answers] == [("f-nps", "nps"), ("f-why", "comment")]
    assert record.customer is not None
    assert (record.customer.id, record.customer.email) == ("cust-12", "franz.huber@example.org")


def test_the_mapping_declares_questions_by_ref_or_id_and_dimensions_by_field() -> None:
    declared = mapping(
        questions={
            "satisfied": {"kind": "csat", "scale": [1, 5]},
            "f-solved": {"kind": "csat", "scale": [0, 1]},
        },
        dimensions={"region": "region", "plan": "segment", "shop": "product", "absent": "team"},
    )
    record = read_record(parse({}, BODY, declared).records[0], NOW)
    assert isinstance(record, Response)
    assert {a.question: getattr(a, "value", None) for a in record.answers} == {
        "f-nps": 9,
        "f-sat": 4,
        "f-why": None,
        "f-solved": 1,
    }
    assert record.dimensions.model_dump(exclude_unset=True) == {"region": "AT", "segment": "team", "product": "Graz"}


def test_an_opinion_scale_is_nps_only_where_the_mapping_says_so() -> None:
    body = changed(type="number", number=8, field={"id": "x", "ref": "r", "type": "opinion_scale"})
    assert parse({}, body, Mapping()).records[0]["answers"] == []
    answer = parse({}, body, mapping(questions={"r": {"kind": "nps"}})).records[0]["answers"][0]
    assert (answer["kind"], answer["value"]) == ("nps", 8)


def test_a_partial_submission_is_ignored() -> None:
    assert parse({}, PARTIAL, Mapping()).ignored == "form_response_partial"


def test_an_answer_that_can_be_no_rating_is_a_problem() -> None:
    body = changed(type="choice", choice={"label": "very"}, field={"id": "x", "ref": "r", "type": "multiple_choice"})
    assert "is a rating by the mapping" in (parse({}, body, mapping(questions={"x": {"kind": "nps"}})).problem or "")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"event_type": "form_response"}', b'{"event_type": "form_response", "form_response": 5}']
)
def test_what_is_no_submission_is_a_problem(body: bytes) -> None:
    assert parse({}, body, Mapping()).problem


def test_answers_of_the_wrong_shape_are_left_out() -> None:
    payload = json.loads(BODY)
    payload["form_response"]["answers"] = [None, 5, {"field": "x"}, {}]
    payload["form_response"]["hidden"] = []
    assert parse({}, json.dumps(payload).encode(), Mapping()).records[0]["answers"] == []
