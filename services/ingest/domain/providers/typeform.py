"""Typeform (typeform.com/developers/webhooks): `Typeform-Signature: sha256=<base64 HMAC-SHA256 of the raw body>`.

The key is the literal secret; there is no timestamp. A submission is a `form_response`. A `form_response_partial` has the same
shape but is none. Answers state the type of their field: `nps` fields are NPS questions, text fields are comments. Rating,
opinion scale and yes/no fields do not say what they measure, nor on which scale: the connection's mapping must, by field id or
ref, or the answer is left out.

Hidden fields are set by the link that opened the form, so anybody can set them. A hidden value that can't be used is treated as
absent and never puts a submission in quarantine.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from services.ingest.domain.connection import Dimension, FieldMapping, SurveyQuestion
from services.ingest.domain.fields import is_email, is_name
from services.ingest.domain.providers.payload import Unusable, as_text, dimensions_of, object_in, parse_object
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.signatures import NotVerified, verify_hmac
from shared.text import nfc

QUESTION_OF_TYPE = {
    "nps": SurveyQuestion(kind="nps"),
    "long_text": SurveyQuestion(kind="comment"),
    "short_text": SurveyQuestion(kind="comment"),
}
"""Field types that state the kind of their question."""

CUSTOMER_FIELDS = ("user_id", "customer_id")
"""Hidden fields that hold the customer's id."""

UNFILLED = re.compile(r"x{5}|\{\{.*\}\}|\*\|.*\|\*", re.IGNORECASE)
"""A hidden value that was never filled in: Typeform's placeholder `xxxxx`, or a merge tag of a mailing tool."""


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    scheme, _, signature = request.headers.get("typeform-signature").partition("=")
    if scheme != "sha256":
        raise NotVerified("typeform-signature is needed")
    verify_hmac(signature, request.body, [secret.encode() for secret in secrets])


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    try:
        payload = parse_object(request.body)
    except Unusable as error:
        return Parsed(None, problem=str(error))
    delivery, event_type = as_text(payload.get("event_id")), payload.get("event_type")
    if event_type != "form_response":
        return Parsed(delivery, ignored=as_text(event_type) or "an event without a type")
    form = object_in(payload, "form_response")
    if not form:
        return Parsed(delivery, problem="form_response is missing")
    try:
        return Parsed(delivery, [_record(form, mapping)])
    except Unusable as error:
        token = as_text(form.get("token"))
        return Parsed(delivery, problem=str(error), about=(f"response/{token}",) if token else ())


def _record(form: dict[str, Any], mapping: FieldMapping) -> dict[str, Any]:
    answers = form.get("answers") or []
    if not isinstance(answers, list):
        raise Unusable("form_response.answers is no list")
    answers = [answer for answer in answers if isinstance(answer, dict)]
    hidden = _hidden(form)
    customer = _customer(answers, hidden)
    dimensions = _dimensions(answers, hidden, mapping)
    return {
        "type": "response",
        "id": form.get("token"),
        "at": form.get("submitted_at"),
        "channel": dimensions.pop("channel", "survey"),
        "survey": {"id": dimensions.pop("survey", None) or form.get("form_id")},
        "answers": list(_answers(answers, mapping)),
        "dimensions": dimensions,
        **({"customer": customer} if customer else {}),
    }


def _answers(answers: list[dict[str, Any]], mapping: FieldMapping) -> Iterator[dict[str, Any]]:
    for answer in answers:
        field = object_in(answer, "field")
        declared = mapping.questions.get(nfc(str(field.get("id")))) or mapping.questions.get(nfc(str(field.get("ref"))))
        question = declared or QUESTION_OF_TYPE.get(str(field.get("type")))
        if question is not None:
            yield _answer(str(field.get("id") or field.get("ref")), question, answer)


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
            raise Unusable(f"question {name} is a rating by the mapping, but its answer is no number")


def _text(name: str, answer: dict[str, Any]) -> Any:
    if answer.get("type") != "text":
        raise Unusable(f"question {name} is a comment, but its answer is no text")
    return answer.get("text")


def _hidden(form: dict[str, Any]) -> dict[str, str]:
    """The hidden fields with a usable value: one line of at most 200 characters, no placeholder."""
    values = {name: (as_text(value) or "").strip() for name, value in object_in(form, "hidden").items()}
    return {name: value for name, value in values.items() if is_name(value) and not UNFILLED.fullmatch(value)}


def _customer(answers: list[dict[str, Any]], hidden: dict[str, str]) -> dict[str, str]:
    """The customer's id and e-mail address, as far as they are known. A broken address is left out."""
    emails = [(as_text(a.get("email")) or "").strip() for a in answers if a.get("type") == "email"] + [hidden.get("email", "")]
    customer = {
        "id": next((hidden[field] for field in CUSTOMER_FIELDS if field in hidden), None),
        "email": next((email for email in emails if is_email(email)), None),
    }
    return {name: value for name, value in customer.items() if value}


def _dimensions(answers: list[dict[str, Any]], hidden: dict[str, str], mapping: FieldMapping) -> dict[Dimension, str]:
    """The dimensions that the mapping reads from hidden fields and from chosen answers."""
    labels = [(object_in(answer, "field"), as_text(object_in(answer, "choice").get("label"))) for answer in answers]
    chosen = {str(field.get(key)): label for field, label in labels for key in ("id", "ref")}
    return dimensions_of({**chosen, **hidden}, mapping)


PROVIDER = Provider(verify=_verify, parse=_parse, settings=FieldMapping)
