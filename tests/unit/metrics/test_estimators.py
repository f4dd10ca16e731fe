"""Each estimator, built for a measure of its kind: value, sample, parts, interval, distribution and flags."""

from typing import Any

import pytest

from services.metrics.domain import estimators
from services.metrics.domain.comments import LABELS
from services.metrics.domain.durations import bin_of
from services.metrics.domain.estimator import Estimate
from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.intervals import Interval, adjusted_wald, mean_t, wilson
from services.metrics.domain.kpis import KPIS, Kpi
from services.metrics.domain.measures import ABSTAINED, COMMENTS, CSAT, LABEL, NPS, SENTIMENT
from services.metrics.domain.query import Query
from services.metrics.domain.ticket_measures import BACKLOG, FIRST_REPLY, SOLVED

DAY = 86_400


def ratings(*values: int) -> Histogram:
    return count((value, value) for value in values)


def durations(*seconds: int) -> Histogram:
    return count((bin_of(s), s) for s in seconds)


def test_a_count_adds_the_rows_of_its_measures() -> None:
    rows = {"label:m": ratings(1, -1), "abstained:m": ratings(1), "nps": ratings(9)}
    assert estimators.count(LABEL, ABSTAINED)(rows) == Estimate(3, 3)
    assert estimators.count(SOLVED)({}) == Estimate(0, 0)


def test_a_level_is_the_sum_of_steps() -> None:
    assert estimators.level(BACKLOG)({"backlog": ratings(1, 1, 1, -1)}) == Estimate(2, 2)


def test_a_balance_includes_both_bounds() -> None:
    balance = estimators.balance(NPS, 6, 9)
    rows = {"nps": ratings(10, 9, 9, 8, 7, 6)}
    assert balance(rows) == Estimate(100 / 3, 6, 2, 6, adjusted_wald(3, 1, 6), {10: 1, 9: 2, 8: 1, 7: 1, 6: 1})
    assert balance({}) == Estimate(None, 0, 0, 0)


def test_a_share_includes_its_bin() -> None:
    assert estimators.share(NPS, 8)({"nps": ratings(9, 8, 7, 0)}) == Estimate(50, 4, 2, 4, wilson(2, 4), {9: 1, 8: 1, 7: 1, 0: 1})
    assert estimators.share(NPS, 8)({}) == Estimate(None, 0, 0, 0)


def test_the_share_of_a_label_is_that_of_its_bin() -> None:
    share = estimators.label_share(LABEL, {label: LABELS[label] for label in ("positive", "negative")})
    rows = {"label:m": ratings(1, 1, 1, -1)}
    assert share.aggregations == ("positive", "negative")
    assert share(rows, "positive") == Estimate(75, 4, 3, 4, wilson(3, 4), {1: 3, -1: 1})
    assert share(rows, "negative").value == 25
    assert share({"label:m": ratings(1)}, "negative") == Estimate(0, 1, 0, 1, wilson(0, 1), {1: 1})


def test_ratings_are_good_by_their_own_form() -> None:
    share = estimators.good_share(CSAT)
    one, other = {"csat:1..5+4": ratings(4, 3)}, {"csat:1..7+6": ratings(4, 6, 7)}
    assert share(one) == Estimate(50, 2, 1, 2, wilson(1, 2), {4: 1, 3: 1})
    assert share(one | other) == Estimate(60, 5, 3, 5, wilson(3, 5), {0: 2, 1: 3}, ("mixed_forms",))
    assert share({}) == Estimate(None, 0, 0, 0)


def test_the_mean_of_a_form_has_the_scale_of_the_form() -> None:
    mean = estimators.form_mean(CSAT)
    assert mean({"csat:1..5+4": ratings(5, 4)}) == Estimate(4.5, 2, interval=Interval(1, 5, "t"), distribution={5: 1, 4: 1})
    assert mean({"csat:1..5+4": ratings(5, 4), "csat:1..7+6": ratings(1)}) == Estimate(None, 3, flags=("mixed_forms",))
    assert mean({}) == Estimate(None, 0)


def test_a_mean_is_in_units_of_the_measure() -> None:
    rows = {"sentiment:m": count([(10, 500), (-2, -100)])}
    value, interval = mean_t(2, 400, 260_000, 1000, (-1, 1))
    assert estimators.mean(SENTIMENT, (-1, 1))(rows) == Estimate(value, 2, interval=interval, distribution={10: 1, -2: 1})
    assert value == 0.2
    unclipped = estimators.mean(SENTIMENT)(rows).interval
    assert unclipped is not None
    assert unclipped.high > 1


