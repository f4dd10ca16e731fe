"""Tally (tally.so/help/webhooks): `Tally-Signature` is the base64 HMAC-SHA256 of the raw body, without a timestamp.

A submission has its fields with their types. A field does not say what it measures: the connection's mapping states kind and
scale by the field's key. A long text is a comment, and so is a short one whose label asks for it (`comment_titles`). Any other
answer is reported as unmapped. Hidden fields are set by the link that opened the form; one that can't be used is left out.
"""

from collections.abc import Mapping, Sequence
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
    as_objects,
    as_text,
    dimensions_of,
    object_in,
    occurring_dimensions,
    parse_payload,
    trimmed_text,
    type_in,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.providers.survey_answer import read_answer
from services.ingest.domain.signatures import NotVerified, verify_hmac
from shared.text import nfc

COMMENT = SurveyQuestion(kind="comment")
HIDDEN = "HIDDEN_FIELDS"
UNMAPPED_TYPES = ("INPUT_EMAIL", "INPUT_PHONE_NUMBER", "FILE_UPLOAD", "SIGNATURE", "PAYMENT", HIDDEN)
"""Types of fields that are no questions to map."""

CUSTOMER_FIELDS = ("customer_id", "user_id")
"""Labels of hidden fields that hold the customer's id in the tenant's own systems."""
UNANSWERED: tuple[Any, ...] = (None, "", [])


class Field(NamedTuple):
    """An answered field. `value` is the answer; of a choice the text of its option, if there is one."""

    key: str
    label: str
    type: str
    value: Any


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    signature = request.headers.get("tally-signature")
    if not signature:
        raise NotVerified("tally-signature is needed: set a signing secret in Tally")
    verify_hmac(signature, request.body, [secret.encode() for secret in secrets])


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    return parse_payload(request, _identify, lambda identity, payload: _read(identity, payload, mapping))


def _identify(payload: Mapping[str, Any]) -> DeliveryIdentity:
    data = object_in(payload, "data")
    submission = as_text(data.get("submissionId")) or as_text(data.get("responseId"))
    return DeliveryIdentity(as_text(payload.get("eventId")), "response", submission)


def _read(identity: DeliveryIdentity, payload: Mapping[str, Any], mapping: FieldMapping) -> Parsed:
    """The record of a submission. Raises Unusable if it has no id, or a mapped answer has another type."""
    event, data = type_in(payload, "eventType"), object_in(payload, "data")
    if event != "FORM_RESPONSE":
        return Parsed(identity.delivery, ignored=event)
    if identity.id is None:
        raise Unusable("data.submissionId is missing")
    fields = _fields(data)
    hidden = {field.label: text for field in fields if field.type == HIDDEN and (text := _usable(field.value))}
    values = hidden | {field.key: text for field in fields if (text := _usable(field.value))}
    questions = [(field, _question(field, mapping)) for field in fields]
    dimensions = dimensions_of(values, mapping)
    survey, title = dimensions.pop("survey", None) or as_text(data.get("formId")), as_text(data.get("formName"))
    customer = _customer(fields, hidden, own_id(values, mapping))
    record = {
        "type": "response",
        "id": identity.id,
        "at": data.get("createdAt"),
        "channel": dimensions.pop("channel", "survey"),
        "answers": [
            read_answer(field.key, question, field.value)
            for field, question in questions
            if question and question.kind != "ignore"
        ],
        "dimensions": dimensions,
        **({"survey": {"id": survey, **({"name": title[:500]} if title else {})}} if survey else {}),
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(
        unmapped=tuple(
            UnmappedQuestion(field.key, None, field.label or None)
            for field, question in questions
            if question is None and field.type not in UNMAPPED_TYPES and field.key not in mapping.fields
        ),
        questions=frozenset(mapping.questions.keys() & {field.key for field in fields}),
        dimensions=occurring_dimensions([*(field.key for field in fields), *hidden], mapping),
    )
    return Parsed(identity.delivery, [record], use=use)


def _fields(data: Mapping[str, Any]) -> list[Field]:
    """The answered fields. Raises Unusable if they are no list."""
    listed = data.get("fields")
    if not isinstance(listed, list):
        raise Unusable("data.fields is no list")
    return [
        Field(nfc(key), " ".join(str(field.get("label") or "").split()), str(field.get("type")), _value(field))
        for field in as_objects(listed)
        if field.get("value") not in UNANSWERED and (key := as_text(field.get("key")))
    ]


def _value(field: Mapping[str, Any]) -> Any:
    """The answer. Of one chosen option its text, since the payload has the option's id. Several choices stay a list."""
    value, options = field.get("value"), field.get("options")
    if not isinstance(options, list):
        return value
    texts = {as_text(option.get("id")): option.get("text") for option in as_objects(options)}
    chosen = value if isinstance(value, list) else [value]
    named = [texts.get(as_text(option), option) for option in chosen]
    return named[0] if len(named) == 1 else named


def _usable(value: Any) -> str | None:
    """A value that can be a dimension: one line of at most 200 characters."""
    text = trimmed_text(value)
    return text if is_name(text) else None


def _question(field: Field, mapping: FieldMapping) -> SurveyQuestion | None:
    """The question of a field: by the mapping, else by its type. None if neither says so."""
    if field.key in mapping.questions:
        return mapping.questions[field.key]
    is_short_comment = field.type == "INPUT_TEXT" and asks_for_comment(field.label)
    return COMMENT if field.type == "TEXTAREA" or is_short_comment else None


def _customer(fields: Sequence[Field], hidden: Mapping[str, str], own: str | None) -> dict[str, Any]:
    """The customer's own id from the mapped field or a hidden one, and the e-mail address from an answer or a hidden field."""
    typed = [trimmed_text(field.value) for field in fields if field.type == "INPUT_EMAIL"]
    return customer_fields(
        "tally",
        own_id=own or next((hidden[label] for label in CUSTOMER_FIELDS if label in hidden), None),
        email=next((address for address in [*typed, hidden.get("email", "")] if is_email(address)), None),
    )


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FieldMapping,
    title="Tally",
    content=("response", "names"),
)
