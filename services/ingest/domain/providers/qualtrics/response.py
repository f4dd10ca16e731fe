"""Read a response of Qualtrics together with the definition of its survey.

The value of an answer is its recode value, a number. A question of the type *Net Promoter Score* has its group beside it
(`QID1_NPS_GROUP`). Nothing says what any other rating measures: the connection's mapping states kind and scale, by the name of
the answer, by the id of its question, or by the question's export tag. Essays are comments, and so are single lines whose
question asks for a comment (`comment_titles`). The definition states titles, tags and kinds of texts; without it only the mapping
counts.
"""

from collections.abc import Mapping, Sequence
from re import Match
from typing import Any, NamedTuple

from services.ingest.domain.connection import FieldMapping, SurveyQuestion
from services.ingest.domain.fields import is_name, parse_time
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.domain.providers.comment_titles import asks_for_comment
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.html_text import plain_text
from services.ingest.domain.providers.payload import (
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    occurring_dimensions,
    trimmed_text,
)
from services.ingest.domain.providers.provider import Parsed
from services.ingest.domain.providers.qualtrics.documents import answer_names, response_of, survey_of
from services.ingest.domain.providers.survey_answer import read_answer
from services.ingest.domain.providers.tool_api import Documents
from shared.text import nfc

COMMENT, NPS = SurveyQuestion(kind="comment"), SurveyQuestion(kind="nps")
ESSAYS = ("ML", "ESTB")
"""Selectors of text entries of several lines; SL is a single line."""

PREVIEWS = (1, 2)
"""Values of `status`: a preview, a test."""
UNFINISHED: tuple[Any, ...] = (0, "0", "False", "false")
UNANSWERED: tuple[Any, ...] = (None, "", [])


class Answer(NamedTuple):
    """One answer. `names` are the keys under which a mapping may declare it; the first one names it."""

    names: tuple[str, ...]
    value: Any
    label: str | None
    title: str
    tag: str | None
    question: SurveyQuestion | None


def read_response(event: Parsed, ids: tuple[str | None, str | None], documents: Documents, mapping: FieldMapping) -> Parsed:
    """The record of a completed response. `ids` are those of the survey and the response. Raises Unusable if it can't be read."""
    response, survey = response_of(documents), survey_of(documents)
    values = object_in(response, "values")
    if not values:
        raise Unusable("the response has no values")
    channel = as_text(values.get("distributionChannel"))
    if values.get("status") in PREVIEWS or channel == "preview":
        return Parsed(event.id, ignored="preview", about=event.about)
    if "finished" in values and values["finished"] in UNFINISHED:
        return Parsed(event.id, ignored="unfinished", about=event.about)
    answers = [_answer(name, match, response, survey, mapping) for name, match in answer_names(response).items()]
    answers = [answer for answer in answers if answer.value not in UNANSWERED]
    fields = _fields(values, answers)
    dimensions = dimensions_of(fields, mapping)
    language = (as_text(values.get("userLanguage")) or "").lower()
    if is_name(language):
        dimensions.setdefault("language", language)
    name = " ".join((as_text(survey.get("SurveyName")) or "").split())[:500]
    customer = _customer(values, own_id(fields, mapping))
    record = {
        "type": "response",
        "id": ids[1],
        "at": _time(values),
        "channel": dimensions.pop("channel", None) or (channel if channel and is_name(channel) else "survey"),
        "survey": {"id": dimensions.pop("survey", None) or ids[0], **({"name": name} if name else {})},
        "answers": [read for answer in answers if (read := _read(answer))],
        "dimensions": dimensions,
        **({"customer": customer} if customer else {}),
    }
    return Parsed(event.id, [record], about=event.about, use=_use(answers, fields, mapping))


def _answer(
    name: str, match: Match[str], response: Mapping[str, Any], survey: Mapping[str, Any], mapping: FieldMapping
) -> Answer:
    """The answer of this name, with its question: by the mapping, else by its type."""
    values = object_in(response, "values")
    definition = object_in(object_in(survey, "Questions"), match[2])
    tag = as_text(definition.get("DataExportTag"))
    title = " ".join(plain_text(definition.get("QuestionText")).split())
    names = _names(match, tag, values)
    declared = next((mapping.questions[key] for key in names if key in mapping.questions), None)
    label = as_text(object_in(response, "labels").get(name))
    question = NPS if f"{name}_NPS_GROUP" in values else _kind_of_text(match, title, definition)
    return Answer(names, values[name], label, title, tag, declared or question)


def _names(match: Match[str], tag: str | None, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys under which a mapping may declare an answer, the most exact first. The text beside a choice has only its own."""
    name, base, identity, row, is_text = match[0], match[1], match[2], match[3], match[4]
    if is_text and (row or base in values):
        return (nfc(name),)
    of_row = f"{tag}_{row}" if row and tag else None
    return tuple(dict.fromkeys(nfc(key) for key in (name, of_row, base, identity, tag) if key))


def _kind_of_text(match: Match[str], title: str, definition: Mapping[str, Any]) -> SurveyQuestion | None:
    """A comment, if the answer is a text entry that is long or asks for one."""
    if not match[4] or match[3] or definition.get("QuestionType") != "TE":
        return None
    selector = definition.get("Selector")
    return COMMENT if selector in ESSAYS or (selector == "SL" and asks_for_comment(title)) else None


def _read(answer: Answer) -> dict[str, Any] | None:
    """The answer of the record, with the label of a choice as raw value. None if it is unmapped or ignored."""
    question = answer.question
    if question is None or question.kind == "ignore":
        return None
    read = read_answer(answer.names[0], question, answer.value)
    return {**read, "raw": answer.label[:200]} if answer.label and question.kind != "comment" else read


def _use(answers: Sequence[Answer], fields: Mapping[str, Any], mapping: FieldMapping) -> MappingUse:
    names = {name for answer in answers for name in answer.names}
    return MappingUse(
        unmapped=tuple(
            UnmappedQuestion(answer.names[0], answer.tag, answer.title or None)
            for answer in answers
            if answer.question is None and mapping.fields.isdisjoint(answer.names)
        ),
        questions=frozenset(mapping.questions.keys() & names),
        dimensions=occurring_dimensions([*names, *fields], mapping),
    )


def _fields(values: Mapping[str, Any], answers: Sequence[Answer]) -> dict[str, str]:
    """The values that dimensions may be read from: embedded data, and answers by the label of the choice."""
    chosen = {name: answer.label or as_text(answer.value) for answer in answers for name in reversed(answer.names)}
    fields = {name: as_text(value) for name, value in values.items()} | chosen
    return {name: text.strip() for name, text in fields.items() if text and is_name(text.strip())}


def _time(values: Mapping[str, Any]) -> str:
    """When the response was recorded, else when it ended. Raises Unusable if neither is a time with its offset."""
    for field in ("recordedDate", "endDate"):
        text = as_text(values.get(field))
        try:
            if text and parse_time(text):
                return text
        except ValueError:
            continue
    raise Unusable("recordedDate is missing, or no RFC 3339 time")


def _customer(values: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    """The own id from the mapped field or the external data reference, and the e-mail address of the recipient."""
    identity, email = (trimmed_text(values.get(field)) for field in ("externalDataReference", "recipientEmail"))
    return customer_fields("qualtrics", own_id=own or (identity if is_name(identity) else None), email=email)
