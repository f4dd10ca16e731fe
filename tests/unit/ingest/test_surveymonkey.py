"""SurveyMonkey: its webhooks, the calls that complete them, and responses as they are read."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.record import read_record
from tests import signing
from tests.unit.ingest.making import NOW, request
from tests.unit.ingest.surveymonkey_documents import (
    EVENT,
    MAPPING,
    NPS_9,
    NPS_CHOICES,
    QUESTIONS,
    answered,
    choices,
    documents,
    event,
    question,
    response,
    survey,
)

PROVIDER = PROVIDERS["surveymonkey"]
API = PROVIDER.api
assert API
MAPPED = FieldMapping.model_validate(MAPPING)


def read(fetched: dict[str, Any], mapping: FieldMapping = MAPPED) -> Parsed:
    """The fetched documents, condensed as they are stored, and read."""
    assert API
    return API.parse(request(EVENT), json.loads(json.dumps(API.condense(fetched))), mapping)


def record_of(fetched: dict[str, Any], mapping: FieldMapping = MAPPED) -> dict[str, Any]:
    parsed = read(fetched, mapping)
    assert parsed.problem is None
    [record] = parsed.records
    read_record(record, NOW)
    return dict(record)


def answers_of(
    *answers: dict[str, Any], questions: list[dict[str, Any]] | None = None, mapped: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    fetched = documents(*answers) | ({"survey": survey(*questions)} if questions else {})
    return list(record_of(fetched, FieldMapping.model_validate({"questions": mapped or {}}))["answers"])


# --- webhooks


def test_the_key_is_client_id_and_secret_and_covers_the_raw_body() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    sent = request(body, {"Sm-Signature": "/3jm1I6p79BPJox7lurLgQN6v4Q="})
    PROVIDER.verify(sent, ["other-id&other-secret", "client-id&client-secret"], NOW)
    with pytest.raises(NotVerified, match="wrong"):
        PROVIDER.verify(sent, ["client-secret"], NOW)
    with pytest.raises(NotVerified, match="sm-signature is needed"):
        PROVIDER.verify(request(body), ["client-id&client-secret"], NOW)


@pytest.mark.parametrize("secret", ["client-secret", "client-id&", "&client-secret", "client-id& secret", "a&b&c"])
def test_a_secret_without_both_parts_is_refused(secret: str) -> None:
    assert PROVIDER.refuse_secret(secret) == "the client id, `&` and the client secret of the app, without spaces"


def test_the_content_type_of_the_tool_is_accepted() -> None:
    assert PROVIDER.accepts(request(EVENT, signing.surveymonkey("client&secret", EVENT)))


def test_a_webhook_names_the_response_to_fetch() -> None:
    parsed = PROVIDER.parse(request(EVENT), MAPPED)
    assert (parsed.fetch, parsed.about) == ("response/5007154325", ("response/5007154325",))
    assert parsed.id == "response_completed:10123456789:5007154325:2026-11-20T10:00:31.182613+00:00"
    assert not parsed.records


def test_a_retry_has_the_same_id_and_each_edit_its_own_although_the_event_id_repeats() -> None:
    edits = [event("response_updated", event_datetime=f"2026-11-20T10:0{minute}:00+00:00") for minute in (1, 2, 2)]
    first, second, retry = (PROVIDER.parse(request(body), MAPPED).id for body in edits)
    assert first != second == retry


@pytest.mark.parametrize(
    "kind", ["response_created", "response_deleted", "response_disqualified", "response_overquota", "survey_updated"]
)
def test_other_events_are_ignored_without_a_call(kind: str) -> None:
    parsed = PROVIDER.parse(request(event(kind)), MAPPED)
    assert (parsed.ignored, parsed.fetch) == (kind, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"object_id": "../users/me"},
        {"object_id": None},
        {"resources": {"survey_id": "1/2"}},
        {"resources": []},
        {"object_id": "1?x=2"},
    ],
)
def test_an_id_that_is_no_part_of_a_path_is_never_fetched(changed: dict[str, Any]) -> None:
    parsed = PROVIDER.parse(request(event(**changed)), MAPPED)
    assert (parsed.fetch, parsed.problem) == (None, "object_id and resources.survey_id are needed, of letters and digits")


# --- calls


def fetches(fetched: dict[str, Any]) -> list[Fetch]:
    assert API
    return list(API.fetches(request(EVENT), fetched))


def test_the_response_and_its_survey_are_fetched_first_then_collector_and_recipient() -> None:
    assert fetches({}) == [
        Fetch("response", "/v3/surveys/405723396/responses/5007154325/details"),
        Fetch("survey", "/v3/surveys/405723396/details", shared=True),
    ]
    assert fetches({"response": response(), "survey": survey()}) == [
        Fetch("collector", "/v3/collectors/50253586", shared=True, optional=True),
        Fetch("recipient", "/v3/collectors/50253586/recipients/712", optional=True),
    ]
    assert fetches(documents()) == []


@pytest.mark.parametrize("recipient", ["", "0", None, "../1"])
def test_a_response_without_a_recipient_needs_no_call_for_one(recipient: str | None) -> None:
    names = [fetch.name for fetch in fetches({"response": response(recipient_id=recipient), "survey": survey()})]
    assert names == ["collector"]


@pytest.mark.parametrize(
    "new", [answered("299", {"text": "x"}), answered("203", {"choice_id": "c99"}), answered("201", {"row_id": "r99"})]
)
def test_a_cached_survey_without_an_answered_question_is_fetched_anew_once(new: dict[str, Any]) -> None:
    fetched = documents(NPS_9, new)
    assert fetches(fetched) == [Fetch("new_survey", "/v3/surveys/405723396/details")]
    assert fetches(fetched | {"new_survey": survey()}) == []


@pytest.mark.parametrize("answer", [[], None, "x", {"collector_id": 5.5}])
def test_an_answer_of_another_shape_ends_the_calls(answer: Any) -> None:
    with pytest.raises(Unusable, match="collector_id"):
        fetches({"response": answer, "survey": {}})


def test_the_host_is_that_of_the_data_center_and_the_token_is_sent() -> None:
    assert API
    credentials = API.credentials.model_validate({"access_token": "the-token", "data_center": "eu"})
    assert API.base_url(credentials) == "https://api.eu.surveymonkey.com"
    assert API.headers(credentials) == {"authorization": "Bearer the-token"}
    with pytest.raises(ValueError, match="data_center"):
        API.credentials.model_validate({"access_token": "the-token", "data_center": "https://evil.example"})
    with pytest.raises(ValueError, match="access_token"):
        API.credentials.model_validate({"access_token": "the-token\r\nHost: evil"})


# --- responses


def test_a_response_becomes_a_record() -> None:
    assert record_of(documents()) == {
        "type": "response",
        "id": "5007154325",
        "at": "2026-11-20T10:00:30+00:00",
        "updated_at": "2026-11-20T10:00:30+00:00",
        "channel": "email",
        "survey": {"id": "405723396", "name": "After support"},
        "customer": {"id": "c-77", "email": "ada@example.com"},
        "answers": [
            {"question": "200", "kind": "nps", "value": 9, "raw": "9"},
            {"question": "201", "kind": "csat", "scale": (1, 5), "value": 4},
            {"question": "202", "kind": "comment", "text": "Quick and kind."},
        ],
        "dimensions": {"segment": "pro"},
    }


def test_addresses_of_machines_links_and_unanswered_questions_are_not_stored() -> None:
    assert API
    stored = json.dumps(API.condense(documents()))
    assert "192.0.2.7" not in stored
    assert "edit_url" not in stored
    assert "Which product" not in stored
    assert "thank_you" not in stored


def test_nothing_is_guessed_about_a_rating_that_the_mapping_does_not_have() -> None:
    parsed = read(documents(), FieldMapping())
    assert [answer["kind"] for answer in parsed.records[0]["answers"]] == ["nps", "comment"]
    assert parsed.use.unmapped == (UnmappedQuestion("201", "201.r2", "Rate us"),)
    ten = question("205", "matrix", "rating", "0 to 10", choices=NPS_CHOICES, rows=[{"id": "r", "text": ""}])
    assert answers_of(answered("205", {"choice_id": "c11", "row_id": "r"}), questions=[ten]) == []


@pytest.mark.parametrize(("choice", "value"), [("c1", 0), ("c2", 1), ("c10", 9), ("c11", 10)])
def test_an_nps_answer_is_the_number_of_its_choice_not_its_weight(choice: str, value: int) -> None:
    [answer] = answers_of(answered("200", {"choice_id": choice, "row_id": "r1"}))
    assert (answer["kind"], answer["value"]) == ("nps", value)


def test_words_have_the_value_of_their_weight() -> None:
    words = question("206", "single_choice", "vertical", "Satisfied?", choices=choices("Very", "Somewhat", weights=[2, 1]))
    answers = answers_of(
        answered("206", {"choice_id": "c1"}), questions=[words], mapped={"206": {"kind": "csat", "scale": [1, 2]}}
    )
    assert answers == [{"question": "206", "kind": "csat", "scale": (1, 2), "value": 2, "raw": "Very"}]


def test_a_choice_without_a_number_on_the_scale_is_a_problem() -> None:
    parsed = read(
        documents(answered("203", {"choice_id": "c40"})), FieldMapping.model_validate({"questions": {"203": {"kind": "nps"}}})
    )
    assert parsed.problem == "question 203 is a rating by the mapping, but its choice has no number on the scale"
    assert parsed.about == ("response/5007154325",)


def test_not_applicable_is_no_answer() -> None:
    na = [*choices("Bad", "Good", weights=[1, 2]), {"id": "c9", "text": "N/A", "weight": 0, "is_na": True}]
    rating = question("207", "matrix", "rating", "Rate", choices=na, rows=[{"id": "r", "text": ""}])
    assert (
        answers_of(answered("207", {"choice_id": "c9", "row_id": "r"}), questions=[rating], mapped={"207": {"kind": "ces"}}) == []
    )


def test_each_row_of_a_matrix_is_a_question_of_its_own() -> None:
    rows = [{"id": "ra", "text": "Speed"}, {"id": "rb", "text": "Tone"}]
    matrix = question("208", "matrix", "rating", "Rate", choices=choices("1", "2", "3", "4", "5"), rows=rows)
    given_answers = answered("208", {"choice_id": "c2", "row_id": "ra"}, {"choice_id": "c5", "row_id": "rb"})
    both = answers_of(given_answers, questions=[matrix], mapped={"208": {"kind": "csat", "scale": [1, 5]}})
    assert [(answer["question"], answer["value"]) for answer in both] == [("208.ra", 2), ("208.rb", 5)]
    one = answers_of(given_answers, questions=[matrix], mapped={"208.rb": {"kind": "csat", "scale": [1, 5]}})
    assert [answer["question"] for answer in one] == ["208.rb"]
    fetched = documents(given_answers) | {"survey": survey(matrix)}
    assert [one.title for one in read(fetched, FieldMapping()).use.unmapped] == ["Rate: Speed", "Rate: Tone"]


def test_a_comment_beside_a_rating_belongs_to_it() -> None:
    beside = answered("201", {"choice_id": "c23", "row_id": "r2"}, {"other_id": "o1", "text": "Too slow"})
    answers = answers_of(beside, mapped=MAPPING["questions"])
    assert [(answer["question"], answer["kind"]) for answer in answers] == [("201", "csat"), ("201", "comment")]
    assert answers_of(beside, mapped={"201": {"kind": "ignore"}}) == []


def test_a_short_text_is_a_comment_if_its_title_asks_for_one() -> None:
    why, name = question("209", "open_ended", "single", "Why?"), question("210", "open_ended", "single", "First name")
    texts = [answered("209", {"text": "Because"}), answered("210", {"text": "Ada"})]
    assert answers_of(*texts, questions=[why, name]) == [{"question": "209", "kind": "comment", "text": "Because"}]


def test_an_address_that_was_typed_is_the_customers() -> None:
    typed = documents(answered("204", {"row_id": "r9", "text": " bo@example.com "}), custom_variables={}) | {"recipient": None}
    assert record_of(typed)["customer"] == {"email": "bo@example.com"}
    assert read(typed).use.unmapped == ()


def test_a_chosen_answer_and_the_custom_value_may_be_dimensions() -> None:
    mapping = FieldMapping.model_validate({"dimensions": {"203": "product", "custom_value": "region"}})
    record = record_of(documents(answered("203", {"choice_id": "c41"}), custom_value="DE"), mapping)
    assert record["dimensions"] == {"product": "Blog", "region": "DE"}


@pytest.mark.parametrize("mode", ["preview", "survey_preview"])
def test_previews_are_ignored(mode: str) -> None:
    assert read(documents(collection_mode=mode)).ignored == "preview"


@pytest.mark.parametrize("status", ["partial", "disqualified", "overquota"])
def test_responses_that_are_not_completed_are_ignored(status: str) -> None:
    assert read(documents(response_status=status)).ignored == f"response_{status}"


def test_times_of_1970_are_not_believed() -> None:
    broken = documents(date_modified="1970-01-17T19:07:34+00:00")
    record = record_of(broken)
    assert (record["at"], "updated_at" in record) == ("2026-11-20T09:58:00+00:00", False)
    both = documents(date_modified="1970-01-17T19:07:34+00:00", date_created="1970-01-17T19:07:34+00:00")
    assert read(both).records[0]["at"] is None


def test_a_response_without_collector_and_recipient_documents_is_read() -> None:
    record = record_of(documents() | {"collector": None, "recipient": None})
    assert (record["channel"], record["customer"]) == ("survey", {"id": "c-77"})


def test_the_survey_that_was_fetched_last_counts() -> None:
    new = question("299", "open_ended", "essay", "Anything else?")
    fetched = documents(answered("299", {"text": "No"})) | {"new_survey": survey(*QUESTIONS, new)}
    assert [answer["text"] for answer in record_of(fetched)["answers"]] == ["No"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "answers", "pages", "questions", "choices", "rows", "text", "choice_id"]), inner)
    ),
    max_leaves=10,
)


@given(st.fixed_dictionaries({"response": VALUES, "survey": VALUES, "collector": VALUES, "recipient": VALUES}), VALUES)
def test_no_document_makes_reading_raise(fetched: dict[str, Any], pages: Any) -> None:
    assert API
    for one in (fetched, fetched | {"response": response(pages=pages)}, documents() | {"survey": {"pages": pages}}):
        assert isinstance(API.parse(request(EVENT), API.condense(one), MAPPED), Parsed)
