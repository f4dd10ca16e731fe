"""Times in the cells of a CSV file."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.ingest.domain.fields import FIRST_YEAR, LAST_YEAR, parse_time
from shared.zones import read_zone

ISO, UNIX, UNIX_MS = "iso", "unix", "unix_ms"

DIRECTIVES = frozenset("YymdBbHIMSfpz")
"""Directives of strptime that a format may have. Names of months are English."""
FORMAT = re.compile(r"(?:[^%]|%[a-zA-Z])+")
NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_format(text: str) -> str:
    """The format itself. Raises ValueError if it is neither `iso`, `unix`, `unix_ms` nor a format with a whole date."""
    if text in (ISO, UNIX, UNIX_MS):
        return text
    directives = re.findall(r"%(.)", text)
    used = set(directives)
    if not FORMAT.fullmatch(text) or used - DIRECTIVES:
        raise ValueError(f"must be iso, unix, unix_ms or a format of %{' %'.join(sorted(DIRECTIVES))}")
    if len(used) < len(directives):
        raise ValueError("each part of a time must be there once")
    if not (used & set("Yy") and used & set("mBb") and "d" in used):
        raise ValueError("the format must have a year, a month and a day")
    return text


def read_time(text: str, layout: str, zone: str) -> datetime:
    """The time in UTC that a cell states in `layout`, a result of `check_format`. `zone` is that of times without an offset.

    `iso` is RFC 3339, also with a blank in place of the T, without seconds, without a time of day, or without an offset. Raises
    ValueError if the text is not such a time, does not exist or is ambiguous in the zone, or is outside of the years that records
    may have.
    """
    if layout in (UNIX, UNIX_MS):
        return _from_unix(text, 1000 if layout == UNIX_MS else 1)
    try:
        read = datetime.fromisoformat(text) if layout == ISO else datetime.strptime(text, layout)
    except ValueError:
        raise ValueError("not a time of the format of its column") from None
    if not FIRST_YEAR <= read.year <= LAST_YEAR:
        raise ValueError(f"the year is outside {FIRST_YEAR}..{LAST_YEAR}")
    return (read if read.tzinfo else _in_zone(read, _zone(zone))).astimezone(UTC)


def _from_unix(text: str, per_second: int) -> datetime:
    if not NUMBER.fullmatch(text):
        raise ValueError("not a number of seconds or milliseconds since 1970")
    try:
        at = EPOCH + timedelta(seconds=float(text) / per_second)
    except OverflowError:
        raise ValueError("not a time") from None
    return parse_time(at.isoformat())


def _in_zone(local: datetime, zone: ZoneInfo) -> datetime:
    """A local time with its zone. Raises ValueError in the hour that the clocks skip; in the repeated one the earlier counts."""
    at = local.replace(tzinfo=zone)
    if at.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError("this local time does not exist: the clocks were put forward")
    return at


_zone = lru_cache(64)(read_zone)
