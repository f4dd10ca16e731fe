"""The bins of durations partition the seconds."""

from datetime import datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.durations import BOUNDS, VALUES, bin_of

LAST_BIN = 1229
LONGEST = int((datetime.max - datetime.min).total_seconds())
seconds = st.one_of(st.integers(0, 200), st.integers(0, 10**7), st.integers(0, LONGEST))


@given(seconds)
def test_a_duration_is_in_exactly_one_bin_and_within_one_percent_of_its_value(duration: int) -> None:
    place = bin_of(duration)
    assert BOUNDS[place] <= duration < BOUNDS[place + 1]
    assert abs(VALUES[place] - duration) <= duration / 100


def test_bounds_rise_by_a_second_or_by_at_most_two_percent() -> None:
    assert all(high == low + 1 or 1 < high / low <= 1.02 for low, high in pairwise(BOUNDS))


def test_the_table_reaches_beyond_the_largest_difference_of_two_times() -> None:
    assert BOUNDS[-1] > LONGEST


def test_zero_has_a_bin_of_its_own() -> None:
    assert (bin_of(0), VALUES[0], bin_of(1), VALUES[1]) == (0, 0.0, 1, 1.0)


def test_the_numbers_of_bins_never_change_because_they_are_stored() -> None:
    assert [bin_of(s) for s in (60, 100, 3600, 86_400, 30 * 86_400)] == [60, 100, 293, 454, 626]
    assert len(BOUNDS) == LAST_BIN + 1


def test_the_last_bin_is_represented_by_its_lowest_second() -> None:
    assert VALUES[LAST_BIN] == BOUNDS[LAST_BIN]
    assert VALUES[LAST_BIN - 1] == (BOUNDS[LAST_BIN - 1] + BOUNDS[LAST_BIN] - 1) / 2
