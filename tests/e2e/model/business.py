"""Business hours, by looking at the clocks every quarter of an hour."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

OFFICE = {key: [["09:00", "12:15"], ["13:00", "17:30"]] for key in ("mon", "tue", "wed", "thu", "fri")}
ALL_DAYS = {key: [["00:00", "06:00"], ["20:45", "24:00"]] for key in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
OFFICE_CALENDAR: dict[str, Any] = {
    "name": "Office",
    "zone": "Europe/Berlin",
    "weekly": OFFICE,
    "holidays": {"country": "DE", "subdivision": "BB", "extra": ["2025-11-05"], "without": ["2025-10-03"]},
    "from": "2020-01-01",
}
CALENDARS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("office", OFFICE_CALENDAR),
    (
        "night",
        {"name": "Night", "zone": "Australia/Lord_Howe", "weekly": ALL_DAYS, "teams": ["billing"], "from": "2020-01-01"},
    ),
    ("office", OFFICE_CALENDAR | {"teams": ["delivery"], "from": "2025-10-20"}),
)
"""As they are put, in this order.

The office's counts for every team but billing, and for tickets without a team; from its second version on for delivery alone. So
tech, and tickets without a team, have no calendar from then on.
"""

HOLIDAYS = {date(2025, 10, 31), date(2025, 11, 5)}
"""Of the time of the streams: Reformation Day, a holiday in Brandenburg, and the day that is added."""

QUARTER = timedelta(minutes=15)


TeamAt = Callable[[datetime], str | None]


class NoCalendar(Exception):
    """From `at` on there is no calendar."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.at = at


def open_time(parts: list[tuple[datetime, datetime]], team_at: TeamAt, changes: list[datetime]) -> timedelta | None:
    """The open time in these parts, in whole seconds; None if there is no calendar for a part of it.

    `changes` are the times at which the team may change.
    """
    pieces = (until - since for start, end in parts for since, until in open_pieces(start, end, team_at, changes))
    try:
        return timedelta(seconds=sum(pieces, timedelta()) // timedelta(seconds=1))
    except NoCalendar:
        return None


def open_pieces(start: datetime, end: datetime, team_at: TeamAt, changes: list[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """The parts of [start, end) that are open, each at most a quarter of an hour.

    Raises NoCalendar at the first instant without a calendar. That is `start` of an empty part, too.
    """
    since = start.astimezone(UTC)
    if start == end and calendar_at(since, team_at(since)) is None:
        raise NoCalendar(since)
    for cut in sorted({end, *(change for change in changes if start < change < end)}):
        while since < cut:
            quarter = since.replace(minute=since.minute // 15 * 15, second=0, microsecond=0)
            until = min(quarter + QUARTER, cut.astimezone(UTC))
            name = calendar_at(since, team_at(since))
            if name is None:
                raise NoCalendar(since)
            if is_open(name, since):
                yield since, until
            since = until


@cache
def calendar_at(at: datetime, team: str | None) -> str | None:
    """The calendar that counts for a team at an instant: one of its own, else that of all others."""
    latest = {name: body for name, body in CALENDARS if midnight(body["from"], body["zone"]) <= at}
    own = (name for name, body in latest.items() if team in body.get("teams", ()))
    return next(own, None) or next((name for name, body in latest.items() if "teams" not in body), None)


@cache
def midnight(day: str, zone: str) -> datetime:
    """The beginning of a day."""
    return datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))


@cache
def is_open(name: str, at: datetime) -> bool:
    """Whether a calendar is open at this instant. Its versions have the same hours."""
    _, body = next(calendar for calendar in CALENDARS if calendar[0] == name)
    local = at.astimezone(ZoneInfo(body["zone"]))
    if name == "office" and local.date() in HOLIDAYS:
        return False
    clock = f"{local:%H:%M}"
    return any(opens <= clock < closes for opens, closes in body["weekly"].get(f"{local:%a}".lower(), []))
