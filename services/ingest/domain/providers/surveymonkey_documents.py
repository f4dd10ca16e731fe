"""The documents of SurveyMonkey's API: which of their fields are stored, and whether a cached survey is too old."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.ingest.domain.providers.payload import as_object, as_text, object_in, objects_in
from services.ingest.domain.providers.tool_api import Documents

RESPONSE_FIELDS = (
    "id", "survey_id", "collector_id", "recipient_id", "custom_value", "custom_variables", "collection_mode", "response_status",
    "date_created", "date_modified", "pages",
)  # fmt: skip
"""The fields of a response that are stored, beside the e-mail address of its contact. Its IP address and its links are not."""


def survey_of(documents: Documents) -> Any:
    """The survey, as it was fetched last."""
    return documents.get("new_survey") or documents.get("survey")


def condense(documents: Documents) -> Documents:
    """The documents with those fields that are read; of the survey only the questions that are answered."""
    response, survey = as_object(documents.get("response")), as_object(survey_of(documents))
    ids = {as_text(question.get("id")) for question in questions_of(response)}
    questions = [_condensed(question) for question in questions_of(survey) if as_text(question.get("id")) in ids]
    email = object_in(object_in(object_in(response, "metadata"), "contact"), "email").get("value")
    condensed: dict[str, Any] = {
        "response": {
            **{name: response[name] for name in RESPONSE_FIELDS if name in response},
            **({"metadata": {"contact": {"email": {"value": email}}}} if email else {}),
        },
        "survey": {"id": survey.get("id"), "title": survey.get("title"), "pages": [{"questions": questions}]},
    }
    if collector := as_object(documents.get("collector")):
        condensed["collector"] = {name: collector.get(name) for name in ("id", "type", "name")}
    if recipient := as_object(documents.get("recipient")):
        condensed["recipient"] = {name: recipient.get(name) for name in ("id", "email")}
    return condensed


def _condensed(question: Mapping[str, Any]) -> dict[str, Any]:
    answers = object_in(question, "answers")
    parts = {name: objects_in(answers, name) for name in ("choices", "rows")}
    fields = ("id", "text", "weight", "is_na", "type")
    return {
        **{name: question.get(name) for name in ("id", "family", "subtype", "headings")},
        "answers": {
            name: [{field: option[field] for field in fields if field in option} for option in part]
            for name, part in parts.items()
        },
    }


def lacks_answered(response: Any, survey: Any) -> bool:
    """Whether the response has answers whose question, row or choice is not in the survey."""
    questions = {as_text(question.get("id")): question for question in questions_of(as_object(survey))}
    for reply in questions_of(as_object(response)):
        question = questions.get(as_text(reply.get("id")))
        if question is None:
            return True
        parts = object_in(question, "answers")
        for kind, field in (("choices", "choice_id"), ("rows", "row_id")):
            known = {as_text(option.get("id")) for option in objects_in(parts, kind)}
            named = {as_text(answer[field]) for answer in objects_in(reply, "answers") if answer.get(field)}
            if not named <= known:
                return True
    return False


def questions_of(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The questions of all pages, of a survey or of a response."""
    for page in objects_in(document, "pages"):
        yield from objects_in(page, "questions")