@pytest.mark.parametrize(
    ("agg", "expected"), [("p50", 60), ("p90", DAY / 2), ("p95", 0.75 * DAY), ("mean", (9 * 60 + 1.5 * DAY) / 11)]
)
def test_a_duration_has_percentiles_of_bins_and_the_mean_of_seconds(agg: str, expected: float) -> None:
    duration = estimators.duration(FIRST_REPLY)
    assert duration.aggregations == ("p50", "p90", "p95", "mean")
    rows = {"first_reply:replied": durations(*[60] * 9, DAY // 2, DAY)}
    estimate = duration(rows, agg)
    assert estimate.value == pytest.approx(expected, rel=0.01 if agg != "mean" else 1e-12)
    assert (estimate.n, list((estimate.distribution or {}).values())) == (11, [9, 1, 1])
    assert next(iter(estimate.distribution or {})) == 60
    assert duration({}, agg) == Estimate(None, 0)


def test_the_interval_of_a_mean_duration_is_not_negative() -> None:
    estimate = estimators.duration(FIRST_REPLY)({"first_reply:replied": durations(0, DAY)}, "mean")
    assert estimate.interval is not None
    assert (estimate.interval.low, estimate.interval.method) == (0, "t")


def test_a_ratio_has_an_interval_only_if_one_is_a_part_of_the_other() -> None:
    rows: Any = {"label:m": ratings(1, 1), "comments": ratings(1, 1, 1, 1)}
    assert estimators.ratio(LABEL, COMMENTS, part=True)(rows) == Estimate(50, 4, 2, 4, wilson(2, 4))
    assert estimators.ratio(LABEL, COMMENTS, part=False)(rows) == Estimate(50, 4, 2, 4)
    assert estimators.ratio(COMMENTS, LABEL, part=False)(rows) == Estimate(200, 2, 4, 2)
    assert estimators.ratio(LABEL, COMMENTS, part=False)({"label:m": ratings(1)}) == Estimate(None, 0, 1, 0)


def test_an_estimator_names_the_measures_that_it_reads() -> None:
    assert estimators.ratio(LABEL, COMMENTS, part=True).measures == (LABEL, COMMENTS)
    assert estimators.count(LABEL, ABSTAINED).measures == (LABEL, ABSTAINED)
    assert estimators.balance(NPS, 6, 9).measures == (NPS,)
    assert estimators.balance(NPS, 6, 9).aggregations == ()


# --- KPIs and queries -----------------------------------------------------------------------------------------------------
def test_the_aggregation_of_a_kpi_is_the_first_unless_named() -> None:
    rows = {"first_reply:replied": durations(60, 60, 6000)}
    assert KPIS["first_reply_time"].estimate(rows).value == pytest.approx(60, rel=0.01)
    assert KPIS["first_reply_time"].estimate(rows, "mean").value == 2040


def test_a_query_reads_the_measures_of_its_event_or_of_the_default() -> None:
    assert Query(kpi=KPIS["first_reply_time"], filed_by="created").selectors("m") == ("first_reply:created",)
    assert Query(kpi=KPIS["first_reply_time"]).selectors("m") == ("first_reply:replied",)
    assert Query(kpi=KPIS["sentiment"]).selectors("m") == ("sentiment:m",)


WITH_OTHER_ARGUMENTS = ("theme_impact", "backlog_age")


@pytest.mark.parametrize("kpi", [kpi for kpi in KPIS.values() if kpi.id not in WITH_OTHER_ARGUMENTS], ids=lambda kpi: kpi.id)
def test_values_have_intervals_of_the_stated_methods_and_are_null_as_stated(kpi: Kpi) -> None:
    qualifiers = {"form": ":1..5+4", "model": ":m", "filed_by": f":{kpi.filed_by[0]}", None: ""}
    names = [measure.family + qualifiers[measure.qualifier] for measure in kpi.measures]
    counted = {name: ratings(0, 1, 1, 2, 3, 4, 5, 5, 5) for name in names}
    intervals = [kpi.estimate(counted, agg).interval for agg in kpi.aggregations or ("",)]
    assert {interval.method for interval in intervals if interval} == set(kpi.estimator.intervals)
    assert (kpi.estimate({}).value is None) is not kpi.null_if.startswith("never")
