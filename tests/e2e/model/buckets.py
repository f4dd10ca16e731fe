"""The buckets of a window, found by looking at the clocks of a zone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def cut(start: datetime, end: datetime, grain: str, zone: ZoneInfo, week_start: str) -> Iterator[tuple[datetime, datetime]]:
    """The buckets of the zone's calendar, found by looking at its clocks every quarter of an hour."""

    def unit(at: datetime) -> tuple[object, ...]:
        local = at.astimezone(zone)
        return {
            "PT1H": (local.date(), local.hour, local.fold),
            "P1D": (local.date(),),
            "P1W": tuple((local + timedelta(days=week_start == "sunday")).isocalendar()[:2]),
            "P1M": (local.year, local.month),
            "P3M": (local.year, (local.month - 1) // 3),
            "P1Y": (local.year,),
        }[grain]

    low, before, quarter = start, unit(start), timedelta(minutes=15)
    at = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0) + quarter
    while at < end:
        if (here := unit(at)) != before:
            yield low, at
            low, before = at, here
        at += quarter
    yield low, end
