"""Windows, buckets and comparisons as queries name them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.calendar import Grain, WeekStart
from services.metrics.domain.comparisons import compared
from services.metrics.domain.windows import (
    MOST_ROWS,
    NAMED,
    ROLLING,
    BadQuery,
    TooManyRows,
    Window,
    buckets,
    grain_named,
    instant,
    week_start_named,
    window,
    zone_named,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
"""A Wednesday, 15:30 in Berlin."""

zones = st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"]).map(ZoneInfo)
instants = st.datetimes(datetime(2005, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
grains = st.sampled_from([None, "PT15M", "PT1H", "P1D", "P1W", "P1M"])


def berlin(*wall: int) -> datetime:
    return datetime(*wall, tzinfo=BERLIN).astimezone(UTC)  # type: ignore[arg-type, misc]


def ends(found: Window) -> tuple[datetime, datetime]:
    return found.start, found.end


# --- windows --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "length"), ROLLING.items())
def test_a_rolling_window_ends_now(name: str, length: timedelta) -> None:
    assert ends(window(BERLIN, NOW, name=name)) == (NOW - length, NOW)


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
    ],
)
def test_a_window_of_the_calendar_is_one_of_the_zone_and_reaches_until_now_at_most(
    name: str, start: tuple[int, ...], end: tuple[int, ...] | None
) -> None:
    found = window(BERLIN, NOW, name=name)
    assert ends(found) == (berlin(*start), berlin(*end) if end else NOW)
    assert found.unfinished is (end is None)


def test_the_local_day_is_the_zones_not_that_of_utc() -> None:
    late = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)
    assert window(BERLIN, late, name="today").start == berlin(2026, 11, 18)


def test_weeks_may_begin_on_sunday() -> None:
    assert window(BERLIN, NOW, name="this_week", week_start="sunday").start == berlin(2026, 11, 15)


def test_from_and_to_are_taken_as_stated_and_to_may_lie_ahead() -> None:
    found = window(BERLIN, NOW, start="2026-11-01T00:00:00+01:00", end="2027-01-01T00:00:00.5Z")
    assert ends(found) == (berlin(2026, 11, 1), datetime(2027, 1, 1, microsecond=500_000, tzinfo=UTC))


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"name": "5y"}, "window"),
        ({"name": ""}, "window"),
        ({"name": "7d", "start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}, "window"),
        ({"start": "2026-11-01T00:00:00Z"}, "to"),
        ({"end": "2026-11-01T00:00:00Z"}, "from"),
        ({"start": "2026-11-02T00:00:00Z", "end": "2026-11-02T00:00:00Z"}, "from"),
        ({"start": "2026-11-03T00:00:00Z", "end": "2026-11-02T00:00:00Z"}, "from"),
        ({"start": "2026-11-01", "end": "2026-11-02T00:00:00Z"}, "from"),
        ({"start": "2026-11-01T00:00:00", "end": "2026-11-02T00:00:00Z"}, "from"),
        ({"start": "2026-11-01T00:00:00 01:00", "end": "2026-11-02T00:00:00Z"}, "from"),
        ({"start": "2026-02-30T00:00:00Z", "end": "2026-11-02T00:00:00Z"}, "from"),
        ({"start": "2026-11-01T00:00:00Z", "end": "9999-12-31T23:59:59-23:59"}, "to"),
        ({"start": "0001-01-01T00:00:00+23:59", "end": "2026-11-02T00:00:00Z"}, "from"),
        ({"start": "٢٠٢٦-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}, "from"),
    ],
)
def test_a_window_that_means_nothing_is_refused_by_the_name_of_the_parameter(asked: dict[str, str], parameter: str) -> None:
    with pytest.raises(BadQuery) as caught:
        window(BERLIN, NOW, **asked)  # type: ignore[arg-type]
    assert caught.value.name == parameter
    assert caught.value.reason


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime", "Europe", "Europe/Berlin\0", "x" * 5000]
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(BadQuery, match="tz"):
        zone_named(name)


def test_other_words_are_refused_too() -> None:
    assert (grain_named("P1D"), week_start_named("sunday")) == ("P1D", "sunday")
    for ask, text in ((grain_named, "P1Y"), (week_start_named, "friday"), (lambda text: instant("at", text), "now")):
        with pytest.raises(BadQuery):
            ask(text)


@given(st.text(max_size=30))
def test_no_text_is_more_than_refused(text: str) -> None:
    for ask in (
        lambda t: instant("at", t),
        lambda t: window(BERLIN, NOW, name=t),
        lambda t: compared(window(BERLIN, NOW), t),
        zone_named,
    ):
        with suppress(BadQuery):
            ask(text)


# --- buckets --------------------------------------------------------------------------------------------------------------
@given(
    zones, grains, instants, st.timedeltas(timedelta(microseconds=1), timedelta(days=30)), st.sampled_from(["monday", "sunday"])
)
def test_buckets_partition_the_window(
    zone: ZoneInfo, grain: Grain | None, start: datetime, length: timedelta, week_start: WeekStart
) -> None:
    found = buckets(Window(start, start + length, zone), grain, NOW, week_start)
    assert found[0].start == start
    assert found[-1].end == start + length
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(bucket.start < bucket.end for bucket in found)
    assert not any(bucket.partial for bucket in found[1:-1] if bucket.end <= NOW)


def test_a_bucket_that_the_window_or_the_present_cuts_is_partial() -> None:
    week = buckets(window(BERLIN, NOW, name="7d"), "P1D", NOW)
    assert [bucket.partial for bucket in week] == [True, *[False] * 6, True]
    ahead = buckets(Window(berlin(2026, 11, 17), berlin(2026, 11, 20), BERLIN), "P1D", NOW)
    assert [bucket.partial for bucket in ahead] == [False, True, True]


def test_without_a_grain_there_is_one_bucket_partial_while_its_time_is_not_over() -> None:
    assert [b.partial for b in buckets(window(BERLIN, NOW, name="7d"), None, NOW)] == [False]
    assert [b.partial for b in buckets(window(BERLIN, NOW, name="today"), None, NOW)] == [True]
    assert [b.partial for b in buckets(Window(NOW, NOW + timedelta(days=1), BERLIN), None, NOW)] == [True]


def test_more_rows_than_an_answer_may_have_are_refused_before_they_are_made() -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC)
    most = Window(start, start + MOST_ROWS * timedelta(minutes=15), ZoneInfo("UTC"))
    assert len(buckets(most, "PT15M", NOW)) == MOST_ROWS
    for end in (most.end + timedelta(microseconds=1), datetime(2200, 1, 1, tzinfo=UTC)):
        with pytest.raises(TooManyRows):
            buckets(Window(start, end, ZoneInfo("UTC")), "PT15M", NOW)
    with pytest.raises(TooManyRows):
        buckets(Window(start + timedelta(minutes=1), most.end + timedelta(minutes=1), ZoneInfo("UTC")), "PT15M", NOW)


# --- comparisons ----------------------------------------------------------------------------------------------------------
def test_before_a_rolling_window_comes_as_much_time() -> None:
    assert ends(compared(window(BERLIN, NOW, name="24h"), "previous")) == (NOW - timedelta(hours=48), NOW - timedelta(hours=24))


def test_before_whole_local_days_come_as_many_local_days() -> None:
    march = Window(berlin(2026, 3, 29), berlin(2026, 3, 30), BERLIN)
    assert ends(compared(march, "previous")) == (berlin(2026, 3, 28), berlin(2026, 3, 29)), "24 hours before 23"


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("last_month", (2026, 9, 1), (2026, 10, 1)),
        ("this_month", (2026, 10, 1), (2026, 10, 18, 15, 30)),
        ("today", (2026, 11, 17), (2026, 11, 17, 15, 30)),
        ("this_year", (2025, 1, 1), (2025, 11, 18, 15, 30)),
        ("last_week", (2026, 11, 2), (2026, 11, 9)),
    ],
)
def test_before_a_unit_of_the_calendar_comes_the_one_before_up_to_the_same_time(
    name: str, start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    assert ends(compared(window(BERLIN, NOW, name=name), "previous")) == (berlin(*start), berlin(*end))


def test_a_longer_month_is_compared_with_no_more_than_the_whole_of_a_shorter_one() -> None:
    late = berlin(2026, 3, 31, 12)
    assert ends(compared(window(BERLIN, late, name="this_month"), "previous")) == (berlin(2026, 2, 1), berlin(2026, 3, 1))
    shorter = window(BERLIN, berlin(2026, 3, 5), name="last_month")
    assert ends(compared(shorter, "previous")) == (berlin(2026, 1, 1), berlin(2026, 2, 1))


def test_a_year_earlier_is_the_same_date_and_time_on_the_wall() -> None:
    assert ends(compared(window(BERLIN, NOW, name="this_month"), "previous_year")) == (
        berlin(2025, 11, 1),
        berlin(2025, 11, 18, 15, 30),
    )
    summer = Window(berlin(2026, 3, 29), berlin(2026, 4, 1), BERLIN)
    assert ends(compared(summer, "previous_year")) == (berlin(2025, 3, 29), berlin(2025, 4, 1))


@pytest.mark.parametrize(("start", "end"), [((2024, 2, 28), (2024, 2, 29)), ((2024, 2, 29), (2024, 3, 1))])
def test_a_leap_day_has_something_to_be_compared_with(start: tuple[int, ...], end: tuple[int, ...]) -> None:
    found = compared(Window(berlin(*start), berlin(*end), BERLIN), "previous_year")
    assert ends(found) == (berlin(2023, 2, 28), berlin(2023, 3, 1))


def test_a_range_of_ones_own_may_be_compared_with() -> None:
    found = compared(window(BERLIN, NOW), "2026-01-01T00:00:00Z/2026-02-01T00:00:00Z")
    assert ends(found) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    for wrong in ("next", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z/2026-01-01T00:00:00Z", "a/b"):
        with pytest.raises(BadQuery) as caught:
            compared(window(BERLIN, NOW), wrong)
        assert caught.value.name == "compare"


@given(zones, instants, st.sampled_from([*ROLLING, *NAMED]))
def test_what_comes_before_ends_no_later_than_the_window_begins(zone: ZoneInfo, now: datetime, name: str) -> None:
    found = window(zone, now, name=name)
    before = compared(found, "previous")
    assert before.start <= before.end <= found.start
