"""The canonical record: what one's own apps post and what every provider's payload becomes. Five types, told apart by `type`."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, field_validator
from pydantic_core import ErrorDetails

from services.ingest.domain.answers import Answer
from services.ingest.domain.facts import Fact
from services.ingest.domain.fields import Customer, Dimensions, GroupName, Language, Model, Name, Score, Survey, Text, Time
from services.ingest.domain.redaction import Redactor
from shared.events import Label

AHEAD = timedelta(minutes=5)
"""How far a time may lie ahead of our clock."""


class Spoken(Model):
    """What the records that customers cause have in common. `updated_at` is the time of the edit, by default that of receipt."""

    id: Name
    at: Time
    updated_at: Time | None = None
    channel: GroupName | None = None
    customer: Customer | None = None
    dimensions: Dimensions = Dimensions()


class Response(Spoken):
    """A survey response; with `sent_at` and no answers, an invitation not yet answered."""

    type: Literal["response"]
    sent_at: Time | None = None
    survey: Survey | None = None
    answers: Annotated[list[Answer], Field(default_factory=list, max_length=200)]

    @field_validator("answers")
    @classmethod
    def _each_once(cls, answers: list[Answer]) -> list[Answer]:
        if len({(a.question, a.kind) for a in answers}) < len(answers):
            raise ValueError("a question is answered twice")
        return answers


class Review(Spoken):
    type: Literal["review"]
    stars: Annotated[Score, Field(ge=1, le=5)] | None = None
    title: Text | None = None
    text: Text | None = None
    language: Language | None = None
    product: GroupName | None = None


class Ticket(Spoken):
    """Any part of a ticket's life. `dimensions.team` and `.agent` are an assignment at its opening."""

    type: Literal["ticket"]
    facts: Annotated[list[Fact], Field(default_factory=list, max_length=1000)]


class Erasure(Model):
    """Forget a customer: everything ever said by them."""

    type: Literal["erasure"]
    id: Name
    at: Time
    customer: Customer


Subject = Annotated[
    str, StringConstraints(max_length=300, pattern=r"^[^/\x00-\x1f]+/(response|review|ticket)/[^\x00-\x1f\x7f]+$")
]
"""`<connection>/<type>/<id>`."""
Comment = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""The hash of a comment's text."""


class Override(Model):
    """A human's judgement of one comment, named by the hash of its text."""

    type: Literal["override"]
    id: Name
    at: Time
    subject: Subject
    comment: Comment
    label: Label | None = None
    themes: Annotated[list[GroupName], Field(default_factory=list, max_length=50)]


Record = Response | Review | Ticket | Erasure | Override

_ADAPTER: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="type")])


PLACES = 20
"""That are listed of one record."""
MAX_LISTED = 1_000
"""Errors of one record of which a list is made at all."""
PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Invalid(ValueError):
    """The record can't be used. `places` says where and why, never which value is there.

    `more` counts the places that are wrong too and are not listed. A place may hold the name of an unknown field, redacted. The
    message, which is stored with the delivery, leaves out names that may be somebody's words or address.
    """

    def __init__(self, places: list[dict[str, str]], more: int = 0) -> None:
        redact = Redactor()
        self.more = more
        self.places = [{"name": redact(place["name"]), "reason": place["reason"]} for place in places]
        named = [(_plain(place["name"]), place["reason"]) for place in places]
        super().__init__("; ".join(f"{name}: {reason}" if name else reason for name, reason in named))


def _plain(name: str) -> str:
    """A path with `…` for each part that is no plain name."""
    return ".".join(part if PLAIN_NAME.fullmatch(part) else "…" for part in name.split(".")) if name else ""


def read_record(value: Any, now: datetime) -> Record:
    """The record that a parsed JSON value states. Invalid: a field is unknown, missing, out of bounds, off its scale, or a time
    lies more than AHEAD of `now`."""
    try:
        record = _ADAPTER.validate_python(value)
    except ValidationError as error:
        raise _invalid(error) from None
    limit = now + AHEAD
    if late := [name for name, at in _times(record) if at > limit]:
        raise Invalid([{"name": name, "reason": "more than 5 minutes ahead of our clock"} for name in late])
    return record


def _invalid(error: ValidationError) -> Invalid:
    """The first PLACES of the errors. Of more than MAX_LISTED only their number is told: pydantic lists all or none."""
    count = error.error_count()
    if count > MAX_LISTED:
        return Invalid([{"name": "", "reason": f"{count} places are wrong"}], count)
    errors = error.errors(include_url=False, include_input=False)
    return Invalid([_fault(e) for e in errors[:PLACES]], max(0, count - PLACES))


def _fault(error: ErrorDetails) -> dict[str, str]:
    """Where and why. Of a kind that there is not, pydantic would quote the word."""
    if error["type"] != "union_tag_invalid":
        return {"name": _place(error["loc"]), "reason": error["msg"].removeprefix("Value error, ")}
    context = error["ctx"]
    place = [_place(error["loc"]), context["discriminator"].strip("'")]
    return {"name": ".".join(filter(None, place)), "reason": f"none of {context['expected_tags']}"}


def _place(loc: tuple[int | str, ...]) -> str:
    """The path to a field as its writer sees it: without the tags that pydantic puts after a tagged union."""
    tagged = {0} | {i + 2 for i, part in enumerate(loc) if part in ("answers", "facts") and i == 1}
    return ".".join(str(part) for i, part in enumerate(loc) if i not in tagged)


def _times(record: Record) -> Iterator[tuple[str, datetime]]:
    yield "at", record.at
    if isinstance(record, Spoken) and record.updated_at:
        yield "updated_at", record.updated_at
    if isinstance(record, Response) and record.sent_at:
        yield "sent_at", record.sent_at
    if isinstance(record, Ticket):
        yield from ((f"facts.{i}.at", fact.at) for i, fact in enumerate(record.facts))
