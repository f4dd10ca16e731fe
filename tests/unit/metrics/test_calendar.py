"""Days, weeks, months and hours as instants, in zones with unusual changes of their clocks."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.calendar import Grain, Unit, WeekStart, edges, first_instant, floor, over, step

UNUSUAL = [
    "UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu",
    "Africa/Cairo", "America/Havana", "Asia/Beirut", "Antarctica/Troll", "Pacific/Kwajalein", "Africa/Casablanca",
]  # fmt: skip

zones = st.sampled_from(UNUSUAL).map(ZoneInfo)
instants = st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
lengths = st.timedeltas(timedelta(seconds=1), timedelta(days=4))
grains = st.sampled_from(get_args(Grain))


def local(zone: str, *wall: int) -> datetime:
    return datetime(*wall, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type]


def spans(zone: str, grain: Grain, start: datetime, end: datetime) -> list[tuple[str, timedelta]]:
    """The local start and the length of each span that covers [start, end)."""
    bounds = pairwise(edges(grain, ZoneInfo(zone), start, end))
    return [(low.astimezone(ZoneInfo(zone)).strftime("%d %H:%M"), high - low) for low, high in bounds]


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23.0),
        ("Europe/Berlin", (2026, 10, 25), 25.0),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", (2026, 10, 4), 23.5),
        ("Antarctica/Troll", (2026, 3, 29), 22.0),
        ("America/Sao_Paulo", (2018, 11, 4), 23.0),
        ("America/St_Johns", (2006, 10, 29), 25.0),
    ],
)
def test_a_day_has_22_to_25_hours_as_its_zone_defines(zone: str, day: tuple[int, int, int], hours: float) -> None:
    noon = local(zone, *day, 12)
    ((_, length),) = spans(zone, "P1D", noon, noon + timedelta(seconds=1))
    assert length == hours * HOUR


def test_a_day_without_midnight_begins_at_one_o_clock() -> None:
    assert first_instant(datetime(2018, 11, 4), ZoneInfo("America/Sao_Paulo")) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_a_day_whose_midnight_is_skipped_begins_when_the_clocks_change() -> None:
    """In Toronto, on 30 March 1919, the clocks went from 23:30 to 00:30."""
    assert first_instant(datetime(1919, 3, 31), ZoneInfo("America/Toronto")) == datetime(1919, 3, 31, 4, 30, tzinfo=UTC)


def test_a_day_that_the_zone_skips_has_no_span() -> None:
    start, end = local("Pacific/Apia", 2011, 12, 29), local("Pacific/Apia", 2012, 1, 1)
    days = [("29 00:00", 24 * HOUR), ("31 00:00", 24 * HOUR)]
    assert spans("Pacific/Apia", "P1D", start, end) == days


def test_a_repeated_hour_has_two_spans_and_a_skipped_one_none() -> None:
    night = local("Europe/Berlin", 2026, 10, 25, 1)
    assert spans("Europe/Berlin", "PT1H", night, night + 3 * HOUR) == [("25 01:00", HOUR), ("25 02:00", HOUR), ("25 02:00", HOUR)]
    night = local("Europe/Berlin", 2026, 3, 29, 1)
    assert spans("Europe/Berlin", "PT1H", night, night + 2 * HOUR) == [("29 01:00", HOUR), ("29 03:00", HOUR)]


def test_on_lord_howe_an_hour_has_90_minutes_in_april_and_30_in_october() -> None:
    night = local("Australia/Lord_Howe", 2026, 4, 5, 0)
    hours = [("05 00:00", HOUR), ("05 01:00", 1.5 * HOUR), ("05 02:00", HOUR)]
    assert spans("Australia/Lord_Howe", "PT1H", night, night + 3 * HOUR) == hours
    night = local("Australia/Lord_Howe", 2026, 10, 4, 1)
    hours = [("04 01:00", HOUR), ("04 02:30", HOUR / 2), ("04 03:00", HOUR)]
    assert spans("Australia/Lord_Howe", "PT1H", night, night + 2 * HOUR) == hours


def test_hours_follow_the_zones_clocks_if_its_offset_is_no_whole_number_of_hours() -> None:
    start = datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert spans("Asia/Kathmandu", "PT1H", start, start + HOUR / 4) == [("02 13:00", HOUR)]


def test_weeks_begin_on_monday_or_sunday_and_months_on_their_first_day() -> None:
    berlin, wednesday = ZoneInfo("Europe/Berlin"), local("Europe/Berlin", 2026, 11, 18, 12)
    starts: dict[WeekStart, datetime] = {
        "monday": local("Europe/Berlin", 2026, 11, 16),
        "sunday": local("Europe/Berlin", 2026, 11, 15),
    }
    for day, start in starts.items():
        assert edges("P1W", berlin, wednesday, wednesday + HOUR, day)[0] == start
    longer: dict[Grain, list[tuple[int, int]]] = {
        "P1M": [(2026, 11), (2026, 12)],
        "P3M": [(2026, 10), (2027, 1)],
        "P1Y": [(2026, 1), (2027, 1)],
    }
    for grain, months in longer.items():
        bounds = [local("Europe/Berlin", year, month, 1) for year, month in months]
        assert edges(grain, berlin, wednesday, wednesday + HOUR) == bounds


@pytest.mark.parametrize(
    ("day", "first"),
    [
        ((2027, 1, 3), (2025, 12, 29)),
        ((2027, 1, 4), (2027, 1, 4)),
        ((2024, 12, 30), (2024, 12, 30)),
        ((2021, 1, 1), (2019, 12, 30)),
    ],
)
def test_a_year_of_iso_8601_begins_with_the_week_of_4_january(day: tuple[int, int, int], first: tuple[int, int, int]) -> None:
    assert floor("iso_year", date(*day)) == date(*first)
    following = step("iso_year", date(*first))
    assert (following - date(*first)).days in (364, 371)
    assert floor("iso_year", following) == following
    assert step("iso_year", following, -1) == date(*first)


@given(zones, grains, instants, lengths)
def test_spans_cover_the_window_without_gap_or_overlap(zone: ZoneInfo, grain: Grain, start: datetime, length: timedelta) -> None:
    end = start + length
    bounds = edges(grain, zone, start, end)
    assert bounds == sorted(set(bounds))
    assert bounds[0] <= start < bounds[1]
    assert bounds[-2] < end <= bounds[-1]


@given(zones, grains, instants, lengths)
def test_the_spans_of_an_instant_do_not_depend_on_the_window(
    zone: ZoneInfo, grain: Grain, start: datetime, length: timedelta
) -> None:
    whole = edges(grain, zone, start, start + length)
    middle = start + length / 2
    assert edges(grain, zone, middle, start + length) == [edge for edge in whole if edge >= edges(grain, zone, middle, middle)[0]]


@given(zones, instants)
def test_finer_spans_lie_within_coarser_ones(zone: ZoneInfo, start: datetime) -> None:
    end = start + timedelta(days=2)
    quarters, hours = edges("PT15M", zone, start, end), edges("PT1H", zone, start, end)
    days, months = edges("P1D", zone, start, end), edges("P1M", zone, start, end)
    for coarse, fine in ((hours, quarters), (days, hours), (months, days)):
        assert {edge for edge in coarse if fine[0] <= edge <= fine[-1]} <= set(fine)


@given(zones, instants, st.sampled_from([900, 3600]))
def test_the_clocks_show_one_quarter_or_hour_throughout_a_span(zone: ZoneInfo, at: datetime, seconds: int) -> None:
    low, high = edges("PT15M" if seconds == 900 else "PT1H", zone, at, at + timedelta(microseconds=1))
    last = high - timedelta(microseconds=1)
    labels = {t.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None) for t in (low, at, last)}
    assert len({label - timedelta(minutes=label.minute % (seconds // 60)) for label in labels}) == 1


def test_only_spans_that_have_ended_are_returned() -> None:
    utc = ZoneInfo("UTC")
    since = datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert over("P1D", utc, since, since + timedelta(days=2)) == [
        (datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)),
        (datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC)),
    ]
    assert over("P1D", utc, since, datetime(2026, 11, 3, tzinfo=UTC))[-1][1] == datetime(2026, 11, 3, tzinfo=UTC)
    assert over("P1D", utc, since, since) == []


@given(st.dates(date(2, 1, 1), date(9998, 1, 1)), st.sampled_from(get_args(Unit)))
def test_a_unit_begins_on_or_before_its_days_and_the_next_one_after_them(day: date, unit: Unit) -> None:
    first = floor(unit, day)
    assert first <= day < step(unit, first)
    assert step(unit, step(unit, first), -1) == first


@pytest.mark.parametrize(
    ("grain", "bounds"),
    [
        ("PT15M", [(2026, 11, 18, 12, 30), (2026, 11, 18, 12, 45)]),
        ("PT1H", [(2026, 11, 18, 12), (2026, 11, 18, 13)]),
        ("P1D", [(2026, 11, 18), (2026, 11, 19)]),
        ("P1W", [(2026, 11, 16), (2026, 11, 23)]),
        ("P1M", [(2026, 11, 1), (2026, 12, 1)]),
    ],
)
def test_each_grain_has_its_span_around_an_instant(grain: Grain, bounds: list[tuple[int, ...]]) -> None:
    at = local("Europe/Berlin", 2026, 11, 18, 12, 40)
    assert edges(grain, ZoneInfo("Europe/Berlin"), at, at) == [local("Europe/Berlin", *bound) for bound in bounds]


@pytest.mark.parametrize(
    ("unit", "first", "next_first"),
    [
        ("day", date(2026, 12, 31), date(2027, 1, 1)),
        ("week", date(2026, 12, 28), date(2027, 1, 4)),
        ("month", date(2026, 12, 1), date(2027, 1, 1)),
        ("quarter", date(2026, 10, 1), date(2027, 1, 1)),
        ("year", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_each_unit_has_its_first_day_and_its_next(unit: Unit, first: date, next_first: date) -> None:
    assert floor(unit, date(2026, 12, 31)) == first
    assert step(unit, first) == next_first
    assert step(unit, next_first, -1) == first
    assert step(unit, first, 5) == step(unit, step(unit, next_first, 2), 2)
