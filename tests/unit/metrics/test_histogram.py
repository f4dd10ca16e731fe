"""Histograms add up in any order."""

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.histogram import EMPTY, Histogram, count, merge

pairs = st.lists(st.tuples(st.integers(-20, 20), st.integers(-1000, 10**9)), max_size=20)
histograms = pairs.map(count)


@given(histograms, histograms, histograms)
def test_merging_is_commutative_and_associative_with_a_neutral_element(a: Histogram, b: Histogram, c: Histogram) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c)) == merge(a, b, c)
    assert merge(a, EMPTY) == a


@given(pairs, st.integers(0, 20))
def test_the_whole_is_the_sum_of_any_two_parts(values: list[tuple[int, int]], cut: int) -> None:
    assert merge(count(values[:cut]), count(values[cut:])) == count(values)
    assert count(values).n == len(values)


@given(histograms, st.integers(-21, 21))
def test_every_count_is_either_above_or_below_a_limit(histogram: Histogram, limit: int) -> None:
    assert histogram.above(limit) + histogram.below(limit) == histogram.n
    assert histogram.above(-20) == histogram.n
