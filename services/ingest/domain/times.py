"""Times as tools write them: RFC 3339 with an offset, any number of decimals, in years that a calendar of ours can hold."""

import re
from datetime import UTC, datetime

RFC3339 = re.compile(r"(\d{4})-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1990, 2200


def parse_time(text: object) -> datetime:
    """The instant, in UTC and cut to microseconds, that an RFC 3339 text names.

    Seconds may be missing, since Zendesk's placeholders leave them out. ValueError: it isn't such a text, has no offset, names a
    moment that doesn't exist, or lies outside the years FIRST_YEAR to LAST_YEAR.
    """
    if not isinstance(text, str):
        raise ValueError("a time is RFC 3339 text")
    match = RFC3339.fullmatch(text.upper())
    if match is None:
        raise ValueError("not an RFC 3339 time with an offset")
    if not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
        raise ValueError(f"the year is outside {FIRST_YEAR}..{LAST_YEAR}")
    return datetime.fromisoformat(match[0]).astimezone(UTC)
