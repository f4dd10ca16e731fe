"""The measures: one row per family of histograms that KPIs are computed from.

A measure's stored name is its family, or `family:qualifier` where bins of different qualifiers must not be mixed: the form of a
rating (`csat:1..5+4`), the sentiment model (`label:e5-2`), or the event that files a row (`first_reply:created`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from shared.events import DIMENSIONS

Kind = Literal["response", "review", "ticket", "score", "other"]
"""The kind of a change. `score` is a score of a comment; `other` is an unknown type of subject, or a rebuild: it may change any
measure."""

FEEDBACK: frozenset[Kind] = frozenset({"response", "review"})
TICKET: frozenset[Kind] = frozenset({"ticket"})
ANY_RATING = FEEDBACK | TICKET
ANY_COMMENT: frozenset[Kind] = FEEDBACK | TICKET | {"score"}

Bins = Literal["count", "flag", "rating", "label", "sentiment", "duration", "level", "policy"]
"""How an amount is put into a bin.

- `count`: always bin 1
- `flag`: bin 1 where something is true of the row, else bin 0
- `rating`: the rating itself
- `label`: −1 negative, 0 neutral, 1 positive
- `sentiment`: ⌊20 · score⌋, so −20 to 20
- `duration`: the bins of `services.metrics.domain.durations`
- `level`: 1 for each step up, −1 for each step down
- `policy`: the number of an SLA policy (`services.metrics.domain.sla.PolicyKey`)
"""

MULTI_VALUED = {"theme": "themes", "urgency": "urgency"}
"""Dimensions of which a comment may have several values, by the field of a contribution that has them.

A contribution counts once under each value, and once in a total.
"""

COMMENT_DIMENSIONS = (*DIMENSIONS, *MULTI_VALUED)
"""The dimensions of a comment that a model scored: themes and urgency are a part of its score."""

AmountUnit = Literal["count", "rating", "stars", "label", "score", "seconds", "policy"]

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

    @property
    def by_model(self) -> bool:
        """Whether each sentiment model has rows of its own."""
        return self.qualifier == "model"

    def named(self, qualifier: str) -> str:
        """The full name of the measure with this qualifier."""
        return f"{self.family}:{qualifier}"

    def selector(self, filed_by: str, model: str) -> str:
        """The name by which a query reads it: a full name, or `family:` for all forms of a family."""
        match self.qualifier:
            case None:
                return self.family
            case "form":
                return f"{self.family}:"
            case "model":
                return self.named(model)
            case "filed_by":
                return self.named(filed_by)


def family_of(name: str) -> str:
    """The family of a measure's full name."""
    return name.partition(":")[0]


BUSINESS = "_business"
"""Ends the family of a duration in business hours; without it, it is the family of the same duration in all seconds."""


# --- ratings --------------------------------------------------------------------------------------------------------------
NPS = Measure(family="nps", bins="rating", unit="rating", filed_by=("answered",), changed_by=FEEDBACK, per_respondent=True)
CSAT = Measure(
    family="csat",
    bins="rating",
    unit="rating",
    filed_by=("rated",),
    changed_by=ANY_RATING,
    qualifier="form",
    per_respondent=True,
)
CES = Measure(
    family="ces",
    bins="rating",
    unit="rating",
    filed_by=("answered",),
    changed_by=FEEDBACK,
    qualifier="form",
    per_respondent=True,
)
STARS = Measure(
    family="stars",
    bins="rating",
    unit="stars",
    filed_by=("reviewed",),
    changed_by=FEEDBACK,
    qualifier="form",
    per_respondent=True,
)
RESPONSES = Measure(
    family="responses", bins="flag", unit="count", filed_by=("answered",), changed_by=FEEDBACK, per_respondent=True
)

# --- comments -------------------------------------------------------------------------------------------------------------
COMMENTS = Measure(
    family="comments", bins="count", unit="count", filed_by=("commented",), changed_by=ANY_COMMENT, record="comment"
)
SENTIMENT = Measure(
    family="sentiment",
    bins="sentiment",
    unit="score",
    per_unit=1000,
    filed_by=("commented",),
    changed_by=ANY_COMMENT,
    qualifier="model",
    per_respondent=True,
    record="score",
    dimensions=COMMENT_DIMENSIONS,
)
LABEL = Measure(
    family="label",
    bins="label",
    unit="label",
    filed_by=("commented",),
    changed_by=ANY_COMMENT,
    qualifier="model",
    per_respondent=True,
    record="label",
    dimensions=COMMENT_DIMENSIONS,
)
ABSTAINED = Measure(
    family="abstained",
    bins="count",
    unit="count",
    filed_by=("commented",),
    changed_by=ANY_COMMENT,
    qualifier="model",
    record="abstained",
    dimensions=COMMENT_DIMENSIONS,
)
"""Comments that a model scored and gave no sentiment. So every scored comment has one row here or one of LABEL."""
URGENT = Measure(
    family="urgent",
    bins="count",
    unit="count",
    filed_by=("commented",),
    changed_by=ANY_COMMENT,
    qualifier="model",
    record="urgent",
    dimensions=COMMENT_DIMENSIONS,
)
"""Comments in which a model found a reason for urgency."""

