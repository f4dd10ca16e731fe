"""Read a response of SurveyMonkey together with the questions of its survey.

A question does not say what it measures. Only the subtype `nps` and texts are clear; for every other rating the connection's
mapping states kind and scale, by the id of the question or of the row in a matrix (`question.row`). The value of an answer is
the text of its choice, if that is a number; else the choice's weight, if no other choice has it (those of an NPS question are
-100, 0 and 100); else a number at an end of the text, as in "10 - very likely".
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from services.ingest.domain.connection import FieldMapping, SurveyQuestion
from services.ingest.domain.fields import is_email, is_name, parse_time
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.domain.providers.comment_titles import asks_for_comment
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.payload import (
    Unusable,
    as_object,
    as_text,
    dimensions_of,
    object_in,
    objects_in,
    occurring_dimensions,
)
from services.ingest.domain.providers.surveymonkey_documents import questions_of, survey_of
from services.ingest.domain.providers.tool_api import Documents
from shared.text import nfc

COMMENT = SurveyQuestion(kind="comment")
NPS = SurveyQuestion(kind="nps")
NPS_SCALE = (0, 10)
CES_SCALE = (1, 7)

CUSTOMER_FIELDS = ("customer_id", "user_id")
"""Custom variables that hold the customer's id in the tenant's own systems."""

FIRST_YEAR = 2000
"""Times before it are a fault of the API, which has mixed up seconds and milliseconds."""

TAG = re.compile(r"<[^<>]*>")
NUMBER = re.compile(r"-?\d{1,3}", re.ASCII)
EDGE_NUMBER = re.compile(r"(?:^|\s)(\d{1,3})$|^(\d{1,3})(?=\s|[:)]|\.\s)", re.ASCII)


class RowAnswer(NamedTuple):
    """The answer to a question, or to one row of it. `names` are the keys under which a mapping may declare it, the first one
    names it. `chosen` are its choices, `text` is typed, `typed_beside` a comment beside the choices. `lacks_choice` says that a
    choice was made which the survey does not have."""

    names: tuple[str, ...]
    question: dict[str, Any]
    row: dict[str, Any]
    chosen: tuple[dict[str, Any], ...]
    text: str | None
    typed_beside: str | None
    declared: SurveyQuestion | None
    lacks_choice: bool


def read_response(documents: Documents, mapping: FieldMapping) -> tuple[dict[str, Any], MappingUse]:
    """The record of a completed response, and how it fits the mapping. Raises Unusable if it can't be read."""
    response, survey = as_object(documents.get("response")), as_object(survey_of(documents))
    answers = list(_row_answers(response, survey, mapping))
    used = [answer for answer in answers if answer.declared is None or answer.declared.kind != "ignore"]
    fields = _fields(response, used)
    dimensions = dimensions_of(fields, mapping)
    customer = _customer(response, as_object(documents.get("recipient")), used, own_id(fields, mapping))
    title = as_text(survey.get("title"))
    name = " ".join(title.split())[:500] if title else ""
    collector = as_text(as_object(documents.get("collector")).get("type"))
    modified = _time(response, "date_modified")
    record = {
        "type": "response",
        "id": as_text(response.get("id")),
        "at": modified or _time(response, "date_created"),
        "channel": dimensions.pop("channel", None) or (collector if collector and is_name(collector) else "survey"),
        "survey": {
            "id": dimensions.pop("survey", None) or as_text(response.get("survey_id")),
            **({"name": name} if name else {}),
        },
        "answers": [read for answer in used for read in _read(answer)],
        "dimensions": dimensions,
        **({"updated_at": modified} if modified else {}),
        **({"customer": customer} if customer else {}),
    }
    names = {name for answer in answers for name in answer.names}
    use = MappingUse(
        unmapped=_unmapped(used, mapping),
        questions=frozenset(mapping.questions.keys() & names),
        dimensions=occurring_dimensions([*names, *fields], mapping),
    )
    return record, use


