"""Business hours: the time between two instants in which a tenant's calendars are open.

A calendar belongs to the teams that it names; one without teams is the default of all others. Calendars are append-only: each
version applies from its first day on, and of several that apply to a day, the last one added is used. While a ticket belongs to a
team, that team's calendar is used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays

from services.metrics.domain.calendar import TimeRange, constant_offsets, day_start
from services.metrics.domain.statuses import SECOND
from services.metrics.domain.ticket import Assignments

DAY = 24 * 60 * 60
LONGEST_SEARCH = timedelta(days=5 * 365)
"""How long after its start a deadline can be at most."""
HOLIDAYS_VERSION = "0.109"
"""The version of the library that knows the public holidays. Stored numbers depend on it: see CONTRIBUTIONS_VERSION."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Hours = tuple[tuple[int, int], ...]
"""The open intervals of a day, half-open, in seconds since midnight on its clocks: sorted, without overlaps."""

SHUT: Hours = ()


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days without business hours.

    They are the public holidays of a country (ISO 3166), or of its subdivision, except those of `without`, and the days of
    `extra`.
    """

    country: str | None = None
    subdivision: str | None = None
    extra: tuple[date, ...] = ()
    without: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """One version of a calendar. It applies from the beginning of the day `first_day` in its zone.

    `weekly` has the hours of each weekday, Monday first. `teams`: None is the default calendar.
    """

    id: str
    name: str
    zone: str
    first_day: date
    weekly: tuple[Hours, ...]
    holidays: Holidays = Holidays()
    teams: tuple[str, ...] | None = None

    @property
    def starts(self) -> datetime:
        """The first instant to which it applies."""
        return day_start(self.first_day, ZoneInfo(self.zone))


class Schedule:
    """The open times of one version of a calendar, computed day by day."""

    def __init__(self, calendar: Calendar) -> None:
        self._weekly = calendar.weekly
        self._zone = ZoneInfo(calendar.zone)
        self._days: dict[date, tuple[TimeRange, ...]] = {}
        listed = calendar.holidays
        self._extra, self._without = frozenset(listed.extra), frozenset(listed.without)
        self._public = holidays.country_holidays(listed.country, listed.subdivision) if listed.country else None

    def open_time(self, start: datetime, end: datetime) -> timedelta:
        """The time in [start, end) that is open."""
        total = timedelta()
        for opens, closes in self.open_spans(start, end):
            total += min(closes, end) - max(opens, start)
        return total

    def open_spans(self, start: datetime, end: datetime) -> Iterator[TimeRange]:
        """The spans that are open and overlap [start, end), in order and uncut."""
        day, last = start.astimezone(self._zone).date(), end.astimezone(self._zone).date()
        while day <= last:
            for opens, closes in self._spans_of(day):
                if opens < end and closes > start:
                    yield opens, closes
            day += timedelta(days=1)

    def _spans_of(self, day: date) -> tuple[TimeRange, ...]:
        spans = self._days.get(day)
        if spans is None:
            spans = self._days[day] = tuple(local_spans(day, self._hours_of(day), self._zone))
        return spans

    def _hours_of(self, day: date) -> Hours:
        public = self._public is not None and day in self._public and day not in self._without
        return SHUT if public or day in self._extra else self._weekly[day.weekday()]


def local_spans(day: date, hours: Hours, zone: ZoneInfo) -> Iterator[TimeRange]:
    """The instants at which the zone's clocks show a time within `hours` on this day.

    An hour that the clocks skip is never open; one that they repeat is open twice.
    """
    if not hours:
        return
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for start, end, offset in constant_offsets(day_start(day, zone), day_start(day + timedelta(days=1), zone), zone):
        for opens, closes in hours:
            span = (
                max(start, midnight + timedelta(seconds=opens) - offset),
                min(end, midnight + timedelta(seconds=closes) - offset),
            )
            if span[0] < span[1]:
                yield span


@dataclass(frozen=True, slots=True)
class Era:
    """A period in which the same versions are used. `schedules` are by team; None is the default calendar's."""

    starts: datetime
    schedules: dict[str | None, Schedule]

    def schedule_of(self, team: str | None) -> Schedule | None:
        """The schedule of a team; None if neither it nor the tenant has a calendar."""
        return self.schedules.get(team) or self.schedules.get(None)


