"""Confidence intervals, to the digits of published tables and definitions, and their invariants."""

from math import comb
from statistics import NormalDist, fmean, median, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.intervals import Interval, adjusted_wald, beyond_noise, mean_t, quantile, wilson
from services.metrics.domain.quantiles import binomial_cdf, quantile_ranks, t_quantile


@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "low", "high"),
    [
        (50, 30, 20, 14.05, 44.20),
        (3, 1, 1, -29.78, 79.78),
        (10, 0, 0, 47.50, 100),
        (0, 0, 1, -100, 48.50),
        (1, 0, 0, -48.50, 100),
        (0, 0, 10, -100, -47.50),
        (600, 250, 150, 40.28, 49.45),
    ],
)
def test_adjusted_wald_as_defined(promoters: int, passives: int, detractors: int, low: float, high: float) -> None:
    interval = adjusted_wald(promoters, detractors, promoters + passives + detractors)
    assert (round(interval.low, 2), round(interval.high, 2)) == (low, high)
    assert (interval.method, interval.level) == ("adjusted_wald", 0.95)


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(8, 10, 49.0, 94.3), (10, 10, 72.2, 100), (430, 500, 82.7, 88.8)])
def test_wilson_as_defined(hits: int, n: int, low: float, high: float) -> None:
    interval = wilson(hits, n)
    assert (round(interval.low, 1), round(interval.high, 1)) == (low, high)
    assert (interval.method, interval.level) == ("wilson", 0.95)


@given(st.integers(1, 10**6), st.data())
def test_a_share_lies_in_its_interval_and_the_interval_in_the_scale(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    interval = wilson(hits, n)
    assert 0 <= interval.low <= 100 * hits / n <= interval.high <= 100


@pytest.mark.parametrize("n", range(1, 8))
def test_the_interval_of_a_tiny_sample_includes_the_value(n: int) -> None:
    for up in range(n + 1):
        shares = wilson(up, n)
        assert shares.low <= 100 * up / n <= shares.high
        for down in range(n + 1 - up):
            points = adjusted_wald(up, down, n)
            assert -100 <= points.low <= 100 * (up - down) / n <= points.high <= 100


def test_a_mean_on_a_scale_has_an_interval_on_that_scale() -> None:
    """Ratings 5 and 4: half the unclipped interval is t(1) · s/√2 = 12.706 · 0.5."""
    assert mean_t(2, 9, 41, scale=(1, 5)) == (4.5, Interval(1, 5, "t"))
    _, unclipped = mean_t(2, 9, 41)
    assert unclipped is not None
    assert unclipped.high == pytest.approx(4.5 + 12.706205 / 2, abs=1e-6)


# --- Student's t: published tables ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("df", "t"),
    [
        (1, 12.706205), (2, 4.302653), (3, 3.182446), (4, 2.776445), (5, 2.570582), (10, 2.228139), (20, 2.085963),
        (30, 2.042272), (40, 2.021075), (60, 2.000298), (80, 1.990063), (100, 1.983972), (120, 1.979930), (1000, 1.962339),
    ],
)  # fmt: skip
def test_quantiles_of_students_t_equal_published_tables(df: int, t: float) -> None:
    assert t_quantile(df) == pytest.approx(t, abs=1e-6)


def test_students_t_decreases_steadily_to_the_normal_quantile() -> None:
    values = [t_quantile(df) for df in range(1, 300)]
    assert values == sorted(values, reverse=True)
    assert t_quantile(10**9) == pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-8)


@given(st.lists(st.integers(-1000, 10**6), min_size=2, max_size=30))
def test_mean_and_interval_from_sums_equal_those_from_values(values: list[int]) -> None:
    mean, interval = mean_t(len(values), sum(values), sum(v * v for v in values))
    half = t_quantile(len(values) - 1) * stdev(values) / len(values) ** 0.5
    assert interval is not None
    assert mean == pytest.approx(fmean(values))
    assert (interval.low, interval.high) == (pytest.approx(mean - half, abs=1e-6), pytest.approx(mean + half, abs=1e-6))


def test_a_mean_of_thousandths_is_in_units_and_a_single_value_has_no_interval() -> None:
    assert mean_t(1, 440, 440**2, 1000) == (0.44, None)


