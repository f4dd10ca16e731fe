"""Intervals and flags are those of the independent model of `tests.e2e.model`, which is written from the definitions."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from services.metrics.domain.bootstrap import bootstrap_interval, cells_of
from services.metrics.domain.durations import bin_of
from services.metrics.domain.estimator import Estimate
from services.metrics.domain.histogram import count
from services.metrics.domain.kpis import KPIS
from tests.e2e.model.estimates import ESTIMATES
from tests.e2e.model.intervals import bootstrap

SIZES = (*range(1, 45), 100, 300)


def row_of(estimate: Estimate) -> dict[str, Any]:
    """The fields of a row that the model compares."""
    ends = None if estimate.interval is None else {"low": estimate.interval.low, "high": estimate.interval.high}
    return {"value": estimate.value, "interval": ends}


@pytest.mark.parametrize("agg", ["p50", "p90", "p95", "mean"])
def test_durations_have_the_intervals_of_the_model(agg: str) -> None:
    r = random.Random(agg)
    for n in SIZES:
        seconds = [int(r.expovariate(1 / 7200)) for _ in range(n)]
        counted = {"first_reply:replied": count([(bin_of(one), one) for one in seconds])}
        estimate = KPIS["first_reply_time"].estimate(counted, agg)
        expected = ESTIMATES["first_reply_time"][1]([[timedelta(seconds=one) for one in seconds]], agg)
        assert expected.agrees(row_of(estimate)), (seconds, expected, estimate)
        assert expected.flags_of("first_reply_time") == set(estimate.flags)


@pytest.mark.parametrize(("kpi", "measure"), [("stars", "stars:1..5"), ("stars_share", "stars:1..5"), ("nps", "nps")])
def test_ratings_have_the_intervals_of_the_model(kpi: str, measure: str) -> None:
    r = random.Random(kpi)
    for n in SIZES:
        ratings = [r.choice((1, 4, 5, 5)) for _ in range(n)]
        estimate = KPIS[kpi].estimate({measure: count([(one, one) for one in ratings])})
        expected = ESTIMATES[kpi][1]([ratings], "")
        assert expected.agrees(row_of(estimate)), (ratings, expected, estimate)
        assert expected.flags_of(kpi) == set(estimate.flags)


def test_impacts_have_the_intervals_of_the_model_but_for_chance() -> None:
    r = random.Random(3)
    for _ in range(5):
        rows = [(r.choice((100.0, 100.0, 0.0, -100.0)), r.random() < 0.3) for _ in range(150)]
        ends = bootstrap_interval(cells_of(Counter(score for score, _ in rows), Counter(score for score, has in rows if has)))
        assert ends
        low, high = bootstrap([score for score, _ in rows], [not has for _, has in rows])
        assert ends == pytest.approx((low, high), abs=0.3 * (high - low))
