"""How histograms become a value: one small function per kind of KPI, each from measure names and histograms to an Estimate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

from services.metrics.domain import spans
from services.metrics.domain.estimators import NO_SCALE, Interval, Scale, adjusted_wald, mean_t, quantile, wilson
from services.metrics.domain.forms import form
from services.metrics.domain.histogram import Histogram, merge

Histograms = Mapping[str, Histogram]
"""Histograms by the full name of their measure; one that is missing counts nothing."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A KPI's value in full precision, None where nothing was counted, with all that it takes to judge it.

    A ratio is 100 · numerator / denominator. `distribution` counts per bin; of spans, per the bin's least second.
    """

    value: float | None
    n: int
    numerator: int | None = None
    denominator: int | None = None
    interval: Interval | None = None
    distribution: Mapping[int, int] | None = None
    flags: tuple[str, ...] = ()


Estimator = Callable[[Histograms, str], Estimate]


def family(histograms: Histograms, name: str) -> dict[str, Histogram]:
    """The histograms of one family that hold anything, by full name."""
    return {full: h for full, h in histograms.items() if full.partition(":")[0] == name and h.counts}


def total_of(histograms: Histograms, name: str) -> Histogram:
    """One family as a single histogram; only for families whose bins mean the same throughout."""
    return merge(*family(histograms, name).values())


def counted(measure: str) -> Estimator:
    """How many there are; none is 0."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        n = total_of(histograms, measure).n
        return Estimate(n, n)

    return estimate


def summed(measure: str) -> Estimator:
    """What is left of the ups and downs; none is 0."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        level = total_of(histograms, measure).total
        return Estimate(level, level)

    return estimate


def balance(measure: str, down_to: int, up_from: int) -> Estimator:
    """100 · (share from `up_from` on − share up to `down_to`), in points."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = total_of(histograms, measure)
        if not (n := histogram.n):
            return Estimate(None, 0, 0, 0)
        up, down = histogram.above(up_from), histogram.below(down_to + 1)
        return Estimate(100 * (up - down) / n, n, up - down, n, adjusted_wald(up, down, n), histogram.counts)

    return estimate


def share(measure: str, from_bin: int) -> Estimator:
    """The percentage in `from_bin` or above."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = total_of(histograms, measure)
        return proportion(histogram.above(from_bin), histogram.n, histogram.counts)

    return estimate


def label_share(measure: str, labels: Mapping[str, int]) -> Estimator:
    """The percentage of the label that `agg` names."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = total_of(histograms, measure)
        return proportion(histogram.counts.get(labels[agg], 0), histogram.n, histogram.counts)

    return estimate


def good_share(measure: str) -> Estimator:
    """The percentage of good ratings, each judged by its own form; of several forms positives and answers are added up."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        forms = family(histograms, measure)
        good = sum(count for name, h in forms.items() for value, count in h.counts.items() if value in form(name).good)
        n = sum(h.n for h in forms.values())
        if len(forms) > 1:  # a 4 of 5 and a 4 of 7 are no one bin: only good and not good can be told
            return proportion(good, n, {0: n - good, 1: good}, ("mixed_forms",))
        return proportion(good, n, total_of(forms, measure).counts)

    return estimate


def form_mean(measure: str) -> Estimator:
    """The mean rating of one form; several have none."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        forms = family(histograms, measure)
        if len(forms) > 1:
            return Estimate(None, sum(h.n for h in forms.values()), flags=("mixed_forms",))
        return mean(measure, scale=_scale_of(forms))(forms, agg)

    return estimate


def _scale_of(forms: Mapping[str, Histogram]) -> Scale:
    """The scale of the one form, NO_SCALE where nothing was counted."""
    for name in forms:
        return form(name).low, form(name).high
    return NO_SCALE


def mean(measure: str, unit: int = 1, scale: Scale = NO_SCALE) -> Estimator:
    """The mean amount. Amounts are in parts of `unit`; `scale`, in whole units, holds every one of them."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = total_of(histograms, measure)
        if not (n := histogram.n):
            return Estimate(None, 0)
        value, interval = mean_t(n, histogram.total, histogram.squares, unit, scale)
        return Estimate(value, n, interval=interval, distribution=histogram.counts)

    return estimate


PERCENTILES = {"p50": 50, "p90": 90, "p95": 95}
DURATION: Scale = (0.0, inf)
"""A span of time is never negative."""


def span(measure: str) -> Estimator:
    """The quantile of a span that `agg` names, from its bins; or the mean, from the exact seconds."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = total_of(histograms, measure)
        if not (n := histogram.n):
            return Estimate(None, 0)
        if agg == "mean":
            value, interval = mean_t(n, histogram.total, histogram.squares, scale=DURATION)
        else:
            value, interval = quantile({spans.value_of(b): c for b, c in histogram.counts.items()}, PERCENTILES[agg])
        return Estimate(value, n, interval=interval, distribution={spans.BOUNDS[b]: c for b, c in histogram.counts.items()})

    return estimate


def ratio(over: str, under: str, *, part: bool) -> Estimator:
    """100 · count of one measure / count of another; an interval only where the one is a part of the other."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        above, below = total_of(histograms, over).n, total_of(histograms, under).n
        if part or not below:
            return proportion(above, below, None)
        return Estimate(100 * above / below, below, above, below)

    return estimate


def proportion(hits: int, n: int, distribution: Mapping[int, int] | None, flags: tuple[str, ...] = ()) -> Estimate:
    """A share in percent, None of nothing."""
    if not n:
        return Estimate(None, 0, hits, 0)
    return Estimate(100 * hits / n, n, hits, n, wilson(hits, n), distribution, flags)
