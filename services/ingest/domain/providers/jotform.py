"""Jotform (api.jotform.com/docs, webhooks of forms): multipart forms, whose part `rawRequest` holds the answers as JSON.

Nothing is signed, and there are neither headers of one's own nor an id of the delivery nor a time. So the URL has the secret as
`token`, and the time of receipt counts. Jotform repeats the URL in a part of the form: of a request only the parts that are read
are stored, as JSON. Notes of the browser beside the answers make a delivery recognizable: they are the same in a retry, and
others in an edit.

A field `q3_howLikely` has its number and its name, but neither a type nor the text of its question: the connection's mapping
states kind and scale, by either. Any other answer is reported as unmapped.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from services.ingest.domain import signatures
from services.ingest.domain.connection import FieldMapping, SurveyQuestion
from services.ingest.domain.fields import is_email, is_name
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.forms import parse_fields
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    dimensions_of,
    occurring_dimensions,
    parse_object,
    parse_payload,
    trimmed_text,
)
from services.ingest.domain.providers.provider import Headers, Parsed, Provider, Request
from services.ingest.domain.providers.shared_secret import PARAMETER, verify_shared_secret
from services.ingest.domain.providers.survey_answer import read_answer
from shared.text import nfc

STORED_PARTS = ("formID", "formTitle", "submissionID", "rawRequest")
FIELD = re.compile(r"q\d+_(.*)", re.DOTALL | re.ASCII)
SECRET = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)

CONTACT_PARTS = frozenset(
    (
        *("prefix", "first", "middle", "last", "suffix"),
        *("full", "country", "area", "phone"),
        *("addr_line1", "addr_line2", "city", "state", "postal"),
        *("day", "month", "year", "hour", "min", "ampm", "timeInput"),
        *("implementation", "date", "duration", "timezone"),
    )
)
"""Parts of names, phone numbers, addresses, dates and appointments, which are no questions to map."""

CUSTOMER_FIELDS = ("customerid", "userid")
"""Names of fields that hold the customer's id in the tenant's own systems, in lower case and without `_`."""
EMAIL_FIELDS = ("email", "emailaddress", "youremail")
UNANSWERED: tuple[Any, ...] = (None, "", [], {})


class Answer(NamedTuple):
    """An answer, or one part of it. `names` are the keys under which a mapping may declare it; the first one names it."""

    names: tuple[str, ...]
    value: Any
    is_contact: bool
    question: SurveyQuestion | None


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_shared_secret(request, secrets, in_url=True)


def _split(request: Request) -> Sequence[Request]:
    """The request with the parts that are stored, as JSON. An unreadable one stays as it is, without the secret."""
    try:
        fields = parse_fields(request)
    except Unusable:
        token = request.query.get(PARAMETER, "").encode()
        body = request.body.replace(token, b"...") if token else request.body
        return [Request(request.method, request.url, request.headers, body, request.received_at)]
    stored = {name: fields[name] for name in STORED_PARTS if fields.get(name)}
    body = json.dumps({**stored, "rawRequest": _raw_request(fields)}).encode()
    return [Request(request.method, request.url, Headers({"content-type": "application/json"}), body, request.received_at)]


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    return parse_payload(
        request,
        _identify,
        lambda identity, payload: _read(identity, payload, request.received_at, mapping),
        decode=lambda body: parse_fields(request),
    )


def _raw_request(payload: Mapping[str, Any]) -> Any:
    """The answers, with noise beside them: an object, as Jotform writes it into a text or as it is stored. Else what is there."""
    value = payload.get("rawRequest")
    try:
        return parse_object(value.encode()) if isinstance(value, str) else value
    except Unusable:
        return value


def _identify(payload: Mapping[str, Any]) -> DeliveryIdentity:
    submission = as_text(payload.get("submissionID"))
    if submission is None:
        return DeliveryIdentity(None)
    content = json.dumps([as_text(payload.get("formID")), _raw_request(payload)], sort_keys=True)
    return DeliveryIdentity(f"{submission}:{blake2b(content.encode(), digest_size=16).hexdigest()}", "response", submission)


def _read(identity: DeliveryIdentity, payload: Mapping[str, Any], received_at: datetime | None, mapping: FieldMapping) -> Parsed:
    """The record of a submission. Raises Unusable if its id or its answers are missing, or a mapped answer has another type."""
    form, title, raw = as_text(payload.get("formID")), as_text(payload.get("formTitle")), _raw_request(payload)
    if identity.id is None or form is None:
        raise Unusable("formID and submissionID are needed")
    if not isinstance(raw, dict):
        raise Unusable("rawRequest is missing, or no JSON object")
    if received_at is None:
        raise Unusable("the delivery has no time")
    answers = list(_answers(raw, mapping))
    fields = {name: text for answer in answers for name in answer.names if (text := _usable(answer.value))}
    dimensions = dimensions_of(fields, mapping)
    customer = _customer(answers, own_id(fields, mapping))
    record = {
        "type": "response",
        "id": identity.id,
        "at": received_at.isoformat(),
        "updated_at": received_at.isoformat(),
        "channel": dimensions.pop("channel", "survey"),
        "survey": {"id": dimensions.pop("survey", form), **({"name": title[:500]} if title else {})},
        "answers": [
            read_answer(answer.names[0], question, answer.value)
            for answer in answers
            if (question := answer.question) and question.kind != "ignore"
        ],
        "dimensions": dimensions,
        **({"customer": customer} if customer else {}),
    }
    return Parsed(identity.delivery, [record], use=_use(answers, fields, mapping))


def _answers(raw: Mapping[str, Any], mapping: FieldMapping) -> Iterator[Answer]:
    """The answered fields. Each part of a matrix, a name or an address is an answer of its own: `q4_rateUs.0`."""
    for key, value in raw.items():
        field = FIELD.fullmatch(key)
        if field is None or value in UNANSWERED:
            continue
        names = tuple(dict.fromkeys(nfc(name) for name in (key, field[1]) if name))
        if not isinstance(value, dict):
            yield Answer(names, value, _is_contact(names), _question(names, mapping))
            continue
        for part, inner in value.items():
            if inner not in UNANSWERED:
                of_part = tuple(nfc(f"{name}.{part}") for name in names)
                yield Answer(of_part, inner, value.keys() <= CONTACT_PARTS, _question((*of_part, *names), mapping))


def _question(names: Sequence[str], mapping: FieldMapping) -> SurveyQuestion | None:
    return next((mapping.questions[name] for name in names if name in mapping.questions), None)


def _plain(names: Sequence[str]) -> str:
    """The name of a field in lower case and without `_`."""
    return names[-1].lower().replace("_", "")


def _is_contact(names: Sequence[str]) -> bool:
    return _plain(names) in (*CUSTOMER_FIELDS, *EMAIL_FIELDS)


def _usable(value: Any) -> str | None:
    """A value that can be a dimension: one line of at most 200 characters."""
    text = trimmed_text(value)
    return text if is_name(text) else None


def _use(answers: Sequence[Answer], fields: Mapping[str, Any], mapping: FieldMapping) -> MappingUse:
    names = {name for answer in answers for name in (*answer.names, *(name.partition(".")[0] for name in answer.names))}
    return MappingUse(
        unmapped=tuple(
            UnmappedQuestion(answer.names[0], answer.names[1] if len(answer.names) > 1 else None)
            for answer in answers
            if answer.question is None and not answer.is_contact and mapping.fields.isdisjoint(answer.names)
        ),
        questions=frozenset(mapping.questions.keys() & names),
        dimensions=occurring_dimensions([*names, *fields], mapping),
    )


def _customer(answers: Sequence[Answer], own: str | None) -> dict[str, Any]:
    """The own id from the mapped field or the one that is named so, and the e-mail address."""
    values = [(_plain(answer.names), _usable(answer.value)) for answer in answers]
    return customer_fields(
        "jotform",
        own_id=own or next((value for name, value in values if value and name in CUSTOMER_FIELDS), None),
        email=next((value for name, value in values if value and name in EMAIL_FIELDS and is_email(value)), None),
    )


def _refuse_secret(secret: str) -> str | None:
    if not SECRET.fullmatch(secret):
        return "letters, digits, - and _ only, since it is a part of the URL"
    return signatures.refuse_secret(secret)


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FieldMapping,
    title="Jotform",
    content=("response", "names"),
    stored_headers=("content-type",),
    body_types=("multipart", "form", "json"),
    refuse_secret=_refuse_secret,
    split=_split,
)
