"""Qualtrics: its forms, signed and unsigned, the calls that complete them, and the responses."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import ValidationError

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.providers.payload import NotYet, Unusable
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.record import Response, read_record
from tests import signing
from tests.unit.ingest.making import NOW, request, to_values
from tests.unit.ingest.qualtrics_documents import FORM, documents, event, plain_form, question, signed_form, survey

PROVIDER = PROVIDERS["qualtrics"]
API = PROVIDER.api
assert API
SECRET = "a-shared-key"
RESPONSE = "response/R_1l9mcVuXubb4aGm"
DELIVERY = "R_1l9mcVuXubb4aGm:2026-11-20 03:00:31"
MAPPING = FieldMapping.model_validate(
    {
        "questions": {
            "rating": {"kind": "csat", "scale": [1, 5]},
            "QID4": {"kind": "csat", "scale": [1, 5]},
            "QID5_3_TEXT": {"kind": "ignore"},
        },
        "dimensions": {"plan": "segment", "source": "origin"},
    }
)


def parse(body: bytes, headers: dict[str, str] | None = None) -> Parsed:
    return PROVIDER.parse(request(body, FORM if headers is None else headers), MAPPING)


def parse_fetched(fetched: dict[str, Any], mapping: FieldMapping = MAPPING) -> Parsed:
    assert API
    return API.parse(request(plain_form(), FORM), API.condense(fetched), mapping)


def record(fetched: dict[str, Any], mapping: FieldMapping = MAPPING) -> Response:
    parsed = parse_fetched(fetched, mapping)
    assert parsed.problem is None, parsed.problem
    [one] = parsed.records
    read = read_record(one, NOW)
    assert isinstance(read, Response)
    return read


# --- requests


@pytest.mark.parametrize("encoded", [False, True])
def test_the_message_of_a_form_is_signed_as_text_or_percent_encoded(encoded: bool) -> None:
    body = signed_form(SECRET, encoded=encoded)
    PROVIDER.verify(request(body, FORM), ["a-former-key", SECRET], NOW)
    for forged in (body.replace(b"4aGm", b"4aGn"), body.replace(b"HMAC=", b"HMAC=0")):
        with pytest.raises(NotVerified, match="HMAC is wrong"):
            PROVIDER.verify(request(forged, FORM), [SECRET], NOW)


def test_the_hmac_is_hexadecimal_sha512() -> None:
    message = '{"Status":"Complete","SurveyID":"SV_x","ResponseID":"R_x","CompletedDate":"2026-01-01 00:00:00","BrandID":"b"}'
    digest = (
        "269b950cbdf44dd1bed9a14d80ba46921db64a221f0ee5bc411468b72236fa6c"
        "cb8b825772a8c4936d4c960bb3331b03bf1774d476f54356901acd8f327c8f26"
    )
    PROVIDER.verify(request(f"HMAC={digest}&MSG={quote(message)}".encode(), FORM), ["sharedkey"], NOW)


def test_a_second_message_is_not_read_under_the_signature_of_the_first() -> None:
    for encoded in (False, True):
        forged = signed_form(SECRET, encoded=encoded) + b"&MSG=%7B%22ResponseID%22%3A%22R_2%22%7D"
        with pytest.raises(NotVerified):
            PROVIDER.verify(request(forged, FORM), [SECRET], NOW)


def test_a_form_without_a_key_needs_the_secret_in_the_url() -> None:
    PROVIDER.verify(request(plain_form(), FORM, query=f"token={SECRET}"), [SECRET], NOW)
    for query in ("", "token=", "token=another"):
        with pytest.raises(NotVerified):
            PROVIDER.verify(request(plain_form(), FORM, query=query), [SECRET], NOW)


def test_a_wrong_signature_is_refused_although_the_url_has_the_secret() -> None:
    with pytest.raises(NotVerified):
        PROVIDER.verify(request(signed_form("another-key"), FORM, query=f"token={SECRET}"), [SECRET], NOW)


def test_every_form_names_the_response_to_fetch() -> None:
    as_json = json.dumps(event(Topic=None)).encode()
    for body, headers in (
        (plain_form(), FORM),
        (signed_form(SECRET), FORM),
        (as_json, signing.shared_secret(SECRET, as_json)),
    ):
        parsed = parse(body, headers)
        assert (parsed.id, parsed.fetch, parsed.about, parsed.problem) == (DELIVERY, RESPONSE, (RESPONSE,), None)
        assert PROVIDER.accepts(request(body, headers))


def test_a_completion_again_is_another_delivery_and_one_without_a_date_has_no_id() -> None:
    assert parse(plain_form(CompletedDate="2026-11-21 03:00:31")).id == "R_1l9mcVuXubb4aGm:2026-11-21 03:00:31"
    assert parse(plain_form(CompletedDate=None)).id is None


def test_other_topics_are_ignored() -> None:
    assert parse(plain_form(Topic="acme.controlpanel.activateSurvey")).ignored == "acme.controlpanel.activateSurvey"


@pytest.mark.parametrize(
    ("body", "problem", "code"),
    [
        (plain_form(ResponseID=None), "SurveyID and ResponseID are needed, of letters, digits and `_`", "unexpected_payload"),
        (plain_form(SurveyID="../users"), "SurveyID and ResponseID are needed, of letters, digits and `_`", "unexpected_payload"),
        (b"HMAC=0&MSG=8GfE3A%3D%3D", "MSG is no JSON object: create the subscription with `encrypt` false", "malformed_body"),
        (b"ResponseID=%FF", "the form is not UTF-8", "malformed_body"),
    ],
)
def test_a_request_that_names_no_response_is_a_problem(body: bytes, problem: str, code: str) -> None:
    parsed = parse(body)
    assert (parsed.problem, parsed.problem_code, parsed.fetch) == (problem, code, None)


# --- calls


def fetches(fetched: dict[str, Any]) -> list[Fetch]:
    assert API
    return list(API.fetches(request(signed_form(SECRET), FORM), fetched, MAPPING))


def test_the_response_and_the_survey_are_fetched_once() -> None:
    definition = "/API/v3/survey-definitions/SV_22VlHYNeldrrrkp"
    assert fetches({}) == [
        Fetch("response", "/API/v3/surveys/SV_22VlHYNeldrrrkp/responses/R_1l9mcVuXubb4aGm", optional=True),
        Fetch("survey", definition, shared=True, optional=True),
    ]
    assert fetches(documents()) == []
    assert fetches(documents(survey=None)) == []
    newer = documents({"1_QID6": 1})
    assert fetches(newer) == [Fetch("new_survey", definition, optional=True)]
    assert fetches({**newer, "new_survey": survey()}) == []


def test_a_response_that_is_not_there_yet_is_not_taken_for_deleted() -> None:
    with pytest.raises(NotYet, match="no such response yet"):
        fetches({"response": None, "survey": survey()})


def test_ids_that_are_no_part_of_a_path_are_not_fetched() -> None:
    assert API
    with pytest.raises(Unusable):
        API.fetches(request(b"MSG=x", FORM), {}, MAPPING)


def test_the_token_goes_to_a_host_of_qualtrics_alone() -> None:
    assert API
    credentials = API.credentials.model_validate({"api_token": "the-api-token", "data_center": "fra1"})
    assert API.base_url(credentials) == "https://fra1.qualtrics.com"
    assert API.headers(credentials) == {"x-api-token": "the-api-token"}
    for data_center in ("evil.example", "fra1.evil", "evil.example/", "FRA1", "a", ""):
        with pytest.raises(ValidationError):
            API.credentials.model_validate({"api_token": "the-api-token", "data_center": data_center})


def test_neither_names_nor_addresses_of_the_network_are_stored() -> None:
    assert API
    stored = json.dumps(API.condense(documents()))
    assert "203.0.113.7" not in stored
    assert "Byron" not in stored
    assert "Choices" not in stored


# --- responses


def test_a_response_has_its_nps_its_comment_and_what_the_mapping_declares() -> None:
    read = record(documents())
    assert (read.id, read.at.isoformat(), read.channel) == ("R_1l9mcVuXubb4aGm", "2026-11-20T10:00:31.182000+00:00", "email")
    assert read.survey
    assert (read.survey.id, read.survey.name) == ("SV_22VlHYNeldrrrkp", "After support")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("c-77", "ada@example.org")
    assert read.dimensions == {"segment": "pro", "origin": "Other", "language": "en-gb"}
    assert [to_values(answer) for answer in read.answers] == [
        {"question": "QID1", "kind": "nps", "value": 9},
        {"question": "QID2", "kind": "csat", "scale": (1, 5), "value": 4, "raw": "Satisfied"},
        {"question": "QID3_TEXT", "kind": "comment", "text": "Quick and kind."},
        {"question": "QID4_1", "kind": "csat", "scale": (1, 5), "value": 5, "raw": "Very good"},
        {"question": "QID4_2", "kind": "csat", "scale": (1, 5), "value": 2},
    ]
    assert parse_fetched(documents()).use.unmapped == ()
    assert parse_fetched(documents()).use.questions == {"rating", "QID4", "QID5_3_TEXT"}
    assert parse_fetched(documents()).use.dimensions == {"plan", "source"}


def test_without_a_mapping_only_nps_and_essays_are_read() -> None:
    parsed = parse_fetched(documents(), FieldMapping())
    assert [answer["kind"] for answer in parsed.records[0]["answers"]] == ["nps", "comment"]
    assert parsed.use.unmapped == (
        UnmappedQuestion("QID2", "rating", "Rate us"),
        UnmappedQuestion("QID4_1", "parts", "Rate our"),
        UnmappedQuestion("QID4_2", "parts", "Rate our"),
        UnmappedQuestion("QID5", "source", "How did you find us?"),
        UnmappedQuestion("QID5_3_TEXT", "source", "How did you find us?"),
    )


def test_a_rating_from_0_to_10_is_nps_by_its_type_alone() -> None:
    parsed = parse_fetched(documents({"QID1_NPS_GROUP": None}), FieldMapping())
    assert parsed.use.unmapped[0] == UnmappedQuestion("QID1", "recommend", "Would you recommend us?")


@pytest.mark.parametrize(
    ("definition", "is_comment"),
    [
        (question("Anything else?", "other", "TE", "SL"), True),
        (question("Your name", "name", "TE", "SL"), False),
        (question("Your address", "address", "TE", "FORM"), False),
        (question("Your story", "story", "TE", "ML"), True),
    ],
)
def test_a_text_is_a_comment_if_it_is_long_or_asks_for_one(definition: dict[str, Any], is_comment: bool) -> None:
    fetched = documents({"QID6_TEXT": "a text"}, new_survey=survey(QID6=definition))
    assert any(answer.question == "QID6_TEXT" for answer in record(fetched).answers) == is_comment


def test_without_the_definition_of_the_survey_the_mapping_alone_counts() -> None:
    mapping = FieldMapping.model_validate({"questions": {"QID3": {"kind": "comment"}, "QID2": {"kind": "ces"}}})
    read = record(documents(survey=None), mapping)
    assert [(answer.question, answer.kind) for answer in read.answers] == [
        ("QID1", "nps"),
        ("QID2", "ces"),
        ("QID3_TEXT", "comment"),
    ]
    assert read.survey
    assert read.survey.name is None


def test_a_question_of_a_loop_is_an_answer_for_each_round() -> None:
    mapping = FieldMapping.model_validate({"questions": {"QID6": {"kind": "csat", "scale": [1, 5]}}})
    read = record(documents({"1_QID6": 4, "2_QID6": 5, "QID6_DO": ["1"]}), mapping)
    assert [(answer.question, answer.value) for answer in read.answers if answer.kind == "csat"] == [("1_QID6", 4), ("2_QID6", 5)]


@pytest.mark.parametrize(
    ("values", "ignored"),
    [
        ({"status": 1}, "preview"),
        ({"status": 2}, "preview"),
        ({"distributionChannel": "preview"}, "preview"),
        ({"finished": 0}, "unfinished"),
        ({"finished": False}, "unfinished"),
    ],
)
def test_previews_and_unfinished_responses_are_ignored(values: dict[str, Any], ignored: str) -> None:
    assert parse_fetched(documents(values)).ignored == ignored


def test_the_end_counts_if_the_time_of_the_record_is_missing() -> None:
    assert record(documents({"recordedDate": None})).at.isoformat() == "2026-11-20T10:00:30+00:00"


@pytest.mark.parametrize(
    ("fetched", "problem"),
    [
        ({"response": {"result": {}}, "survey": None}, "the response has no values"),
        ({"response": None, "survey": None}, "the response has no values"),
        (documents({"recordedDate": "2026-11-20 10:00", "endDate": None}), "recordedDate is missing, or no RFC 3339 time"),
        (documents({"QID2": "great"}), "question QID2 is a rating by the mapping, but its answer is no whole number"),
        (documents({"QID2": [1, 2]}), "question QID2 is a rating by the mapping, but its answer is no whole number"),
    ],
)
def test_a_response_that_cannot_be_read_is_a_problem(fetched: dict[str, Any], problem: str) -> None:
    parsed = parse_fetched(fetched)
    assert (parsed.problem, parsed.about) == (problem, (RESPONSE,))
