"""Delighted: responses whose comment arrives later, survey types, additional questions, old payloads."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.record import Response, read_record
from tests.unit.ingest.making import NOW, request, to_values

PROVIDER = PROVIDERS["delighted"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
CREATED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def fixture(event: str, **data: Any) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((FIXTURES / f"delighted__survey_response.{event}.json").read_text())
    payload["event_data"] |= data
    return payload


def parse(payload: Any, mapping: dict[str, Any] | None = None) -> Parsed:
    return PROVIDER.parse(request(json.dumps(payload).encode()), FieldMapping.model_validate(mapping or {}))


def record(payload: Any, mapping: dict[str, Any] | None = None) -> Response:
    parsed = parse(payload, mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Response)
    return read


def answers(payload: Any, mapping: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [to_values(answer) for answer in record(payload, mapping).answers]


def test_the_body_is_signed_with_the_private_api_key() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    digest = "f50938de40e719fb89c3d62f7ecbc54c32571cb89fdfc469e94fa65cba1a50d8"
    PROVIDER.verify(request(body, {"X-Delighted-Webhook-Signature": f"sha256={digest}"}), ["former", "test-secret"], NOW)
    for refused in (request(b"{}", {"X-Delighted-Webhook-Signature": f"sha256={digest}"}), request(body)):
        with pytest.raises(NotVerified):
            PROVIDER.verify(refused, ["test-secret"], NOW)


def test_a_comment_that_arrives_later_belongs_to_the_same_response() -> None:
    first, second = record(fixture("created")), record(fixture("updated"))
    assert (first.id, first.at, second.id, second.at) == ("5435", CREATED, "5435", CREATED)
    assert first.updated_at == CREATED
    assert second.updated_at == datetime(2026, 11, 20, 9, 10, tzinfo=UTC)
    assert [answer["kind"] for answer in answers(fixture("created"))] == ["nps"]
    assert answers(fixture("updated"))[:2] == [
        {"question": "nps", "kind": "nps", "value": 9},
        {"question": "comment", "kind": "comment", "text": "Fast and flawless!"},
    ]
    assert second.customer
    assert (second.customer.id, second.customer.email) == ("delighted:5975", "jo@example.org")


def test_events_with_one_id_are_different_deliveries_and_a_retry_is_none() -> None:
    assert parse(fixture("updated")).id == parse(fixture("updated")).id
    same_id = fixture("created") | {"event_id": fixture("updated")["event_id"]}
    assert parse(same_id).id != parse(fixture("updated")).id
    assert parse(fixture("updated", updated_at=1795167001)).id != parse(fixture("updated")).id
    assert parse(fixture("updated") | {"event_id": None}).id is None


def test_properties_of_the_person_may_be_dimensions() -> None:
    mapping = {"dimensions": {"plan": "segment", "Delivery": "channel", "locale": "language"}}
    read = record(fixture("updated"), mapping)
    assert (read.dimensions.get("segment"), read.channel, read.dimensions.get("language")) == ("pro", "email", None)
    assert parse(fixture("updated"), mapping).use.dimensions == {"plan", "Delivery"}
    assert record(fixture("updated", person_properties=None), mapping).channel == "survey"


def test_the_scale_of_other_surveys_needs_the_mapping() -> None:
    csat = fixture("created", survey_type="csat", score=4)
    assert answers(csat) == []
    assert parse(csat).use.unmapped == (UnmappedQuestion("csat"),)
    mapping = {"questions": {"csat": {"kind": "csat", "scale": [1, 5]}}}
    assert answers(csat, mapping) == [{"question": "csat", "kind": "csat", "scale": (1, 5), "value": 4}]
    assert parse(csat, mapping).use.questions == {"csat"}


def test_an_old_payload_without_a_type_is_nps_by_the_mapping_alone() -> None:
    old = fixture("created")
    del old["event_data"]["survey_type"], old["event_data"]["additional_answers"]
    assert (answers(old), parse(old).use.unmapped) == ([], (UnmappedQuestion("score"),))
    assert answers(old, {"questions": {"score": {"kind": "nps"}}}) == [{"question": "score", "kind": "nps", "value": 9}]


def test_additional_questions_are_comments_ratings_by_the_mapping_or_unmapped() -> None:
    parsed = parse(fixture("updated"))
    assert answers(fixture("updated"))[2:] == [{"question": "free_1", "kind": "comment", "text": "A dark mode."}]
    assert [(one.question, one.title) for one in parsed.use.unmapped] == [
        ("scale_1", "How easy was it?"),
        ("enum_1", "What matters most?"),
    ]
    mapping = {"questions": {"scale_1": {"kind": "ces"}, "enum_1": {"kind": "ignore"}, "free_1": {"kind": "ignore"}}}
    assert answers(fixture("updated"), mapping)[2:] == [{"question": "scale_1", "kind": "ces", "value": 6}]
    assert parse(fixture("updated"), mapping).use.unmapped == ()


@pytest.mark.parametrize(
    ("question", "kind"), [("enum_1", "ces"), ("enum_1", "comment"), ("scale_1", "comment"), ("nps", "comment")]
)
def test_an_answer_that_does_not_fit_its_declared_kind_is_a_problem_and_not_left_out(question: str, kind: str) -> None:
    assert parse(fixture("updated"), {"questions": {question: {"kind": kind}}}).problem_code == "mapping_mismatch"


def test_a_comment_may_be_ignored() -> None:
    kinds = [answer["question"] for answer in answers(fixture("updated"), {"questions": {"comment": {"kind": "ignore"}}})]
    assert kinds == ["nps", "free_1"]


def test_other_events_are_ignored() -> None:
    assert parse(fixture("created") | {"event_type": "unsubscribe.created"}).ignored == "unsubscribe.created"


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (fixture("created", id=None), "event_data.id is missing"),
        (fixture("created", created_at=None), "created_at is missing"),
        (fixture("created", created_at="2026-11-20"), "created_at is no Unix time in seconds"),
        (fixture("created", score="9"), "question nps is a rating by the mapping, but its answer is no number"),
    ],
)
def test_a_payload_of_another_shape_is_a_problem(payload: dict[str, Any], problem: str) -> None:
    assert parse(payload).problem == problem
