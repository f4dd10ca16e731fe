"""Durations: the bins partition the seconds, and the test vector of the definitions."""

from datetime import datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.contributions import contributions
from services.metrics.domain.durations import BOUNDS, VALUES, bin_of
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Message, Opened
from tests.unit.metrics.build import ticket
from tests.unit.metrics.test_business_hours import berlin, calendar

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


def test_a_reply_after_the_weekend_on_which_clocks_change_takes_its_true_seconds_and_the_open_ones() -> None:
    """The test vector of the definitions: opened on Friday at 16:30 and answered on Monday at 09:20, in Berlin."""
    opened, replied = berlin("2026-03-27T16:30"), berlin("2026-03-30T09:20")
    answered_ticket = ticket(Opened(at=opened), Message(at=replied, by="agent", id="m1"))
    rows = contributions(view([answered_ticket]), {}, Terms(hours=BusinessHours([calendar()])))
    amounts = {row.measure: row.amount for row in rows if row.at == replied}
    assert amounts["first_reply:replied"] == 229_800
    assert amounts["first_reply_business:replied"] == 3_000
