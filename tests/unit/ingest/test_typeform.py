"""Typeform: signatures, and the record of a submission."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.record import Response, read_record
from tests import signing
from tests.unit.ingest.making import NOW, request, to_values

PROVIDER = PROVIDERS["typeform"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
BODY = (FIXTURES / "typeform__form_response.json").read_bytes()
PARTIAL = (FIXTURES / "typeform__form_response_partial.json").read_bytes()


def verify(headers: dict[str, str], body: bytes, secrets: list[str], now: datetime) -> None:
    PROVIDER.verify(request(body, headers), secrets, now)


def parse(body: bytes, mapping: FieldMapping | None = None, headers: dict[str, str] | None = None) -> Parsed:
    return PROVIDER.parse(request(body, headers), mapping or FieldMapping())


def mapping(**fields: Any) -> FieldMapping:
    return FieldMapping.model_validate(fields)


def changed(**answer: Any) -> bytes:
    payload = json.loads(BODY)
    payload["form_response"]["answers"] = [answer]
    return json.dumps(payload).encode()


def test_only_the_right_signature_is_verified() -> None:
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


def test_the_signature_is_base64_after_the_prefix_of_github() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    verify({"typeform-signature": "sha256=9Qk43kDnGfuJw9YvfsvFTDJXHLif38Rp6U+mXLoaUNg="}, body, ["test-secret"], NOW)


def test_typed_fields_become_answers_and_undeclared_ones_are_left_out() -> None:
    parsed = parse(BODY)
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
    record = read_record(parse(BODY, declared).records[0], NOW)
    assert isinstance(record, Response)
    assert {a.question: getattr(a, "value", None) or None for a in record.answers} == {
        "f-nps": 9,
        "f-sat": 4,
        "f-why": None,
        "f-solved": 1,
    }
    assert record.dimensions == {"region": "AT", "segment": "team", "product": "Graz"}


def test_an_answer_is_named_by_the_id_of_its_field_else_by_its_ref() -> None:
    for field, name in (({"id": "x", "ref": "r"}, "x"), ({"ref": "r"}, "r")):
        body = changed(type="text", text="Quick.", field={**field, "type": "long_text"})
        assert parse(body).records[0]["answers"] == [{"question": name, "kind": "comment", "text": "Quick."}]


def test_the_ref_of_a_field_is_read_from_the_definition_if_the_answer_lacks_it() -> None:
    payload = json.loads(BODY)
    for answer in payload["form_response"]["answers"]:
        del answer["field"]["ref"]
    body = json.dumps(payload).encode()
    declared = mapping(questions={"satisfied": {"kind": "csat", "scale": [1, 5]}}, dimensions={"shop": "product"})
    [record] = parse(body, declared).records
    assert [answer["question"] for answer in record["answers"]] == ["f-nps", "f-sat", "f-why"]
    assert record["dimensions"] == {"product": "Graz"}
    assert unmapped(body, declared) == [("f-age", "age", "Your age"), ("f-solved", "solved", "Solved?")]


def test_an_opinion_scale_is_nps_only_if_the_mapping_says_so() -> None:
    body = changed(type="number", number=8, field={"id": "x", "ref": "r", "type": "opinion_scale"})
    assert parse(body).records[0]["answers"] == []
    answer = parse(body, mapping(questions={"r": {"kind": "nps"}})).records[0]["answers"][0]
    assert (answer["kind"], answer["value"]) == ("nps", 8)


def unmapped(body: bytes, declared: FieldMapping | None = None) -> list[tuple[str, str | None, str | None]]:
    """(question, ref, title) of the unmapped questions."""
    return [(one.question, one.ref, one.title) for one in parse(body, declared).use.unmapped]


def test_answers_that_the_mapping_leaves_out_are_named_with_their_titles() -> None:
    assert unmapped(BODY) == [
        ("f-sat", "satisfied", "How satisfied are you?"),
        ("f-age", "age", "Your age"),
        ("f-solved", "solved", "Solved?"),
        ("f-shop", "shop", "Which shop?"),
    ]
    declared = mapping(
        questions={"satisfied": {"kind": "csat", "scale": [1, 5]}, "f-age": {"kind": "ignore"}}, dimensions={"shop": "product"}
    )
    assert unmapped(BODY, declared) == [("f-solved", "solved", "Solved?")]


def test_the_keys_of_the_mapping_that_occur_are_named_also_if_a_question_is_not_answered() -> None:
    declared = mapping(
        questions={name: {"kind": "nps"} for name in ("satisfied", "f-why", "satisfed")},
        dimensions={"plan": "segment", "f-shop": "product", "paln": "region"},
    )
    payload = json.loads(BODY)
    payload["form_response"]["answers"] = []
    use = parse(json.dumps(payload).encode(), declared).use
    assert (use.questions, use.dimensions) == ({"satisfied", "f-why"}, {"plan", "f-shop"})


def test_the_titles_of_the_questions_of_a_group_are_read() -> None:
    payload = json.loads(BODY)
    inner = {"id": "x", "ref": "r", "type": "rating", "title": "The food?"}
    group = {"id": "g", "type": "group", "title": "Details", "properties": {"fields": [inner]}}
    answer = {"type": "number", "number": 4, "field": {"id": "x", "ref": "r", "type": "rating"}}
    payload["form_response"] |= {"answers": [answer], "definition": {"fields": [group]}}
    assert unmapped(json.dumps(payload).encode()) == [("x", "r", "The food?")]


def test_an_ignored_field_is_left_out_of_answers_customer_and_dimensions() -> None:
    ignored = {name: {"kind": "ignore"} for name in ("recommend", "f-why", "mail", "shop")}
    declared = mapping(questions=ignored, dimensions={"shop": "product"})
    record = parse(BODY, declared).records[0]
    assert (record["answers"], record["customer"], record["dimensions"]) == ([], {"id": "cust-12"}, {})
    assert [question for question, _, _ in unmapped(BODY, declared)] == ["f-sat", "f-age", "f-solved"]


def short_text(title: str | None) -> bytes:
    """A submission with one short text, whose field has this title."""
    payload = json.loads(BODY)
    field = {"id": "x", "ref": "r", "type": "short_text"}
    definition = {"fields": [{**field, "title": title}]}
    payload["form_response"] |= {"definition": definition, "answers": [{"type": "text", "text": "Quick.", "field": field}]}
    return json.dumps(payload).encode()


def test_a_short_text_is_a_comment_if_its_title_asks_for_one_or_the_mapping_says_so() -> None:
    comment = [{"question": "x", "kind": "comment", "text": "Quick."}]
    declared = mapping(questions={"r": {"kind": "comment"}})
    assert parse(short_text("Why?")).records[0]["answers"] == comment
    assert parse(short_text("Your first name"), declared).records[0]["answers"] == comment
    for title in ("Your first name", "", None):
        assert parse(short_text(title)).records[0]["answers"] == []
        assert unmapped(short_text(title)) == [("x", "r", title or None)]
    assert parse(short_text("Why?"), mapping(questions={"x": {"kind": "ignore"}})).records[0]["answers"] == []


def test_a_dimension_of_the_tenants_own_is_read_from_a_field() -> None:
    declared = mapping(dimensions={"plan": "plan", "shop": "branch"})
    record = read_record(parse(BODY, declared).records[0], NOW)
    assert isinstance(record, Response)
    assert record.dimensions == {"plan": "team", "branch": "Graz"}


def with_hidden(hidden: dict[str, Any], *answers: dict[str, Any]) -> bytes:
    payload = json.loads(BODY)
    payload["form_response"] |= {"hidden": hidden, "answers": list(answers)}
    return json.dumps(payload).encode()


def customer_of(body: bytes) -> dict[str, str] | None:
    record = read_record(parse(body).records[0], NOW)
    assert isinstance(record, Response)
    return to_values(record.customer) if record.customer else None


@pytest.mark.parametrize("unfilled", ["xxxxx", "XXXXX", " xxxxx ", "", "{{contact.id}}", "*|UNIQID|*"])
def test_an_unfilled_hidden_field_is_absent(unfilled: str) -> None:
    body = with_hidden({"user_id": unfilled, "customer_id": "c-1", "email": unfilled, "plan": unfilled})
    assert customer_of(body) == {"id": "c-1"}
    [record] = parse(body, mapping(dimensions={"plan": "segment"})).records
    assert record["dimensions"] == {}
    assert customer_of(with_hidden({"user_id": unfilled, "email": unfilled})) is None


BROKEN = ["n/a", "@", "jo@", "jo@x@y", "jo @x.org", "jo@x.org\ncc: me", "a" * 320 + "@x.org", 5, None, ["a@b.de"]]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_address_is_left_out_of_the_customer(broken: Any) -> None:
    answer = {"type": "email", "email": broken, "field": {"id": "e", "type": "email"}}
    assert customer_of(with_hidden({"email": broken}, answer)) is None
    assert customer_of(with_hidden({"email": broken, "user_id": "u-1"}, answer)) == {"id": "u-1"}
    assert customer_of(with_hidden({"email": "jo@example.org"}, answer)) == {"email": "jo@example.org"}


@pytest.mark.parametrize("unusable", ["x" * 201, "a\nb", {"a": 1}, True])
def test_no_hidden_value_puts_a_submission_in_quarantine(unusable: Any) -> None:
    body = with_hidden({"user_id": unusable, "email": unusable, "plan": unusable})
    [record] = parse(body, mapping(dimensions={"plan": "segment"})).records
    assert "customer" not in record
    read_record(record, NOW)


def test_fields_are_mapped_in_any_unicode_form() -> None:
    hidden = {"re\u0301gion": "AT", "enquete": "s-2"}
    answer = {"type": "number", "number": 4, "field": {"id": "x", "ref": "note\u0301", "type": "rating"}}
    chosen = {"type": "choice", "choice": {"label": "Graz"}, "field": {"id": "f-shop", "type": "multiple_choice"}}
    declared = mapping(
        questions={"not\u00e9": {"kind": "csat", "scale": [1, 5]}},
        dimensions={"r\u00e9gion": "region", "enquete": "survey", "f-shop": "product"},
    )
    [record] = parse(with_hidden(hidden, answer, chosen), declared).records
    assert record["dimensions"] == {"region": "AT", "product": "Graz"}
    assert record["survey"] == {"id": "s-2"}
    assert [a["value"] for a in record["answers"]] == [4]


def test_a_text_field_that_was_answered_by_a_choice_is_a_problem() -> None:
    body = changed(type="choice", choice={"label": "very"}, field={"id": "x", "ref": "r", "type": "long_text"})
    assert "is a comment, but its answer is no text" in (parse(body).problem or "")


def test_the_right_digest_under_another_scheme_is_refused() -> None:
    signature = signing.typeform("test-secret", BODY)["typeform-signature"]
    with pytest.raises(NotVerified):
        verify({"typeform-signature": signature.replace("sha256=", "md5=")}, BODY, ["test-secret"], NOW)


def test_a_partial_submission_is_ignored() -> None:
    assert parse(PARTIAL).ignored == "form_response_partial"


def test_a_mapped_rating_that_is_not_a_number_is_a_problem() -> None:
    body = changed(type="choice", choice={"label": "very"}, field={"id": "x", "ref": "r", "type": "multiple_choice"})
    assert "is a rating by the mapping" in (parse(body, mapping(questions={"x": {"kind": "nps"}})).problem or "")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"event_type": "form_response"}', b'{"event_type": "form_response", "form_response": 5}']
)
def test_a_body_that_is_not_a_submission_is_a_problem(body: bytes) -> None:
    assert parse(body).problem


def test_answers_of_the_wrong_shape_are_left_out() -> None:
    payload = json.loads(BODY)
    payload["form_response"]["answers"] = [None, 5, {"field": "x"}, {}]
    payload["form_response"]["hidden"] = []
    assert parse(json.dumps(payload).encode()).records[0]["answers"] == []