# --- quantiles ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("n", "p"), [(1, 0.5), (7, 0.9), (40, 0.5), (101, 0.95)])
def test_the_binomial_distribution_is_the_sum_of_its_terms(n: int, p: float) -> None:
    for k in range(-1, n + 1):
        assert binomial_cdf(k, n, p) == pytest.approx(
            sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1)), abs=1e-12
        )


@pytest.mark.parametrize(
    ("n", "percent", "ranks"),
    [
        (5, 50, None),
        (6, 50, (1, 6)),
        (10, 50, (2, 9)),
        (20, 50, (6, 15)),
        (100, 50, (40, 61)),
        (35, 90, None),
        (36, 90, (29, 36)),
    ],
)
def test_the_ranks_around_a_quantile_equal_published_tables(n: int, percent: int, ranks: tuple[int, int] | None) -> None:
    assert quantile_ranks(n, percent) == ranks


@given(st.integers(1, 3000), st.sampled_from([50, 90, 95]))
def test_the_ranks_enclose_the_quantile_with_95_percent_and_no_closer_ones_do(n: int, percent: int) -> None:
    p, ranks = percent / 100, quantile_ranks(n, percent)
    if ranks is None:
        assert max(p**n, (1 - p) ** n) > 0.025
        return
    low, high = ranks
    assert binomial_cdf(low - 1, n, p) <= 0.025 < binomial_cdf(low, n, p)
    assert 1 - binomial_cdf(high - 1, n, p) <= 0.025 < 1 - binomial_cdf(high - 2, n, p)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_the_median_lies_in_its_interval(values: list[int]) -> None:
    counts = {float(v): values.count(v) for v in values}
    value, interval = quantile(counts, 50)
    assert value == median(values)
    assert (interval is None) is (len(values) < 6)
    assert interval is None or interval.low <= value <= interval.high


def test_a_90th_percentile_is_linear_between_neighbours() -> None:
    assert quantile({1.0: 1, 2.0: 1, 3.0: 1, 4.0: 1}, 90)[0] == pytest.approx(3.7)
    assert quantile({7.0: 1}, 95)[0] == 7


# --- differences ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("one", "other", "significant"),
    [
        ((86, 100), (62, 100), True),
        ((62, 100), (86, 100), True),
        ((80, 100), (75, 100), False),
        ((800, 1000), (750, 1000), True),
        ((50, 100), (50, 100), False),
        ((0, 5), (5, 5), True),
        ((8, 10), (6, 10), False),
    ],
)
def test_shares_differ_significantly_if_newcombes_interval_excludes_0(
    one: tuple[int, int], other: tuple[int, int], significant: bool
) -> None:
    assert beyond_noise(share(*one), wilson(*one), share(*other), wilson(*other)) is significant


def test_newcombes_own_example_is_barely_significant() -> None:
    """56 of 70 and 48 of 80: 0.20 with 0.0524 to 0.3339 (Newcombe 1998, table II, method 10)."""
    one = wilson(56, 70)
    assert beyond_noise(80, one, 60, wilson(48, 80)) is True
    assert beyond_noise(80, one, share(53, 80), wilson(53, 80)) is False


def test_without_an_interval_the_significance_is_unknown() -> None:
    assert beyond_noise(5, None, 3, Interval(2, 4, "t")) is None
    assert beyond_noise(3, Interval(2, 4, "t"), 5, None) is None


def share(hits: int, n: int) -> float:
    return 100 * hits / n


def test_an_interval_is_clipped_to_the_scale() -> None:
    assert adjusted_wald(0, 10, 10).low == -100
    assert adjusted_wald(10, 0, 10).high == 100
    assert (wilson(0, 5).low, wilson(5, 5).high) == (0, 100)


def test_the_interval_of_a_quantile_has_the_values_at_its_ranks() -> None:
    values = {float(v): 1 for v in range(1, 11)}
    assert quantile(values, 50) == (5.5, Interval(2, 9, "order_statistics"))
    assert quantile({float(v): 2 for v in range(1, 19)}, 90) == (pytest.approx(16.5), Interval(15, 18, "order_statistics"))
