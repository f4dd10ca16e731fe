"""Estimators: functions that compute an Estimate from the histograms of a KPI's measures, one for each kind of KPI."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from math import inf

from services.metrics.domain import durations, expressions
from services.metrics.domain.ages import ages
from services.metrics.domain.estimator import NEVER, NOTHING_COUNTS, Estimate, Estimator, Histograms
from services.metrics.domain.forms import Form, parse_form
from services.metrics.domain.histogram import Histogram, merge
from services.metrics.domain.intervals import NO_SCALE, Scale, adjusted_wald, mean_t, ordered_quantile, quantile, wilson
from services.metrics.domain.measure import Measure, family_of


def by_name(histograms: Histograms, measure: Measure) -> dict[str, Histogram]:
    """The histograms of a measure that are not empty, by full name."""
    return {name: h for name, h in histograms.items() if family_of(name) == measure.family and h.counts}


def merged(histograms: Histograms, measure: Measure) -> Histogram:
    """The histograms of a measure as one; only for measures whose bins mean the same under every qualifier."""
    return merge(*by_name(histograms, measure).values())


def count(*measures: Measure) -> Estimator:
    """The number of rows of all these measures; 0 if there are none."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        n = sum(merged(histograms, measure).n for measure in measures)
        return Estimate(n, n)

    def expression(histograms: Histograms, agg: str) -> str:
        return expressions.total([merged(histograms, measure).n for measure in measures])

    return Estimator(measures, estimate, expression=expression, kind="count", intervals=(), null=NEVER)


def level(measure: Measure) -> Estimator:
    """The sum of the steps up and down; 0 if there are none."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        total = merged(histograms, measure).total
        return Estimate(total, total)

    return Estimator((measure,), estimate, kind="level", intervals=(), null=NEVER)


def balance(measure: Measure, down_to: int, up_from: int) -> Estimator:
    """100 · (share of the bins from `up_from` − share of the bins up to `down_to`), in points."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = merged(histograms, measure)
        if not (n := histogram.n):
            return Estimate(None, 0, 0, 0)
        up, down = histogram.above(up_from), histogram.below(down_to + 1)
        return Estimate(100 * (up - down) / n, n, up - down, n, adjusted_wald(up, down, n), histogram.counts)

    def expression(histograms: Histograms, agg: str) -> str:
        histogram = merged(histograms, measure)
        return expressions.balance(histogram.above(up_from), histogram.below(down_to + 1), histogram.n)

    return Estimator((measure,), estimate, expression=expression, kind="balance", intervals=("adjusted_wald",))


def share(measure: Measure, from_bin: int) -> Estimator:
    """The percentage in `from_bin` or a higher one."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = merged(histograms, measure)
        return proportion(histogram.above(from_bin), histogram.n, histogram.counts)

    return Estimator((measure,), estimate)


def kind_share(measure: Measure, *kinds: int) -> Estimator:
    """The percentage in the bins `kinds`. The distribution counts these (1) and all others (0)."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = merged(histograms, measure)
        hits = sum(histogram.counts.get(kind, 0) for kind in kinds)
        return proportion(hits, histogram.n, {0: histogram.n - hits, 1: hits})

    return Estimator((measure,), estimate)


def label_share(measure: Measure, labels: Mapping[str, int]) -> Estimator:
    """The percentage of the label that `agg` names; `labels` gives the bin of each, the default first."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = merged(histograms, measure)
        return proportion(histogram.counts.get(labels[agg], 0), histogram.n, histogram.counts)

    return Estimator((measure,), estimate, tuple(labels))


def good_share(measure: Measure) -> Estimator:
    """The percentage of good ratings, each judged by its own form.

    A 4 of 5 and a 4 of 7 share no bin, so the distribution over several forms only counts good (1) and other (0) ratings.
    """

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        forms = by_name(histograms, measure)
        good = _count_in(forms, lambda form: form.good)
        n = sum(h.n for h in forms.values())
        if len(forms) > 1:
            return proportion(good, n, {0: n - good, 1: good}, ("mixed_forms",))
        return proportion(good, n, merged(forms, measure).counts)

    return Estimator((measure,), estimate)


def index(measure: Measure) -> Estimator:
    """100 · (share of very easy ratings − share of hard ones), each by its form: 6–7 and 1–3 on a scale of 1 to 7. Ratings of
    several forms have no distribution."""

    def parts(histograms: Histograms) -> tuple[int, int, int]:
        forms = by_name(histograms, measure)
        up, down = _count_in(forms, lambda form: form.very_easy), _count_in(forms, lambda form: form.hard)
        return up, down, sum(h.n for h in forms.values())

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        up, down, n = parts(histograms)
        if not n:
            return Estimate(None, 0, 0, 0)
        several = len(by_name(histograms, measure)) > 1
        distribution = None if several else merged(histograms, measure).counts
        flags = ("mixed_forms",) if several else ()
        return Estimate(100 * (up - down) / n, n, up - down, n, adjusted_wald(up, down, n), distribution, flags)

    def expression(histograms: Histograms, agg: str) -> str:
        return expressions.balance(*parts(histograms))

    return Estimator((measure,), estimate, expression=expression, kind="balance", intervals=("adjusted_wald",))


def _count_in(forms: Mapping[str, Histogram], ratings: Callable[[Form], range]) -> int:
    """The number of ratings that are in `ratings` of their form."""
    return sum(n for name, h in forms.items() for value, n in h.counts.items() if value in ratings(parse_form(name)))


def form_mean(measure: Measure) -> Estimator:
    """The mean rating of one form; None if there are ratings of several."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        forms = by_name(histograms, measure)
        if len(forms) > 1:
            return Estimate(None, sum(h.n for h in forms.values()), flags=("mixed_forms",))
        return mean(measure, _scale_of(forms))(forms, agg)

    null = f"{NOTHING_COUNTS}, or ratings of several forms do (then with the flag `mixed_forms`)"
    return replace(mean(measure), estimate=estimate, null=null)


