"""Delighted (app.delighted.com/docs/api/webhooks): responses to its surveys.

`X-Delighted-Webhook-Signature: sha256=<hex HMAC-SHA256 of the raw body>`; the key is the private API key of the account. There
is no timestamp. A response is created with its score, and usually updated with its comment minutes later, under the same id.

The type of the survey says what the score measures. NPS is clear; the scale of any other type is not part of the payload, so the
connection's mapping states it, by the type: `csat`, `ces`, `stars`. Old payloads have no type, and are NPS by the mapping alone.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.connection import FieldMapping, SurveyQuestion
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
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
from services.ingest.domain.signatures import verify_named_hmac
from shared.text import nfc

EVENTS = ("survey_response.created", "survey_response.updated")
UNTYPED = "score"
"""The name of the question of a payload without a survey type."""
COMMENT = SurveyQuestion(kind="comment")
LAST_SECOND = 10_000_000_000


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_named_hmac(
        request.headers.get("x-delighted-webhook-signature"),
        request.body,
        secrets,
        "sha256",
        "hex",
        missing="x-delighted-webhook-signature is needed",
    )


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    return parse_payload(request, _identify, lambda identity, payload: _read(identity, payload, mapping))


def _identify(payload: Mapping[str, Any]) -> DeliveryIdentity:
    response = object_in(payload, "event_data")
    return DeliveryIdentity(_delivery_id(payload, response), "response", as_text(response.get("id")))


def _delivery_id(payload: Mapping[str, Any], response: Mapping[str, Any]) -> str | None:
    """The id of the event, with its type and the time of the change: documented examples repeat one id for both events."""
    event = as_text(payload.get("event_id"))
    parts = (as_text(payload.get("event_type")), event, as_text(response.get("updated_at")))
    return ":".join(part or "" for part in parts) if event else None


def _read(identity: DeliveryIdentity, payload: Mapping[str, Any], mapping: FieldMapping) -> Parsed:
    """The record of a response. Raises Unusable if its id, a time or a mapped answer can't be read."""
    event, response = type_in(payload, "event_type"), object_in(payload, "event_data")
    if event not in EVENTS:
        return Parsed(identity.delivery, ignored=event)
    if identity.id is None:
        raise Unusable("event_data.id is missing")
    created = _time(response, "created_at")
    if created is None:
        raise Unusable("created_at is missing")
    survey = as_text(response.get("survey_type"))
    rated, unmapped_score = _score(nfc(survey) if survey else UNTYPED, response.get("score"), mapping)
    extra, unmapped, names = _additional(response, mapping)
    fields = {str(name): value for name, value in object_in(response, "person_properties").items()}
    dimensions = dimensions_of(fields, mapping)
    customer = _customer(object_in(response, "person"), own_id(fields, mapping))
    comment = as_text(response.get("comment"))
    is_ignored = (declared := mapping.questions.get("comment")) is not None and declared.kind == "ignore"
    survey_id = dimensions.pop("survey", None) or survey
    record = {
        "type": "response",
        "id": identity.id,
        "at": created,
        "updated_at": _time(response, "updated_at") or created,
        "channel": dimensions.pop("channel", "survey"),
        "answers": [
            *rated,
            *([{"question": "comment", "kind": "comment", "text": comment}] if comment and not is_ignored else []),
            *extra,
        ],
        "dimensions": dimensions,
        **({"survey": {"id": survey_id}} if survey_id else {}),
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(
        unmapped=(*unmapped_score, *unmapped),
        questions=frozenset(mapping.questions.keys() & {nfc(survey) if survey else UNTYPED, "comment", *names}),
        dimensions=occurring_dimensions(fields, mapping),
    )
    return Parsed(identity.delivery, [record], use=use)


def _time(response: Mapping[str, Any], name: str) -> str | None:
    """The RFC 3339 time of Unix seconds. Raises Unusable if it is no such number."""
    value = response.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LAST_SECOND:
        raise Unusable(f"{name} is no Unix time in seconds")
    return datetime.fromtimestamp(value, UTC).isoformat()


def _score(survey: str, score: Any, mapping: FieldMapping) -> tuple[list[dict[str, Any]], tuple[UnmappedQuestion, ...]]:
    """The rating under the type of the survey, or the question as unmapped."""
    if score is None:
        return [], ()
    question = mapping.questions.get(survey) or (SurveyQuestion(kind="nps") if survey == "nps" else None)
    if question is None:
        return [], (UnmappedQuestion(survey),)
    return _rating(survey, question, score), ()


def _rating(name: str, question: SurveyQuestion, score: Any) -> list[dict[str, Any]]:
    if question.kind == "ignore":
        return []
    if question.kind == "comment":
        raise Unusable(f"question {name} is a comment by the mapping, but its answer is no text", "mapping_mismatch")
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise Unusable(f"question {name} is a rating by the mapping, but its answer is no number", "mapping_mismatch")
    return [{"question": name, **question.model_dump(exclude_none=True), "value": score}]


def _additional(
    response: Mapping[str, Any], mapping: FieldMapping
) -> tuple[list[dict[str, Any]], list[UnmappedQuestion], list[str]]:
    """The answers to additional questions, those that are unmapped, and the ids of all of them. Free texts are comments."""
    answers: list[dict[str, Any]] = []
    unmapped: list[UnmappedQuestion] = []
    names: list[str] = []
    for answer in objects_in(response, "additional_answers"):
        field, value = object_in(answer, "question"), object_in(answer, "value")
        identity, title = as_text(field.get("id")), as_text(field.get("text"))
        if identity is None:
            continue
        name, text, scale = nfc(identity), as_text(value.get("free_response")), value.get("scale")
        names.append(name)
        question = mapping.questions.get(name) or (COMMENT if text and field.get("type") == "free_response" else None)
        if question is None:
            unmapped.append(UnmappedQuestion(name, None, title))
        elif question.kind == "comment" and text:
            answers.append({"question": name, "kind": "comment", "text": text})
        elif any(part not in (None, "", [], {}) for part in value.values()):
            answers += _rating(name, question, scale)
    return answers, unmapped, names


def _customer(person: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    """The person: the mapped id, Delighted's, and the e-mail address."""
    email = trimmed_text(person.get("email"))
    return customer_fields("delighted", tool_id=as_text(person.get("id")), own_id=own, email=email)


PROVIDER = Provider(verify=_verify, parse=_parse, settings=FieldMapping, title="Delighted", content=("response",))
