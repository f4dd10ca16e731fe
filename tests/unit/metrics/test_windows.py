"""Windows, the windows that they are compared with, and their buckets."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.calendar import Grain, WeekStart
from services.metrics.domain.windows import (
    CALENDAR,
    EXAMPLES_OF_LENGTHS,
    MAX_ROWS,
    BadQuery,
    Between,
    TooManyRows,
    Window,
    buckets,
    compared_window,
    resolve_window,
)

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
NOW = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
"""A Wednesday, 15:30 in Berlin."""

zones = st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"]).map(ZoneInfo)
instants = st.datetimes(datetime(2005, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
grains = st.sampled_from([None, *get_args(Grain)])


def berlin(*local: int) -> datetime:
    return datetime(*local, tzinfo=BERLIN).astimezone(UTC)  # type: ignore[arg-type]


def ends(window: Window) -> tuple[datetime, datetime]:
    return window.start, window.end


# --- windows --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("15m", timedelta(minutes=15)),
        ("1h", timedelta(hours=1)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("30d", timedelta(days=30)),
        ("90d", timedelta(days=90)),
        ("365d", timedelta(days=365)),
        ("1m", timedelta(minutes=1)),
        ("36h", timedelta(hours=36)),
        ("14d", timedelta(days=14)),
        ("3660d", timedelta(days=3660)),
    ],
)
def test_a_rolling_window_ends_now(name: str, length: timedelta) -> None:
    assert resolve_window(name, BERLIN, NOW) == Window(NOW - length, NOW, BERLIN)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", (2026, 11, 18), None),
        ("yesterday", (2026, 11, 17), (2026, 11, 18)),
        ("this_week", (2026, 11, 16), None),
        ("last_week", (2026, 11, 9), (2026, 11, 16)),
        ("this_month", (2026, 11, 1), None),
        ("last_month", (2026, 10, 1), (2026, 11, 1)),
        ("this_quarter", (2026, 10, 1), None),
        ("last_quarter", (2026, 7, 1), (2026, 10, 1)),
        ("this_year", (2026, 1, 1), None),
        ("last_year", (2025, 1, 1), (2026, 1, 1)),
        ("this_iso_year", (2025, 12, 29), None),
        ("last_iso_year", (2024, 12, 30), (2025, 12, 29)),
    ],
)
def test_a_window_of_the_calendar_follows_the_zone_and_ends_now_at_the_latest(
    name: str, start: tuple[int, ...], end: tuple[int, ...] | None
) -> None:
    window = resolve_window(name, BERLIN, NOW)
    assert ends(window) == (berlin(*start), berlin(*end) if end else NOW)
    assert window.unit == CALENDAR[name][0]
    assert window.unfinished is (end is None)


def test_a_day_is_unfinished_until_its_very_end() -> None:
    end = berlin(2026, 11, 18)
    assert resolve_window("today", BERLIN, end - timedelta(microseconds=1)).unfinished
    assert ends(resolve_window("yesterday", BERLIN, end)) == (berlin(2026, 11, 17), end)


def test_the_local_day_is_that_of_the_zone_not_of_utc() -> None:
    late = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)
    assert resolve_window("today", BERLIN, late).start == berlin(2026, 11, 18)


def test_weeks_can_begin_on_sunday() -> None:
    assert resolve_window("this_week", BERLIN, NOW, "sunday").start == berlin(2026, 11, 15)


def test_a_window_between_two_instants_is_no_unit_of_the_calendar() -> None:
    window = resolve_window(Between(berlin(2026, 11, 1), berlin(2026, 12, 1)), BERLIN, NOW)
    assert window == Window(berlin(2026, 11, 1), berlin(2026, 12, 1), BERLIN)


def test_a_date_begins_at_midnight_in_the_zone_of_the_query() -> None:
    november = Between(date(2026, 11, 1), date(2026, 12, 1))
    assert resolve_window(november, BERLIN, NOW) == Window(berlin(2026, 11, 1), berlin(2026, 12, 1), BERLIN)
    assert ends(resolve_window(november, UTC_ZONE, NOW)) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    mixed = Between(berlin(2026, 11, 1, 9), date(2026, 11, 2))
    assert ends(resolve_window(mixed, BERLIN, NOW)) == (berlin(2026, 11, 1, 9), berlin(2026, 11, 2))


def test_dates_across_a_change_of_the_clocks_are_whole_days() -> None:
    window = resolve_window(Between(date(2026, 10, 25), date(2026, 10, 26)), BERLIN, NOW)
    assert window.end - window.start == timedelta(hours=25)


def test_times_that_are_no_window_in_the_zone_are_refused() -> None:
    mixed = Between(berlin(2026, 11, 2, 9), date(2026, 11, 2))
    with pytest.raises(BadQuery) as caught:
        resolve_window(mixed, BERLIN, NOW)
    assert caught.value.name == "from"
    skipped = Between(date(2011, 12, 30), date(2011, 12, 31))  # Samoa had no 30 December
    with pytest.raises(BadQuery) as caught:
        compared_window(resolve_window("7d", ZoneInfo("Pacific/Apia"), NOW), skipped)
    assert caught.value.name == "compare"


# --- buckets --------------------------------------------------------------------------------------------------------------
@given(
    zones, grains, instants, st.timedeltas(timedelta(microseconds=1), timedelta(days=30)), st.sampled_from(["monday", "sunday"])
)
def test_buckets_partition_the_window(
    zone: ZoneInfo, grain: Grain | None, start: datetime, length: timedelta, week_start: WeekStart
) -> None:
    parts = buckets(Window(start, start + length, zone), grain, NOW, week_start)
    assert parts[0].start == start
    assert parts[-1].end == start + length
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert all(bucket.start < bucket.end for bucket in parts)
    assert not any(bucket.partial for bucket in parts[1:-1] if bucket.end <= NOW)


@pytest.mark.parametrize(
    ("grain", "edges"),
    [
        ("PT15M", [(2026, 10, 31, 23, 45), (2026, 11, 1), (2026, 11, 1, 0, 15)]),
        ("PT1H", [(2026, 10, 31, 23), (2026, 11, 1), (2026, 11, 1, 1)]),
        ("P1D", [(2026, 10, 31), (2026, 11, 1), (2026, 11, 2)]),
        ("P1W", [(2026, 10, 26), (2026, 11, 2), (2026, 11, 9)]),
        ("P1M", [(2026, 10, 1), (2026, 11, 1), (2026, 12, 1)]),
        ("P3M", [(2026, 4, 1), (2026, 7, 1), (2026, 10, 1)]),
        ("P1Y", [(2024, 1, 1), (2025, 1, 1), (2026, 1, 1)]),
    ],
)
def test_every_grain_cuts_at_its_own_edges(grain: Grain, edges: list[tuple[int, ...]]) -> None:
    first, middle, last = (berlin(*edge) for edge in edges)
    whole = buckets(Window(first, last, BERLIN), grain, berlin(2027, 1, 1))
    assert [(bucket.start, bucket.end, bucket.partial) for bucket in whole] == [(first, middle, False), (middle, last, False)]
    cut = buckets(Window(first + timedelta(seconds=1), last - timedelta(seconds=1), BERLIN), grain, berlin(2027, 1, 1))
    assert [bucket.partial for bucket in cut] == [True, True]
    assert [bucket.end for bucket in cut] == [middle, last - timedelta(seconds=1)]


def test_a_bucket_that_the_window_or_the_present_cuts_is_partial() -> None:
    week = buckets(resolve_window("7d", BERLIN, NOW), "P1D", NOW)
    assert [bucket.partial for bucket in week] == [True, *[False] * 6, True]
    future = buckets(Window(berlin(2026, 11, 17), berlin(2026, 11, 20), BERLIN), "P1D", NOW)
    assert [bucket.partial for bucket in future] == [False, True, True]
    ended = buckets(Window(berlin(2026, 11, 17), berlin(2026, 11, 18), BERLIN), "P1D", berlin(2026, 11, 18))
    assert [bucket.partial for bucket in ended] == [False]


def test_without_a_grain_there_is_one_bucket_which_is_partial_until_its_time_is_over() -> None:
    assert [b.partial for b in buckets(resolve_window("7d", BERLIN, NOW), None, NOW)] == [False]
    assert [b.partial for b in buckets(resolve_window("today", BERLIN, NOW), None, NOW)] == [True]
    assert [b.partial for b in buckets(Window(NOW, NOW + timedelta(days=1), BERLIN), None, NOW)] == [True]


def test_too_many_rows_are_refused_before_they_are_made() -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC)
    most = Window(start, start + MAX_ROWS * timedelta(minutes=15), UTC_ZONE)
    assert len(buckets(most, "PT15M", NOW)) == MAX_ROWS
    for end in (most.end + timedelta(microseconds=1), datetime(2200, 1, 1, tzinfo=UTC)):
        with pytest.raises(TooManyRows) as caught:
            buckets(Window(start, end, UTC_ZONE), "PT15M", NOW)
        assert caught.value.name == "grain"
    with pytest.raises(TooManyRows):
        buckets(Window(start + timedelta(minutes=1), most.end + timedelta(minutes=1), UTC_ZONE), "PT15M", NOW)


@pytest.mark.parametrize(
    ("grain", "length"), [("PT1H", timedelta(hours=1)), ("P1D", timedelta(days=1)), ("P1W", timedelta(weeks=1))]
)
def test_as_many_rows_as_allowed_are_made_of_other_grains_too(grain: Grain, length: timedelta) -> None:
    start = datetime(1, 1, 1, tzinfo=UTC)  # a Monday
    assert len(buckets(Window(start, start + MAX_ROWS * length, UTC_ZONE), grain, NOW)) == MAX_ROWS


# --- comparisons ----------------------------------------------------------------------------------------------------------
def test_a_rolling_window_is_compared_with_the_same_length_before() -> None:
    window = resolve_window("24h", BERLIN, NOW)
    assert compared_window(window, "previous") == Window(NOW - timedelta(hours=48), NOW - timedelta(hours=24), BERLIN)


def test_whole_local_days_are_compared_with_as_many_local_days() -> None:
    march = Window(berlin(2026, 3, 29), berlin(2026, 3, 30), BERLIN)
    assert ends(compared_window(march, "previous")) == (berlin(2026, 3, 28), berlin(2026, 3, 29)), "24 hours before 23"


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("last_month", (2026, 9, 1), (2026, 10, 1)),
        ("this_month", (2026, 10, 1), (2026, 10, 18, 15, 30)),
        ("today", (2026, 11, 17), (2026, 11, 17, 15, 30)),
        ("this_year", (2025, 1, 1), (2025, 11, 18, 15, 30)),
        ("last_week", (2026, 11, 2), (2026, 11, 9)),
        ("this_quarter", (2026, 7, 1), (2026, 8, 18, 15, 30)),
    ],
)
def test_a_unit_of_the_calendar_is_compared_with_the_one_before_up_to_the_same_time(
    name: str, start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    window = resolve_window(name, BERLIN, NOW)
    other = compared_window(window, "previous")
    assert ends(other) == (berlin(*start), berlin(*end))
    assert other.unit == window.unit


def test_a_longer_month_is_compared_with_at_most_the_whole_of_a_shorter_one() -> None:
    late = resolve_window("this_month", BERLIN, berlin(2026, 3, 31, 12))
    assert ends(compared_window(late, "previous")) == (berlin(2026, 2, 1), berlin(2026, 3, 1))
    february = resolve_window("last_month", BERLIN, berlin(2026, 3, 5))
    assert ends(compared_window(february, "previous")) == (berlin(2026, 1, 1), berlin(2026, 2, 1))


def test_a_year_before_is_the_same_local_date_and_time() -> None:
    assert ends(compared_window(resolve_window("this_month", BERLIN, NOW), "previous_year")) == (
        berlin(2025, 11, 1),
        berlin(2025, 11, 18, 15, 30),
    )
    summer = Window(berlin(2026, 3, 29), berlin(2026, 4, 1), BERLIN)
    assert ends(compared_window(summer, "previous_year")) == (berlin(2025, 3, 29), berlin(2025, 4, 1))


@pytest.mark.parametrize(("start", "end"), [((2024, 2, 28), (2024, 2, 29)), ((2024, 2, 29), (2024, 3, 1))])
def test_a_leap_day_is_compared_with_28_february(start: tuple[int, ...], end: tuple[int, ...]) -> None:
    other = compared_window(Window(berlin(*start), berlin(*end), BERLIN), "previous_year")
    assert ends(other) == (berlin(2023, 2, 28), berlin(2023, 3, 1))


def test_a_window_can_be_compared_with_any_other() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert compared_window(resolve_window("30d", BERLIN, NOW), Between(start, end)) == Window(start, end, BERLIN)


@given(zones, instants, st.sampled_from([*EXAMPLES_OF_LENGTHS, *CALENDAR]))
def test_the_previous_window_ends_by_the_start_of_the_window(zone: ZoneInfo, now: datetime, name: str) -> None:
    window = resolve_window(name, zone, now)
    before = compared_window(window, "previous")
    assert before.start <= before.end <= window.start