def _scale_of(forms: Mapping[str, Histogram]) -> Scale:
    """The scale of the one form; NO_SCALE if there is none."""
    for name in forms:
        return parse_form(name).low, parse_form(name).high
    return NO_SCALE


def mean(measure: Measure, scale: Scale = NO_SCALE) -> Estimator:
    """The mean amount. `scale`, in the measure's unit, encloses every amount."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = merged(histograms, measure)
        if not (n := histogram.n):
            return Estimate(None, 0)
        value, interval = mean_t(n, histogram.total, histogram.squares, measure.per_unit, scale)
        return Estimate(value, n, interval=interval, distribution=histogram.counts)

    def expression(histograms: Histograms, agg: str) -> str:
        histogram = merged(histograms, measure)
        return expressions.mean(histogram.total, histogram.n, measure.per_unit)

    return Estimator((measure,), estimate, expression=expression, kind="mean", intervals=("t",))


PERCENTILES = {"p50": 50, "p90": 90, "p95": 95}
NOT_NEGATIVE: Scale = (0.0, inf)


def duration(measure: Measure, aggregations: tuple[str, ...] = (*PERCENTILES, "mean")) -> Estimator:
    """The quantile that `agg` names, from the bins, or the mean, from the exact amounts. `aggregations`: the default first."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = merged(histograms, measure)
        if not (n := histogram.n):
            return Estimate(None, 0)
        bins = sorted(histogram.counts)
        numbers = [histogram.counts[place] for place in bins]
        if agg == "mean":
            value, interval = mean_t(n, histogram.total, histogram.squares, scale=NOT_NEGATIVE)
        else:
            value, interval = ordered_quantile([durations.VALUES[place] for place in bins], numbers, PERCENTILES[agg])
        distribution = {durations.BOUNDS[place]: number for place, number in zip(bins, numbers, strict=True)}
        return Estimate(value, n, interval=interval, distribution=distribution)

    def expression(histograms: Histograms, agg: str) -> str:
        histogram = merged(histograms, measure)
        if agg == "mean":
            return expressions.mean(histogram.total, histogram.n)
        return expressions.quantile(seconds_of(histogram), PERCENTILES[agg])

    intervals = ("order_statistics", "t")
    return Estimator((measure,), estimate, aggregations, expression, kind="percentile", intervals=intervals)


def seconds_of(histogram: Histogram) -> dict[float, int]:
    """The counts of a histogram of durations by the seconds that represent each bin."""
    values = durations.VALUES
    return {values[b]: n for b, n in histogram.counts.items()}


def age(measure: Measure) -> Estimator:
    """The quantile of the ages, in seconds, of the tickets that are open at an instant. Raises ValueError if the instant is
    missing."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        if merged(histograms, measure).n:
            raise ValueError("an age needs an instant")
        return Estimate(None, 0)

    def estimate_at(histograms: Histograms, agg: str, at: datetime) -> Estimate:
        by_age = ages(merged(histograms, measure).counts, at)
        n = sum(by_age.values())
        if n <= 0:
            return Estimate(None, 0)
        value, interval = quantile({float(seconds): count for seconds, count in by_age.items()}, PERCENTILES[agg])
        distribution: Counter[int] = Counter()
        for seconds, count in by_age.items():
            distribution[durations.BOUNDS[durations.bin_of(seconds)]] += count
        return Estimate(value, n, interval=interval, distribution=dict(distribution))

    intervals = ("order_statistics",)
    return Estimator((measure,), estimate, tuple(PERCENTILES), estimate_at=estimate_at, kind="age", intervals=intervals)


def ratio(over: Measure, under: Measure, *, part: bool) -> Estimator:
    """100 · rows of `over` / rows of `under`. `part`: every row of `over` is one of `under`; only then there is an interval."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        above, below = merged(histograms, over).n, merged(histograms, under).n
        if part or not below:
            return proportion(above, below, None)
        return Estimate(100 * above / below, below, above, below)

    intervals = ("wilson",) if part else ()
    return Estimator((over, under), estimate, kind="ratio", intervals=intervals, null="the denominator is 0")


def proportion(hits: int, n: int, distribution: Mapping[int, int] | None, flags: tuple[str, ...] = ()) -> Estimate:
    """A share in percent with its Wilson interval; None if `n` is 0."""
    if not n:
        return Estimate(None, 0, hits, 0)
    return Estimate(100 * hits / n, n, hits, n, wilson(hits, n), distribution, flags)
