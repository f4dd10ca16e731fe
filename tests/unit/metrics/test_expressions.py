"""Formulas with their numbers filled in: they can be computed, and give the value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain import expressions
from services.metrics.domain.estimator import Estimate, Estimator
from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.measures import NPS
from tests.unit.metrics.test_kpis import MODEL, durations, ratings, times


def computed(text: str) -> float:
    """The value of an expression, as a reader computes it."""
    arithmetic = text.replace("·", "*").replace("−", "-")
    assert set(arithmetic) <= set("0123456789.+-*/() ")
    return float(eval(arithmetic))


@pytest.mark.parametrize(
    ("kpi", "agg", "histograms", "expected"),
    [
        ("nps", "", {"nps": ratings(9, 10, 10, 8, 0)}, "100 · (3 − 1) / 5"),
        ("nps", "", {}, None),
        ("csat", "", {"csat:1..5+4": ratings(4, 3), "csat:0..1+1": ratings(1)}, "100 · 2 / 3"),
        ("csat_mean", "", {"csat:1..5+4": ratings(4, 3)}, "7 / 2"),
        ("csat_mean", "", {"csat:1..5+4": ratings(4), "csat:0..1+1": ratings(1)}, None),
        ("sentiment", "", {f"sentiment:{MODEL}": count([(8, 440), (-13, -640)])}, "−200 / (1000 · 2)"),
        ("sentiment_share", "negative", {f"label:{MODEL}": ratings(-1, 0, 1, 1)}, "100 · 1 / 4"),
        ("theme_volume", "", {f"label:{MODEL}": ratings(1, 0), **times(f"abstained:{MODEL}", 3)}, "2 + 3"),
        ("tickets_opened", "", times("opened", 7), "7"),
        ("tickets_opened", "", {}, "0"),
        ("backlog", "", {"backlog": count([(1, 1)] * 2 + [(-1, -1)] * 5)}, "−3"),
        ("resolution_rate", "", {**times("standing_solve", 3), **times("opened", 2)}, "100 · 3 / 2"),
        ("resolution_rate", "", times("standing_solve", 3), None),
        ("first_reply_time", "", {"first_reply:replied": durations(10, 20, 90)}, "20"),
        ("first_reply_time", "p50", {"first_reply:replied": durations(10, 20)}, "10 + 0.5 · (20 − 10)"),
        ("first_reply_time", "p90", {"first_reply:replied": durations(10, 20)}, "10 + 0.9 · (20 − 10)"),
        ("first_reply_time", "mean", {"first_reply:replied": durations(10, 20)}, "30 / 2"),
    ],
)
def test_the_numbers_of_a_value_are_filled_in(kpi: str, agg: str, histograms: dict[str, Histogram], expected: str | None) -> None:
    assert KPIS[kpi].filled_in(histograms, agg) == expected
    value = KPIS[kpi].estimate(histograms, agg).value
    assert value == (None if expected is None else pytest.approx(computed(expected)))


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=40), st.sampled_from(["p50", "p90", "p95", "mean"]))
def test_the_expression_of_a_duration_gives_its_value(seconds: list[int], agg: str) -> None:
    measured = {"full_resolution": durations(*seconds)}
    text = KPIS["full_resolution_time"].filled_in(measured, agg)
    assert text is not None
    assert computed(text) == pytest.approx(KPIS["full_resolution_time"].estimate(measured, agg).value)


def test_an_estimator_without_an_expression_of_its_own_shows_its_ratio_or_its_value() -> None:
    ratio = Estimator((NPS,), lambda histograms, agg: Estimate(40.0, 5, 2, 5))
    value = Estimator((NPS,), lambda histograms, agg: Estimate(0.00000025, 5))
    assert ratio.filled_in({}) == "100 · 2 / 5"
    assert value.filled_in({}) == "0.00000025"


def test_a_place_beyond_the_values_is_an_error() -> None:
    with pytest.raises(IndexError, match="there are 2 values"):
        expressions.value_at({1.0: 2}, 2)
