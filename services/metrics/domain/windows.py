"""Windows of time, the windows that they are compared with, and the buckets that they are cut into."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from services.metrics.domain.calendar import CLOCK, Grain, Unit, WeekStart, day_start, edges, first_instant, floor, step
from shared.windows import Time, parse_length

MAX_ROWS = 10_000
"""The most rows of one result. Each row counts once, and once more for each comparison."""

EXAMPLES_OF_LENGTHS = ("15m", "24h", "7d", "30d", "90d", "365d")

CALENDAR: dict[str, tuple[Unit, int]] = {
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
    "this_iso_year": ("iso_year", 0),
    "last_iso_year": ("iso_year", -1),
}
"""Windows of the calendar: a unit, and its number counted from the present one, which ends now."""

WINDOW_NAMES = (*EXAMPLES_OF_LENGTHS, *CALENDAR)
"""Names of windows. These can be listed; any other number of minutes, hours or days is a window too."""
DEFAULT_WINDOW = "30d"

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""The range of instants in queries."""

LENGTHS = {**{grain: timedelta(seconds=s) for grain, s in CLOCK.items()}, "P1D": timedelta(days=1), "P1W": timedelta(weeks=1)}


class BadQuery(ValueError):
    """A query that can't be answered: the `name` of the parameter that is wrong, and the `reason`."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class TooManyRows(BadQuery):
    """More than MAX_ROWS rows; `name` is the parameter that would reduce them."""

    def __init__(self, name: str = "grain") -> None:
        super().__init__(name, f"gives more than {MAX_ROWS} rows; each comparison counts as another row")


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in UTC, in the calendar of a zone.

    `unit`: it is one unit of the calendar. `unfinished`: that unit is not over, and the window ends now.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    unit: Unit | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Bucket:
    """[start, end) in UTC, one row of a result. `partial`: cut off by an end of the window or by the present."""

    start: datetime
    end: datetime
    partial: bool


@dataclass(frozen=True, slots=True)
class Between:
    """[start, end). An end is an instant in UTC, or a date: its first instant in the zone of the query."""

    start: Time
    end: Time

    def window(self, zone: ZoneInfo, parameter: str = "from") -> Window:
        """The window in `zone`. Raises BadQuery, with the name of the parameter, if the start is not before the end."""
        start, end = instant_of(self.start, zone), instant_of(self.end, zone)
        if start >= end:
            raise BadQuery(parameter, "is not before to")
        return Window(start, end, zone)


WindowName = str
"""A length such as `30d`, or one of CALENDAR."""


def instant_of(time: Time, zone: ZoneInfo) -> datetime:
    """The instant in UTC; of a date its first instant in `zone`."""
    return time if isinstance(time, datetime) else day_start(time, zone)


def resolve_window(which: WindowName | Between, zone: ZoneInfo, now: datetime, week_start: WeekStart = "monday") -> Window:
    """The window of that name at `now`, or between two times. Raises BadQuery if it is empty in `zone`."""
    if isinstance(which, Between):
        return which.window(zone)
    if length := parse_length(which):
        return Window(now - length, now, zone)
    unit, count = CALENDAR[which]
    first = step(unit, floor(unit, now.astimezone(zone).date(), week_start), count)
    start, end = day_start(first, zone), day_start(step(unit, first), zone)
    return Window(start, min(end, now), zone, unit, unfinished=now < end)


# --- comparisons ----------------------------------------------------------------------------------------------------------
def compared_window(window: Window, to: Literal["previous", "previous_year"] | Between) -> Window:
    """The window to compare with; buckets are compared by their number. Raises BadQuery if it is empty in the window's zone.

    `previous`: of a unit of the calendar the unit before it, up to the same time if the unit is not over; of whole days as many
    days before; of any other window the same length before. `previous_year`: the same local dates and times one year before.
    """
    if isinstance(to, Between):
        return to.window(window.zone, "compare")
    if to == "previous":
        return _previous_unit(window, window.unit) if window.unit else _previous(window)
    return Window(_year_before(window.start, window.zone, 28), _year_before(window.end, window.zone, 1), window.zone)


def _previous_unit(window: Window, unit: Unit) -> Window:
    zone = window.zone
    first = step(unit, window.start.astimezone(zone).date(), -1)
    start, end = day_start(first, zone), window.start
    if window.unfinished:
        elapsed = _local(window.end, zone) - _local(window.start, zone)
        end = min(max(first_instant(_local(start, zone) + elapsed, zone), start), end)
    return Window(start, end, zone, unit)


def _previous(window: Window) -> Window:
    zone = window.zone
    first, last = (at.astimezone(zone).date() for at in (window.start, window.end))
    if (day_start(first, zone), day_start(last, zone)) == (window.start, window.end):
        return Window(day_start(first - (last - first), zone), window.start, zone)
    return Window(window.start - (window.end - window.start), window.start, zone)


def _year_before(at: datetime, zone: ZoneInfo, leap_day: int) -> datetime:
    """The same local time a year before. 29 February becomes 28 February if `leap_day` is 28, 1 March if it is 1."""
    local = _local(at, zone)
    if (local.month, local.day) == (2, 29):
        local = local.replace(month=2 if leap_day == 28 else 3, day=leap_day)
    return first_instant(local.replace(year=local.year - 1), zone)


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


# --- buckets --------------------------------------------------------------------------------------------------------------
def buckets(window: Window, grain: Grain | None, now: datetime, week_start: WeekStart = "monday") -> list[Bucket]:
    """The buckets that partition the window, one if there is no grain. Raises TooManyRows beyond MAX_ROWS."""
    if grain is None:
        return [Bucket(window.start, window.end, window.unfinished or window.end > now)]
    if grain in LENGTHS and (window.end - window.start) / LENGTHS[grain] > MAX_ROWS:
        raise TooManyRows
    cut = [
        Bucket(max(low, window.start), min(high, window.end), low < window.start or high > min(window.end, now))
        for low, high in pairwise(edges(grain, window.zone, window.start, window.end, week_start))
    ]
    if len(cut) > MAX_ROWS:
        raise TooManyRows
    return cut
