"""A connected tool: its tenant, its secrets, and the settings of its provider."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from services.ingest.domain.answers import POSITIVE_FROM, Polarity
from services.ingest.domain.fields import GroupName, Model, Scale, Score
from shared.events import MOST_OWN_DIMENSIONS, OWN_DIMENSION, can_be_own_dimension
from shared.suggestions import refusal

State = Literal["active", "paused", "deleted"]
DIMENSIONS = ("channel", "survey", "product", "region", "language", "team", "agent", "segment")
"""The dimensions of every tenant that a connection may fix, or read from a field of its payloads."""


def _check_dimension(name: str) -> str:
    if name not in DIMENSIONS and not can_be_own_dimension(name):
        raise ValueError(refusal("is neither a dimension nor a name that a dimension of your own can have", name, DIMENSIONS))
    return name


Dimension = Annotated[
    str,
    AfterValidator(_check_dimension),
    Field(json_schema_extra={"pattern": f"^{OWN_DIMENSION.pattern}$", "examples": ["region"]}),
]
"""One of DIMENSIONS, or a dimension of the tenant's own."""


def check_own_dimensions(names: Iterable[str]) -> None:
    """Raise ValueError for more than MOST_OWN_DIMENSIONS different dimensions of the tenant's own."""
    if len({*names}.difference(DIMENSIONS)) > MOST_OWN_DIMENSIONS:
        raise ValueError(f"at most {MOST_OWN_DIMENSIONS} dimensions of your own are allowed")


class SurveyQuestion(Model):
    """The kind and the scale of a question, for payloads that do not state them."""

    kind: Literal["nps", "csat", "ces", "comment", "ignore"] = Field(
        description="What the question measures; `comment`: a text that is scored; `ignore`: its answers are left out"
    )
    scale: Scale | None = Field(None, description="`[lowest, highest]`; required for `csat`, always 0 to 10 for `nps`")
    polarity: Polarity | None = Field(None, description="For `ces`: whether a high value means easy; default `easy_is_high`")
    positive_from: Score | None = Field(
        None, description="For `csat`: the lowest value that counts as satisfied; required on uncommon scales"
    )

    @model_validator(mode="after")
    def _complete(self) -> "SurveyQuestion":
        if self.kind == "csat" and self.scale is None:
            raise ValueError("a csat question needs its scale")
        if self.kind == "csat" and self.positive_from is None and self.scale not in POSITIVE_FROM:
            raise ValueError("this scale needs positive_from")
        if self.kind == "nps" and self.scale not in (None, (0, 10)):
            raise ValueError("an nps question's scale is [0, 10]")
        if self.kind == "ignore" and (self.scale, self.polarity, self.positive_from) != (None, None, None):
            raise ValueError("an ignored question has no scale, polarity or positive_from")
        return self


class ProviderSettings(Model):
    """Base of the settings of all providers. The API and the database call them `mapping`.

    Stored settings must stay valid: a model may gain fields with defaults, and loses none.
    """


class FieldMapping(ProviderSettings):
    """Declares questions, and dimensions that are read from fields of the payload."""

    questions: dict[GroupName, SurveyQuestion] = Field(
        default_factory=dict, max_length=1000, description="Questions by their id or ref in the tool"
    )
    dimensions: dict[GroupName, Dimension] = Field(
        default_factory=dict,
        max_length=100,
        description="Dimensions by the field of the payload that holds their value; also up to ten of your own",
    )

    customer: GroupName | None = Field(
        None,
        description="The field of the payload that holds the customer's id in your own systems. Without it, and without a field "
        "that the provider knows, the customer's id is that of the tool, such as `zendesk:351`",
    )

    @field_validator("dimensions")
    @classmethod
    def _check_own_dimensions(cls, dimensions: dict[str, str]) -> dict[str, str]:
        check_own_dimensions(dimensions.values())
        return dimensions

    @property
    def fields(self) -> Set[str]:
        """The fields that are read for dimensions or for the customer."""
        return self.dimensions.keys() if self.customer is None else {*self.dimensions, self.customer}


@dataclass(frozen=True, slots=True)
class Connection:
    """`mapping` holds the provider's settings, `dimensions` fixed values of all its records. `revision` grows with each change of
    either. At most two secrets are valid, the newer one first. `key` makes the tenant's pseudonyms. The credentials of the
    tool's API are not loaded with it."""

    id: str
    tenant: str
    provider: str
    name: str
    state: State
    revision: int
    mapping: ProviderSettings
    dimensions: dict[str, str]
    secrets: tuple[str, ...]
    key: bytes
    has_credentials: bool = False
