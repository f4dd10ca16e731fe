"""KPIs from histograms: the value, its n, its interval, its flags; and the catalogue."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.durations import bin_of
from services.metrics.domain.forms import parse_form
from services.metrics.domain.histogram import Histogram, count, merge
from services.metrics.domain.intervals import adjusted_wald, wilson
from services.metrics.domain.kpis import KPIS, Kpi
from shared.events import DIMENSIONS

MODEL = "vader-3.3.2"


def ratings(*values: int) -> Histogram:
    return count((value, value) for value in values)


def times(measure: str, n: int) -> dict[str, Histogram]:
    return {measure: count([(1, 1)] * n)}


def durations(*seconds: int) -> Histogram:
    return count((bin_of(s), s) for s in seconds)


# --- ratings --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "value", "low", "high"),
    [
        (50, 30, 20, 30.00, 14.05, 44.20),
        (3, 1, 1, 40.00, -29.78, 79.78),
        (10, 0, 0, 100, 47.50, 100),
        (0, 0, 1, -100, -100, 48.50),
        (1, 0, 0, 100, -48.50, 100),
        (600, 250, 150, 45.00, 40.28, 49.45),
    ],
)
def test_nps_as_defined(promoters: int, passives: int, detractors: int, value: float, low: float, high: float) -> None:
    answers = ratings(*[9, 10] * (promoters // 2), *[9] * (promoters % 2), *[8] * passives, *[6] * detractors)
    nps = KPIS["nps"].estimate({"nps": answers})
    assert nps.interval is not None
    assert (nps.value, round(nps.interval.low, 2), round(nps.interval.high, 2)) == (value, low, high)
    assert (nps.n, nps.numerator, nps.denominator) == (
        len([*range(promoters + passives + detractors)]),
        promoters - detractors,
        nps.n,
    )


def test_nps_has_full_precision() -> None:
    assert KPIS["nps"].estimate({"nps": ratings(9, 10, 0)}).value == pytest.approx(33.3333333, abs=1e-6)


@given(st.lists(st.integers(0, 10), min_size=1))
def test_each_answer_is_a_promoter_a_passive_or_a_detractor(values: list[int]) -> None:
    nps = KPIS["nps"].estimate({"nps": ratings(*values)})
    up, down = sum(v >= 9 for v in values), sum(v <= 6 for v in values)
    assert nps.value == 100 * (up - down) / len(values)
    assert nps.interval == adjusted_wald(up, down, len(values))
    assert nps.distribution == {v: values.count(v) for v in values}


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(8, 10, 49.0, 94.3), (10, 10, 72.2, 100), (430, 500, 82.7, 88.8)])
def test_csat_as_defined(hits: int, n: int, low: float, high: float) -> None:
    csat = KPIS["csat"].estimate({"csat:1..5+4": ratings(*[4] * hits, *[3] * (n - hits))})
    assert csat.interval is not None
    assert (csat.value, round(csat.interval.low, 1), round(csat.interval.high, 1)) == (100 * hits / n, low, high)


def test_csat_adds_up_positives_and_answers_over_forms_and_keeps_their_scores_apart() -> None:
    mixed = {"csat:1..5+4": ratings(4, 3, 5), "csat:1..7+6": ratings(4, 6), "csat:0..1+1": ratings(1, 0)}
    csat = KPIS["csat"].estimate(mixed)
    assert (csat.numerator, csat.denominator, csat.value) == (4, 7, 100 * 4 / 7)
    assert csat.distribution == {0: 3, 1: 4}
    assert "mixed_forms" in csat.flags
    assert KPIS["csat_mean"].estimate(mixed).value is None
    assert KPIS["csat_mean"].estimate(mixed).flags == ("mixed_forms",)


def test_csat_mean_of_one_form() -> None:
    mean = KPIS["csat_mean"].estimate({"csat:1..5+4": ratings(4, 3, 5, 5), "csat:1..7+6": Histogram({})})
    assert (mean.value, mean.n) == (4.25, 4)
    assert mean.interval is not None
    assert mean.interval.method == "t"


@pytest.mark.parametrize(
    ("measure", "good"),
    [
        ("ces:1..7+easy_is_high", {5, 6, 7}),
        ("ces:1..7+easy_is_low", {1, 2, 3}),
        ("ces:1..5+easy_is_high", {4, 5}),
        ("ces:1..10+easy_is_high", {7, 8, 9, 10}),
        ("ces:1..4+easy_is_high", {3, 4}),
        ("ces:0..10+easy_is_low", {0, 1, 2, 3}),
        ("csat:1..5+4", {4, 5}),
        ("csat:0..1+1", {1}),
    ],
)
def test_the_form_defines_the_good_answers(measure: str, good: set[int]) -> None:
    assert set(parse_form(measure).good) == good


def test_ces_is_the_share_of_easy_answers_at_either_end_of_the_scale() -> None:
    ces = KPIS["ces"].estimate({"ces:1..7+easy_is_high": ratings(5, 7, 1), "ces:1..7+easy_is_low": ratings(1, 7)})
    assert (ces.numerator, ces.denominator) == (3, 5)
    assert ces.interval == wilson(3, 5)


@pytest.mark.parametrize(
    ("kpi", "measure", "amounts", "scale"),
    [
        ("csat_mean", "csat:1..5+4", [5, 4], (1, 5)),
        ("csat_mean", "csat:0..10+7", [0, 10], (0, 10)),
        ("ces_mean", "ces:1..7+easy_is_high", [1, 7], (1, 7)),
        ("stars", "stars:1..5", [5, 1], (1, 5)),
        ("sentiment", f"sentiment:{MODEL}", [-1000, 1000], (-1, 1)),
        ("first_reply_time", "first_reply:replied", [0, 60], (0, float("inf"))),
    ],
)
def test_the_interval_of_a_mean_stays_on_its_scale_and_includes_the_mean(
    kpi: str, measure: str, amounts: list[int], scale: tuple[float, float]
) -> None:
    estimate = KPIS[kpi].estimate({measure: count((0, amount) for amount in amounts)}, "mean")
    assert estimate.interval is not None
    assert estimate.value is not None
    assert scale[0] <= estimate.interval.low <= estimate.value <= estimate.interval.high <= scale[1]


def test_the_effort_index_is_the_share_of_very_easy_answers_less_that_of_hard_ones() -> None:
    index = KPIS["ces_index"].estimate({"ces:1..7+easy_is_high": ratings(7, 6, 6, 5, 4, 3, 1, 6)})
    assert (index.numerator, index.denominator, index.value) == (2, 8, 25)
    assert index.interval == adjusted_wald(4, 2, 8)
    mixed = {
        "ces:1..7+easy_is_high": ratings(7, 5, 3),
        "ces:1..7+easy_is_low": ratings(2, 3, 5),
        "ces:1..5+easy_is_high": ratings(5, 4),
    }
    index = KPIS["ces_index"].estimate(mixed)
    assert (index.numerator, index.denominator, index.distribution) == (1, 8, None)
    assert "mixed_forms" in index.flags


@given(st.integers(0, 1), st.integers(1, 10), st.sampled_from(["easy_is_high", "easy_is_low"]))
def test_no_effort_rating_is_both_very_easy_and_hard(low: int, width: int, polarity: str) -> None:
    form = parse_form(f"ces:{low}..{low + width}+{polarity}")
    assert form.very_easy
    assert set(form.very_easy) <= set(form.good)
    assert set(form.hard).isdisjoint(form.good)
    assert len(form.hard) == len(form.good)


def test_stars_have_a_mean_and_a_share() -> None:
    reviews = {"stars:1..5": ratings(5, 4, 1)}
    assert KPIS["stars"].estimate(reviews).value == pytest.approx(10 / 3)
    assert KPIS["stars_share"].estimate(reviews).value == pytest.approx(200 / 3)


def test_the_comment_rate_is_the_share_of_responses_with_a_comment() -> None:
    assert KPIS["comment_rate"].estimate({"responses": ratings(1, 0, 0, 0)}).value == 25


# --- comments -------------------------------------------------------------------------------------------------------------
def test_sentiment_is_the_mean_score_and_net_sentiment_the_balance_of_labels() -> None:
    scores = {f"sentiment:{MODEL}": count([(8, 440), (-13, -640), (0, 0)])}
    assert KPIS["sentiment"].estimate(scores).value == pytest.approx(-0.2 / 3)
    labels = {f"label:{MODEL}": count([(1, 1), (-1, -1), (-1, -1), (0, 0)])}
    net = KPIS["net_sentiment"].estimate(labels)
    assert (net.value, net.numerator, net.denominator, net.distribution) == (-25, -1, 4, {1: 1, -1: 2, 0: 1})
    shares = {agg: KPIS["sentiment_share"].estimate(labels, agg).value for agg in KPIS["sentiment_share"].aggregations}
    assert shares == {"positive": 25, "neutral": 25, "negative": 50}


def test_theme_volume_counts_comments_with_and_without_a_sentiment() -> None:
    counted = {f"label:{MODEL}": count([(1, 1), (-1, -1), (0, 0)]), f"abstained:{MODEL}": count([(1, 1)])}
    volume = KPIS["theme_volume"].estimate(counted)
    assert (volume.value, volume.n, volume.flags) == (4, 4, ())
    nothing = KPIS["theme_volume"].estimate({})
    assert (nothing.value, nothing.n) == (0, 0)


def test_theme_sentiment_is_the_mean_score_and_urgent_comments_a_count() -> None:
    assert KPIS["theme_sentiment"].estimate({f"sentiment:{MODEL}": count([(8, 440), (-13, -640)])}).value == pytest.approx(-0.1)
    assert KPIS["theme_sentiment"].estimate({}).value is None
    assert KPIS["urgent_comments"].estimate(times(f"urgent:{MODEL}", 3)).value == 3
    assert KPIS["urgent_comments"].estimate({}).value == 0


def test_coverage_is_the_share_of_comments_with_a_sentiment() -> None:
    estimate = KPIS["sentiment_coverage"].estimate({f"label:{MODEL}": count([(1, 1)]), **times("comments", 4)})
    assert (estimate.value, estimate.numerator, estimate.denominator) == (25, 1, 4)


# --- support --------------------------------------------------------------------------------------------------------------
def test_a_duration_has_the_median_by_default_and_the_mean_of_exact_seconds() -> None:
    reply = {"first_reply:replied": durations(61, 3599, 86_399)}
    assert KPIS["first_reply_time"].estimate(reply).value == pytest.approx(3599, rel=0.01)
    assert KPIS["first_reply_time"].estimate(reply, "mean").value == (61 + 3599 + 86_399) / 3
    assert KPIS["first_reply_time"].estimate(reply, "p90").value == pytest.approx(3599 + 0.8 * (86_399 - 3599), rel=0.01)


def test_the_distribution_of_durations_is_by_the_lowest_second_of_each_bin() -> None:
    assert KPIS["first_resolution_time"].estimate({"first_resolution": durations(0, 60, 60)}).distribution == {0: 1, 60: 2}


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60), st.sampled_from(["p50", "p90", "p95", "mean"]))
def test_a_duration_lies_in_its_interval_and_within_a_percent_of_the_exact_value(seconds: list[int], agg: str) -> None:
    estimate = KPIS["full_resolution_time"].estimate({"full_resolution": durations(*seconds)}, agg)
    assert estimate.value is not None
    ordered = sorted(seconds)
    place = (len(ordered) - 1) * int(agg[1:]) / 100 if agg != "mean" else 0
    exact = ordered[int(place)] + (ordered[min(int(place) + 1, len(ordered) - 1)] - ordered[int(place)]) * (place % 1)
    assert estimate.value == pytest.approx(exact if agg != "mean" else sum(seconds) / len(seconds), rel=0.01, abs=1e-6)
    assert estimate.interval is None or estimate.interval.low <= estimate.value <= estimate.interval.high


def test_the_resolution_rate_may_exceed_100_and_its_n_is_the_opened_tickets() -> None:
    rate = KPIS["resolution_rate"].estimate({**times("standing_solve", 3), **times("opened", 2)})
    assert (rate.value, rate.n, rate.numerator, rate.denominator, rate.interval) == (150, 2, 3, 2, None)
    assert KPIS["resolution_rate"].estimate(times("standing_solve", 3)).value is None


def test_the_reopen_rate_is_the_share_of_first_solves_that_were_reopened() -> None:
    assert KPIS["reopen_rate"].estimate({"first_solve": ratings(0, 0, 0, 1)}).value == 25


def test_backlog_is_the_sum_of_the_steps_up_and_down() -> None:
    level = KPIS["backlog"].estimate({"backlog": count([(1, 1)] * 5 + [(-1, -1)] * 2)})
    assert (level.value, level.n) == (3, 3)


# --- of all ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kpi", KPIS.values(), ids=lambda kpi: kpi.id)
def test_without_data_a_count_is_0_and_any_other_value_null(kpi: Kpi) -> None:
    nothing = kpi.estimate({})
    assert (nothing.value, nothing.n) == ((0 if kpi.unit == "count" else None), 0)
    assert nothing.interval is None
    assert nothing.flags == ()


def test_a_value_of_a_small_sample_is_flagged_and_a_count_never() -> None:
    few, many = ratings(*[9] * 29), ratings(*[9] * 30)
    assert KPIS["nps"].estimate({"nps": few}).flags == ("low_n",)
    assert KPIS["nps"].estimate({"nps": many}).flags == ()
    assert KPIS["tickets_opened"].estimate(times("opened", 1)).flags == ()


@given(st.lists(st.integers(0, 10), max_size=20), st.integers(0, 20))
def test_the_ratio_of_merged_parts_is_that_of_the_whole(values: list[int], cut: int) -> None:
    whole, parts = ratings(*values), merge(ratings(*values[:cut]), ratings(*values[cut:]))
    assert KPIS["nps"].estimate({"nps": parts}) == KPIS["nps"].estimate({"nps": whole})


def test_selectors_follow_filed_by_and_the_promoted_model() -> None:
    assert KPIS["first_reply_time"].selectors("created", MODEL) == ("first_reply:created",)
    assert KPIS["sentiment"].selectors("commented", "e5-4") == ("sentiment:e5-4",)
    assert KPIS["csat"].selectors("rated", MODEL) == ("csat:",)


def test_a_kpi_has_the_families_of_its_measures() -> None:
    assert KPIS["sentiment_coverage"].families == {"label", "comments"}
    assert KPIS["csat_mean"].families == {"csat"}


def test_the_catalogue_describes_every_kpi() -> None:
    required = (
        "nps csat ces sentiment net_sentiment theme_volume theme_sentiment urgent_comments tickets_opened tickets_solved"
        " tickets_reopened backlog first_reply_time first_resolution_time full_resolution_time resolution_rate reopen_rate"
        " backlog_age next_reply_time handling_time requester_wait agent_wait agent_replies one_touch_rate no_reply_rate"
        " resolution_rate_cohort response_rate comment_rate csat_mean ces_mean ces_index"
    )
    assert set(required.split()) <= KPIS.keys()
    of_scored_comments = ["sentiment", "net_sentiment", "sentiment_share", "theme_volume", "theme_sentiment", "urgent_comments"]
    for kpi in KPIS.values():
        entry = json.loads(json.dumps(kpi.entry()))
        fields = (
            "id version name formula unit direction population measures estimator intervals null_if filed_by dimensions"
            " aggregations hours presets min_n"
        )
        assert list(entry) == fields.split()
        further = {"theme_impact": ["theme"]} | {name: ["theme", "urgency"] for name in of_scored_comments}
        assert entry["dimensions"] == [*DIMENSIONS, *further.get(kpi.id, [])]
        assert entry["filed_by"]
        assert entry["direction"] in ("higher", "lower", "none")
