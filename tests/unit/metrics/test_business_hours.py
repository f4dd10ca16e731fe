"""Business hours: the definition's vectors, daylight saving against a count of single seconds, holidays, teams, versions."""

from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.business_hours import (
    DAY,
    HOLIDAYS_VERSION,
    LONGEST_SEARCH,
    SHUT,
    BusinessHours,
    Calendar,
    Holidays,
    Hours,
    Schedule,
    TeamsOverlap,
)
from services.metrics.domain.ticket import UNASSIGNED, Assignments, assignments

HOUR = 3600
OFFICE: Hours = ((9 * HOUR, 12 * HOUR), (13 * HOUR, 17 * HOUR))
WEEK = (OFFICE,) * 5 + (SHUT, SHUT)
ALWAYS = (((0, DAY),),) * 7
FIRST = date(2020, 1, 1)


def calendar(
    weekly: tuple[Hours, ...] = WEEK,
    *,
    name: str = "main",
    zone: str = "Europe/Berlin",
    first_day: date = FIRST,
    closed: Holidays | None = None,
    teams: tuple[str, ...] | None = None,
) -> Calendar:
    return Calendar(name, name, zone, first_day, weekly, closed or Holidays(), teams)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


def seconds(*versions: Calendar, start: str, end: str, teams: Assignments = UNASSIGNED) -> int | None:
    return BusinessHours(versions).seconds(berlin(start), berlin(end), teams)


# --- the definition -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-03-27T16:30", "2026-03-30T09:20", 3000),
        ("2026-03-27T16:30", "2026-03-28T10:00", 1800),
        ("2026-03-28T10:00", "2026-03-28T11:00", 0),
        ("2026-03-27T11:30", "2026-03-27T13:30", 3600),
        ("2026-03-27T10:00", "2026-03-27T10:00", 0),
        ("2026-03-27T10:00:00.600000", "2026-03-27T10:00:02.400000", 1),
        ("2026-03-02T00:00", "2026-03-09T00:00", 5 * 7 * HOUR),
    ],
    ids=["over a weekend", "until a weekend", "on a weekend", "lunch", "no time", "whole seconds", "a week"],
)
def test_only_open_seconds_count(start: str, end: str, expected: int) -> None:
    assert seconds(calendar(), start=start, end=end) == expected


def test_without_a_calendar_and_for_an_end_before_the_start_there_is_no_value() -> None:
    assert seconds(start="2026-03-27T10:00", end="2026-03-27T11:00") is None
    assert seconds(calendar(), start="2026-03-27T10:00", end="2026-03-27T09:59") is None


# --- daylight saving ------------------------------------------------------------------------------------------------------
CHANGES = {
    "Europe/Berlin": ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
    "Australia/Lord_Howe": ("2026-04-04T15:00Z", "2026-10-03T15:30Z"),
    "America/Sao_Paulo": ("2018-11-04T03:00Z", "2019-02-17T02:00Z"),
    "Africa/Cairo": ("2026-04-23T22:00Z", "2026-10-29T21:00Z"),
    "Asia/Kathmandu": ("2026-03-29T01:00Z",),
}


