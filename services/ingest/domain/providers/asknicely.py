"""AskNicely (asknicely.zendesk.com, Triggering Webhooks): a response, and again each change of its score or comment.

Nothing is signed: a static header presents the secret. A payload has no type; `count` is 1 for the first one about a response,
and one more for each further one. The comment usually arrives with the second.

A score is a text, and nothing says what it measures: the connection's mapping states it, by the survey template or for all
templates as `score`. Additional questions (`ai_question_1`, `scorecard1`) are read by the mapping alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import is_name
from services.ingest.domain.mapping_use import MappingUse, UnmappedQuestion
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
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.providers.shared_secret import verify_shared_secret
from services.ingest.domain.providers.survey_answer import read_answer
from shared.text import nfc

SCORE, COMMENT = "score", "comment"
ADDITIONAL = re.compile(r"(?:ai_question|scorecard)_?\d+", re.ASCII)
UNIX_SECONDS = re.compile(r"\d{9,10}", re.ASCII)
MOST_COUNTED = 999_999
"""The greatest `count` that orders changes of one second."""


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_shared_secret(request, secrets, in_url=True)


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    return parse_payload(request, _identify, lambda identity, payload: _read(identity, payload, mapping))


def _identify(payload: Mapping[str, Any]) -> DeliveryIdentity:
    response, count = as_text(object_in(payload, "question").get("id")), as_text(payload.get("count"))
    return DeliveryIdentity(f"{response}:{count}" if response and count else None, "response", response)


def _read(identity: DeliveryIdentity, payload: Mapping[str, Any], mapping: FieldMapping) -> Parsed:
    """The record of a response. Raises Unusable if its id, its time or a mapped answer can't be read."""
    question, person = object_in(payload, "question"), object_in(payload, "person")
    if identity.id is None:
        raise Unusable("question.id is missing")
    responded = _time(question, "responded")
    if responded is None:
        raise Unusable("question.responded is missing")
    template = as_text(question.get("survey_template"))
    fields = _fields(question, person)
    dimensions = dimensions_of(fields, mapping)
    sent, survey = _time(question, "sent"), dimensions.pop("survey", "") or template
    customer = _customer(person, own_id(fields, mapping))
    answers, use = _answers(question, template, mapping)
    record = {
        "type": "response",
        "id": identity.id,
        "at": responded.isoformat(),
        "updated_at": (responded + timedelta(microseconds=_count(payload))).isoformat(),
        "channel": dimensions.pop("channel", "") or fields.get("deliverymethod") or "survey",
        "answers": answers,
        "dimensions": dimensions,
        **({"sent_at": sent.isoformat()} if sent else {}),
        **({"survey": {"id": survey}} if survey else {}),
        **({"customer": customer} if customer else {}),
    }
    occurring = occurring_dimensions(fields, mapping)
    return Parsed(identity.delivery, [record], use=MappingUse(use.unmapped, use.questions, occurring))


def _count(payload: Mapping[str, Any]) -> int:
    """The number of the change, which orders changes of a response whatever the order of their arrival. 0 if it is none."""
    text = as_text(payload.get("count")) or ""
    return min(int(text[:7]), MOST_COUNTED) if text.isascii() and text.isdecimal() else 0


def _time(question: Mapping[str, Any], name: str) -> datetime | None:
    """The instant of Unix seconds, which AskNicely writes as a text. Raises Unusable if it is no such number."""
    text = as_text(question.get(name))
    if text is None:
        return None
    if not UNIX_SECONDS.fullmatch(text):
        raise Unusable(f"question.{name} is no Unix time in seconds")
    return datetime.fromtimestamp(int(text), UTC)


def _answers(question: Mapping[str, Any], template: str | None, mapping: FieldMapping) -> tuple[list[dict[str, Any]], MappingUse]:
    """The answers that the mapping declares, and the comment."""
    answers: list[dict[str, Any]] = []
    unmapped: list[UnmappedQuestion] = []
    occurring: set[str] = set()
    for names, value in _named(question, template):
        occurring.update(names)
        declared = next((mapping.questions[name] for name in names if name in mapping.questions), None)
        if declared is None and names == (COMMENT,):
            answers.append({"question": COMMENT, "kind": "comment", "text": value})
        elif declared is None:
            if mapping.fields.isdisjoint(names):
                unmapped.append(UnmappedQuestion(names[0], names[1] if len(names) > 1 else None))
        elif declared.kind != "ignore":
            answers.append(read_answer(names[0], declared, value))
    return answers, MappingUse(tuple(unmapped), frozenset(mapping.questions.keys() & occurring))


def _named(question: Mapping[str, Any], template: str | None) -> Iterator[tuple[tuple[str, ...], str]]:
    """The answered questions with the keys under which a mapping may declare them."""
    if score := as_text(question.get("score")):
        yield (nfc(template), SCORE) if template and template not in (SCORE, COMMENT) else (SCORE,), score
    if comment := as_text(question.get("comment")):
        yield (COMMENT,), comment
    for name, value in question.items():
        if ADDITIONAL.fullmatch(name) and (text := as_text(value)):
            yield (name,), text


def _fields(question: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, str]:
    """The values that dimensions may be read from: fields of the response, and of the person as `person.…`."""
    named = {**question, **{f"person.{name}": value for name, value in person.items()}}
    texts = {name: trimmed_text(value) for name, value in named.items()}
    return {name: text for name, text in texts.items() if is_name(text)}


def _customer(person: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    """The mapped id, the person's id in AskNicely, and the e-mail address."""
    email = trimmed_text(person.get("email"))
    return customer_fields("asknicely", tool_id=as_text(person.get("id")), own_id=own, email=email)


PROVIDER = Provider(verify=_verify, parse=_parse, settings=FieldMapping, title="AskNicely", content=("response",))
