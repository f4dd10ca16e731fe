"""The kinds of values a canonical record is made of, with their bounds."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from services.ingest.domain.times import parse_time

Time = Annotated[datetime, BeforeValidator(parse_time)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""An id or a dimension's value: one line of text."""
Text = Annotated[str, StringConstraints(max_length=65_536, pattern=r"^[^\x00]*$")]
"""What somebody wrote."""
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}$")]
Score = Annotated[int, Field(ge=-1000, le=1000)]


def _ascending(scale: tuple[int, int]) -> tuple[int, int]:
    if not scale[0] < scale[1] <= scale[0] + 100:
        raise ValueError("a scale is [lowest, highest], at most 100 apart")
    return scale


Scale = Annotated[tuple[Score, Score], Field(strict=False), AfterValidator(_ascending)]


class Model(BaseModel):
    """Strict, immutable, and without fields that it doesn't know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Customer(Model):
    """Who said it; at least one of the two."""

    id: Name | None = None
    email: Annotated[str, StringConstraints(max_length=320, pattern=r"^[^@\x00-\x20\x7f]+@[^@\x00-\x20\x7f]+$")] | None = None

    @model_validator(mode="after")
    def _somebody(self) -> "Customer":
        if self.id is None and self.email is None:
            raise ValueError("a customer has an id or an email")
        return self


class Survey(Model):
    id: Name
    name: Annotated[str, StringConstraints(max_length=500)] | None = None


class Dimensions(Model):
    """What a record can be grouped by, besides its channel, survey and priority; null takes a value back."""

    product: Name | None = None
    region: Name | None = None
    language: Name | None = None
    team: Name | None = None
    agent: Name | None = None
    segment: Name | None = None