@st.composite
def hours(draw: st.DrawFn, unit: int) -> Hours:
    """Up to three intervals, in multiples of `unit` seconds."""
    edges = sorted(draw(st.sets(st.integers(0, DAY // unit), max_size=6)))
    return tuple((a * unit, b * unit) for a, b in list(pairwise(edges))[::2])


def open_units(one: Calendar, start: datetime, count: int, unit: int) -> int:
    """Of `count` units of `unit` seconds from `start` on, those in which the clocks show an open time at their beginning."""
    zone, total = ZoneInfo(one.zone), 0
    for number in range(count):
        wall = (start + timedelta(seconds=number * unit)).astimezone(zone)
        second = wall.hour * HOUR + wall.minute * 60 + wall.second
        total += any(opens <= second < closes for opens, closes in one.weekly[wall.weekday()])
    return total


@given(data=st.data(), zone=st.sampled_from(sorted(CHANGES)))
@pytest.mark.parametrize(("unit", "reach"), [(1, 7200), (60, 3 * 24 * 60)], ids=["seconds", "minutes"])
def test_it_equals_a_count_of_single_seconds_around_a_change_of_the_clocks(
    unit: int, reach: int, data: st.DataObject, zone: str
) -> None:
    change = datetime.fromisoformat(data.draw(st.sampled_from(CHANGES[zone])))
    start = change - timedelta(seconds=unit * data.draw(st.integers(0, reach)))
    count = data.draw(st.integers(0, reach))
    one = calendar(data.draw(st.tuples(*[hours(unit)] * 7)), zone=zone, first_day=date(2010, 1, 1))
    end = start + timedelta(seconds=count * unit)
    assert BusinessHours([one]).seconds(start, end, UNASSIGNED) == open_units(one, start, count, unit) * unit


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_that_is_always_open_has_its_true_length(day: str, length: int) -> None:
    following = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    assert seconds(calendar(ALWAYS), start=f"{day}T00:00", end=f"{following}T00:00") == length * HOUR


def test_parts_of_a_time_add_up_to_the_whole() -> None:
    moments = [berlin("2026-03-25T08:00") + timedelta(hours=7 * number) for number in range(30)]
    office = BusinessHours([calendar()])
    parts = [office.seconds(a, b, UNASSIGNED) or 0 for a, b in pairwise(moments)]
    assert sum(parts) == office.seconds(moments[0], moments[-1], UNASSIGNED)


# --- holidays -------------------------------------------------------------------------------------------------------------
def test_public_holidays_of_the_country_and_of_the_subdivision_are_shut() -> None:
    german, of_berlin = Holidays("DE"), Holidays("DE", "BE")
    for closed, open_on_womens_day in ((german, 7 * HOUR), (of_berlin, 0)):
        womens_day = seconds(calendar(closed=closed), start="2027-03-08T00:00", end="2027-03-09T00:00")
        assert womens_day == open_on_womens_day
        assert seconds(calendar(closed=closed), start="2026-10-03T00:00", end="2026-10-04T00:00") == 0
        assert seconds(calendar(closed=closed), start="2026-12-25T00:00", end="2026-12-26T00:00") == 0


def test_days_of_ones_own_are_added_and_public_ones_taken_out() -> None:
    closed = Holidays("DE", extra=(date(2026, 12, 24),), without=(date(2026, 12, 25),))
    assert seconds(calendar(closed=closed), start="2026-12-24T00:00", end="2026-12-25T00:00") == 0
    assert seconds(calendar(closed=closed), start="2026-12-25T00:00", end="2026-12-26T00:00") == 7 * HOUR


def test_the_holidays_of_the_library_have_the_version_that_stored_numbers_were_computed_with() -> None:
    """Another version may know other holidays: raise CONTRIBUTIONS_VERSION, so that stored numbers are computed again."""
    assert version("holidays") == HOLIDAYS_VERSION


# --- teams ----------------------------------------------------------------------------------------------------------------
NIGHT = (((0, 6 * HOUR), (22 * HOUR, DAY)),) * 7


def test_each_team_has_its_calendar_while_it_holds_the_ticket_and_others_have_the_default() -> None:
    both = calendar(), calendar(NIGHT, name="night", teams=("night",))
    handed_over = assignments({berlin("2026-06-01T08:00"): "day", berlin("2026-06-01T16:00"): "night"})
    assert seconds(*both, start="2026-06-01T08:00", end="2026-06-01T23:00", teams=handed_over) == (6 + 1) * HOUR
    assert seconds(*both, start="2026-06-01T08:00", end="2026-06-01T23:00") == 7 * HOUR


def test_there_is_no_value_if_a_team_without_a_calendar_held_it_for_a_while() -> None:
    night = calendar(NIGHT, name="night", teams=("night",))
    handed_over = assignments({berlin("2026-06-01T08:00"): "night", berlin("2026-06-01T16:00"): "day"})
    assert seconds(night, start="2026-06-01T08:00", end="2026-06-01T16:00", teams=handed_over) == 0
    assert seconds(night, start="2026-06-01T08:00", end="2026-06-01T16:01", teams=handed_over) is None
    assert seconds(night, start="2026-06-01T08:00", end="2026-06-01T16:00") is None


def test_two_calendars_can_not_have_one_team_on_the_same_day() -> None:
    with pytest.raises(TeamsOverlap, match="'main' and 'other' both are the default from 2021-01-01 on"):
        BusinessHours([calendar(), calendar(name="other", first_day=date(2021, 1, 1))])
    with pytest.raises(TeamsOverlap, match="both have the team 'a'"):
        BusinessHours([calendar(teams=("a", "b")), calendar(name="other", teams=("a",))])
    moved = calendar(teams=("a",)), calendar(first_day=date(2021, 1, 1), teams=("b",))
    BusinessHours([*moved, calendar(name="other", first_day=date(2021, 1, 1), teams=("a",))])


# --- versions -------------------------------------------------------------------------------------------------------------
def test_a_version_counts_from_its_first_day_and_nothing_counts_before_the_first() -> None:
    versions = calendar(first_day=date(2026, 6, 1)), calendar(ALWAYS, first_day=date(2026, 6, 3))
    assert seconds(*versions, start="2026-06-02T16:00", end="2026-06-03T02:00") == (1 + 2) * HOUR
    assert seconds(*versions, start="2026-05-31T23:59", end="2026-06-03T02:00") is None


def test_of_two_versions_that_count_for_a_day_the_one_added_last_does() -> None:
    correction = calendar(ALWAYS, first_day=date(2026, 6, 2))
    versions = calendar(), calendar((SHUT,) * 7, first_day=date(2026, 6, 4)), correction
    assert seconds(*versions, start="2026-06-01T00:00", end="2026-06-06T00:00") == (7 + 4 * 24) * HOUR


def test_business_hours_with_equal_versions_are_equal() -> None:
    assert BusinessHours([calendar()]) == BusinessHours([calendar()]) != BusinessHours()
    assert hash(BusinessHours([calendar()])) == hash(BusinessHours([calendar()]))
    assert BusinessHours([calendar()])
    assert not BusinessHours()


def test_open_spans_are_whole_and_in_order() -> None:
    spans = list(Schedule(calendar()).open_spans(berlin("2026-06-01T11:00"), berlin("2026-06-01T14:00")))
    assert spans == [
        (berlin("2026-06-01T09:00"), berlin("2026-06-01T12:00")),
        (berlin("2026-06-01T13:00"), berlin("2026-06-01T17:00")),
    ]


# --- deadlines ------------------------------------------------------------------------------------------------------------
def deadline(*versions: Calendar, start: str, minutes: float, teams: Assignments = UNASSIGNED) -> datetime | None:
    return BusinessHours(versions).deadline(berlin(start), timedelta(minutes=minutes), teams)


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        ("2026-03-27T16:30", 29, "2026-03-27T16:59"),
        ("2026-03-27T16:30", 30, "2026-03-30T09:00"),
        ("2026-03-27T16:30", 31, "2026-03-30T09:01"),
        ("2026-03-27T11:30", 30, "2026-03-27T13:00"),
        ("2026-03-28T10:00", 1, "2026-03-30T09:01"),
        ("2026-03-23T09:00", 5 * 7 * 60, "2026-03-30T09:00"),
    ],
    ids=["in time", "until closing time", "after the weekend", "until lunch", "from a weekend", "a week"],
)
def test_a_target_that_is_used_up_at_closing_time_ends_at_the_next_opening(start: str, minutes: int, expected: str) -> None:
    assert deadline(calendar(), start=start, minutes=minutes) == berlin(expected)


@given(data=st.data(), zone=st.sampled_from(sorted(CHANGES)))
def test_a_deadline_is_the_last_minute_at_which_a_count_of_single_minutes_does_not_exceed_the_target(
    data: st.DataObject, zone: str
) -> None:
    change = datetime.fromisoformat(data.draw(st.sampled_from(CHANGES[zone])))
    start = change - timedelta(minutes=data.draw(st.integers(0, 2000)))
    one = calendar(data.draw(st.tuples(*[hours(60)] * 7)), zone=zone, first_day=date(2010, 1, 1))
    target, reach = data.draw(st.integers(0, 900)), 3000
    counts = accumulate(open_units(one, start + timedelta(minutes=n), 1, 60) for n in range(reach))
    exceeded = next((n for n, count in enumerate(counts) if count > target), None)
    end = BusinessHours([one]).deadline(start, timedelta(minutes=target), UNASSIGNED)
    if exceeded is None:
        assert end is not None
        assert end >= start + timedelta(minutes=reach)
    else:
        assert end == start + timedelta(minutes=exceeded)


def test_a_deadline_follows_the_teams_that_hold_the_ticket_and_the_versions() -> None:
    both = calendar(), calendar(NIGHT, name="night", teams=("night",))
    handed_over = assignments({berlin("2026-06-01T08:00"): "day", berlin("2026-06-01T16:00"): "night"})
    assert deadline(*both, start="2026-06-01T08:00", minutes=6 * 60, teams=handed_over) == berlin("2026-06-01T22:00")
    assert deadline(*both, start="2026-06-01T08:00", minutes=7 * 60, teams=handed_over) == berlin("2026-06-01T23:00")
    longer = calendar(), calendar(ALWAYS, first_day=date(2026, 6, 2))
    assert deadline(*longer, start="2026-06-01T16:00", minutes=61) == berlin("2026-06-02T00:01")


def test_without_a_calendar_until_then_there_is_no_deadline() -> None:
    night = calendar(NIGHT, name="night", teams=("night",))
    handed_over = assignments({berlin("2026-06-01T08:00"): "night", berlin("2026-06-01T23:00"): "day"})
    assert deadline(start="2026-06-01T08:00", minutes=1) is None
    assert deadline(night, start="2026-06-01T08:00", minutes=1) is None
    assert deadline(night, start="2026-06-01T08:00", minutes=59, teams=handed_over) == berlin("2026-06-01T22:59")
    assert deadline(night, start="2026-06-01T08:00", minutes=60, teams=handed_over) is None


def test_of_a_calendar_that_never_opens_a_deadline_is_as_late_as_it_is_looked_for() -> None:
    assert deadline(calendar((SHUT,) * 7), start="2026-06-01T08:00", minutes=1) == berlin("2026-06-01T08:00") + LONGEST_SEARCH
