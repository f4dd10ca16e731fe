"""Types for the fields of a canonical record, with their bounds."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from shared.events import MOST_OWN_DIMENSIONS, OWN_DIMENSION, can_be_own_dimension
from shared.suggestions import refusal
from shared.text import nfc

LONGEST_NAME, LONGEST_EMAIL, LONGEST_TEXT = 200, 320, 65_536
NAME = r"^[^\x00-\x1f\x7f]+$"
EMAIL = r"^[^@\x00-\x20\x7f]+@[^@\x00-\x20\x7f]+$"
LANGUAGE = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}$"
RFC3339 = re.compile(r"(\d{4})-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1990, 2200


def parse_time(text: object) -> datetime:
    """Parse an RFC 3339 time with an offset. Returns it in UTC, truncated to microseconds.

    Seconds may be missing: Zendesk's placeholders leave them out. Raises ValueError if `text` is not such a time, does not exist,
    or is outside the years FIRST_YEAR to LAST_YEAR.
    """
    if not isinstance(text, str):
        raise ValueError("a time is RFC 3339 text")
    match = RFC3339.fullmatch(text.upper())
    if match is None:
        raise ValueError("not an RFC 3339 time with an offset")
    if not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
        raise ValueError(f"the year is outside {FIRST_YEAR}..{LAST_YEAR}")
    return datetime.fromisoformat(match[0]).astimezone(UTC)


def _to_nfc(value: Any) -> Any:
    return nfc(value) if isinstance(value, str) else value


def _to_whole(value: Any) -> Any:
    """Convert 9.0 and 9e0 to the integer 9, since JSON has one kind of number. 9.5 stays a float and is refused."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Time = Annotated[datetime, BeforeValidator(parse_time)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=NAME)]
"""An id: one line of text, stored exactly as written."""
GroupName = Annotated[Name, BeforeValidator(_to_nfc)]
"""A name by which results are grouped and filtered, such as a team: one line of text, in Unicode NFC."""
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")]
"""Free text of a person."""
Language = Annotated[str, StringConstraints(pattern=LANGUAGE)]
Score = Annotated[int, Field(ge=-1000, le=1000), BeforeValidator(_to_whole)]


def _check_ascending(scale: tuple[int, int]) -> tuple[int, int]:
    if not scale[0] < scale[1] <= scale[0] + 100:
        raise ValueError("a scale is [lowest, highest], at most 100 apart")
    return scale


Scale = Annotated[tuple[Score, Score], Field(strict=False), AfterValidator(_check_ascending)]


class Model(BaseModel):
    """A strict, immutable model that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Email = Annotated[str, StringConstraints(max_length=LONGEST_EMAIL, pattern=EMAIL)]
MAX_ALIASES = 20
"""Aliases of a customer in one record."""


class Alias(Model):
    """Another id or e-mail address of the same customer."""

    id: Name | None = Field(
        None, description="Of a tool with the provider's name, else one of your own", examples=["zendesk:351"]
    )
    email: Email | None = None

    @model_validator(mode="after")
    def _check_one(self) -> "Alias":
        if (self.id is None) == (self.email is None):
            raise ValueError("an alias is either an id or an email")
        return self


class Customer(Model):
    """The person who gave the feedback: an id, an e-mail address or both, and further ones as aliases."""

    id: Name | None = Field(
        None,
        description="The customer's id in your systems. Ids of tools begin with the provider's name: `zendesk:351`",
        examples=["c-77"],
    )
    email: Email | None = None
    aliases: list[Alias] = Field(
        default_factory=list, max_length=MAX_ALIASES, description="Further ids and e-mail addresses of the same customer"
    )

    @model_validator(mode="after")
    def _check_identity(self) -> "Customer":
        if self.id is None and self.email is None:
            raise ValueError("a customer needs an id or an email")
        return self


class Survey(Model):
    """The survey of a response. Results are grouped by its id."""

    id: GroupName
    name: Annotated[str, StringConstraints(max_length=500)] | None = None


def _check_own_dimension(name: str) -> str:
    if not can_be_own_dimension(name):
        reason = "is neither a dimension nor a name that a dimension of your own can have"
        raise ValueError(refusal(reason, name, Dimensions.model_fields))
    return name


OwnDimension = Annotated[str, AfterValidator(_check_own_dimension)]
"""The name of a dimension of the tenant's own."""


class Dimensions(Model):
    """The dimensions of a record except channel, survey and priority. Null removes an earlier value.

    Further names are those of the tenant's own dimensions. A name that is not declared counts nowhere until it is declared.
    """

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"propertyNames": {"pattern": f"^{OWN_DIMENSION.pattern}$"}},
    )
    __pydantic_extra__: dict[OwnDimension, GroupName | None] = Field(init=False)
    product: GroupName | None = None
    region: GroupName | None = None
    language: GroupName | None = None
    team: GroupName | None = None
    agent: GroupName | None = None
    segment: GroupName | None = None

    @model_validator(mode="after")
    def _check_number(self) -> "Dimensions":
        if len(self.__pydantic_extra__) > MOST_OWN_DIMENSIONS:
            raise ValueError(f"at most {MOST_OWN_DIMENSIONS} dimensions of your own are allowed")
        return self


def is_name(text: str) -> bool:
    """Whether `text` can be a Name."""
    return 0 < len(text) <= LONGEST_NAME and re.fullmatch(NAME, text) is not None


def is_email(text: str) -> bool:
    """Whether `text` can be a customer's e-mail address."""
    return len(text) <= LONGEST_EMAIL and re.fullmatch(EMAIL, text) is not None
