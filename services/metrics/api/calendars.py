"""The calendars of a tenant's business hours: `PUT /v1/calendars/{id}`, `GET /v1/calendars`."""

import re
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated

import holidays
from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.metrics.api.dependencies import MetricsState, UnknownTenant, read_history, tenant_number
from services.metrics.api.terms import TermsStatus, status_of
from services.metrics.domain.business_hours import WEEKDAYS, Calendar, Holidays, Hours, TeamsOverlap
from services.metrics.store.terms import CALENDARS, MOST_VERSIONS, TooManyVersions, change_calendars, read_status
from shared.bodies import KIB
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, Conflict, NotAuthenticated, TooLarge, Unprocessable, UnsupportedMedia, responses
from shared.routes import JsonBody, TypedRoute
from shared.suggestions import refusal
from shared.text import nfc
from shared.zones import zone_name

routes = APIRouter(route_class=TypedRoute, prefix="/v1", tags=["terms"])

MOST_INTERVALS, MOST_TEAMS, MOST_DAYS = 10, 200, 400
"""Limits of the intervals of a weekday, of the teams of a calendar, and of the days that it adds to public holidays or excludes
from them."""
FIRST_YEAR, LAST_YEAR = 1970, 2100

TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")

ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
"""No control character."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=ONE_LINE), AfterValidator(nfc)]
Interval = tuple[str, str]


class OverlappingCalendars(Conflict):
    title = "Overlapping calendars"


class TooManyCalendars(Conflict):
    title = "Too many calendars"


def checked_date(day: date) -> date:
    """The day. Raises ValueError unless its year can be computed with."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"must be between {FIRST_YEAR} and {LAST_YEAR}")
    return day


Day = Annotated[date, AfterValidator(checked_date)]


# --- the body -------------------------------------------------------------------------------------------------------------
class HolidaysBody(BaseModel):
    """The days without business hours."""

    model_config = ConfigDict(extra="forbid")
    country: str | None = Field(
        None, description="ISO 3166 code of the country on whose public holidays the calendar is closed", examples=["DE"]
    )
    subdivision: str | None = Field(
        None,
        description="A subdivision of the country: its ISO 3166-2 code without the country, `BE` for `DE-BE`",
        examples=["BE"],
    )
    extra: list[Day] = Field(
        [], max_length=MOST_DAYS, description="Further days on which it is closed", examples=[["2026-12-24"]]
    )
    without: list[Day] = Field([], max_length=MOST_DAYS, description="Public holidays on which it is open")

    @model_validator(mode="after")
    def known(self) -> "HolidaysBody":
        """Raise ValueError if no holidays are known for the country or its part."""
        countries = holidays.list_supported_countries(include_aliases=False)
        if self.country is None:
            if self.subdivision is not None:
                raise ValueError("subdivision needs a country")
        elif self.country not in countries:
            raise ValueError(refusal(f"no holidays are known for the country {self.country!r}", self.country, countries))
        elif self.subdivision is not None and self.subdivision not in countries[self.country]:
            reason = f"{self.country} has no subdivision {self.subdivision!r}"
            raise ValueError(refusal(reason, self.subdivision, countries[self.country]))
        return self


class Weekly(BaseModel):
    """The open intervals of each weekday, as times on the zone's clocks: `[["09:00", "12:00"], ["13:00", "17:00"]]`.

    A weekday that is left out is closed. An interval ends at `24:00` at the latest; one over midnight is two.
    """

    model_config = ConfigDict(extra="forbid")
    mon: list[Interval] = Field([], max_length=MOST_INTERVALS, description="Monday", examples=[[["09:00", "17:00"]]])
    tue: list[Interval] = Field([], max_length=MOST_INTERVALS, description="Tuesday", examples=[[["09:00", "17:00"]]])
    wed: list[Interval] = Field([], max_length=MOST_INTERVALS, description="Wednesday", examples=[[["09:00", "17:00"]]])
    thu: list[Interval] = Field([], max_length=MOST_INTERVALS, description="Thursday", examples=[[["09:00", "17:00"]]])
    fri: list[Interval] = Field([], max_length=MOST_INTERVALS, description="Friday", examples=[[["09:00", "15:00"]]])
    sat: list[Interval] = Field([], max_length=MOST_INTERVALS, description="Saturday")
    sun: list[Interval] = Field([], max_length=MOST_INTERVALS, description="Sunday")

    @model_validator(mode="after")
    def valid(self) -> "Weekly":
        """Raise ValueError for an invalid time, and for intervals that are empty or overlap."""
        for weekday in WEEKDAYS:
            parse_hours(weekday, getattr(self, weekday))
        return self

    @property
    def hours(self) -> tuple[Hours, ...]:
        """The hours of each weekday, Monday first."""
        return tuple(parse_hours(weekday, getattr(self, weekday)) for weekday in WEEKDAYS)


