"""The types of the fields of a canonical record, with their bounds."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from shared.text import nfc

LONGEST_NAME, LONGEST_EMAIL = 200, 320
NAME = r"^[^\x00-\x1f\x7f]+$"
EMAIL = r"^[^@\x00-\x20\x7f]+@[^@\x00-\x20\x7f]+$"
RFC3339 = re.compile(r"(\d{4})-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1990, 2200


def parse_time(text: object) -> datetime:
    """The instant, in UTC and cut to microseconds, that an RFC 3339 text names.

    Seconds may be missing, since Zendesk's placeholders leave them out. ValueError: it isn't such a text, has no offset, names a
    moment that doesn't exist, or lies outside the years FIRST_YEAR to LAST_YEAR.
    """
    if not isinstance(text, str):
        raise ValueError("a time is RFC 3339 text")
    match = RFC3339.fullmatch(text.upper())
    if match is None:
        raise ValueError("not an RFC 3339 time with an offset")
    if not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
        raise ValueError(f"the year is outside {FIRST_YEAR}..{LAST_YEAR}")
    return datetime.fromisoformat(match[0]).astimezone(UTC)


def _in_nfc(value: Any) -> Any:
    return nfc(value) if isinstance(value, str) else value


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 9.0 and 9e0 are the integer 9. 9.5 is left as it is, and is refused."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Time = Annotated[datetime, BeforeValidator(parse_time)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=NAME)]
"""An id: one line of text, kept character by character."""
GroupName = Annotated[Name, BeforeValidator(_in_nfc)]
"""A name that results are grouped by or filtered for, such as a team: one line of text, in Unicode NFC."""
Text = Annotated[str, StringConstraints(max_length=65_536, pattern=r"^[^\x00]*$")]
"""Free text that a person wrote."""
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}$")]
Score = Annotated[int, Field(ge=-1000, le=1000), BeforeValidator(_whole)]


def _ascending(scale: tuple[int, int]) -> tuple[int, int]:
    if not scale[0] < scale[1] <= scale[0] + 100:
        raise ValueError("a scale is [lowest, highest], at most 100 apart")
    return scale


Scale = Annotated[tuple[Score, Score], Field(strict=False), AfterValidator(_ascending)]


class Model(BaseModel):
    """Strict, immutable, and without fields that it doesn't know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Customer(Model):
    """The person who gave the feedback: an id, an e-mail address or both."""

    id: Name | None = None
    email: Annotated[str, StringConstraints(max_length=LONGEST_EMAIL, pattern=EMAIL)] | None = None

    @model_validator(mode="after")
    def _somebody(self) -> "Customer":
        if self.id is None and self.email is None:
            raise ValueError("a customer has an id or an email")
        return self


class Survey(Model):
    id: GroupName
    name: Annotated[str, StringConstraints(max_length=500)] | None = None


class Dimensions(Model):
    """The dimensions of a record besides channel, survey and priority; null removes an earlier value."""

    product: GroupName | None = None
    region: GroupName | None = None
    language: GroupName | None = None
    team: GroupName | None = None
    agent: GroupName | None = None
    segment: GroupName | None = None


def is_name(text: str) -> bool:
    """Whether `text` can be a Name."""
    return 0 < len(text) <= LONGEST_NAME and re.fullmatch(NAME, text) is not None


def is_email(text: str) -> bool:
    """Whether `text` can be a customer's e-mail address."""
    return len(text) <= LONGEST_EMAIL and re.fullmatch(EMAIL, text) is not None
