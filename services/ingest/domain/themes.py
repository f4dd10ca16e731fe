"""A tenant's taxonomy: its bounds, and its redaction before it is stored."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from services.ingest.domain.fields import Model
from services.ingest.domain.redaction import Redactor
from shared.taxonomy import ThemeDefinition

MOST_THEMES = 60
MOST_EXAMPLES = 40
MOST_CHARACTERS = 100_000
"""Characters of all names, descriptions and examples. Sentiment processes all of them when the taxonomy changes."""

ThemeId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ThemeName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]*$")]
Example = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class Theme(Model):
    """A theme. The model recognizes it by its description and its examples, so it needs at least one of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"id": "delivery", "name": "Delivery", "description": "Shipping and parcels", "examples": ["It came late"]}
            ]
        }
    )
    id: ThemeId
    name: ThemeName
    description: Description = ""
    examples: Annotated[list[Example], Field(max_length=MOST_EXAMPLES)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check_description(self) -> "Theme":
        if not self.description and not self.examples:
            raise ValueError("a theme needs a description or examples")
        return self


def _check_distinct(themes: list[Theme]) -> list[Theme]:
    places: dict[str, int] = {}
    for place, theme in enumerate(themes):
        if places.setdefault(theme.id, place) != place:
            raise ValueError(f"themes {places[theme.id]} and {place} have the same id")
    return themes


def _check_length(themes: list[Theme]) -> list[Theme]:
    characters = sum(len(text) for theme in themes for text in (theme.name, theme.description, *theme.examples))
    if characters > MOST_CHARACTERS:
        raise ValueError(f"the themes hold {characters} characters in all, at most {MOST_CHARACTERS} are allowed")
    return themes


Themes = Annotated[
    list[Theme], Field(min_length=1, max_length=MOST_THEMES), AfterValidator(_check_distinct), AfterValidator(_check_length)
]


def to_definitions(themes: Iterable[Theme]) -> tuple[ThemeDefinition, ...]:
    """The themes as they are stored and published. Examples are often real comments, so identities are redacted."""
    return tuple(_to_definition(theme, Redactor()) for theme in themes)


def _to_definition(theme: Theme, redact: Redactor) -> ThemeDefinition:
    return ThemeDefinition(theme.id, redact(theme.name), redact(theme.description), tuple(map(redact, theme.examples)))
