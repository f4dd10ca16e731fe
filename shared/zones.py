"""IANA time zones by name, with a suggestion for a misspelt one."""

import re
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from shared.suggestions import closest

OTHER_FILES = re.compile(r"(right|posix)/.*|localtime|posixrules|Factory", re.IGNORECASE)
"""Files beside those of IANA zones. Which ones exist depends on the machine, and times of `right/` differ by the leap seconds."""


def read_zone(name: str) -> ZoneInfo:
    """The zone of that name. Raises ValueError, which suggests the zone that was probably meant."""
    try:
        if OTHER_FILES.fullmatch(name):
            raise LookupError(name)
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        suggestion = "".join(f'; did you mean "{zone}"?' for zone in closest(name, _regional_zones()))
        raise ValueError(f"is not an IANA zone such as Europe/Berlin{suggestion}") from None


def zone_name(name: str) -> str:
    """The name, for fields of models. Raises ValueError as `read_zone` does."""
    return read_zone(name).key


@cache
def _regional_zones() -> list[str]:
    """The names of all zones that name a region, sorted. Abbreviations such as EST would be wrong suggestions."""
    return sorted(name for name in available_timezones() if "/" in name)