# --- support --------------------------------------------------------------------------------------------------------------
OPENED = Measure(family="opened", bins="count", unit="count", filed_by=("opened",), changed_by=TICKET)
DROPPED = Measure(family="dropped", bins="count", unit="count", filed_by=("dropped",), changed_by=TICKET)
SOLVED = Measure(family="solved", bins="count", unit="count", filed_by=("solved",), changed_by=TICKET)
REOPENED = Measure(family="reopened", bins="count", unit="count", filed_by=("reopened",), changed_by=TICKET)
BACKLOG = Measure(family="backlog", bins="level", unit="count", filed_by=("held",), changed_by=TICKET)
FIRST_REPLY = Measure(
    family="first_reply",
    bins="duration",
    unit="seconds",
    filed_by=("replied", "created"),
    changed_by=TICKET,
    qualifier="filed_by",
)
FIRST_RESOLUTION = Measure(family="first_resolution", bins="duration", unit="seconds", filed_by=("solved",), changed_by=TICKET)
FULL_RESOLUTION = Measure(family="full_resolution", bins="duration", unit="seconds", filed_by=("solved",), changed_by=TICKET)
FIRST_REPLY_BUSINESS, FIRST_RESOLUTION_BUSINESS, FULL_RESOLUTION_BUSINESS = (
    replace(measure, family=f"{measure.family}{BUSINESS}") for measure in (FIRST_REPLY, FIRST_RESOLUTION, FULL_RESOLUTION)
)
"""The same durations in business hours. A ticket has no row if for a part of the time there was no calendar."""
CURRENT_SOLVE = Measure(family="standing_solve", bins="count", unit="count", filed_by=("solved",), changed_by=TICKET)
"""The last solve of a ticket that is solved or closed now."""
FIRST_SOLVE = Measure(family="first_solve", bins="flag", unit="count", filed_by=("first_solved",), changed_by=TICKET)
"""The first solve of a ticket; bin 1 if the ticket was ever reopened."""
SLA_FIRST_REPLY = Measure(family="sla_first_reply", bins="flag", unit="count", filed_by=("met_or_breached",), changed_by=TICKET)
"""First replies that met their target, by their time; the others, in bin 0, by their deadline, which may lie in the future."""
SLA_OVERDUE = Measure(family="sla_overdue", bins="level", unit="count", filed_by=("held",), changed_by=TICKET)
"""Steps of the number of open tickets without a reply that are past their deadline."""
SLA_DUE = Measure(family="sla_due", bins="policy", unit="policy", filed_by=("due",), changed_by=TICKET)
"""Open tickets without a reply, by their deadline, past or future. No KPI reads them: `/v1/sla/upcoming` lists them."""

_TABLE = (
    NPS,
    CSAT,
    CES,
    STARS,
    RESPONSES,
    COMMENTS,
    SENTIMENT,
    LABEL,
    ABSTAINED,
    URGENT,
    OPENED,
    DROPPED,
    SOLVED,
    REOPENED,
    BACKLOG,
    FIRST_REPLY,
    FIRST_RESOLUTION,
    FULL_RESOLUTION,
    FIRST_REPLY_BUSINESS,
    FIRST_RESOLUTION_BUSINESS,
    FULL_RESOLUTION_BUSINESS,
    CURRENT_SOLVE,
    FIRST_SOLVE,
    SLA_FIRST_REPLY,
    SLA_OVERDUE,
    SLA_DUE,
)

MEASURES: dict[str, Measure] = {measure.family: measure for measure in _TABLE}
"""Every family by its name."""

SCORED_FAMILIES = frozenset(measure.family for measure in _TABLE if not MULTI_VALUED.keys().isdisjoint(measure.dimensions))
"""The families whose rows have multi-valued dimensions."""


def measure_of(name: str) -> Measure:
    """The row of a measure's full name. Raises KeyError if there is no such family."""
    return MEASURES[family_of(name)]


def shared_dimensions(measures: Iterable[Measure]) -> tuple[str, ...]:
    """The dimensions that every one of `measures` has, in the order of the first."""
    first, *others = measures
    return tuple(d for d in first.dimensions if all(d in other.dimensions for other in others))
