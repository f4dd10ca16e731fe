"""The answers of a response: ratings, each with its scale, and comments."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from services.ingest.domain.fields import GroupName, Language, Model, Scale, Score, Text

POSITIVE_FROM = {(1, 5): 4, (1, 7): 6, (1, 4): 3, (1, 3): 3, (1, 2): 2, (0, 1): 1}
"""The lowest positive value of each common CSAT scale (docs/kpis.md)."""

OUTSIDE_SCALE = "outside its scale"

Polarity = Literal["easy_is_high", "easy_is_low"]


class Rated(Model):
    """A value on a scale. Null withdraws the answer. `raw` is the tool's word for the value."""

    scale: Scale | None = Field(None, description="`[lowest, highest]`")
    value: Score | None = Field(description="The rating; null withdraws the answer")
    raw: Annotated[Text, Field(max_length=200)] | None = Field(None, description="The tool's word for the value")

    @field_validator("value")
    @classmethod
    def _check_on_scale(cls, value: int | None, info: ValidationInfo) -> int | None:
        scale = info.data.get("scale")
        if value is not None and scale is not None and not scale[0] <= value <= scale[1]:
            raise ValueError(f"{OUTSIDE_SCALE} {scale[0]}..{scale[1]}")
        return value


class Satisfaction(Rated):
    """A CSAT rating. It states its scale, and on an uncommon scale also the lowest positive value."""

    kind: Literal["csat"]
    positive_from: Score | None = Field(None, description="The lowest value that counts as satisfied")

    @model_validator(mode="after")
    def _check_scale(self) -> "Satisfaction":
        if self.value is not None and self.scale is None:
            raise ValueError("a csat rating needs its scale")
        if self.scale is not None and self.lowest_positive is None:
            raise ValueError("this scale needs positive_from")
        if self.scale is not None and self.positive_from is not None and not self.scale[0] < self.positive_from <= self.scale[1]:
            raise ValueError("positive_from lies above the lowest value, within the scale")
        return self

    @property
    def lowest_positive(self) -> int | None:
        """The lowest value that counts as satisfied. None if neither the answer nor its scale states one."""
        return self.positive_from if self.positive_from is not None else POSITIVE_FROM.get(self.scale or (0, 0))


class Csat(Satisfaction):
    """An answer to a CSAT question."""

    question: GroupName


class Nps(Rated):
    """An NPS answer. Its scale is always 0..10."""

    question: GroupName
    kind: Literal["nps"]
    scale: Scale | None = Field((0, 10), validate_default=True)

    @field_validator("scale")
    @classmethod
    def _check_nps_scale(cls, scale: tuple[int, int] | None) -> tuple[int, int]:
        if scale not in (None, (0, 10)):
            raise ValueError("an nps question's scale is [0, 10]")
        return (0, 10)


class Ces(Rated):
    """An effort rating. Default: CES 2.0, from 1 to 7, where 7 is easiest."""

    question: GroupName
    kind: Literal["ces"]
    scale: Scale | None = (1, 7)
    polarity: Polarity = Field("easy_is_high", description="Whether a high value means easy")


class Comment(Model):
    """Free text. `"text": null` or `"value": null` withdraws it."""

    question: GroupName
    kind: Literal["comment"]
    text: Text | None = None
    value: None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _check_text_or_null(self) -> "Comment":
        if not self.model_fields_set & {"text", "value"}:
            raise ValueError("a comment needs a text, or null to withdraw it")
        return self


Answer = Annotated[Nps | Csat | Ces | Comment, Field(discriminator="kind")]