def _row_answers(response: Mapping[str, Any], survey: Mapping[str, Any], mapping: FieldMapping) -> Iterator[RowAnswer]:
    """The answers of all questions, those of a matrix by row."""
    questions = {as_text(question.get("id")): question for question in questions_of(survey)}
    for reply in questions_of(response):
        name = as_text(reply.get("id"))
        if not name:
            continue
        question = questions.get(name, {})
        parts = object_in(question, "answers")
        choices = {as_text(choice.get("id")): choice for choice in objects_in(parts, "choices")}
        rows = {as_text(row.get("id")): row for row in objects_in(parts, "rows")}
        answers = objects_in(reply, "answers")
        beside = next((as_text(answer.get("text")) for answer in answers if answer.get("other_id")), None)
        by_row: dict[str | None, list[dict[str, Any]]] = {}
        for answer in answers:
            if not answer.get("other_id"):
                by_row.setdefault(as_text(answer.get("row_id")), []).append(answer)
        for row, its in (by_row or {None: []}).items():
            names = _names(name, row, single=len(rows) < 2)
            ids = [key for answer in its if (key := as_text(answer.get("choice_id")))]
            chosen = tuple(choices[key] for key in ids if key in choices)
            text = next((value for answer in its if (value := as_text(answer.get("text")))), None)
            declared = next((mapping.questions[key] for key in names if key in mapping.questions), None)
            yield RowAnswer(names, question, rows.get(row, {}), chosen, text, beside, declared, len(chosen) < len(ids))
            beside = None  # a comment belongs to the question, so to its first row


def _names(question: str, row: str | None, *, single: bool) -> tuple[str, ...]:
    """The keys of an answer. A question with one row is named by itself, each row of a larger matrix by `question.row`."""
    if row is None:
        return (nfc(question),)
    of_row = nfc(f"{question}.{row}")
    return (nfc(question), of_row) if single else (of_row, nfc(question))


def _question_of(answer: RowAnswer) -> SurveyQuestion | None:
    """The kind and scale of the answer: by the mapping, else by its type. None if neither says so."""
    if answer.declared:
        return answer.declared
    match answer.question.get("family"), answer.question.get("subtype"):
        case "open_ended", "essay":
            return COMMENT
        case "open_ended", "single" if asks_for_comment(_title(answer)):
            return COMMENT
        case "matrix", "nps":
            return NPS
    return None


def _read(answer: RowAnswer) -> Iterator[dict[str, Any]]:
    """The answers of the record: a rating, a comment, or a rating with the comment beside it."""
    question = _question_of(answer)
    if question is None:
        return
    name = answer.names[0]
    if question.kind == "comment":
        if text := answer.text or answer.typed_beside:
            yield {"question": name, "kind": "comment", "text": text}
        return
    value = _value(answer, question)
    if value is not None:
        raw = _plain(answer.chosen[0].get("text"))[:200] if answer.chosen else ""
        rating = {"question": name, **question.model_dump(exclude_none=True), "value": value}
        yield {**rating, "raw": raw} if raw else rating
    if answer.typed_beside:
        yield {"question": name, "kind": "comment", "text": answer.typed_beside}


def _value(answer: RowAnswer, question: SurveyQuestion) -> int | None:
    """The rating. None if it is "not applicable", or nothing was chosen.

    Raises Unusable if the answer has no number on the scale.
    """
    scale = question.scale or (NPS_SCALE if question.kind == "nps" else CES_SCALE)
    if answer.lacks_choice:
        raise Unusable(f"question {answer.names[0]} is a rating, but its choice is not in the survey", "mapping_mismatch")
    if not answer.chosen:
        if answer.text is None:
            return None
        if NUMBER.fullmatch(answer.text.strip()):
            return int(answer.text)
        raise Unusable(f"question {answer.names[0]} is a rating by the mapping, but its answer is a text", "mapping_mismatch")
    if len(answer.chosen) > 1:
        raise Unusable(
            f"question {answer.names[0]} is a rating by the mapping, but several choices were made", "mapping_mismatch"
        )
    [choice] = answer.chosen
    if choice.get("is_na"):
        return None
    for value in _candidates(choice, objects_in(object_in(answer.question, "answers"), "choices")):
        if scale[0] <= value <= scale[1]:
            return value
    raise Unusable(
        f"question {answer.names[0]} is a rating by the mapping, but its choice has no number on the scale", "mapping_mismatch"
    )


