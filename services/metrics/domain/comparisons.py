"""The windows that a window is compared with."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.metrics.domain.calendar import Unit, day_start, first_instant, step
from services.metrics.domain.windows import BadQuery, Window, between


def compared(window: Window, to: str) -> Window:
    """The window to compare with: `previous`, `previous_year`, or `from/to`; its buckets stand beside the window's by number.

    Raises BadQuery. Before a unit of the calendar comes the one before it, up to the same time where the unit is not over; before
    whole days as many days; before anything else, as much time. A year earlier is the same date and time on the wall.
    """
    if to == "previous":
        return _previous_unit(window, window.unit) if window.unit else _previous(window)
    if to == "previous_year":
        return Window(_year_earlier(window.start, window.zone, 28), _year_earlier(window.end, window.zone, 1), window.zone)
    start, slash, end = to.partition("/")
    if not slash:
        raise BadQuery("compare", "is not previous, previous_year or from/to")
    return between(window.zone, start, end, ("compare", "compare"))


def _previous_unit(window: Window, unit: Unit) -> Window:
    zone = window.zone
    first = step(unit, window.start.astimezone(zone).date(), -1)
    start, end = day_start(first, zone), window.start
    if window.unfinished:
        elapsed = _wall(window.end, zone) - _wall(window.start, zone)
        end = min(max(first_instant(_wall(start, zone) + elapsed, zone), start), end)
    return Window(start, end, zone, unit)


def _previous(window: Window) -> Window:
    zone = window.zone
    first, last = (at.astimezone(zone).date() for at in (window.start, window.end))
    if (day_start(first, zone), day_start(last, zone)) == (window.start, window.end):
        return Window(day_start(first - (last - first), zone), window.start, zone)
    return Window(window.start - (window.end - window.start), window.start, zone)


def _year_earlier(at: datetime, zone: ZoneInfo, leap_day: int) -> datetime:
    """The same wall time a year before; `leap_day` says whether 29 February becomes the 28th or 1 March."""
    wall = _wall(at, zone)
    if (wall.month, wall.day) == (2, 29):
        wall = wall.replace(month=2 if leap_day == 28 else 3, day=leap_day)
    return first_instant(wall.replace(year=wall.year - 1), zone)


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)