class CalendarBody(BaseModel):
    """One version of a calendar of business hours."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    name: Line = Field(description="The name for people", examples=["Support, Berlin"])
    zone: Annotated[str, AfterValidator(zone_name)] = Field(
        max_length=100, description="The IANA zone of its times", examples=["Europe/Berlin"]
    )
    weekly: Weekly = Field(description="The open intervals of each weekday")
    holidays: HolidaysBody = Field(HolidaysBody(), description="The days without business hours")
    teams: list[Line] | None = Field(
        None,
        min_length=1,
        max_length=MOST_TEAMS,
        description="The teams to whose tickets it applies; null: the default calendar, which also applies to tickets without a "
        "team",
        examples=[["billing"]],
    )
    from_: Day = Field(alias="from", description="The first day, in its zone, on which it applies", examples=["2026-01-01"])


class CalendarVersion(CalendarBody):
    """One version of a calendar, as it was added."""

    zone: str = Field(max_length=100, description="The IANA zone of its times", examples=["Europe/Berlin"])
    id: str = Field(description="The calendar", examples=["support"])
    added_at: datetime = Field(description="When it was added")


class CalendarHistory(BaseModel):
    """Every version of every calendar, in the order in which they were added."""

    calendars: list[CalendarVersion] = Field(description="The versions")


def parse_hours(weekday: str, intervals: list[Interval]) -> Hours:
    """The intervals in seconds since midnight, sorted. Raises ValueError if one is invalid, or two overlap."""
    hours = []
    for opens, closes in intervals:
        start, end = seconds_of(weekday, opens), seconds_of(weekday, closes)
        if start >= end:
            raise ValueError(f"{weekday}: {opens}–{closes} ends before it begins; an interval over midnight is two, on two days")
        hours.append((start, end))
    hours.sort()
    if any(end > start for (_, end), (start, _) in pairwise(hours)):
        raise ValueError(f"{weekday}: intervals overlap")
    return tuple(hours)


def seconds_of(weekday: str, time: str) -> int:
    """Seconds from midnight to `HH:MM`. Raises ValueError if `time` is not of this form."""
    if not TIME.fullmatch(time):
        raise ValueError(f"{weekday}: {time!r} is no time; times are HH:MM, from 00:00 to 24:00")
    return 60 * (60 * int(time[:2]) + int(time[3:]))


def time_of(seconds: int) -> str:
    """`HH:MM` of seconds since midnight."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def calendar_of(identifier: str, body: CalendarBody) -> Calendar:
    """The version of the calendar that the body states."""
    listed = body.holidays
    return Calendar(
        identifier,
        body.name,
        body.zone,
        body.from_,
        body.weekly.hours,
        Holidays(listed.country, listed.subdivision, tuple(sorted(set(listed.extra))), tuple(sorted(set(listed.without)))),
        None if body.teams is None else tuple(sorted(set(body.teams))),
    )


def version_of(calendar: Calendar, added_at: datetime) -> CalendarVersion:
    """A stored version as the API returns it."""
    listed = calendar.holidays
    weekly = {
        weekday: [(time_of(opens), time_of(closes)) for opens, closes in hours]
        for weekday, hours in zip(WEEKDAYS, calendar.weekly, strict=True)
    }
    return CalendarVersion(
        id=calendar.id,
        name=calendar.name,
        zone=calendar.zone,
        weekly=Weekly(**weekly),
        holidays=HolidaysBody.model_construct(
            country=listed.country, subdivision=listed.subdivision, extra=list(listed.extra), without=list(listed.without)
        ),
        teams=None if calendar.teams is None else list(calendar.teams),
        from_=calendar.first_day,
        added_at=added_at,
    )


# --- routes ---------------------------------------------------------------------------------------------------------------
@routes.get(
    "/calendars",
    operation_id="list_calendars",
    summary="List the versions of the calendars of business hours",
    responses=responses(NotAuthenticated, BadRequest),
)
async def list_calendars(tenant: TenantName, state: MetricsState) -> CalendarHistory:
    """The calendars of the caller's tenant."""
    versions = await read_history(state.source.pool, CALENDARS, tenant)
    return CalendarHistory(calendars=[version_of(calendar, added_at) for calendar, added_at in versions])


@routes.put(
    "/calendars/{calendar}",
    operation_id="put_calendar",
    summary="Add a version of a calendar of business hours",
    description="Durations with `hours=business` count the seconds in which the calendar of the team that held the ticket was"
    " open. Versions are never changed: of several that apply to a day, the one added last is used. Contributions are computed"
    " again in the background; until that is done, all results are of the old calendars. `GET /v1/terms` shows the progress.",
    responses=responses(
        NotAuthenticated, UnknownTenant, BadRequest, OverlappingCalendars, UnsupportedMedia, TooLarge, Unprocessable
    ),
)
async def put_calendar(
    tenant: TenantName,
    state: MetricsState,
    calendar: Annotated[
        str,
        Path(
            pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$",
            description="The id of the calendar: up to 40 lower-case letters, digits, `_` or `-`",
            examples=["support"],
        ),
    ],
    body: Annotated[CalendarBody, JsonBody(CalendarBody, max_bytes=64 * KIB)],
) -> TermsStatus:
    """Store the version and start the build."""
    async with outage_is_503(), state.source.pool.acquire() as connection, connection.transaction():
        number = await tenant_number(connection, tenant)
        try:
            await change_calendars(connection, number, calendar_of(calendar, body), state.clock())
        except TeamsOverlap as error:
            raise OverlappingCalendars(str(error)) from None
        except TooManyVersions:
            raise TooManyCalendars(f"{MOST_VERSIONS} versions of calendars are stored, and no more can be") from None
        return status_of(await read_status(connection, tenant))
