"""Bins of spans partition the seconds there are."""

from datetime import datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.durations import BOUNDS, bin_of, value_of

LONGEST = int((datetime.max - datetime.min).total_seconds())
seconds = st.one_of(st.integers(0, 200), st.integers(0, 10**7), st.integers(0, LONGEST))


@given(seconds)
def test_every_span_lies_in_exactly_one_bin_and_within_one_percent_of_what_stands_for_it(span: int) -> None:
    place = bin_of(span)
    assert BOUNDS[place] <= span < BOUNDS[place + 1]
    assert abs(value_of(place) - span) <= span / 100


def test_bounds_rise_by_a_second_or_by_at_most_two_percent() -> None:
    assert all(high == low + 1 or 1 < high / low <= 1.02 for low, high in pairwise(BOUNDS))


def test_nothing_two_times_can_be_apart_lies_past_the_table() -> None:
    assert BOUNDS[-1] > LONGEST


def test_zero_has_a_bin_of_its_own() -> None:
    assert (bin_of(0), value_of(0), bin_of(1), value_of(1)) == (0, 0.0, 1, 1.0)


def test_a_bins_number_never_changes_for_it_is_stored() -> None:
    assert [bin_of(s) for s in (60, 100, 3600, 86_400, 30 * 86_400)] == [60, 100, 293, 454, 626]
