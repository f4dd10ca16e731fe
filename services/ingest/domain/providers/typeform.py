"""Typeform (typeform.com/developers/webhooks): `Typeform-Signature: sha256=<base64 HMAC-SHA256 of the raw body>`.

The key is the literal secret; there is no timestamp. A submission is a `form_response`. A `form_response_partial` has the same
shape but is none. Answers state the type of their field: `nps` fields are NPS questions, long texts are comments. Rating, opinion
scale and yes/no fields do not say what they measure, nor on which scale, and a short text may be a comment or a name: the
connection's mapping says so, by field id or ref, and `ignore` leaves an answer out. Without it a short text is a comment if its
title asks for one (`comment_titles`), and any other answer is reported as an unmapped question.

Hidden fields are set by the link that opened the form, so anybody can set them. A hidden value that can't be used is treated as
absent and never puts a submission in quarantine.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.ingest.domain.connection import FieldMapping, SurveyQuestion
from services.ingest.domain.fields import is_email, is_name
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.domain.providers.comment_titles import asks_for_comment
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    objects_in,
    occurring_dimensions,
    parse_payload,
    trimmed_text,
    type_in,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.providers.typeform_history import HISTORY
from services.ingest.domain.signatures import verify_named_hmac
from services.ingest.domain.value_names import ValueName
from shared.text import nfc

COMMENT = SurveyQuestion(kind="comment")
QUESTION_OF_TYPE = {"nps": SurveyQuestion(kind="nps"), "long_text": COMMENT}
"""Field types that state the kind of their question."""

CUSTOMER_FIELDS = ("user_id", "customer_id")
"""Hidden fields that hold the customer's id."""

UNFILLED = re.compile(r"x{5}|\{\{.*\}\}|\*\|.*\|\*", re.IGNORECASE)
"""A hidden value that was never filled in: Typeform's placeholder `xxxxx`, or a merge tag of a mailing tool."""


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_named_hmac(request.headers.get("typeform-signature"), request.body, secrets, missing="typeform-signature is needed")


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    return parse_payload(request, _identify, lambda identity, payload: _read_event(identity, payload, mapping))


def _identify(payload: Mapping[str, Any]) -> DeliveryIdentity:
    token = as_text(object_in(payload, "form_response").get("token"))
    return DeliveryIdentity(as_text(payload.get("event_id")), "response", token)


def _read_event(identity: DeliveryIdentity, payload: Mapping[str, Any], mapping: FieldMapping) -> Parsed:
    """The record of a submission. Raises Unusable if the event has none, or a mapped answer has another type."""
    event_type, form = type_in(payload, "event_type"), object_in(payload, "form_response")
    if event_type != "form_response":
        return Parsed(identity.delivery, ignored=event_type)
    if not form:
        raise Unusable("form_response is missing")
    record, use = _read(form, mapping)
    return Parsed(identity.delivery, [record], use=use, names=_survey_name(form))


def _survey_name(form: Mapping[str, Any]) -> tuple[ValueName, ...]:
    """The title of the form, which is the survey unless the mapping reads that from elsewhere."""
    survey, title = as_text(form.get("form_id")), as_text(object_in(form, "definition").get("title"))
    return (ValueName("survey", survey, title),) if survey and title else ()


class FieldAnswer(NamedTuple):
    """One answer. `names` are the id and the ref of its field in NFC, as far as it has them; `declared` is its mapping."""

    raw: dict[str, Any]
    names: tuple[str, ...]
    type: str
    declared: SurveyQuestion | None


Titles = Mapping[str, str | None]
"""The titles of fields, by id and by ref."""


