"""Survicate: one delivery for each answer, which are put together as one response."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, read_settings
from services.ingest.domain.record import Response, read_record
from tests.unit.ingest.making import NOW, request, to_values

PROVIDER = PROVIDERS["survicate"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
MAPPING = {
    "questions": {"12123": {"kind": "csat", "scale": [1, 5]}},
    "values": {"Great": 5, "Bad": 1},
    "dimensions": {"plan": "segment", "organization": "region"},
}


def payload(name: str, **changed: Any) -> dict[str, Any]:
    """A fixture, with changed fields of its event."""
    value: dict[str, Any] = json.loads((FIXTURES / f"survicate__{name}.json").read_text())
    value["event"]["questionAnswered"] |= changed
    return value


def parse(value: Any, mapping: dict[str, Any] | None = None) -> Parsed:
    return PROVIDER.parse(
        request(json.dumps(value).encode()), read_settings("survicate", MAPPING if mapping is None else mapping)
    )


def record(value: Any, mapping: dict[str, Any] | None = None) -> Response:
    parsed = parse(value, mapping)
    assert parsed.problem is None, parsed.problem
    [one] = parsed.records
    read = read_record(one, NOW)
    assert isinstance(read, Response)
    return read


def answers(value: Any, mapping: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [to_values(answer) for answer in record(value, mapping).answers]


def test_the_body_is_signed_in_either_encoding() -> None:
    body = b'{"messageId":"c0101a21572ca643fd9f9ad40a5a4650"}'
    mac = hmac.digest(b"test-secret", body, hashlib.sha256)
    for signature in (mac.hex(), mac.hex().upper(), base64.b64encode(mac).decode()):
        headers = {"Hmac": signature}
        PROVIDER.verify(request(body, headers), ["a-former-secret", "test-secret"], NOW)
        for refused in (request(body + b" ", headers), request(body), request(body, {"Token": "test-secret"})):
            with pytest.raises(NotVerified):
                PROVIDER.verify(refused, ["test-secret"], NOW)


def test_each_answer_is_a_part_of_the_same_response() -> None:
    read = record(payload("nps"))
    assert (parse(payload("nps")).id, read.id, read.channel) == ("m-nps", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "survey")
    assert read.at.isoformat() == "2026-11-20T09:46:02+00:00"
    assert read.survey
    assert (read.survey.id, read.survey.name) == ("b92b6ecae6dd7207", "Satisfaction")
    assert read.customer
    assert (read.customer.id, read.customer.email, read.dimensions.get("segment")) == ("c-77", None, "pro")
    assert {record(payload(name)).id for name in ("nps", "rating", "text", "contact")} == {read.id}


def test_an_answer_is_a_rating_by_the_mapping_and_the_comment_beside_it_a_comment() -> None:
    assert answers(payload("rating")) == [
        {"question": "12123", "kind": "csat", "scale": (1, 5), "value": 5, "raw": "Great"},
        {"question": "12123.comment", "kind": "comment", "text": "Ada was quick."},
    ]
    number = payload("rating", choice={"id": 21573, "body": "4", "comment": None})
    assert answers(number) == [{"question": "12123", "kind": "csat", "scale": (1, 5), "value": 4}]
    ignored = MAPPING | {"questions": {"12123": {"kind": "ignore"}, "12123.comment": {"kind": "ignore"}}}
    assert answers(payload("rating"), ignored) == []
    assert answers(payload("text")) == [{"question": "12124", "kind": "comment", "text": "The export is slow."}]


@pytest.mark.parametrize(
    ("choice", "is_nps"),
    [
        ({"id": 9, "body": "promoter"}, True),
        ({"id": 7, "body": "passive"}, True),
        ({"id": 0, "body": "detractor"}, True),
        ({"id": 9, "body": "passive"}, False),
        ({"id": 11, "body": "promoter"}, False),
        ({"id": 9, "body": "9"}, False),
        ({"id": 21573, "body": "Great"}, False),
    ],
)
def test_nothing_but_the_documented_shape_is_nps(choice: dict[str, Any], is_nps: bool) -> None:
    value = payload("nps", choice=choice)
    assert [answer["kind"] for answer in answers(value, {})] == (["nps"] if is_nps else [])
    unmapped = (UnmappedQuestion("12121", None, "How likely are you to recommend us?"),)
    assert parse(value, {}).use.unmapped == (() if is_nps else unmapped)


def test_an_nps_question_by_the_mapping_has_its_score_in_either_shape() -> None:
    mapping = {"questions": {"12121": {"kind": "nps"}}}
    assert answers(payload("nps"), mapping)[0]["value"] == 9
    assert answers(payload("nps", choice={"id": 441, "body": "8"}), mapping)[0]["value"] == 8


def test_a_contact_form_has_the_address_and_dimensions_and_no_answer() -> None:
    read = record(payload("contact"))
    assert read.customer
    assert (read.customer.email, read.dimensions.get("region"), read.answers) == ("jo@example.org", "Example", ())
    assert parse(payload("contact")).use.unmapped == ()


def test_a_respondent_without_an_own_id_is_known_by_that_of_survicate() -> None:
    respondent = {"id": "534759", "uuid": "279cd4ab", "attributes": []}
    customer = record(payload("nps", respondent=respondent)).customer
    assert customer
    assert customer.id == "survicate:279cd4ab"
    listed = respondent | {"attributes": [{"name": "customer_id", "value": 77}, "x"]}
    customer = record(payload("nps", respondent=listed)).customer
    assert customer
    assert customer.id == "77"
    assert [one.id for one in customer.aliases] == ["survicate:279cd4ab"]
    assert record(payload("nps", respondent=None)).customer is None
    typed = payload("contact", respondent=None, fields={"user_id": "c-1"})
    assert record(typed).customer is None


def test_a_choice_may_be_a_dimension() -> None:
    mapping = {"dimensions": {"12123": "product"}}
    parsed = parse(payload("rating"), mapping)
    assert (parsed.records[0]["dimensions"], parsed.use.unmapped) == ({"product": "Great"}, ())
    assert parsed.use.dimensions == {"12123"}


@pytest.mark.parametrize("answer", [{"matrix": [{"body": "Speed", "value": "Good"}]}, {"choice": ["Great"]}, {"text": 5}])
def test_an_answer_of_another_shape_is_unmapped_until_it_is_ignored(answer: dict[str, Any]) -> None:
    other = payload("text", **{"text": None, **answer})
    assert (answers(other), [one.question for one in parse(other).use.unmapped]) == ([], ["12124"])
    assert parse(other, {"questions": {"12124": {"kind": "ignore"}}}).use.unmapped == ()
    assert parse(other, {"questions": {"12124": {"kind": "comment"}}}).problem_code == "mapping_mismatch"
    assert parse(payload("text", text=None)).use.unmapped == ()


def test_other_events_are_left_out() -> None:
    assert parse({"messageId": "m", "event": {"surveyAnswered": {}}}).ignored == "surveyAnswered"
    assert parse({"messageId": "m", "event": {"questionAnswered": []}}).problem == "responseUuid is missing"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (payload("nps", responseUuid=None), "responseUuid is missing"),
        (payload("nps", question={}), "question.id is missing"),
        (
            payload("rating", choice={"id": 1, "body": "So so"}),
            "question 12123 is a rating by the mapping, but its answer is no number",
        ),
        (
            payload("rating", question={"id": 9}),
            "question 9 is a comment, but its answer is no text",
        ),
    ],
)
def test_an_answer_of_another_type_is_a_problem(value: dict[str, Any], problem: str) -> None:
    mapping = MAPPING | {"questions": {"12123": {"kind": "csat", "scale": [1, 5]}, "9": {"kind": "comment"}}}
    assert parse(value, mapping).problem == problem
