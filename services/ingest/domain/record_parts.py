"""The parts of canonical records as structs: answers, the customer, the survey.

They hold the same values as the models of `answers.py` and `fields.py`, which describe records in the OpenAPI
document and explain errors. msgspec makes structs at a fraction of pydantic's cost. Each refuses, by ValueError, whatever the
models refuse, and text in another form than Unicode NFC where the models convert it.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal
from unicodedata import is_normalized

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import force_setattr

from services.ingest.domain.answers import POSITIVE_FROM, Polarity
from services.ingest.domain.fields import EMAIL, LANGUAGE, LONGEST_EMAIL, LONGEST_NAME, LONGEST_TEXT, MAX_ALIASES, NAME

Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Raw = Annotated[str, Meta(max_length=200)]
Score = Annotated[int, Meta(ge=-1000, le=1000)]
Scale = tuple[Score, Score]
Time = Annotated[datetime, Meta(tz=True)]

IS_LINE, IS_EMAIL, IS_LANGUAGE = (re.compile(pattern).fullmatch for pattern in (NAME, EMAIL, LANGUAGE))


class Refused(ValueError):
    """A value breaks a rule. pydantic's models say which one."""


def check_line(text: str | None) -> None:
    """Raise Refused for a control character, and ValueError for half a surrogate pair."""
    if text is None or (text.isascii() and text.isprintable()):
        return
    text.encode()
    if not IS_LINE(text):
        raise Refused


def check_group(text: str | None) -> None:
    """Like `check_line`. Raises Refused also for text that is not in Unicode NFC."""
    check_line(text)
    if text is not None and not is_normalized("NFC", text):
        raise Refused


def check_text(text: str | UnsetType | None) -> None:
    """Raise Refused for the character NUL, and ValueError for half a surrogate pair."""
    if text:
        if "\0" in text:
            raise Refused
        if not text.isascii():
            text.encode()


def check_email(email: str | None) -> None:
    """Raise Refused for text that is not an e-mail address, and ValueError for half a surrogate pair."""
    if email is not None:
        if not IS_EMAIL(email):
            raise Refused
        email.encode()


def check_language(language: str | None) -> None:
    """Raise Refused for text that is not a language tag."""
    if language is not None and not IS_LANGUAGE(language):
        raise Refused


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all parts."""


class Timed(Part, frozen=True, kw_only=True):
    """A part with a time."""

    at: Time

    def __post_init__(self) -> None:
        to_utc(self, "at")


def to_utc(part: Part, *names: str) -> None:
    """Convert these times of a new part to UTC: msgspec keeps the offset of the text."""
    for name in names:
        time: datetime | None = getattr(part, name)
        if time is not None and time.tzinfo is not UTC:
            force_setattr(part, name, time.astimezone(UTC))


# --- answers
class Rated(Part, frozen=True, kw_only=True):
    """A value on a scale. None withdraws the answer."""

    scale: Scale | None = None
    value: Score | None
    raw: Raw | None = None

    def __post_init__(self) -> None:
        scale, value = self.scale, self.value
        if scale is not None:
            lowest, highest = scale
            if not lowest < highest <= lowest + 100 or (value is not None and not lowest <= value <= highest):
                raise Refused
        check_text(self.raw)


class Satisfaction(Rated, frozen=True, kw_only=True):
    """A CSAT rating, which states its scale."""

    positive_from: Score | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        scale, lowest_positive = self.scale, self.lowest_positive
        if scale is None:
            if self.value is not None:
                raise Refused
        elif lowest_positive is None or (self.positive_from is not None and not scale[0] < lowest_positive <= scale[1]):
            raise Refused

    @property
    def lowest_positive(self) -> int | None:
        """The lowest value that counts as satisfied. None if neither the answer nor its scale states one."""
        return self.positive_from if self.positive_from is not None else POSITIVE_FROM.get(self.scale or (0, 0))


class Csat(Satisfaction, tag_field="kind", tag="csat", frozen=True, kw_only=True):
    kind: ClassVar[Literal["csat"]] = "csat"
    question: Name

    def __post_init__(self) -> None:
        super().__post_init__()
        check_group(self.question)


class Nps(Rated, tag_field="kind", tag="nps", frozen=True, kw_only=True):
    kind: ClassVar[Literal["nps"]] = "nps"
    question: Name
    scale: Scale | None = (0, 10)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_group(self.question)
        if self.scale != (0, 10):
            raise Refused


class Ces(Rated, tag_field="kind", tag="ces", frozen=True, kw_only=True):
    kind: ClassVar[Literal["ces"]] = "ces"
    question: Name
    scale: Scale | None = (1, 7)
    polarity: Polarity = "easy_is_high"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_group(self.question)


class Comment(Part, tag_field="kind", tag="comment", frozen=True, kw_only=True):
    """Free text; a null withdraws it."""

    kind: ClassVar[Literal["comment"]] = "comment"
    question: Name
    text: Text | UnsetType | None = UNSET
    value: UnsetType | None = UNSET
    language: str | None = None

    def __post_init__(self) -> None:
        if self.text is UNSET and self.value is UNSET:
            raise Refused
        check_group(self.question)
        check_text(self.text)
        check_language(self.language)


Answer = Nps | Csat | Ces | Comment


# --- the customer and the survey
class Alias(Part, frozen=True, kw_only=True):
    """Another id or e-mail address of the same customer."""

    id: Name | None = None
    email: Annotated[str, Meta(max_length=LONGEST_EMAIL)] | None = None

    def __post_init__(self) -> None:
        if (self.id is None) == (self.email is None):
            raise Refused
        check_line(self.id)
        check_email(self.email)


class Customer(Part, frozen=True, kw_only=True):
    """The person who gave the feedback, by an id, an e-mail address or both."""

    id: Name | None = None
    email: Annotated[str, Meta(max_length=LONGEST_EMAIL)] | None = None
    aliases: Annotated[tuple[Alias, ...], Meta(max_length=MAX_ALIASES)] = ()

    def __post_init__(self) -> None:
        if self.id is None and self.email is None:
            raise Refused
        check_line(self.id)
        check_email(self.email)


class Survey(Part, frozen=True, kw_only=True):
    """The survey of a response."""

    id: Name
    name: Annotated[str, Meta(max_length=500)] | None = None

    def __post_init__(self) -> None:
        check_group(self.id)
        if self.name is not None and not self.name.isascii():
            self.name.encode()