def _read(form: dict[str, Any], mapping: FieldMapping) -> tuple[dict[str, Any], MappingUse]:
    """The record of a submission, and how it fits the mapping."""
    answers = _field_answers(form, mapping)
    hidden_fields = object_in(form, "hidden")
    names = {name for answer in answers for name in answer.names}
    titles: Titles = {}
    if _needs_titles(answers) or not names.union(hidden_fields).issuperset([*mapping.questions, *mapping.fields]):
        titles = _titles(form)
        names.update(titles)
    used = [answer for answer in answers if answer.declared is None or answer.declared.kind != "ignore"]
    paired = [(answer, _question_of(answer, titles)) for answer in used]
    hidden = _usable(hidden_fields)
    customer = _customer(used, hidden, own_id(_values(used, hidden), mapping) if mapping.customer else None)
    dimensions = _dimensions(used, hidden, mapping)
    record = {
        "type": "response",
        "id": form.get("token"),
        "at": form.get("submitted_at"),
        "channel": dimensions.pop("channel", "survey"),
        "survey": {"id": dimensions.pop("survey", None) or form.get("form_id")},
        "answers": [_answer(answer.names[0], question, answer.raw) for answer, question in paired if question],
        "dimensions": dimensions,
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(
        unmapped=_unmapped([answer for answer, question in paired if question is None], titles, mapping),
        questions=frozenset(mapping.questions.keys() & names),
        dimensions=occurring_dimensions([*names, *hidden_fields], mapping),
    )
    return record, use


def _names(field: Mapping[str, Any]) -> tuple[str, ...]:
    identity, ref = as_text(field.get("id")), as_text(field.get("ref"))
    if identity and ref:
        return nfc(identity), nfc(ref)
    return (nfc(identity or ref or ""),) if identity or ref else ()


def _field_answers(form: Mapping[str, Any], mapping: FieldMapping) -> list[FieldAnswer]:
    """The answers that are objects. The ref of a field is read from the form's definition if the answer lacks it.

    Raises Unusable if the form's answers are no list.
    """
    answers = form.get("answers") or []
    if not isinstance(answers, list):
        raise Unusable("form_response.answers is no list")
    result = []
    refs: dict[str, tuple[str, ...]] | None = None
    for answer in answers:
        if isinstance(answer, dict):
            field = object_in(answer, "field")
            names = _names(field)
            if field.get("id") and len(names) == 1:
                refs = (
                    {names_of_field[0]: names_of_field for names_of_field in map(_names, _fields(form)) if names_of_field}
                    if refs is None
                    else refs
                )
                names = refs.get(names[0], names)
            declared = next((mapping.questions[name] for name in names if name in mapping.questions), None)
            result.append(FieldAnswer(answer, names, str(field.get("type")), declared))
    return result


def _needs_titles(answers: Sequence[FieldAnswer]) -> bool:
    """Whether an answer may be left out, or depends on the title of its question."""
    return any(answer.declared is None and answer.type not in QUESTION_OF_TYPE for answer in answers)


def _fields(form: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All fields of the form's definition. Those of a group are nested in it."""
    left = [object_in(form, "definition")]
    while left:
        for field in objects_in(left.pop(), "fields"):
            yield field
            if "properties" in field:
                left.append(object_in(field, "properties"))


def _titles(form: Mapping[str, Any]) -> Titles:
    """The titles of all fields of the form."""
    titles: dict[str, str | None] = {}
    for field in _fields(form):
        title = as_text(field.get("title"))
        for name in _names(field):
            titles[name] = title
    return titles


def _title_of(answer: FieldAnswer, titles: Titles) -> str | None:
    return next((title for name in answer.names if (title := titles.get(name))), None)


def _question_of(answer: FieldAnswer, titles: Titles) -> SurveyQuestion | None:
    """The question of an answer: by the mapping, else by the type of its field. None if neither states one."""
    if answer.declared or not answer.names:
        return answer.declared
    if answer.type == "short_text":
        title = _title_of(answer, titles)
        return COMMENT if title and asks_for_comment(title) else None
    return QUESTION_OF_TYPE.get(answer.type)


def _unmapped(answers: Sequence[FieldAnswer], titles: Titles, mapping: FieldMapping) -> tuple[UnmappedQuestion, ...]:
    """The questions of those answers that become neither a dimension nor the customer's address."""
    return tuple(
        UnmappedQuestion(answer.names[0], answer.names[1] if len(answer.names) > 1 else None, _title_of(answer, titles))
        for answer in answers
        if answer.names and answer.raw.get("type") != "email" and mapping.fields.isdisjoint(answer.names)
    )


def _answer(name: str, question: SurveyQuestion, answer: dict[str, Any]) -> dict[str, Any]:
    if question.kind == "comment":
        return {"question": name, "kind": "comment", "text": _text(name, answer)}
    return {"question": name, **question.model_dump(exclude_none=True), "value": _number(name, answer)}


def _number(name: str, answer: dict[str, Any]) -> Any:
    match answer.get("type"):
        case "number":
            return answer.get("number")
        case "boolean" if isinstance(answer.get("boolean"), bool):
            return int(answer["boolean"])
        case _:
            raise Unusable(f"question {name} is a rating by the mapping, but its answer is no number", "mapping_mismatch")


def _text(name: str, answer: dict[str, Any]) -> Any:
    if answer.get("type") != "text":
        raise Unusable(f"question {name} is a comment, but its answer is no text", "mapping_mismatch")
    return answer.get("text")


def _usable(hidden: Mapping[str, Any]) -> dict[str, str]:
    """The hidden fields with a usable value: one line of at most 200 characters, no placeholder."""
    values = {name: trimmed_text(value) for name, value in hidden.items()}
    return {name: value for name, value in values.items() if is_name(value) and not UNFILLED.fullmatch(value)}


def _customer(answers: Sequence[FieldAnswer], hidden: dict[str, str], own: str | None) -> dict[str, Any]:
    """The customer's own id, from the mapped field or a hidden one, and e-mail address. A broken address is left out."""
    typed = [trimmed_text(answer.raw.get("email")) for answer in answers if answer.raw.get("type") == "email"]
    return customer_fields(
        "typeform",
        own_id=own or next((hidden[field] for field in CUSTOMER_FIELDS if field in hidden), None),
        email=next((email for email in [*typed, hidden.get("email", "")] if is_email(email)), None),
    )


def _dimensions(answers: Sequence[FieldAnswer], hidden: dict[str, str], mapping: FieldMapping) -> dict[str, str]:
    """The dimensions that the mapping reads from hidden fields and from chosen answers."""
    return dimensions_of(_values(answers, hidden), mapping) if mapping.dimensions else {}


def _values(answers: Sequence[FieldAnswer], hidden: dict[str, str]) -> dict[str, str | None]:
    """The labels of chosen answers by the names of their fields, and the hidden fields."""
    chosen = {name: as_text(object_in(answer.raw, "choice").get("label")) for answer in answers for name in answer.names}
    return {**chosen, **hidden}


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FieldMapping,
    title="Typeform",
    content=("response", "names"),
    history=HISTORY,
)
