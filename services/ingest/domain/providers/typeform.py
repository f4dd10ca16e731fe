"""Typeform: `Typeform-Signature: sha256=<base64 HMAC-SHA256 of the raw body>`, key the literal secret; nothing is timestamped.

A submission is a `form_response`; a `form_response_partial` has the same shape and is none. Answers say the type of their
field: `nps` is an NPS question and text fields are comments. What `rating`, `opinion_scale` and yes/no fields measure, and on
which scale, isn't in the payload: the connection's mapping says so, by the field's id or ref, or the question is left out.

Hidden fields are filled by the link that opened the form, so anybody can set them: a hidden value that can't be used is treated
as absent, and never puts an answer in quarantine.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from services.ingest.domain.connection import Dimension, Mapping, SurveyQuestion
from services.ingest.domain.fields import is_email, is_name
from services.ingest.domain.providers.literal import new_secret, refuse_secret
from services.ingest.domain.providers.provider import (
    Headers,
    NotVerified,
    Parsed,
    Unusable,
    check,
    dimensions_of,
    object_in,
    text,
)
from shared import strict_json
from shared.text import nfc

__all__ = ["new_secret", "parse", "refuse_secret", "verify"]

TYPED = {
    "nps": SurveyQuestion(kind="nps"),
    "long_text": SurveyQuestion(kind="comment"),
    "short_text": SurveyQuestion(kind="comment"),
}
"""What a field's own type says of it."""

CUSTOMER_FIELDS = ("user_id", "customer_id")
"""Hidden fields that hold the customer's id."""

UNFILLED = re.compile(r"x{5}|\{\{.*\}\}|\*\|.*\|\*", re.IGNORECASE)
"""A hidden value that nobody filled in: Typeform's own placeholder `xxxxx`, or a merge tag that a mailing tool left as it was."""


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
    scheme, _, signature = headers.get("typeform-signature", "").partition("=")
    if scheme != "sha256":
        raise NotVerified("typeform-signature is needed")
    if not check(signature, body, [secret.encode() for secret in secrets]):
        raise NotVerified("the signature is wrong")


def parse(headers: Headers, body: bytes, mapping: Mapping) -> Parsed:
    try:
        payload = strict_json.parse(body)
    except strict_json.Malformed as error:
        return Parsed(None, problem=str(error))
    if not isinstance(payload, dict):
        return Parsed(None, problem="the body is not an object")
    delivery = text(payload.get("event_id"))
    if payload.get("event_type") != "form_response":
        return Parsed(delivery, ignored=text(payload.get("event_type")) or "an event without a type")
    form = object_in(payload, "form_response")
    if not form:
        return Parsed(delivery, problem="form_response is missing")
    try:
        return Parsed(delivery, [_record(form, mapping)])
    except Unusable as error:
        token = text(form.get("token"))
        return Parsed(delivery, problem=str(error), about=f"response/{token}" if token else None)


def _record(form: dict[str, Any], mapping: Mapping) -> dict[str, Any]:
    answers = form.get("answers") or []
    if not isinstance(answers, list):
        raise Unusable("form_response.answers is no list")
    given = [a for a in answers if isinstance(a, dict)]
    hidden = _hidden(form)
    customer = _customer(given, hidden)
    dimensions = _dimensions(given, hidden, mapping)
    return {
        "type": "response",
        "id": form.get("token"),
        "at": form.get("submitted_at"),
        "channel": dimensions.pop("channel", "survey"),
        "survey": {"id": dimensions.pop("survey", None) or form.get("form_id")},
        "answers": list(_answers(given, mapping)),
        "dimensions": dimensions,
        **({"customer": customer} if customer else {}),
    }


def _answers(given: list[dict[str, Any]], mapping: Mapping) -> Iterator[dict[str, Any]]:
    for answer in given:
        field = object_in(answer, "field")
        declared = mapping.questions.get(nfc(str(field.get("id")))) or mapping.questions.get(nfc(str(field.get("ref"))))
        question = declared or TYPED.get(str(field.get("type")))
        if question is not None:
            yield _answer(str(field.get("id") or field.get("ref")), question, answer)


def _answer(name: str, question: SurveyQuestion, answer: dict[str, Any]) -> dict[str, Any]:
    if question.kind == "comment":
        return {"question": name, "kind": "comment", "text": _text(name, answer)}
    form = question.model_dump(exclude_none=True)
    return {"question": name, **form, "value": _number(name, answer)}


def _number(name: str, answer: dict[str, Any]) -> Any:
    match answer.get("type"):
        case "number":
            return answer.get("number")
        case "boolean" if isinstance(answer.get("boolean"), bool):
            return int(answer["boolean"])
        case _:
            raise Unusable(f"question {name} is a rating by the mapping, but its answer is no number")


def _text(name: str, answer: dict[str, Any]) -> Any:
    if answer.get("type") != "text":
        raise Unusable(f"question {name} is a comment, but its answer is no text")
    return answer.get("text")


def _hidden(form: dict[str, Any]) -> dict[str, str]:
    """The hidden fields that hold a usable value: one line of at most 200 characters, and no placeholder."""
    values = {name: (text(value) or "").strip() for name, value in object_in(form, "hidden").items()}
    return {name: value for name, value in values.items() if is_name(value) and not UNFILLED.fullmatch(value)}


def _customer(given: list[dict[str, Any]], hidden: dict[str, str]) -> dict[str, str]:
    """The customer's id and e-mail address, each if known. A broken address is unknown."""
    emails = [(text(a.get("email")) or "").strip() for a in given if a.get("type") == "email"] + [hidden.get("email", "")]
    customer = {
        "id": next((hidden[field] for field in CUSTOMER_FIELDS if field in hidden), None),
        "email": next((email for email in emails if is_email(email)), None),
    }
    return {name: value for name, value in customer.items() if value}


def _dimensions(given: list[dict[str, Any]], hidden: dict[str, str], mapping: Mapping) -> dict[Dimension, str]:
    """Values of the hidden fields, and of the chosen answers, that the mapping names."""
    chosen = {
        str(object_in(a, "field").get(key)): text(object_in(a, "choice").get("label")) for a in given for key in ("id", "ref")
    }
    return dimensions_of({**chosen, **hidden}, mapping)
