"""The definition of a measure: a family of histograms that KPIs are computed from.

A measure's stored name is its family, or `family:qualifier` where bins of different qualifiers must not be mixed: the form of a
rating (`csat:1..5+4`), the sentiment model (`label:e5-4`), or the event that files a row (`first_reply:created`). A family that a
preset counts differently has measures of the preset's own beside ours: `first_reply@zendesk:created`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.events import DIMENSIONS

Kind = Literal["response", "review", "ticket", "score", "other"]
"""The kind of a change. `score` is a score of a comment; `other` is an unknown type of subject, or a rebuild: it may change any
measure."""

FEEDBACK: frozenset[Kind] = frozenset({"response", "review"})
TICKET: frozenset[Kind] = frozenset({"ticket"})
ANY_RATING = FEEDBACK | TICKET
ANY_COMMENT: frozenset[Kind] = FEEDBACK | TICKET | {"score"}

Bins = Literal["count", "flag", "rating", "kind", "label", "sentiment", "duration", "number", "level", "age", "policy"]
"""How an amount is put into a bin.

- `count`: always bin 1
- `flag`: bin 1 where something is true of the row, else bin 0
- `rating`: the rating itself
- `kind`: the number of a kind of row
- `label`: −1 negative, 0 neutral, 1 positive
- `sentiment`: ⌊20 · score⌋, so −20 to 20
- `duration`: the bins of `services.metrics.domain.durations`
- `number`: the same bins, of a whole number, 0 or more
- `level`: 1 for each step up, −1 for each step down
- `age`: for each step up the bin of the opening (`services.metrics.domain.ages`), for each step down its negative
- `policy`: the number of an SLA policy (`services.metrics.domain.sla.PolicyKey`)
"""

MULTI_VALUED = {"theme": "themes", "urgency": "urgency"}
"""Dimensions of which a comment may have several values, by the field of a contribution that has them.

A contribution counts once under each value, and once in a total.
"""

COMMENT_DIMENSIONS = (*DIMENSIONS, *MULTI_VALUED)
"""The dimensions of a comment that a model scored: themes and urgency are a part of its score."""

AmountUnit = Literal["count", "rating", "stars", "label", "score", "seconds", "replies", "policy"]

Qualifier = Literal["form", "model", "filed_by"]
"""The meaning of the part of a measure's name after the colon."""

Record = Literal["amount", "comment", "label", "score", "abstained", "urgent"]
"""The subject of a record: an amount alone, or a comment: any, or one with a label, a score, no sentiment, or urgency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One family of measures."""

    family: str
    bins: Bins
    unit: AmountUnit
    """The unit of an amount; `per_unit` amounts make one unit."""
    filed_by: tuple[str, ...]
    """The events whose time files a row, the default first. With the qualifier `filed_by` each has rows of its own."""
    changed_by: frozenset[Kind]
    """The kinds of changes that may change its rows, or the records that show them."""
    qualifier: Qualifier | None = None
    per_unit: int = 1
    per_respondent: bool = False
    """Whether `per=respondent` applies: a customer may have several rows, of which the latest counts then."""
    record: Record = "amount"
    dimensions: tuple[str, ...] = DIMENSIONS
    """The dimensions that its rows have values of."""
    preset: str = ""
    """The id of the preset whose rows it has; empty: ours."""
    all_seconds_family: str = ""
    """The family of the same duration in all seconds, if this is a duration in business hours; else empty."""

    @property
    def by_model(self) -> bool:
        """Whether each sentiment model has rows of its own."""
        return self.qualifier == "model"

    @property
    def calendar_family(self) -> str:
        """The family of the same duration in all seconds, if this is a duration in business hours; else its own family."""
        return self.all_seconds_family or self.family

    @property
    def stem(self) -> str:
        """Its name before the qualifier."""
        return name_under(self.family, self.preset) if self.preset else self.family

    def named(self, qualifier: str) -> str:
        """The full name of the measure with this qualifier."""
        return f"{self.stem}:{qualifier}"

    def selector(self, filed_by: str, model: str) -> str:
        """The name by which a query reads it: a full name, or `family:` for all forms of a family."""
        match self.qualifier:
            case None:
                return self.stem
            case "form":
                return f"{self.stem}:"
            case "model":
                return self.named(model)
            case "filed_by":
                return self.named(filed_by)


PRESET_MARK = "@"
"""Precedes the id of a preset in the name of a measure: `first_reply@zendesk:replied`."""


def stem_of(name: str) -> str:
    """The name of a measure without its qualifier."""
    return name.partition(":")[0]


def family_of(name: str) -> str:
    """The family of a measure's full name."""
    return stem_of(name).partition(PRESET_MARK)[0]


def name_under(name: str, preset: str) -> str:
    """The full name of the measure that a preset has in place of ours."""
    family, colon, qualifier = name.partition(":")
    return f"{family}{PRESET_MARK}{preset}{colon}{qualifier}"


def shared_dimensions(measures: Iterable[Measure]) -> tuple[str, ...]:
    """The dimensions that every one of `measures` has, in the order of the first."""
    first, *others = measures
    return tuple(d for d in first.dimensions if all(d in other.dimensions for other in others))
