"""The impact of a theme on a KPI: how the KPI of all answers differs from that of the answers without the theme.

It is an association, not a cause, and the impacts of themes don't add up: an answer may have several.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from services.metrics.domain import expressions
from services.metrics.domain.bootstrap import bootstrap_interval, cells_of, impact
from services.metrics.domain.estimator import Estimate, Estimator, Histograms
from services.metrics.domain.estimators import merged
from services.metrics.domain.forms import parse_form
from services.metrics.domain.histogram import Histogram, merge
from services.metrics.domain.intervals import enclosing
from services.metrics.domain.measure import Measure, family_of
from services.metrics.domain.measures import CSAT, NPS, SENTIMENT, THEME_CSAT, THEME_NPS

NO_COMPARISON = "no answer has the theme, or every answer has it"

WHOLE = "all "
"""Precedes the name of a measure of all answers among the histograms of a group."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The counts of answers by a score whose mean is the KPI, and the exact sum of the scores."""

    counts: Mapping[float, int]
    total: Fraction

    @property
    def n(self) -> int:
        """The number of answers."""
        return sum(self.counts.values())

    @classmethod
    def of_counts(cls, counts: Mapping[int, int]) -> "Scores":
        """Answers with these whole scores."""
        occurring = {float(score): n for score, n in counts.items() if n}
        return cls(occurring, Fraction(sum(score * n for score, n in counts.items())))


def nps_scores(by_name: Mapping[str, Histogram]) -> Scores:
    """100 for each promoter, −100 for each detractor, 0 for the others."""
    histogram = merge(*by_name.values())
    up, down = histogram.above(9), histogram.below(7)
    return Scores.of_counts({100: up, 0: histogram.n - up - down, -100: down})


def csat_scores(by_name: Mapping[str, Histogram]) -> Scores:
    """100 for each satisfied rating, by its form, and 0 for the others."""
    good = sum(n for name, h in by_name.items() for value, n in h.counts.items() if value in parse_form(name).good)
    return Scores.of_counts({100: good, 0: sum(h.n for h in by_name.values()) - good})


def flag_scores(by_name: Mapping[str, Histogram]) -> Scores:
    """100 for each row of bin 1, 0 for the others."""
    histogram = merge(*by_name.values())
    return Scores.of_counts({100: histogram.above(1), 0: histogram.below(1)})


def sentiment_scores(by_name: Mapping[str, Histogram]) -> Scores:
    """The score of each comment: by bin, which is 0.05 wide, its middle."""
    histogram = merge(*by_name.values())
    return Scores(
        {min(1.0, (place + 0.5) / 20): n for place, n in histogram.counts.items()}, Fraction(histogram.total, SENTIMENT.per_unit)
    )


ScoresOf = Callable[[Mapping[str, Histogram]], Scores]


def theme_impact(measure: Measure, whole: Measure, scores: ScoresOf, whole_scores: ScoresOf) -> Estimator:
    """The mean score of all answers − that of the answers without the theme; n counts the answers with it.

    `measure` has the answers with the theme, `whole` all of them.
    """

    def parts(histograms: Histograms) -> tuple[Scores, Scores]:
        named = {name.removeprefix(WHOLE): h for name, h in histograms.items() if name.startswith(WHOLE)}
        of_whole = {name: h for name, h in named.items() if family_of(name) == whole.family}
        with_theme = {name: h for name, h in histograms.items() if family_of(name) == measure.family}
        return whole_scores(of_whole), scores(with_theme)

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        histogram = merged(histograms, measure)
        everything, part = parts(histograms)
        without = everything.n - part.n
        if not part.n or without <= 0:
            return Estimate(None, part.n)
        value = float(everything.total / everything.n - (everything.total - part.total) / without)
        cells = cells_of(everything.counts, part.counts)
        ends = bootstrap_interval(cells)
        shift = value - (impact(cells) or 0.0)  # bins are less exact than sums
        interval = None if ends is None else enclosing(value, ends[0] + shift, ends[1] + shift, "bootstrap")
        return Estimate(value, part.n, interval=interval, distribution=histogram.counts)

    def expression(histograms: Histograms, agg: str) -> str:
        everything, part = parts(histograms)
        return f"{quotient(everything.total, everything.n)} − {quotient(everything.total - part.total, everything.n - part.n)}"

    return Estimator((measure,), estimate, expression=expression, kind="impact", intervals=("bootstrap",), null=NO_COMPARISON)


def quotient(total: Fraction, n: int) -> str:
    """A sum over a count."""
    text = expressions.number(float(total))
    return f"({text}) / {n}" if text.startswith("−") else f"{text} / {n}"


IMPACTS: dict[str, tuple[Estimator, Measure, str]] = {
    "nps": (theme_impact(THEME_NPS, NPS, nps_scores, nps_scores), NPS, "points"),
    "csat": (theme_impact(THEME_CSAT, CSAT, flag_scores, csat_scores), CSAT, "points"),
    "sentiment": (theme_impact(SENTIMENT, SENTIMENT, sentiment_scores, sentiment_scores), SENTIMENT, "score"),
}
"""The estimator, the measure of all answers and the unit of values, by the KPI on which a theme has the impact."""


def any_impact() -> Estimator:
    """An estimator that has the measures of all of IMPACTS. `Kpi.narrowed` replaces it by one of them."""

    def estimate(histograms: Histograms, agg: str) -> Estimate:
        return IMPACTS[agg or next(iter(IMPACTS))][0](histograms)

    of_nps = next(iter(IMPACTS.values()))[0]
    measures = tuple(impact.measures[0] for impact, _, _ in IMPACTS.values())
    return replace(of_nps, measures=measures, estimate=estimate, aggregations=tuple(IMPACTS), expression=None)
