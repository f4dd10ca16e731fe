"""The calendar of a zone as instants: the starts of its hours, days, weeks, months, quarters and years.

Bounds are instants in UTC; a span is half-open. A day may have 23, 24.5 or 25 hours, begin at 01:00, or not exist. Each span of a
finer grain lies within one of a coarser grain (in weeks, only days do).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import ceil
from typing import Literal
from zoneinfo import ZoneInfo

Grain = Literal["PT15M", "PT1H", "P1D", "P1W", "P1M", "P3M", "P1Y"]
Unit = Literal["day", "week", "month", "quarter", "year", "iso_year"]
WeekStart = Literal["monday", "sunday"]
TimeRange = tuple[datetime, datetime]

CLOCK = {"PT15M": 900, "PT1H": 3600}
"""Grains that follow the clock, in seconds; the others follow the calendar."""

CALM = timedelta(hours=6)
"""If a zone has the same offset at both ends of a time of this length, it has it throughout."""

SECOND = timedelta(seconds=1)

UNITS: dict[str, Unit] = {"P1D": "day", "P1W": "week", "P1M": "month", "P3M": "quarter", "P1Y": "year"}
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def edges(grain: Grain, zone: ZoneInfo, start: datetime, end: datetime, week_start: WeekStart = "monday") -> list[datetime]:
    """The bounds of the spans that cover [start, end): the first at or before `start`, the last at or after `end`."""
    local = start.astimezone(zone).date()
    if grain in CLOCK:
        following = _clock_edges(CLOCK[grain], zone, day_start(local, zone))
    else:
        following = _day_edges(UNITS[grain], zone, floor(UNITS[grain], local, week_start))
    covering: list[datetime] = []
    for edge in following:
        if edge <= start:
            covering.clear()
        covering.append(edge)
        if edge >= end:
            break
    return covering


def over(grain: Grain, zone: ZoneInfo, since: datetime, until: datetime) -> list[TimeRange]:
    """The whole spans that end by `until`, beginning with the one that contains `since`."""
    return [span for span in pairwise(edges(grain, zone, since, until)) if span[1] <= until]


@lru_cache(maxsize=16_384)
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day; if the zone skips that day, of the next one."""
    return first_instant(datetime(day.year, day.month, day.day), zone)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the zone's clocks show `wall` (without a zone) or, if they skip it, a later time."""
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)  # in a gap, fold 1 takes the offset after it
    return _change(before, instant, zone)


def constant_offsets(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime, timedelta]]:
    """The parts of a local day, from `start` to `end`, in which the zone's offset from UTC is constant, each with that offset."""
    before, after = _offset(start, zone), _offset(end - SECOND, zone)
    if before == after:
        return [(start, end, before)]
    change = _change(start, end - SECOND, zone)
    return [(start, change, before), (change, end, after)]


def floor(unit: Unit, day: date, week_start: WeekStart = "monday") -> date:
    """The first day of the unit that contains `day`. A year of ISO 8601 begins with the Monday of the week of 4 January."""
    if unit == "day":
        return day
    if unit == "iso_year":
        return date.fromisocalendar(day.isocalendar().year, 1, 1)
    if unit == "week":
        return day - timedelta(days=(day.weekday() + (week_start == "sunday")) % 7)
    months = MONTHS[unit]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def step(unit: Unit, first: date, count: int = 1) -> date:
    """The first day of the unit `count` units after the one that begins with `first`; before it if `count` is negative."""
    if unit == "iso_year":
        return date.fromisocalendar(first.isocalendar().year + count, 1, 1)
    if unit in MONTHS:
        month = first.year * 12 + first.month - 1 + count * MONTHS[unit]
        return date(month // 12, month % 12 + 1, 1)
    return first + timedelta(days=count * (7 if unit == "week" else 1))


def _day_edges(unit: Unit, zone: ZoneInfo, first: date) -> Iterator[datetime]:
    last = day_start(first, zone)
    yield last
    while True:
        first = step(unit, first)
        edge = day_start(first, zone)
        if edge > last:
            yield edge
            last = edge


def _clock_edges(seconds: int, zone: ZoneInfo, edge: datetime) -> Iterator[datetime]:
    width = timedelta(seconds=seconds)
    while True:
        yield edge
        constant_until = edge + CALM if _offset(edge + CALM, zone) == _offset(edge, zone) else edge
        edge = _next_on_clock(edge, seconds, zone)
        while edge + width <= constant_until:
            yield edge
            edge += width


def _next_on_clock(edge: datetime, seconds: int, zone: ZoneInfo) -> datetime:
    """The next instant at which the clocks show a full quarter (hour), or change to another one.

    If they go back within one hour, as on Lord Howe by half an hour, that hour is longer.
    """
    usual = edge + timedelta(seconds=seconds - _past(edge, seconds, zone))
    if _offset(usual, zone) == _offset(edge, zone):
        return usual
    change = _change(edge, usual, zone)
    just_before = change - timedelta(seconds=1)
    quarter_before = just_before + _offset(just_before, zone) - timedelta(seconds=_past(just_before, seconds, zone))
    past = _past(change, seconds, zone)
    if past == 0 or change + _offset(change, zone) - timedelta(seconds=past) != quarter_before:
        return change
    return change + timedelta(seconds=seconds - past)


def _past(instant: datetime, seconds: int, zone: ZoneInfo) -> int:
    """Seconds since the last full quarter (hour) on the zone's clocks."""
    return (int(instant.timestamp()) + int(_offset(instant, zone).total_seconds())) % seconds


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first full second in (low, high] with another offset than `low`."""
    offset, low = _offset(low, zone), low.replace(microsecond=0)
    near, far = 0, ceil((high - low).total_seconds())
    while far - near > 1:
        middle = (near + far) // 2
        near, far = (middle, far) if _offset(low + timedelta(seconds=middle), zone) == offset else (near, middle)
    return low + timedelta(seconds=far)
