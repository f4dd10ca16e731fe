"""The impact of a theme, and its bootstrap interval."""

import random

import pytest

from services.metrics.domain.bootstrap import NORMAL_FROM, bootstrap_interval, cells_of, impact, poisson
from services.metrics.domain.contributions import contributions
from services.metrics.domain.histogram import Histogram
from services.metrics.domain.histogram import count as histogram_of
from services.metrics.domain.impact import IMPACTS, WHOLE
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.view import view
from shared.events import Event, Override, Rating, ThemeScore, text_hash
from tests.unit.metrics.build import MODEL, at, csat, nps, opened, response, rows_in, scored, statement, status, ticket, words

DELIVERY, PRICE = ThemeScore("delivery", -0.5), ThemeScore("price", 0.5)


def of_nps(everything: dict[int, int], with_theme: dict[int, int]) -> dict[str, Histogram]:
    """The histograms of a theme's impact on NPS, from counts by rating."""
    return {f"{WHOLE}nps": Histogram(everything), f"theme_nps:{MODEL}": Histogram(with_theme)}


@pytest.mark.parametrize(
    ("everything", "with_theme", "value", "low", "high"),
    [
        ({10: 50, 8: 30, 0: 20}, {0: 15, 8: 5}, 30 - 56.25, -38.6813, -15.0802),
        ({10: 500, 8: 300, 0: 200}, {0: 150, 8: 50}, 30 - 56.25, -29.8622, -22.5866),
        ({10: 40, 0: 40}, {10: 20, 0: 20}, 0.0, -24.1449, 23.5667),
    ],
    ids=["100 answers", "1000 answers", "no impact"],
)
def test_vectors(everything: dict[int, int], with_theme: dict[int, int], value: float, low: float, high: float) -> None:
    estimate = IMPACTS["nps"][0](of_nps(everything, with_theme))
    assert estimate.value == pytest.approx(value)
    assert estimate.n == sum(with_theme.values())
    assert estimate.interval is not None
    assert (estimate.interval.low, estimate.interval.high) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))
    assert estimate.interval.method == "bootstrap"


def test_the_interval_is_that_of_drawing_rows_with_replacement() -> None:
    rows = [(100.0, False)] * 50 + [(0.0, False)] * 25 + [(-100.0, False)] * 5 + [(0.0, True)] * 5 + [(-100.0, True)] * 15
    drawn = []
    chance = random.Random(7)
    for _ in range(8000):
        sample = chance.choices(rows, k=len(rows))
        outside = [score for score, has_theme in sample if not has_theme]
        drawn.append(sum(score for score, _ in sample) / len(sample) - sum(outside) / len(outside))
    drawn.sort()
    interval = bootstrap_interval(cells_of({100.0: 50, 0.0: 30, -100.0: 20}, {0.0: 5, -100.0: 15}))
    assert interval == (pytest.approx(drawn[199], abs=2.0), pytest.approx(drawn[7799], abs=2.0))


def test_nothing_to_compare_with_has_no_impact() -> None:
    estimator = IMPACTS["nps"][0]
    assert (estimator({}).value, estimator({}).n) == (None, 0)
    assert estimator(of_nps({10: 5}, {})).value is None
    everywhere = estimator(of_nps({10: 5}, {10: 5}))
    assert (everywhere.value, everywhere.n, everywhere.interval) == (None, 5, None)
    assert impact(cells_of({100.0: 5}, {100.0: 5})) is None


def test_the_formula_with_its_numbers_gives_the_value() -> None:
    histograms = of_nps({10: 50, 8: 30, 0: 20}, {0: 15, 8: 5})
    assert IMPACTS["nps"][0].filled_in(histograms) == "3000 / 100 − 4500 / 80"
    negative = of_nps({10: 1, 0: 3}, {10: 1})
    assert IMPACTS["nps"][0].filled_in(negative) == "(−200) / 4 − (−300) / 3"


def test_impacts_on_csat_count_satisfied_ratings_of_every_form_and_those_on_sentiment_exact_scores() -> None:
    of_csat = {f"{WHOLE}csat:1..5+4": Histogram({5: 6, 1: 2}), f"{WHOLE}csat:0..1+1": Histogram({1: 2})}
    on_csat = IMPACTS["csat"][0](of_csat | {f"theme_csat:{MODEL}": Histogram({0: 2})})
    assert on_csat.value == pytest.approx(80 - 100)
    scores = [(-10, -498), (2, 123), (12, 601)]
    of_scores = {f"{WHOLE}sentiment:{MODEL}": histogram_of(scores), f"sentiment:{MODEL}": histogram_of(scores[:1])}
    on_sentiment = IMPACTS["sentiment"][0](of_scores)
    assert on_sentiment.value == pytest.approx((-498 + 123 + 601) / 3000 - (123 + 601) / 2000)


def test_a_rating_has_the_themes_of_all_comments_of_its_response_for_each_model() -> None:
    both = scored("late", -1, "negative", themes=(DELIVERY,)) | scored("dear", 1, "positive", themes=(PRICE, DELIVERY))
    of_other = scored("late", -1, "negative", "other", themes=())
    event = response(nps(3), csat(5), words("late"), words("dear", "q5"))
    counted = contributions(view([event]), both | of_other)
    assert rows_in(counted, f"theme_nps:{MODEL}") == [(0, 3, 3)]
    assert rows_in(counted, f"theme_csat:{MODEL}") == [(0, 1, 1)]
    assert {row.themes for row in counted if row.measure.startswith("theme_")} == {("delivery", "price")}
    assert not rows_in(counted, "theme_nps:other")


def test_a_humans_themes_count_and_ratings_of_tickets_do_too() -> None:
    events: list[Event] = [
        ticket(opened(0, text="late"), Rating(at=at(9), value=1), status(8, "solved")),
        statement(2, Override(comment=text_hash("late"), label=None, themes=("price",))),
    ]
    counted = contributions(view(events), scored("late", -1, "negative", themes=(DELIVERY,)))
    assert [(row.bin, row.themes) for row in counted if row.measure == f"theme_csat:{MODEL}"] == [(0, ("price",))]


def test_the_kpi_is_of_one_measure_once_its_aggregation_is_known() -> None:
    kpi = KPIS["theme_impact"]
    assert kpi.aggregations == ("nps", "csat", "sentiment")
    for agg, (_, whole, unit) in IMPACTS.items():
        narrowed = kpi.narrowed(agg)
        assert (narrowed.whole, narrowed.unit, len(narrowed.measures)) == (whole, unit, 1)
        assert narrowed.of_all_answers.selectors("", MODEL) == (whole.selector("", MODEL),)
    assert kpi.narrowed("") == kpi.narrowed("nps")
    assert all("theme" in kpi.narrowed(agg).dimensions for agg in IMPACTS)


class Constant(random.Random):
    """Random numbers that are all the same."""

    def __init__(self, number: float) -> None:
        super().__init__()
        self.number = number

    def random(self) -> float:
        return self.number


@pytest.mark.parametrize("mean", [3, NORMAL_FROM])
def test_a_random_number_of_zero_counts_as_a_half(mean: int) -> None:
    assert poisson(mean, Constant(0.0)) == poisson(mean, Constant(0.5)) == pytest.approx(mean, abs=1)
