"""Runs of digits: groups of digits with separators between them, such as "4111 1111-1111.1111"."""

import re
from typing import NamedTuple

DASHES = r"\-\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
SEPARATOR = rf"\s{DASHES}.,_/|*·•()'’"
"""The characters of a separator. `\\s` includes U+00A0, U+2009, U+202F and line breaks."""
GAP = rf"[{SEPARATOR}]{{0,8}}+"
"""A separator between two groups. It may be empty."""
WIDE_GAP = rf"[{SEPARATOR}:;~=+&\\⁄]{{0,8}}+"
"""A separator in numbers that check digits tell from times and lists."""

FEWEST = 7
"""Digits of the shortest number that is redacted, a phone number."""
GROUP = re.compile(r"\d+")
ENOUGH = re.compile(rf"(?:\d\D*+){{{FEWEST - 1}}}\d")


def runs_of(fewest: int, gap: str) -> re.Pattern[str]:
    """Finds runs of at least so many digits, with `gap` between them."""
    return re.compile(rf"\d(?:{gap}\d){{{fewest - 1},}}+")


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


def digits_of(text: str) -> str:
    return "".join(GROUP.findall(text))
