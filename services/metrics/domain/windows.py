"""Windows of time as a query names them, and the buckets that they are cut into."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

from services.metrics.domain.calendar import CLOCK, Grain, Unit, WeekStart, day_start, edges, floor, step

MOST_ROWS = 10_000
"""Rows that an answer may have, each counted once for itself and once for each comparison."""

ROLLING = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "365d": timedelta(days=365),
}
"""Windows that end now."""

DEFAULT = "30d"

NAMED: dict[str, tuple[Unit, int]] = {
    "today": ("day", 0),
    "yesterday": ("day", -1),
    "this_week": ("week", 0),
    "last_week": ("week", -1),
    "this_month": ("month", 0),
    "last_month": ("month", -1),
    "this_quarter": ("quarter", 0),
    "last_quarter": ("quarter", -1),
    "this_year": ("year", 0),
    "last_year": ("year", -1),
}
"""Windows of the calendar: a unit, and which one, counted from the present one. The present one reaches until now."""

GRAINS: tuple[Grain, ...] = get_args(Grain)
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
LENGTHS = {**{grain: timedelta(seconds=s) for grain, s in CLOCK.items()}, "P1D": timedelta(days=1), "P1W": timedelta(weeks=1)}

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


class BadQuery(ValueError):
    """A parameter that means nothing: its `name`, and the `reason` in words for whoever asked."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class TooManyRows(BadQuery):
    """More rows than an answer may have; `name` is the parameter that would reduce them."""

    def __init__(self, name: str = "grain") -> None:
        super().__init__(name, f"gives more than {MOST_ROWS} rows; each comparison counts as a row more")


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in UTC, seen from a zone. `unit`: it is one unit of the calendar; `unfinished`: so far, that is."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    unit: Unit | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Bucket:
    """[start, end) in UTC, a row of an answer; `partial`: cut by the window's ends or by the present."""

    start: datetime
    end: datetime
    partial: bool


# --- parameters -----------------------------------------------------------------------------------------------------------
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name; raises BadQuery."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadQuery("tz", "is not an IANA zone such as Europe/Berlin") from error


def instant(name: str, text: str) -> datetime:
    """The instant, in UTC, that the parameter `name` states by RFC 3339; raises BadQuery."""
    if not RFC_3339.fullmatch(text):
        raise BadQuery(name, "is not an RFC 3339 time with offset such as 2026-11-20T09:00:00+01:00 (in a URL, + is written %2B)")
    try:
        found = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadQuery(name, "is no time of the calendar") from error
    if not EARLIEST <= found <= LATEST:
        raise BadQuery(name, f"lies outside {EARLIEST.year} to {LATEST.year}")
    return found


def grain_named(text: str) -> Grain:
    """The grain of that name; raises BadQuery."""
    for grain in GRAINS:
        if grain == text:
            return grain
    raise BadQuery("grain", f"is not one of {' '.join(GRAINS)}")


def week_start_named(text: str) -> WeekStart:
    """The day on which weeks begin; raises BadQuery."""
    if text == "sunday":
        return "sunday"
    if text == "monday":
        return "monday"
    raise BadQuery("week_start", "is not monday or sunday")


def window(
    zone: ZoneInfo,
    now: datetime,
    *,
    name: str | None = None,
    start: str | None = None,
    end: str | None = None,
    week_start: WeekStart = "monday",
) -> Window:
    """The window that `window=` or `from=` and `to=` mean, the last 30 days where neither is given; raises BadQuery."""
    if start is not None or end is not None:
        if name is not None:
            raise BadQuery("window", "does not go with from and to")
        return between(zone, start, end)
    name = DEFAULT if name is None else name
    if name in ROLLING:
        return Window(now - ROLLING[name], now, zone)
    if name in NAMED:
        return _named(NAMED[name], zone, now, week_start)
    raise BadQuery("window", f"is not one of {' '.join((*ROLLING, *NAMED))}")


def between(zone: ZoneInfo, start: str | None, end: str | None, names: tuple[str, str] = ("from", "to")) -> Window:
    """The window between two times as stated in the parameters `names`."""
    if start is None or end is None:
        raise BadQuery(names[0] if start is None else names[1], "is missing: from and to go together")
    found = Window(instant(names[0], start), instant(names[1], end), zone)
    if found.start >= found.end:
        raise BadQuery(names[0], "is not before to")
    return found


def _named(which: tuple[Unit, int], zone: ZoneInfo, now: datetime, week_start: WeekStart) -> Window:
    unit, count = which
    first = step(unit, floor(unit, now.astimezone(zone).date(), week_start), count)
    start, end = day_start(first, zone), day_start(step(unit, first), zone)
    return Window(start, min(end, now), zone, unit, unfinished=now < end)


# --- buckets --------------------------------------------------------------------------------------------------------------
def buckets(window: Window, grain: Grain | None, now: datetime, week_start: WeekStart = "monday") -> list[Bucket]:
    """The buckets that partition the window, the whole of it where there is no grain; raises BadQuery where they are too many."""
    if grain is None:
        return [Bucket(window.start, window.end, window.unfinished or window.end > now)]
    if grain in LENGTHS and (window.end - window.start) / LENGTHS[grain] > MOST_ROWS:
        raise TooManyRows
    found = [
        Bucket(max(low, window.start), min(high, window.end), low < window.start or high > min(window.end, now))
        for low, high in pairwise(edges(grain, window.zone, window.start, window.end, week_start))
    ]
    if len(found) > MOST_ROWS:
        raise TooManyRows
    return found
