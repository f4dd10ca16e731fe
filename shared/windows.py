"""The syntax of times in queries: lengths such as `30d`, dates, and instants.

Metrics evaluates them. The gateway needs the length of a window and whether its end has passed.
"""

import re
from datetime import UTC, date, datetime, timedelta

LENGTH = re.compile(r"([1-9]\d{0,6})([mhd])", re.ASCII)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
MAX_DAYS = 3660
"""The longest window that ends now: ten years."""

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

Time = datetime | date
"""An instant in UTC, or a date, which begins at midnight in the zone of the query."""


def parse_length(text: str) -> timedelta | None:
    """The length that a number of minutes, hours or days states: `15m`, `24h`, `30d`. A day has 24 hours.

    None for any other text, and for more than MAX_DAYS.
    """
    match = LENGTH.fullmatch(text)
    if not match:
        return None
    length = int(match[1]) * UNITS[match[2]]
    return length if length <= timedelta(days=MAX_DAYS) else None


def parse_time(text: str) -> Time:
    """The date or the instant of RFC 3339 that `text` states. Raises ValueError with the reason."""
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text)
        if RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a date and time of the calendar") from None
    raise ValueError(
        "is neither a date such as 2026-11-20 nor an RFC 3339 time with offset such as 2026-11-20T09:00:00+01:00"
        " (in a URL, + is written %2B)"
    )
