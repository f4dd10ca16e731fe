"""Formbricks (formbricks.com/docs, github.com/formbricks/formbricks): responses to surveys, signed as Standard Webhooks.

Releases before January 2026 sign nothing and send no id of the delivery: the secret is part of the URL, `?token=`.

A respondent causes several events with one `data.id`: created, updated and finished. Each has all answers so far. A payload has
neither types nor scales of questions: the connection's mapping says so by question id, and other answers are reported as
unmapped.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.ingest.domain.connection import FieldMapping, SurveyQuestion
from services.ingest.domain.fields import is_name
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.domain.providers import standard
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    occurring_dimensions,
    parse_payload,
    trimmed_text,
    type_in,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.providers.shared_secret import PARAMETER
from services.ingest.domain.signatures import verify_secret
from shared.text import nfc

EVENTS = ("responseCreated", "responseUpdated", "responseFinished")
UNANSWERED: tuple[Any, ...] = (None, "", [])
"""Values of a question that was skipped."""


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    token = request.query.get(PARAMETER)
    if token and not request.headers.get("webhook-signature"):
        verify_secret(token.replace(" ", "+"), secrets)  # a plus in a URL is read as a blank
        return
    standard.PROVIDER.verify(request, secrets, now)


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    delivery = request.headers.get("webhook-id") or None

    def identify(payload: dict[str, Any]) -> DeliveryIdentity:
        return DeliveryIdentity(delivery, "response", as_text(object_in(payload, "data").get("id")))

    return parse_payload(request, identify, lambda identity, payload: _read(identity, payload, mapping), delivery=delivery)


def _read(identity: DeliveryIdentity, payload: Mapping[str, Any], mapping: FieldMapping) -> Parsed:
    """The record of a response so far. Raises Unusable if it has no id, or a mapped answer has another type."""
    event, data = type_in(payload, "event"), object_in(payload, "data")
    if event not in EVENTS:
        return Parsed(identity.delivery, ignored=event)
    if identity.id is None:
        raise Unusable("data.id is missing")
    answers = {nfc(name): value for name, value in object_in(data, "data").items() if value not in UNANSWERED}
    return Parsed(identity.delivery, [_record(identity.id, data, answers, mapping)], use=_use(data, answers, mapping))


def _record(identity: str, data: dict[str, Any], answers: Mapping[str, Any], mapping: FieldMapping) -> dict[str, Any]:
    survey = object_in(data, "survey")
    fields = _fields(data, answers)
    dimensions = dimensions_of(fields, mapping)
    channel = dimensions.pop("channel", None) or as_text(survey.get("type"))
    survey_id, title = dimensions.pop("survey", None) or as_text(data.get("surveyId")), as_text(survey.get("title"))
    customer = _customer(data, own_id(fields, mapping))
    return {
        "type": "response",
        "id": identity,
        "at": data.get("createdAt"),
        "updated_at": data.get("updatedAt"),
        "answers": [
            _answer(name, mapping.questions[name], value)
            for name, value in answers.items()
            if name in mapping.questions and mapping.questions[name].kind != "ignore"
        ],
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"survey": {"id": survey_id, **({"name": title[:500]} if title else {})}} if survey_id else {}),
        **({"customer": customer} if customer else {}),
    }


def _answer(name: str, question: SurveyQuestion, value: Any) -> dict[str, Any]:
    if question.kind == "comment":
        if not isinstance(value, str):
            raise Unusable(f"question {name} is a comment by the mapping, but its answer is no text", "mapping_mismatch")
        return {"question": name, "kind": "comment", "text": value}
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable(f"question {name} is a rating by the mapping, but its answer is no number", "mapping_mismatch")
    return {"question": name, **question.model_dump(exclude_none=True), "value": value}


def _customer(data: dict[str, Any], own: str | None) -> dict[str, Any]:
    """The mapped id, else the contact's id in the app; and the e-mail address. Anonymous surveys have none.

    A value that can't be used is left out.
    """
    contact, attributes = object_in(data, "contact"), object_in(data, "contactAttributes")
    identity = as_text(contact.get("userId")) or as_text(attributes.get("userId")) or ""
    email = trimmed_text(attributes.get("email"))
    return customer_fields("formbricks", own_id=own or (identity if is_name(identity) else None), email=email)


def _fields(data: dict[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `mapping.dimensions` may name: hidden fields and choices, attributes of the contact, `meta`, language."""
    return {"language": data.get("language")} | object_in(data, "meta") | object_in(data, "contactAttributes") | dict(answers)


def _use(data: dict[str, Any], answers: Mapping[str, Any], mapping: FieldMapping) -> MappingUse:
    unmapped = [name for name in answers if name not in mapping.questions and name not in mapping.fields]
    return MappingUse(
        unmapped=tuple(UnmappedQuestion(name) for name in unmapped),
        questions=frozenset(mapping.questions.keys() & answers.keys()),
        dimensions=occurring_dimensions(_fields(data, answers), mapping),
    )


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FieldMapping,
    title="Formbricks",
    content=("response", "names"),
    stored_headers=("webhook-id", "webhook-timestamp"),
    new_secret=standard.PROVIDER.new_secret,
    refuse_secret=standard.PROVIDER.refuse_secret,
)
