"""Jotform: multipart forms whose answers are JSON in a part, the secret that a part repeats, retries and edits."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, Request
from services.ingest.domain.receive import receive_all
from services.ingest.domain.record import Response, read_record
from tests.unit.ingest.making import NOW, connection, request, to_values

PROVIDER = PROVIDERS["jotform"]
FIXTURE = Path(__file__).parents[2] / "fixtures" / "providers" / "jotform__submission.json"
SECRET = "the-secret-of-the-connection"
MULTIPART = {"content-type": "multipart/form-data; boundary=xx"}
MAPPING = FieldMapping.model_validate(
    {
        "questions": {
            "howLikely": {"kind": "nps"},
            "q6_rateOur": {"kind": "csat", "scale": [1, 5]},
            "anythingElse": {"kind": "comment"},
            "q10_topics": {"kind": "ignore"},
        },
        "dimensions": {"plan": "segment"},
    }
)


def parts(**changed: Any) -> dict[str, str]:
    """The parts of a submission; `changed` are replaced."""
    return {**json.loads(FIXTURE.read_text()), **changed}


def with_answers(**changed: Any) -> dict[str, str]:
    """The parts of a submission with these fields changed in `rawRequest`. None removes one."""
    fields = {**json.loads(parts()["rawRequest"]), **changed}
    return parts(rawRequest=json.dumps({name: value for name, value in fields.items() if value is not None}))


def multipart(fields: dict[str, str]) -> bytes:
    blocks = [f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    return "".join([*blocks, "--xx--\r\n"]).encode()


def sent(fields: dict[str, str]) -> Request:
    return request(multipart(fields), MULTIPART, query=f"token={SECRET}")


def parse(fields: dict[str, str], mapping: FieldMapping = MAPPING) -> Parsed:
    [one] = PROVIDER.requests(sent(fields))
    return PROVIDER.parse(one, mapping)


def record(fields: dict[str, str], mapping: FieldMapping = MAPPING) -> Response:
    parsed = parse(fields, mapping)
    assert parsed.problem is None, parsed.problem
    [one] = parsed.records
    read = read_record(one, NOW)
    assert isinstance(read, Response)
    return read


def test_the_url_has_the_secret() -> None:
    PROVIDER.verify(sent(parts()), ["a-former-secret", SECRET], NOW)
    for query in ("", "token=", "token=another-secret"):
        with pytest.raises(NotVerified):
            PROVIDER.verify(request(b"", MULTIPART, query=query), [SECRET], NOW)


@pytest.mark.parametrize("secret", ["a secret with blanks", "with/slash", "with&and", "ü-secret-secret"])
def test_a_secret_that_would_be_encoded_in_a_url_is_refused(secret: str) -> None:
    assert PROVIDER.refuse_secret(secret) == "letters, digits, - and _ only, since it is a part of the URL"


def test_a_submission_has_what_the_mapping_declares() -> None:
    read = record(parts())
    assert (read.id, read.at, read.channel) == ("6084250982513018472", NOW, "survey")
    assert read.survey
    assert (read.survey.id, read.survey.name) == ("243231271343446", "After support")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("c-77", "ada@example.org")
    assert read.dimensions == {"segment": "pro"}
    assert [to_values(answer) for answer in read.answers] == [
        {"question": "q5_howLikely", "kind": "nps", "value": 9},
        {"question": "q6_rateOur.0", "kind": "csat", "scale": (1, 5), "value": 4},
        {"question": "q6_rateOur.1", "kind": "csat", "scale": (1, 5), "value": 5},
        {"question": "q8_anythingElse", "kind": "comment", "text": "Quick and kind."},
    ]
    use = parse(parts()).use
    assert (use.unmapped, use.dimensions) == ((), {"plan"})
    assert use.questions == {"howLikely", "q6_rateOur", "anythingElse", "q10_topics"}


def test_without_a_mapping_nothing_is_guessed_and_contact_fields_are_no_questions() -> None:
    parsed = parse(parts(), FieldMapping())
    assert parsed.records[0]["answers"] == []
    assert parsed.use.unmapped == (
        UnmappedQuestion("q5_howLikely", "howLikely"),
        UnmappedQuestion("q6_rateOur.0", "rateOur.0"),
        UnmappedQuestion("q6_rateOur.1", "rateOur.1"),
        UnmappedQuestion("q7_plan", "plan"),
        UnmappedQuestion("q8_anythingElse", "anythingElse"),
        UnmappedQuestion("q10_topics", "topics"),
    )


def test_a_row_of_a_matrix_can_be_mapped_by_itself() -> None:
    mapping = FieldMapping.model_validate({"questions": {"rateOur.1": {"kind": "ces"}}})
    assert [(answer.question, answer.kind) for answer in record(parts(), mapping).answers] == [("q6_rateOur.1", "ces")]


def test_neither_the_secret_nor_the_address_of_the_network_is_stored() -> None:
    for submission in (
        sent(parts()),
        request(urlencode(parts()).encode(), {"content-type": "application/x-www-form-urlencoded"}),
    ):
        [delivery] = receive_all(connection("jotform", mapping=MAPPING), submission, NOW)
        assert (delivery.verdict, delivery.headers) == ("accepted", {"content-type": "application/json"})
        assert SECRET.encode() not in delivery.raw
        assert b"203.0.113.7" not in delivery.raw
        assert json.loads(delivery.raw)["rawRequest"]["q4_email"] == "ada@example.org"


def test_an_unreadable_form_is_stored_without_the_secret() -> None:
    broken = request(multipart(parts())[:-10], MULTIPART, query=f"token={SECRET}")
    [delivery] = receive_all(connection("jotform"), broken, NOW)
    assert (delivery.verdict, delivery.reason_code) == ("quarantined", "malformed_body")
    assert SECRET.encode() not in delivery.raw


def test_a_retry_is_the_same_delivery_and_an_edit_is_another_of_the_same_response() -> None:
    first = parse(parts())
    assert parse(parts(webhookURL="https://elsewhere.example")).id == first.id
    back = parse(with_answers(timeToSubmit="31"))
    changed = parse(with_answers(q5_howLikely="2", timeToSubmit="32"))
    assert len({first.id, back.id, changed.id}) == 3
    assert {one.records[0]["id"] for one in (first, back, changed)} == {"6084250982513018472"}
    assert parse(parts(formID="1")).id != first.id


def test_a_delivery_that_is_read_again_keeps_its_time() -> None:
    [delivery] = receive_all(connection("jotform", mapping=MAPPING), sent(parts()), NOW)
    again = PROVIDER.parse_stored(delivery.headers, delivery.raw, MAPPING, delivery.received_at)
    assert (again.id, again.records[0]["at"]) == (delivery.id, NOW.isoformat())


def test_noise_beside_the_answers_is_not_read() -> None:
    fields = with_answers(q12_="x", temp_upload={"q20_file": ["a"]}, q13_note="")
    assert [question.question for question in parse(fields).use.unmapped] == ["q12_"]


@pytest.mark.parametrize(
    ("fields", "problem", "code"),
    [
        (parts(submissionID=""), "formID and submissionID are needed", "unexpected_payload"),
        (parts(rawRequest=""), "rawRequest is missing, or no JSON object", "unexpected_payload"),
        (parts(rawRequest="[1]"), "rawRequest is missing, or no JSON object", "unexpected_payload"),
        (
            with_answers(q5_howLikely="very"),
            "question q5_howLikely is a rating by the mapping, but its answer is no whole number",
            "mapping_mismatch",
        ),
        (
            with_answers(q8_anythingElse=["a"]),
            "question q8_anythingElse is a comment, but its answer is no text",
            "mapping_mismatch",
        ),
    ],
)
def test_a_submission_that_cannot_be_read_is_a_problem(fields: dict[str, str], problem: str, code: str) -> None:
    parsed = parse(fields)
    assert (parsed.problem, parsed.problem_code) == (problem, code)
