"""Responses of SurveyMonkey, as they are read with the questions of their survey."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, Parsed
from services.ingest.domain.record import read_record
from tests.unit.ingest.making import NOW, request
from tests.unit.ingest.surveymonkey_documents import (
    EVENT,
    MAPPING,
    NPS_CHOICES,
    QUESTIONS,
    choices,
    documents,
    question,
    reply,
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
    assert answers_of(reply("205", {"choice_id": "c11", "row_id": "r"}), questions=[ten]) == []


@pytest.mark.parametrize(("choice", "value"), [("c1", 0), ("c2", 1), ("c10", 9), ("c11", 10)])
def test_an_nps_answer_is_the_number_of_its_choice_not_its_weight(choice: str, value: int) -> None:
    [answer] = answers_of(reply("200", {"choice_id": choice, "row_id": "r1"}))
    assert (answer["kind"], answer["value"]) == ("nps", value)


def test_words_have_the_value_of_their_weight() -> None:
    words = question("206", "single_choice", "vertical", "Satisfied?", choices=choices("Very", "Somewhat", weights=[2, 1]))
    answers = answers_of(reply("206", {"choice_id": "c1"}), questions=[words], mapped={"206": {"kind": "csat", "scale": [1, 2]}})
    assert answers == [{"question": "206", "kind": "csat", "scale": (1, 2), "value": 2, "raw": "Very"}]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (({"text": "very"},), "its answer is a text"),
        (({"choice_id": "c40"}, {"choice_id": "c41"}), "several choices were made"),
    ],
)
def test_an_answer_that_is_no_rating_is_a_problem(answers: tuple[dict[str, Any], ...], reason: str) -> None:
    parsed = read(documents(reply("203", *answers)), FieldMapping.model_validate({"questions": {"203": {"kind": "nps"}}}))
    assert parsed.problem == f"question 203 is a rating by the mapping, but {reason}"
    assert parsed.problem_code == "mapping_mismatch"


def test_a_choice_without_a_number_on_the_scale_is_a_problem() -> None:
    parsed = read(
        documents(reply("203", {"choice_id": "c40"})), FieldMapping.model_validate({"questions": {"203": {"kind": "nps"}}})
    )
    assert parsed.problem == "question 203 is a rating by the mapping, but its choice has no number on the scale"
    assert (parsed.problem_code, parsed.about) == ("mapping_mismatch", ("response/5007154325",))


@pytest.mark.parametrize("name", ["200", "201", "999"])
def test_a_choice_that_the_survey_lacks_is_a_problem(name: str) -> None:
    """Of a rating by its type, of one by the mapping, and of a question that the survey lacks too."""
    mapping = FieldMapping.model_validate({"questions": {one: {"kind": "csat", "scale": [1, 5]} for one in ("201", "999")}})
    parsed = read(documents(reply(name, {"choice_id": "c99", "row_id": "r1"})), mapping)
    assert parsed.problem == f"question {name} is a rating, but its choice is not in the survey"
    assert parsed.problem_code == "mapping_mismatch"
    assert read(documents(reply("999", {"choice_id": "c99"})), FieldMapping()).use.unmapped[0].question == "999"


def test_not_applicable_is_no_answer() -> None:
    na = [*choices("Bad", "Good", weights=[1, 2]), {"id": "c9", "text": "N/A", "weight": 0, "is_na": True}]
    rating = question("207", "matrix", "rating", "Rate", choices=na, rows=[{"id": "r", "text": ""}])
    assert answers_of(reply("207", {"choice_id": "c9", "row_id": "r"}), questions=[rating], mapped={"207": {"kind": "ces"}}) == []


def test_each_row_of_a_matrix_is_a_question_of_its_own() -> None:
    rows = [{"id": "ra", "text": "Speed"}, {"id": "rb", "text": "Tone"}]
    matrix = question("208", "matrix", "rating", "Rate", choices=choices("1", "2", "3", "4", "5"), rows=rows)
    given_answers = reply("208", {"choice_id": "c2", "row_id": "ra"}, {"choice_id": "c5", "row_id": "rb"})
    both = answers_of(given_answers, questions=[matrix], mapped={"208": {"kind": "csat", "scale": [1, 5]}})
    assert [(answer["question"], answer["value"]) for answer in both] == [("208.ra", 2), ("208.rb", 5)]
    one = answers_of(given_answers, questions=[matrix], mapped={"208.rb": {"kind": "csat", "scale": [1, 5]}})
    assert [answer["question"] for answer in one] == ["208.rb"]
    fetched = documents(given_answers) | {"survey": survey(matrix)}
    assert [one.title for one in read(fetched, FieldMapping()).use.unmapped] == ["Rate: Speed", "Rate: Tone"]


def test_a_comment_beside_a_rating_belongs_to_it() -> None:
    beside = reply("201", {"choice_id": "c23", "row_id": "r2"}, {"other_id": "o1", "text": "Too slow"})
    answers = answers_of(beside, mapped=MAPPING["questions"])
    assert [(answer["question"], answer["kind"]) for answer in answers] == [("201", "csat"), ("201", "comment")]
    assert answers_of(beside, mapped={"201": {"kind": "ignore"}}) == []


def test_a_short_text_is_a_comment_if_its_title_asks_for_one() -> None:
    why, name = question("209", "open_ended", "single", "Why?"), question("210", "open_ended", "single", "First name")
    texts = [reply("209", {"text": "Because"}), reply("210", {"text": "Ada"})]
    assert answers_of(*texts, questions=[why, name]) == [{"question": "209", "kind": "comment", "text": "Because"}]


def test_an_address_that_was_typed_is_the_customers() -> None:
    typed = documents(reply("204", {"row_id": "r9", "text": " bo@example.com "}), custom_variables={}) | {"recipient": None}
    assert record_of(typed)["customer"] == {"email": "bo@example.com"}
    assert read(typed).use.unmapped == ()


def test_a_chosen_answer_and_the_custom_value_may_be_dimensions() -> None:
    mapping = FieldMapping.model_validate({"dimensions": {"203": "product", "custom_value": "region"}})
    record = record_of(documents(reply("203", {"choice_id": "c41"}), custom_value="DE"), mapping)
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
    fetched = documents(reply("299", {"text": "No"})) | {"new_survey": survey(*QUESTIONS, new)}
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


def test_the_survey_and_the_channel_may_be_answers_by_the_mapping() -> None:
    mapping = FieldMapping.model_validate({"dimensions": {"203": "channel", "custom_value": "survey"}})
    record = record_of(documents(reply("203", {"choice_id": "c41"}), custom_value="winter"), mapping)
    assert (record["channel"], record["survey"]["id"], record["dimensions"]) == ("Blog", "winter", {})