def _candidates(choice: Mapping[str, Any], choices: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """The numbers that a choice may mean, the surest first."""
    text = _plain(choice.get("text"))
    if NUMBER.fullmatch(text):
        yield int(text)
    weights = [_whole(option.get("weight")) for option in choices if not option.get("is_na")]
    weight = _whole(choice.get("weight"))
    if weight is not None and weights.count(weight) == 1:
        yield weight
    if at_edge := EDGE_NUMBER.search(text):
        yield int(at_edge[1] or at_edge[2])


def _whole(value: object) -> int | None:
    text = as_text(value)
    return int(text) if text and NUMBER.fullmatch(text) else None


def _unmapped(answers: Sequence[RowAnswer], mapping: FieldMapping) -> tuple[UnmappedQuestion, ...]:
    """The answers that become neither part of the record nor a dimension. Questions for an address are left out."""
    return tuple(
        UnmappedQuestion(answer.names[0], answer.names[1] if len(answer.names) > 1 else None, _title(answer) or None)
        for answer in answers
        if _question_of(answer) is None
        and answer.question.get("family") != "demographic"
        and mapping.fields.isdisjoint(answer.names)
    )


def _title(answer: RowAnswer) -> str:
    """The heading of the question, with the text of the row if there are several."""
    headings = objects_in(answer.question, "headings")
    heading = _plain(headings[0].get("heading")) if headings else ""
    row = _plain(answer.row.get("text")) if "." in answer.names[0] else ""
    return f"{heading}: {row}" if heading and row else heading or row


def _plain(value: object) -> str:
    """A text that may be HTML, on one line."""
    return " ".join(html.unescape(TAG.sub(" ", as_text(value) or "")).split())


def _fields(response: Mapping[str, Any], answers: Sequence[RowAnswer]) -> dict[str, Any]:
    """The values that dimensions may be read from: chosen answers by question, custom variables, `custom_value`."""
    chosen = {name: _plain(answer.chosen[0].get("text")) for answer in answers if answer.chosen for name in answer.names}
    variables = {str(name): as_text(value) for name, value in object_in(response, "custom_variables").items()}
    fields = {**chosen, **variables, "custom_value": as_text(response.get("custom_value"))}
    usable = {name: value.strip() for name, value in fields.items() if value}
    return {name: value for name, value in usable.items() if is_name(value)}


def _customer(
    response: Mapping[str, Any], recipient: Mapping[str, Any], answers: Sequence[RowAnswer], own: str | None
) -> dict[str, Any]:
    """The own id from the mapped field or a custom variable; the e-mail address of the recipient or from the answers."""
    variables = object_in(response, "custom_variables")
    ids = (as_text(variables.get(field)) for field in CUSTOMER_FIELDS)
    contact = object_in(object_in(response, "metadata"), "contact")
    addresses = [
        as_text(recipient.get("email")),
        as_text(object_in(contact, "email").get("value")),
        *(answer.text for answer in answers if answer.row.get("type") == "email"),
        as_text(variables.get("email")),
    ]
    return customer_fields(
        "surveymonkey",
        own_id=own or next((value.strip() for value in ids if value and is_name(value.strip())), None),
        email=next((address.strip() for address in addresses if address and is_email(address.strip())), None),
    )


def _time(response: Mapping[str, Any], field: str) -> str | None:
    """The time in a field, if it is one and may be true."""
    text = as_text(response.get(field))
    try:
        return text if parse_time(text).year >= FIRST_YEAR else None
    except ValueError:
        return None
