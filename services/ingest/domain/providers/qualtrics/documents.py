"""The documents of Qualtrics' API: a response by the names of its answers, and the definition of its survey."""

import re
from collections.abc import Mapping
from typing import Any

from services.ingest.domain.providers.payload import as_text, object_in
from services.ingest.domain.providers.tool_api import Documents

ANSWER = re.compile(r"((?:\d+_)?(QID\d+))(?:_(\d+))?(_TEXT)?", re.ASCII)
"""The name of an answer: of a question (`QID1`), of a row (`QID4_2`), of a text (`QID2_TEXT`, `QID5_4_TEXT`). Of a question that
is asked in a loop, the number of the round comes first (`1_QID1`)."""

PERSONAL = (
    "ipAddress",
    "locationLatitude",
    "locationLongitude",
    "recipientFirstName",
    "recipientLastName",
)
"""Fields of a response that are not stored."""

QUESTION_FIELDS = ("QuestionText", "DataExportTag", "QuestionType", "Selector")


def response_of(documents: Documents) -> dict[str, Any]:
    """The response: its `values` and `labels`."""
    return object_in(documents.get("response"), "result")


def survey_of(documents: Documents) -> dict[str, Any]:
    """The definition of the survey, as it was fetched last. Empty if we may not read it."""
    return object_in(documents.get("new_survey"), "result") or object_in(documents.get("survey"), "result")


def answer_names(response: Mapping[str, Any]) -> dict[str, re.Match[str]]:
    """The names of the answers of a response."""
    matches = ((name, ANSWER.fullmatch(name)) for name in object_in(response, "values"))
    return {name: match for name, match in matches if match}


def lacks_answered(documents: Documents) -> bool:
    """Whether the response answers a question that is not in the definition, which is older then."""
    questions = object_in(survey_of(documents), "Questions")
    return bool(questions) and any(match[2] not in questions for match in answer_names(response_of(documents)).values())


def condense(documents: Documents) -> Documents:
    """The documents with those fields that are read; of the survey only the questions that are answered."""
    response, survey = response_of(documents), survey_of(documents)
    values = {name: value for name, value in object_in(response, "values").items() if name not in PERSONAL}
    labels = object_in(response, "labels")
    questions = object_in(survey, "Questions")
    ids = {match[2] for match in answer_names(response).values()}
    condensed = {identity: _condensed(questions[identity]) for identity in sorted(ids & questions.keys())}
    return {
        "response": {
            "result": {
                "responseId": as_text(response.get("responseId")),
                "values": values,
                "labels": {name: label for name, label in labels.items() if name in values},
            }
        },
        "survey": {"result": {"SurveyName": as_text(survey.get("SurveyName")), "Questions": condensed}},
    }


def _condensed(question: Any) -> dict[str, Any]:
    return {field: as_text(object_in({"": question}, "").get(field)) for field in QUESTION_FIELDS}
