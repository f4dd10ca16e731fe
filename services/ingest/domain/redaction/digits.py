"""Runs of digits: groups of digits with separators between them, such as "4111 1111-1111.1111"."""

import re
from typing import NamedTuple

INVISIBLE = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""Soft hyphens, zero-width characters and marks of text direction; telephones copy them along with a number."""
DASHES = r"\-\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
SEPARATOR = rf"[\s{INVISIBLE}{DASHES}.,_/|*·•()'’]"
"""One character of a separator. `\\s` includes U+00A0, U+2009, U+202F and line breaks."""
GAP = rf"{SEPARATOR}{{0,8}}+"
"""A separator between two groups. It may be empty."""

FEWEST = 7
"""Digits of the shortest number that is redacted, a phone number."""
GROUP = re.compile(r"\d+")
ENOUGH = re.compile(rf"(?:\d\D*+){{{FEWEST - 1}}}\d")


def runs_of(fewest: int) -> re.Pattern[str]:
    """Finds runs of at least so many digits."""
    return re.compile(rf"\d(?:{GAP}\d){{{fewest - 1},}}+")


class Group(NamedTuple):
    """One group of digits, text[start:end]."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


def has_enough_digits(text: str) -> bool:
    """Whether `text` holds as many digits as the shortest number that is redacted."""
    return ENOUGH.search(text) is not None


def groups_of(text: str, run: re.Match[str]) -> list[Group]:
    return [Group(*found.span()) for found in GROUP.finditer(text, *run.span())]


def ascii_digits(text: str) -> str:
    """The digits of `text` as 0-9; a decimal digit of any script counts."""
    found = "".join(GROUP.findall(text))
    return found if found.isascii() else "".join([str(int(digit)) for digit in found])
