"""Which subjects nothing has touched for a number of months."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import datetime

from shared.events import Event


def months_before(at: datetime, months: int) -> datetime:
    """The same day and time `months` earlier; the last day of the month if it has no such day."""
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


def is_untouched(statements: Iterable[Event], since: datetime) -> bool:
    """Whether no statement was received at `since` or later."""
    return all(event.received_at < since for event in statements)