class TeamsOverlap(ValueError):
    """Two calendars claim the same team, or both are the default, on the same day."""


def _eras(versions: Sequence[Calendar]) -> Iterator[Era]:
    schedules = [Schedule(version) for version in versions]
    for starts in sorted({version.starts for version in versions}):
        current = {
            version.id: (version, schedule)
            for version, schedule in zip(versions, schedules, strict=True)
            if version.starts <= starts
        }
        by_team: dict[str | None, Schedule] = {}
        owner: dict[str | None, str] = {}
        for version, schedule in current.values():
            for team in version.teams if version.teams is not None else (None,):
                if team in owner:
                    claimed = "are the default" if team is None else f"have the team {team!r}"
                    raise TeamsOverlap(
                        f"the calendars {owner[team]!r} and {version.id!r} both {claimed} from {version.first_day} on"
                    )
                owner[team], by_team[team] = version.id, schedule
        yield Era(starts, by_team)


class BusinessHours:
    """The calendars of a tenant: all their versions, in the order in which they were added.

    Raises TeamsOverlap if on some day two calendars apply to one team.
    """

    def __init__(self, versions: Sequence[Calendar] = ()) -> None:
        self.versions = tuple(versions)
        self._eras = list(_eras(self.versions))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BusinessHours) and self.versions == other.versions

    def __hash__(self) -> int:
        return hash(self.versions)

    def __bool__(self) -> bool:
        """Whether the tenant has a calendar."""
        return bool(self.versions)

    def seconds(self, start: datetime, end: datetime, teams: Assignments) -> int | None:
        """The whole open seconds in [start, end) of a ticket that `teams` held, each by its calendar while it held it.

        None if there is no calendar for a part of the time, or `end` is before `start`.
        """
        open_time = self.open_time(start, end, teams)
        return None if open_time is None else open_time // SECOND

    def open_time(self, start: datetime, end: datetime, teams: Assignments) -> timedelta | None:
        """The exact open time of which `seconds` has the whole seconds."""
        if not self._eras or end < start:
            return None
        total = timedelta()
        for since, until, schedule in self._parts(start, end, teams):
            if schedule is None:
                return None
            total += schedule.open_time(since, until)
        return total

    def deadline(self, start: datetime, allowed: timedelta, teams: Assignments) -> datetime | None:
        """The last instant at which at most the `allowed` open time has passed since `start`.

        If that time ends with an open interval, this is the beginning of the next one. It is at most LONGEST_SEARCH after
        `start`, since a calendar may never open. None if there is no calendar for a part of the time until then.
        """
        if not self._eras:
            return None
        left, last = allowed, start + LONGEST_SEARCH
        for since, until, schedule in self._parts(start, last, teams):
            if schedule is None:
                return None
            for opens, closes in schedule.open_spans(since, until):
                begins, length = max(opens, since), min(closes, until) - max(opens, since)
                if length > left:
                    return begins + left
                left -= length
        return last

    def _parts(self, start: datetime, end: datetime, teams: Assignments) -> Iterator[tuple[datetime, datetime, Schedule | None]]:
        """The parts of [start, end) that each have one schedule, in order; one empty part if the whole is empty."""
        inner = {at for at in (*teams.times, *(era.starts for era in self._eras)) if start < at < end}
        for since, until in pairwise([start, *sorted(inner), end]):
            yield since, until, self._schedule_at(since, teams.at(since))

    def _schedule_at(self, at: datetime, team: str | None) -> Schedule | None:
        era = next((era for era in reversed(self._eras) if era.starts <= at), None)
        return None if era is None else era.schedule_of(team)


NO_HOURS = BusinessHours()
"""The business hours of a tenant without calendars."""
