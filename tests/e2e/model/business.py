"""Business hours, by looking at the clocks every quarter of an hour."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

OFFICE = {key: [["09:00", "12:15"], ["13:00", "17:30"]] for key in ("mon", "tue", "wed", "thu", "fri")}
ALL_DAYS = {key: [["00:00", "06:00"], ["20:45", "24:00"]] for key in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
CALENDARS: dict[str, dict[str, Any]] = {
    "office": {
        "name": "Office",
        "zone": "Europe/Berlin",
        "weekly": OFFICE,
        "holidays": {"country": "DE", "subdivision": "BB", "extra": ["2025-11-05"], "without": ["2025-10-03"]},
        "from": "2020-01-01",
    },
    "night": {"name": "Night", "zone": "Australia/Lord_Howe", "weekly": ALL_DAYS, "teams": ["billing"], "from": "2020-01-01"},
}
"""As they are put: the office's counts for every team but billing."""

HOLIDAYS = {date(2025, 10, 31), date(2025, 11, 5)}
"""Of the time of the streams: Reformation Day, a holiday in Brandenburg, and the day that is added."""

QUARTER = timedelta(minutes=15)


TeamAt = Callable[[datetime], str | None]


def open_time(parts: list[tuple[datetime, datetime]], team_at: TeamAt, changes: list[datetime]) -> timedelta:
    """The open time in these parts, in whole seconds. `changes` are the times at which the team may change."""
    pieces = (until - since for start, end in parts for since, until in open_pieces(start, end, team_at, changes))
    return timedelta(seconds=sum(pieces, timedelta()) // timedelta(seconds=1))


def open_pieces(start: datetime, end: datetime, team_at: TeamAt, changes: list[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """The parts of [start, end) that are open, each at most a quarter of an hour."""
    since = start.astimezone(UTC)
    for cut in sorted({end, *(change for change in changes if start < change < end)}):
        while since < cut:
            quarter = since.replace(minute=since.minute // 15 * 15, second=0, microsecond=0)
            until = min(quarter + QUARTER, cut.astimezone(UTC))
            if is_open(since, team_at(since)):
                yield since, until
            since = until


def is_open(at: datetime, team: str | None) -> bool:
    """Whether the team's calendar is open at this instant."""
    return is_calendar_open("night" if team == "billing" else "office", at)


@cache
def is_calendar_open(name: str, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(CALENDARS[name]["zone"]))
    if name == "office" and local.date() in HOLIDAYS:
        return False
    clock = f"{local:%H:%M}"
    return any(opens <= clock < closes for opens, closes in CALENDARS[name]["weekly"].get(f"{local:%a}".lower(), []))
