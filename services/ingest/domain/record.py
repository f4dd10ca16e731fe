"""The canonical record: the form of feedback that apps post and that every provider's payload is converted to.

Records are msgspec structs. A value that they refuse is validated again by the pydantic models of `record_models.py`, which say
what is wrong, and convert what may be written in several ways: other forms of a time, names that are not in Unicode NFC.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from services.ingest.domain import record_models
from services.ingest.domain.answers import OUTSIDE_SCALE
from services.ingest.domain.fields import Dimensions
from services.ingest.domain.reason_codes import ReasonCode
from services.ingest.domain.record_facts import Fact
from services.ingest.domain.record_parts import (
    Answer,
    Customer,
    Name,
    Refused,
    Survey,
    Text,
    Time,
    Timed,
    check_group,
    check_language,
    check_line,
    check_text,
    to_utc,
)
from services.ingest.domain.redaction import Redactor
from shared.events import MOST_OWN_DIMENSIONS, Label, can_be_own_dimension
from shared.validation import Schema, reason_of

MAX_AHEAD = timedelta(minutes=5)
"""How far a time may be ahead of our clock."""

COMMON_DIMENSIONS = tuple(Dimensions.model_fields)
"""The dimensions that every record may have; others are the tenant's own."""

SUBJECT, COMMENT = re.compile(record_models.SUBJECT).fullmatch, re.compile(record_models.COMMENT).fullmatch


class Feedback(Timed, frozen=True, kw_only=True):
    """The fields that responses, reviews and tickets share."""

    id: Name
    updated_at: Time | None = None
    channel: Name | None = None
    customer: Customer | None = None
    dimensions: dict[Name, Name | None] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        to_utc(self, "at", "updated_at")
        check_line(self.id)
        check_group(self.channel)
        if self.dimensions:
            own = 0
            for name, value in self.dimensions.items():
                check_group(value)
                if name not in COMMON_DIMENSIONS:
                    own += 1
                    if not can_be_own_dimension(name):
                        raise Refused
            if own > MOST_OWN_DIMENSIONS:
                raise Refused


class Response(Feedback, tag_field="type", tag="response", frozen=True, kw_only=True):
    """A survey response; with `sent_at` and without answers, an unanswered invitation."""

    type: ClassVar[Literal["response"]] = "response"
    sent_at: Time | None = None
    survey: Survey | None = None
    answers: Annotated[tuple[Answer, ...], Meta(max_length=200)] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        to_utc(self, "sent_at")
        if len({(answer.question, answer.kind) for answer in self.answers}) < len(self.answers):
            raise Refused


class Review(Feedback, tag_field="type", tag="review", frozen=True, kw_only=True):
    """A review in a store or on a portal."""

    type: ClassVar[Literal["review"]] = "review"
    stars: Annotated[int, Meta(ge=1, le=5)] | None = None
    title: Text | None = None
    text: Text | None = None
    language: str | None = None
    product: Name | None = None
    deleted: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_text(self.title)
        check_text(self.text)
        check_language(self.language)
        check_group(self.product)


class Ticket(Feedback, tag_field="type", tag="ticket", frozen=True, kw_only=True):
    """A ticket or a part of its history."""

    type: ClassVar[Literal["ticket"]] = "ticket"
    facts: Annotated[tuple[Fact, ...], Meta(max_length=1000)] = ()


class Erasure(Timed, tag_field="type", tag="erasure", frozen=True, kw_only=True):
    """A request to erase a customer, with `linked` also all that links reach."""

    type: ClassVar[Literal["erasure"]] = "erasure"
    id: Name
    customer: Customer
    linked: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_line(self.id)


class Override(Timed, tag_field="type", tag="override", frozen=True, kw_only=True):
    """A human's label of one comment, which is identified by the hash of its text."""

    type: ClassVar[Literal["override"]] = "override"
    id: Name
    subject: Annotated[str, Meta(max_length=300)]
    comment: str
    label: Label | None = None
    themes: Annotated[tuple[Name, ...], Meta(max_length=50)] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_line(self.id)
        if not SUBJECT(self.subject) or not COMMENT(self.comment):
            raise Refused
        self.subject.encode()
        for theme in self.themes:
            check_group(theme)


Record = Response | Review | Ticket | Erasure | Override

