"""The answers of a response: ratings, each with its scale, and comments."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from services.ingest.domain.fields import GroupName, Language, Model, Scale, Score, Text

POSITIVE_FROM = {(1, 5): 4, (1, 7): 6, (1, 4): 3, (1, 3): 3, (1, 2): 2, (0, 1): 1}
"""The lowest positive value of each customary CSAT scale: the top box of kpis.md."""

Polarity = Literal["easy_is_high", "easy_is_low"]


class Rated(Model):
    """A value on a scale; null withdraws it. `raw` is the tool's own word for it."""

    scale: Scale | None = None
    value: Score | None
    raw: Annotated[Text, Field(max_length=200)] | None = None

    @field_validator("value")
    @classmethod
    def _on_its_scale(cls, value: int | None, info: ValidationInfo) -> int | None:
        scale = info.data.get("scale")
        if value is not None and scale is not None and not scale[0] <= value <= scale[1]:
            raise ValueError(f"outside its scale {scale[0]}..{scale[1]}")
        return value


class Satisfaction(Rated):
    """A CSAT rating: its scale must be named, and where its scale isn't customary the lowest positive value as well."""

    kind: Literal["csat"]
    positive_from: Score | None = None

    @model_validator(mode="after")
    def _of_a_known_form(self) -> "Satisfaction":
        if self.value is not None and self.scale is None:
            raise ValueError("a csat rating needs its scale")
        if self.scale is not None and self.lowest_positive is None:
            raise ValueError("this scale needs positive_from")
        if self.scale is not None and self.positive_from is not None and not self.scale[0] < self.positive_from <= self.scale[1]:
            raise ValueError("positive_from lies above the lowest value, within the scale")
        return self

    @property
    def lowest_positive(self) -> int | None:
        return self.positive_from if self.positive_from is not None else POSITIVE_FROM.get(self.scale or (0, 0))


class Csat(Satisfaction):
    question: GroupName


class Nps(Rated):
    """0..10, whether the scale is named or not."""

    question: GroupName
    kind: Literal["nps"]
    scale: Scale | None = Field((0, 10), validate_default=True)

    @field_validator("scale")
    @classmethod
    def _of_nps(cls, scale: tuple[int, int] | None) -> tuple[int, int]:
        if scale not in (None, (0, 10)):
            raise ValueError("an nps question's scale is [0, 10]")
        return (0, 10)


class Ces(Rated):
    """An effort rating; CES 2.0, 1..7 "made it easy", unless said otherwise."""

    question: GroupName
    kind: Literal["ces"]
    scale: Scale | None = (1, 7)
    polarity: Polarity = "easy_is_high"


class Comment(Model):
    """Free text; `"text": null` or `"value": null` withdraws it."""

    question: GroupName
    kind: Literal["comment"]
    text: Text | None = None
    value: None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _said_or_withdrawn(self) -> "Comment":
        if not self.model_fields_set & {"text", "value"}:
            raise ValueError("a comment has a text, or null to withdraw it")
        return self


Answer = Annotated[Nps | Csat | Ces | Comment, Field(discriminator="kind")]
