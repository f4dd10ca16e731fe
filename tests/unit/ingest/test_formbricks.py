"""Formbricks: responses that are created, updated and finished, under the mapping of their questions."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.record import Response, read_record
from tests import signing
from tests.unit.ingest.making import NOW, request, to_values

PROVIDER = PROVIDERS["formbricks"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
MAPPING = FieldMapping.model_validate(
    {
        "questions": {
            "nps_question": {"kind": "nps"},
            "csat_question": {"kind": "csat", "scale": [1, 5]},
            "open_text": {"kind": "comment"},
        },
        "dimensions": {"country": "region", "plan": "segment", "language": "language"},
    }
)


def fixture(event: str, **data: Any) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((FIXTURES / f"formbricks__{event}.json").read_text())
    payload["data"] |= data
    return payload


def parse(payload: Any, mapping: FieldMapping = MAPPING) -> Parsed:
    return PROVIDER.parse(request(json.dumps(payload).encode(), {"webhook-id": "w-1"}), mapping)


def record(payload: Any, mapping: FieldMapping = MAPPING) -> Response:
    parsed = parse(payload, mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Response)
    return read


def test_a_delivery_is_signed_as_a_standard_webhook() -> None:
    secret = PROVIDER.new_secret(bytes(32))
    headers = signing.standard(secret, b"{}", delivery="a-hex-digest", at=NOW.timestamp())
    PROVIDER.verify(request(b"{}", headers), [secret], NOW)
    with pytest.raises(NotVerified):
        PROVIDER.verify(request(b"{} ", headers), [secret], NOW)
    assert parse(fixture("responseFinished")).id == "w-1"


def test_a_release_that_signs_nothing_presents_the_secret_in_the_url() -> None:
    secret = PROVIDER.new_secret(bytes.fromhex("fbefbe" * 11)[:32])
    assert "+" in secret
    sent = request(b"{}", query=f"token={secret}")
    PROVIDER.verify(sent, ["whsec_former", secret], NOW)
    for refused in (
        request(b"{}", query="token=whsec_other"),
        request(b"{}"),
        request(b"{}", {"webhook-signature": "v1,wrong"}, query=f"token={secret}"),
    ):
        with pytest.raises(NotVerified):
            PROVIDER.verify(refused, [secret], NOW)
    unsigned = PROVIDER.parse(request(json.dumps(fixture("responseFinished")).encode()), MAPPING)
    assert (unsigned.id, unsigned.records) == (None, parse(fixture("responseFinished")).records)


def test_a_response_has_the_answers_that_the_mapping_declares() -> None:
    read = record(fixture("responseFinished"))
    assert (read.id, read.channel) == ("resp-1", "link")
    assert read.survey
    assert (read.survey.id, read.survey.name) == ("survey-1", "After support")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("c-77", "jo@example.org")
    assert read.dimensions == {"region": "DE", "segment": "pro", "language": "en"}
    assert [to_values(answer) for answer in read.answers] == [
        {"question": "nps_question", "kind": "nps", "value": 9},
        {"question": "csat_question", "kind": "csat", "scale": (1, 5), "value": 4},
        {"question": "open_text", "kind": "comment", "text": "Quick, but the export is slow."},
    ]


def test_events_of_one_respondent_are_versions_of_one_response() -> None:
    created, finished = record(fixture("responseCreated")), record(fixture("responseFinished"))
    assert (created.id, created.at) == (finished.id, finished.at)
    assert created.updated_at
    assert finished.updated_at
    assert created.updated_at < finished.updated_at


def test_without_a_mapping_every_answer_is_unmapped_and_skipped_questions_are_not() -> None:
    parsed = parse(fixture("responseFinished"), FieldMapping())
    assert parsed.records[0]["answers"] == []
    assert [question.question for question in parsed.use.unmapped] == ["nps_question", "csat_question", "open_text", "plan"]
    used = parse(fixture("responseFinished")).use
    assert (used.unmapped, used.questions, used.dimensions) == (
        (),
        {"nps_question", "csat_question", "open_text"},
        {"country", "plan", "language"},
    )


def test_an_anonymous_response_has_no_customer() -> None:
    assert record(fixture("responseFinished", contact=None, contactAttributes=None)).customer is None
    assert record(fixture("responseFinished", contact=None, contactAttributes={"email": "not an address"})).customer is None


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (fixture("responseFinished", id=None), "data.id is missing"),
        (
            fixture("responseFinished", data={"nps_question": "9"}),
            "question nps_question is a rating by the mapping, but its answer is no number",
        ),
        (
            fixture("responseFinished", data={"open_text": ["a"]}),
            "question open_text is a comment by the mapping, but its answer is no text",
        ),
    ],
)
def test_an_answer_of_another_type_is_a_problem(payload: dict[str, Any], problem: str) -> None:
    assert parse(payload).problem == problem


def test_other_events_are_ignored() -> None:
    assert parse({"event": "surveyCreated"}).ignored == "surveyCreated"
