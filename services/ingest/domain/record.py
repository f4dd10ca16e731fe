"""The canonical record: the form of feedback that apps post and that every provider's payload is converted to."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, field_validator
from pydantic_core import ErrorDetails

from services.ingest.domain.answers import OUTSIDE_SCALE, Answer
from services.ingest.domain.facts import Fact
from services.ingest.domain.fields import Customer, Dimensions, GroupName, Language, Model, Name, Score, Survey, Text, Time
from services.ingest.domain.reason_codes import ReasonCode
from services.ingest.domain.redaction import Redactor
from shared.events import Label
from shared.validation import Schema, reason_of

MAX_AHEAD = timedelta(minutes=5)
"""How far a time may be ahead of our clock."""

RESPONSE_EXAMPLE: dict[str, Any] = {
    "type": "response",
    "id": "r-1042",
    "at": "2025-11-20T09:14:03+01:00",
    "survey": {"id": "post-support", "name": "After support"},
    "channel": "email",
    "customer": {"id": "c-77"},
    "answers": [
        {"question": "q1", "kind": "nps", "value": 9},
        {"question": "q4", "kind": "comment", "text": "Quick and kind.", "language": "en"},
    ],
    "dimensions": {"team": "billing", "region": "DE"},
}


class Feedback(Model):
    """The fields that responses, reviews and tickets share. `updated_at` is the time of the edit, by default of the receipt."""

    id: Name = Field(description="Identifies the subject within its connection", examples=["r-1042"])
    at: Time = Field(description="When it was answered, written or opened", examples=["2026-11-20T09:14:03+01:00"])
    updated_at: Time | None = Field(None, description="Time of this edit; default: the time of receipt")
    channel: GroupName | None = Field(None, description="Where it came from", examples=["email", "app_store"])
    customer: Customer | None = Field(None, description="Who gave the feedback; stored under a pseudonym")
    dimensions: Dimensions = Field(Dimensions(), description="Names by which results are grouped and filtered")


class Response(Feedback):
    """A survey response. With `sent_at` and no answers it is an invitation that is not answered yet."""

    model_config = ConfigDict(json_schema_extra={"examples": [RESPONSE_EXAMPLE]})
    type: Literal["response"]
    sent_at: Time | None = Field(None, description="When the invitation was sent")
    survey: Survey | None = None
    answers: list[Answer] = Field(default_factory=list, max_length=200, description="One per question and kind")

    @field_validator("answers")
    @classmethod
    def _check_each_question_once(cls, answers: list[Answer]) -> list[Answer]:
        if len({(a.question, a.kind) for a in answers}) < len(answers):
            raise ValueError("a question is answered twice")
        return answers


class Review(Feedback):
    """A review in a store or on a portal, of 1 to 5 stars or none."""

    type: Literal["review"]
    stars: Annotated[Score, Field(ge=1, le=5)] | None = None
    title: Text | None = None
    text: Text | None = None
    language: Language | None = Field(None, description="Language of the text, such as `en` or `pt-BR`")
    product: GroupName | None = Field(None, description="The reviewed product; a dimension")
    deleted: bool = Field(False, description="Whether the review was deleted; a later record without it brings the review back")


class Ticket(Feedback):
    """A ticket or a part of its history. `dimensions.team` and `.agent` are its assignment at the opening."""

    type: Literal["ticket"]
    facts: list[Fact] = Field(default_factory=list, max_length=1000, description="They accumulate over records, in any order")


class Erasure(Model):
    """A request to erase a customer."""

    type: Literal["erasure"]
    id: Name
    at: Time
    customer: Customer
    linked: bool = Field(
        False,
        description="Also erase everything that the customer's links reach, as `customers:erase` does: see `customers:find`",
    )


Subject = Annotated[
    str, StringConstraints(max_length=300, pattern=r"^[^/\x00-\x1f]+/(response|review|ticket)/[^\x00-\x1f\x7f]+$")
]
"""`<connection>/<type>/<id>`."""
Comment = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""The hash of a comment's text."""


class Override(Model):
    """A human's label of one comment, which is identified by the hash of its text."""

    type: Literal["override"]
    id: Name
    at: Time
    subject: Subject = Field(description="`<connection>/<type>/<id>`")
    comment: Comment = Field(description="The hash of the comment's text (`text_hash`)")
    label: Label | None = Field(None, description="The sentiment; null with no themes removes the override")
    themes: list[GroupName] = Field(default_factory=list, max_length=50, description="Ids of the comment's themes")


Record = Response | Review | Ticket | Erasure | Override

_ADAPTER: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="type")])


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
    try:
        record = _ADAPTER.validate_python(value)
    except ValidationError as error:
        raise _invalid(error) from None
    limit = now + MAX_AHEAD
    if late := [name for name, at in _times(record) if at > limit]:
        raise Invalid([{"name": name, "reason": TOO_LATE} for name in late])
    return record


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
    return _ADAPTER.json_schema()


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