PLAIN_TIME = re.compile(r"(?:199\d|20\d\d|21\d\d)-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII).fullmatch
"""Times in which msgspec reads the same instant as `parse_time`."""


class _Holder(msgspec.Struct):
    """msgspec analyses a struct once, but a union in each call."""

    record: Record


_MODELS: TypeAdapter[record_models.Record] = TypeAdapter(record_models.Record)

MAX_PLACES = 20
"""Wrong places of one record that are listed."""
MAX_EXPLAINED = 3
"""Wrong places of one record that come with the allowed fields and a suggestion: each takes as long as to read five records."""
MAX_LISTED = 1_000
"""Errors of one record up to which pydantic is asked for their list; it can list all or none."""
TOO_LATE = "more than 5 minutes ahead of our clock"
PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Invalid(ValueError):
    """The record can't be used. `places` says where and why, but quotes no value.

    `more` counts the wrong places that are not listed. A place may hold the name of an unknown field, redacted. The message is
    stored with the delivery; it leaves out names that may be a person's words or address. `code` is the kind of the first reason.
    """

    def __init__(self, places: list[dict[str, str]], more: int = 0) -> None:
        redact = Redactor()
        self.more = more
        self.places = [{"name": redact(place["name"]), "reason": place["reason"]} for place in places]
        named = [(_plain(place["name"]), place["reason"]) for place in places]
        self.code = _code_of(places[0]["reason"])
        super().__init__("; ".join(f"{name}: {reason}" if name else reason for name, reason in named))


def _code_of(reason: str) -> ReasonCode:
    if reason.startswith(OUTSIDE_SCALE):
        return "outside_scale"
    return "time_in_future" if reason == TOO_LATE else "invalid_record"


def _plain(name: str) -> str:
    """A path with `…` in place of each part that is not a plain name."""
    return ".".join(part if PLAIN_NAME.fullmatch(part) else "…" for part in name.split(".")) if name else ""


def read_record(value: Any, now: datetime) -> Record:
    """Validate a parsed JSON value as a record.

    Raises Invalid if a field is unknown, missing, out of bounds or off its scale, or a time is more than MAX_AHEAD after `now`.
    """
    record = _convert(value) or _convert_by_models(value)
    limit = now + MAX_AHEAD
    if late := [name for name, at in _times(record) if at > limit]:
        raise Invalid([{"name": name, "reason": TOO_LATE} for name in late])
    return record


def _convert(value: Any) -> Record | None:
    """The record, if it is valid and all of it is written in the usual form."""
    try:
        return msgspec.convert({"record": value}, _Holder).record if _has_plain_times(value) else None
    except msgspec.ValidationError:
        return None


def _has_plain_times(value: Any) -> bool:
    """Whether the times of a record, which may be invalid, match PLAIN_TIME."""
    if not isinstance(value, dict):
        return False
    facts = value.get("facts", ())
    times = [value.get("at"), value.get("updated_at"), value.get("sent_at")]
    if isinstance(facts, list):
        times += [fact.get("at") for fact in facts if isinstance(fact, dict)]
    return all(time is None or (isinstance(time, str) and PLAIN_TIME(time)) for time in times)


def _convert_by_models(value: Any) -> Record:
    try:
        model = _MODELS.validate_python(value)
    except ValidationError as error:
        raise _invalid(error) from None
    return msgspec.convert({"record": model.model_dump(exclude_unset=True)}, _Holder).record


def _invalid(error: ValidationError) -> Invalid:
    """The first MAX_PLACES errors. Of more than MAX_LISTED only the number is reported."""
    count = error.error_count()
    if count > MAX_LISTED:
        return Invalid([{"name": "", "reason": f"{count} places are wrong"}], count)
    errors = error.errors(include_url=False, include_input=False)
    faults = [_fault(e, _schema() if place < MAX_EXPLAINED else None) for place, e in enumerate(errors[:MAX_PLACES])]
    return Invalid(faults, max(0, count - MAX_PLACES))


def _fault(error: ErrorDetails, schema: Schema | None) -> dict[str, str]:
    """The place and the reason. For an unknown tag pydantic's message would quote it, so we write our own."""
    if error["type"] != "union_tag_invalid":
        return {"name": _place(error["loc"]), "reason": reason_of(error, schema)}
    context = error["ctx"]
    place = [_place(error["loc"]), context["discriminator"].strip("'")]
    return {"name": ".".join(filter(None, place)), "reason": f"must be one of {context['expected_tags']}"}


@cache
def _schema() -> Schema:
    return _MODELS.json_schema()


def _place(loc: tuple[int | str, ...]) -> str:
    """The path to a field in the JSON, without the tags that pydantic inserts for unions."""
    tagged = {0} | {i + 2 for i, part in enumerate(loc) if part in ("answers", "facts") and i == 1}
    return ".".join(str(part) for i, part in enumerate(loc) if i not in tagged)


def _times(record: Record) -> Iterator[tuple[str, datetime]]:
    yield "at", record.at
    if isinstance(record, Feedback) and record.updated_at:
        yield "updated_at", record.updated_at
    if isinstance(record, Response) and record.sent_at:
        yield "sent_at", record.sent_at
    if isinstance(record, Ticket):
        yield from ((f"facts.{i}.at", fact.at) for i, fact in enumerate(record.facts))
