"""The events of the demo's 90 days: a bad week of one team, a release that helped, and the rhythm of days and hours."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from deploy.local.demo.company import ZONE

DAYS = 90
OVERLOADED_TEAM = "delivery"
RELEASED_PRODUCT = "app"
BAD_WEEK_AGO, RELEASE_AGO = 5, 24
"""Weeks since the start of the bad week, days since the release."""

BY_WEEKDAY = (1.3, 1.15, 1.05, 1.0, 0.95, 0.55, 0.5)
BY_HOUR = (1, 1, 1, 1, 1, 2, 4, 8, 12, 15, 14, 12, 10, 11, 12, 11, 10, 11, 13, 14, 12, 8, 5, 2)

OPENING = (time(8), time(8), time(8), time(8), time(8), time(9), time(11))
CLOSING = (time(20), time(20), time(20), time(20), time(20), time(17), time(16))
"""Opening hours of the support, Monday to Sunday."""


@dataclass(frozen=True)
class Story:
    """The events of a history that ends at `until` (UTC)."""

    until: datetime

    @property
    def bad_week(self) -> tuple[datetime, datetime]:
        """Monday to Monday, in the company's zone."""
        today = self.until.astimezone(ZONE).date()
        monday = today - timedelta(days=today.weekday(), weeks=BAD_WEEK_AGO)
        return midnight(monday), midnight(monday + timedelta(weeks=1))

    @property
    def release(self) -> datetime:
        """The release that improved RELEASED_PRODUCT."""
        return self.until - timedelta(days=RELEASE_AGO)

    def overloaded(self, team: str, at: datetime) -> bool:
        """Whether `team` has too much work at `at`."""
        start, end = self.bad_week
        return team == OVERLOADED_TEAM and start <= at < end

    def improved(self, product: str, at: datetime) -> bool:
        """Whether `product` has had its release by `at`."""
        return product == RELEASED_PRODUCT and at >= self.release


def moments(rng: random.Random, until: datetime, per_day: float) -> list[datetime]:
    """UTC instants of the last DAYS days, about `per_day` a day, distributed over weekdays and hours."""
    today = until.astimezone(ZONE).date()
    instants = []
    for ago in range(DAYS, -1, -1):
        day = today - timedelta(days=ago)
        expected = per_day * BY_WEEKDAY[day.weekday()] * rng.uniform(0.85, 1.15)
        for _ in range(round(expected)):
            second = rng.choices(range(24), BY_HOUR)[0] * 3600 + rng.randrange(3600)
            instants.append(midnight(day) + timedelta(seconds=second))
    return sorted(at for at in instants if until - timedelta(days=DAYS) <= at < until)


def after_working(at: datetime, span: timedelta) -> datetime:
    """The instant at which support has worked for `span` since `at`, within its opening hours."""
    day = at.astimezone(ZONE).date()
    while True:
        start = max(at, local(day, OPENING[day.weekday()]))
        end = local(day, CLOSING[day.weekday()])
        if start + span <= end:
            return start + span
        span -= max(end - start, timedelta(0))
        day += timedelta(days=1)


def midnight(day: date) -> datetime:
    """The start of a day in the company's zone, in UTC."""
    return local(day, time(0))


def local(day: date, clock: time) -> datetime:
    """A local time in the company's zone as a UTC instant."""
    return datetime.combine(day, clock, ZONE).astimezone(UTC)
