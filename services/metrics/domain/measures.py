"""The measures: one row per family of histograms that KPIs are computed from."""

from services.metrics.domain.measure import (
    ANY_COMMENT,
    ANY_RATING,
    COMMENT_DIMENSIONS,
    FEEDBACK,
    MULTI_VALUED,
    Measure,
    family_of,
)
from services.metrics.domain.ticket_measures import TICKET_MEASURES
from shared.events import DIMENSIONS

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
INVITATIONS = Measure(family="invitations", bins="flag", unit="count", filed_by=("sent",), changed_by=FEEDBACK)
"""Invitations by the time at which they were sent; bin 1 if there is a response. They have the dimensions of their sending."""

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

THEME_DIMENSIONS = (*DIMENSIONS, "theme")
THEME_NPS = Measure(
    family="theme_nps",
    bins="rating",
    unit="rating",
    filed_by=("answered",),
    changed_by=FEEDBACK | {"score"},
    qualifier="model",
    dimensions=THEME_DIMENSIONS,
)
"""NPS answers of responses with a comment that has a theme, under the themes of all comments of the response."""
THEME_CSAT = Measure(
    family="theme_csat",
    bins="flag",
    unit="count",
    filed_by=("rated",),
    changed_by=ANY_COMMENT,
    qualifier="model",
    dimensions=THEME_DIMENSIONS,
)
"""The same of CSAT ratings of responses and tickets; bin 1 if satisfied, by the form of each."""

_TABLE = (
    NPS,
    CSAT,
    CES,
    STARS,
    RESPONSES,
    INVITATIONS,
    COMMENTS,
    SENTIMENT,
    LABEL,
    ABSTAINED,
    URGENT,
    THEME_NPS,
    THEME_CSAT,
    *TICKET_MEASURES,
)

MEASURES: dict[str, Measure] = {measure.family: measure for measure in _TABLE}
"""Every family by its name."""

SCORED_FAMILIES = frozenset(measure.family for measure in _TABLE if not MULTI_VALUED.keys().isdisjoint(measure.dimensions))
"""The families whose rows have multi-valued dimensions."""

EQUAL_BIN_FAMILIES = frozenset(
    measure.family for measure in _TABLE if measure.bins in {"count", "flag", "rating", "kind", "label", "level", "policy"}
)
"""The families whose bins are the amounts."""

AGE_FAMILIES = frozenset(measure.family for measure in _TABLE if measure.bins == "age")
"""The families in which the bins of steps up and of steps down cancel each other."""


def measure_of(name: str) -> Measure:
    """The row of a measure's full name. Raises KeyError if there is no such family."""
    return MEASURES[family_of(name)]
