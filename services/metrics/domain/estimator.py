"""The kinds of estimators, and what they return."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.metrics.domain import expressions
from services.metrics.domain.histogram import Histogram
from services.metrics.domain.intervals import Interval
from services.metrics.domain.measure import Measure

EstimatorKind = Literal["count", "level", "balance", "share", "mean", "percentile", "age", "ratio", "impact"]
NOTHING_COUNTS = "nothing counts"
NEVER = "never: it is 0 if nothing counts"

Histograms = Mapping[str, Histogram]
"""Histograms by the full name of their measure; a missing one is empty."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A KPI's value in full precision, None where there is no data, with its sample size and interval.

    A ratio is 100 · numerator / denominator. `distribution` has the count of each bin; of durations, by the bin's lowest second.
    """

    value: float | None
    n: int
    numerator: int | None = None
    denominator: int | None = None
    interval: Interval | None = None
    distribution: Mapping[int, int] | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimator:
    """A function from histograms and the name of an aggregation (`""` if there is only one) to an Estimate.

    `kind` says which function, `intervals` are the methods of its intervals, and `null` says when it has no value. `measures` are
    those that it reads, `aggregations` the names that it knows, the default first. `expression` returns the formula with the
    numbers of histograms that have a value; without it a ratio is 100 · numerator / denominator, and any other value is written
    as it is. `estimate_at`, if there is one, replaces `estimate`: its result depends on the instant at which the histograms end.
    """

    measures: tuple[Measure, ...]
    estimate: Callable[[Histograms, str], Estimate]
    aggregations: tuple[str, ...] = ()
    expression: Callable[[Histograms, str], str] | None = None
    estimate_at: Callable[[Histograms, str, datetime], Estimate] | None = None
    kind: EstimatorKind = "share"
    intervals: tuple[str, ...] = ("wilson",)
    null: str = NOTHING_COUNTS

    def __call__(self, histograms: Histograms, agg: str = "", at: datetime | None = None) -> Estimate:
        if self.estimate_at is None or at is None:
            return self.estimate(histograms, agg)
        return self.estimate_at(histograms, agg, at)

    def filled_in(self, histograms: Histograms, agg: str = "", at: datetime | None = None) -> str | None:
        """The formula with the numbers of these histograms (`services.metrics.domain.expressions`); None without a value."""
        estimate = self(histograms, agg, at)
        if estimate.value is None:
            return None
        if self.expression is not None:
            return self.expression(histograms, agg)
        if estimate.numerator is not None and estimate.denominator:
            return expressions.share(estimate.numerator, estimate.denominator)
        return expressions.number(estimate.value)
