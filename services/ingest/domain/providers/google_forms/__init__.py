"""Google Forms: responses that our Apps Script `Code.gs` sends. Google Forms has no webhook of its own.

The script signs by Standard Webhooks (`standard.py`). It sends a response when it is submitted and each time it is edited, with
every question of the form: one without an answer withdraws the answer that an earlier version of the response had.

A question does not say what it measures. The script states the ends of a scale; the connection's mapping states the kind, and
must not contradict the ends. Paragraphs are comments, and so is a short text whose title asks for one (`comment_titles`).
"""

from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple

from services.ingest.domain.connection import FieldMapping, SurveyQuestion
from services.ingest.domain.fields import is_name
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.domain.providers import standard
from services.ingest.domain.providers.comment_titles import asks_for_comment
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_objects,
    as_text,
    dimensions_of,
    occurring_dimensions,
    parse_payload,
    trimmed_text,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.providers.survey_answer import read_answer
from shared.text import nfc

SOURCE = "google_forms"
COMMENT = SurveyQuestion(kind="comment")
UNMAPPED_TYPES = ("CHECKBOX", "GRID", "CHECKBOX_GRID", "DATE", "DATETIME", "TIME", "DURATION", "FILE_UPLOAD")
"""Types of questions that are none to map."""
SCALES = {"nps": (0, 10), "ces": (1, 7)}
"""The scale of a kind whose mapping states none."""


class ItemAnswer(NamedTuple):
    """A question with its answer. `value` is None if there is none; `scale` are the ends of its scale, if it has one."""

    name: str
    title: str
    type: str
    value: Any
    scale: tuple[int, int] | None


def script() -> str:
    """The Apps Script, for an administrator to paste."""
    return resources.files(__package__).joinpath("Code.gs").read_text()


def _parse(request: Request, settings: FieldMapping) -> Parsed:
    delivery = request.headers.get("webhook-id") or None
    return parse_payload(
        request,
        lambda payload: DeliveryIdentity(delivery, "response", as_text(payload.get("responseId"))),
        lambda identity, payload: _read(identity, payload, settings),
        delivery=delivery,
    )


def _read(identity: DeliveryIdentity, payload: Mapping[str, Any], settings: FieldMapping) -> Parsed:
    """The record of a response. Raises Unusable if its id or its answers can't be read, or contradict the mapping."""
    if payload.get("source") != SOURCE:
        raise Unusable("the body is not made by Earshot's script")
    if identity.id is None:
        raise Unusable("responseId is missing")
    answers = _answers(payload)
    questions = [(answer, _question(answer, settings)) for answer in answers]
    values = {answer.name: text for answer in answers if (text := _one_line(answer.value))}
    dimensions = dimensions_of(values, settings)
    survey, title = dimensions.pop("survey", None) or as_text(payload.get("formId")), as_text(payload.get("formTitle"))
    updated = payload.get("sentAt")
    email = trimmed_text(payload.get("respondentEmail"))
    customer = customer_fields("google_forms", own_id=own_id(values, settings), email=email)
    record = {
        "type": "response",
        "id": identity.id,
        "at": payload.get("submittedAt"),
        "channel": dimensions.pop("channel", "survey"),
        "answers": [_answer(answer, question) for answer, question in questions if question and question.kind != "ignore"],
        "dimensions": dimensions,
        **({"updated_at": updated} if updated is not None else {}),
        **({"survey": {"id": survey, **({"name": title[:500]} if title else {})}} if survey else {}),
        **({"customer": customer} if customer else {}),
    }
    names = [answer.name for answer in answers]
    use = MappingUse(
        unmapped=tuple(
            UnmappedQuestion(answer.name, None, answer.title or None)
            for answer, question in questions
            if question is None and answer.value is not None and _can_be_mapped(answer, settings)
        ),
        questions=frozenset(settings.questions.keys() & {*names}),
        dimensions=occurring_dimensions(names, settings),
    )
    return Parsed(identity.delivery, [record], use=use)


def _can_be_mapped(answer: ItemAnswer, settings: FieldMapping) -> bool:
    return answer.type not in UNMAPPED_TYPES and answer.name not in settings.fields


def _answers(payload: Mapping[str, Any]) -> list[ItemAnswer]:
    """The questions of the form. Raises Unusable if they are no list."""
    listed = payload.get("answers")
    if not isinstance(listed, list):
        raise Unusable("answers is no list")
    return [
        ItemAnswer(
            nfc(identity),
            " ".join(str(answer.get("title") or "").split()),
            str(answer.get("type")),
            None if answer.get("response") in (None, "", []) else answer["response"],
            _scale(answer.get("scale")),
        )
        for answer in as_objects(listed)
        if (identity := as_text(answer.get("itemId")))
    ]


def _scale(value: Any) -> tuple[int, int] | None:
    """The ends of a scale. None if the question has none."""
    match value:
        case [int(low), int(high)]:
            return low, high
        case _:
            return None


def _question(answer: ItemAnswer, settings: FieldMapping) -> SurveyQuestion | None:
    """The kind and the scale of a question: by the mapping, else by its type. None if neither says so."""
    if answer.name in settings.questions:
        return settings.questions[answer.name]
    is_short_comment = answer.type == "TEXT" and asks_for_comment(answer.title)
    is_comment = answer.type == "PARAGRAPH_TEXT" or is_short_comment
    return COMMENT if is_comment and answer.name not in settings.fields else None


def _answer(answer: ItemAnswer, question: SurveyQuestion) -> dict[str, Any]:
    """The answer of the record. One without a value withdraws an earlier one."""
    expected = question.scale or SCALES.get(question.kind)
    if answer.scale and expected and answer.scale != expected:
        raise Unusable(
            f"question {answer.name} goes from {answer.scale[0]} to {answer.scale[1]} in the form, but from {expected[0]} to "
            f"{expected[1]} by the mapping",
            "mapping_mismatch",
        )
    if answer.value is not None:
        return read_answer(answer.name, question, answer.value)
    field = "text" if question.kind == "comment" else "value"
    return {"question": answer.name, **question.model_dump(exclude_none=True), field: None}


def _one_line(value: Any) -> str | None:
    """A value that can be a dimension or an id: one line of at most 200 characters."""
    text = trimmed_text(value)
    return text if is_name(text) else None


PROVIDER = Provider(
    verify=standard.PROVIDER.verify,
    parse=_parse,
    settings=FieldMapping,
    title="Google Forms",
    content=("response", "names"),
    stored_headers=("webhook-id", "webhook-timestamp"),
    new_secret=standard.PROVIDER.new_secret,
    refuse_secret=standard.PROVIDER.refuse_secret,
)
