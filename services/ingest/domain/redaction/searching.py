"""The common parts of the searches for identities: folded text, runs of digits, redactions and the budget of candidates."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

DASHES = r"\-\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
SEPARATOR = rf"\s{DASHES}.,_/|*·•()'’"
"""The characters of a separator. `\\s` includes U+00A0, U+2009, U+202F and line breaks."""
GAP = rf"[{SEPARATOR}]{{0,8}}+"
"""The separator between two groups of digits. It may be empty."""
WIDE_GAP = rf"[{SEPARATOR}:;~=+&\\⁄]{{0,8}}+"
"""The separator in card numbers and IBANs: their check digits distinguish them from times and lists."""

FEWEST = 7
"""Digits of the shortest number that is redacted, a phone number."""
GROUP = re.compile(r"\d+")
ASCII_DIGITS = b"0123456789"
ENOUGH = re.compile(rf"(?:\d\D*+){{{FEWEST - 1}}}\d")

INVISIBLE = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""Soft hyphens, zero-width characters and marks of text direction. Telephones copy them along with a number."""
HIDDEN = re.compile(f"[{INVISIBLE}]")
FOLDABLE = re.compile(rf"[{INVISIBLE}\uff01-\uff5e]|(?![0-9])\d")
FULL_WIDTH = range(0xFF01, 0xFF5F)
TO_ASCII = 0xFEE0
"""The code point of a full-width character minus that of its ASCII equivalent."""

UNEXAMINED = "[number]"
"""The placeholder for a candidate beyond the budget."""


class Redaction(NamedTuple):
    """Replace text[start:end] by `placeholder`."""

    start: int
    end: int
    placeholder: str


def apply_redactions(text: str, redactions: Iterable[Redaction]) -> str:
    """`text` with each redaction applied. They must be in order and must not overlap."""
    parts: list[str] = []
    end = 0
    for redaction in redactions:
        parts += (text[end : redaction.start], redaction.placeholder)
        end = redaction.end
    return "".join(parts) + text[end:] if parts else text


class Budget:
    """The number of candidates that may still be examined. A candidate beyond it is redacted unexamined."""

    def __init__(self, candidates: int) -> None:
        self.left = candidates

    def spend(self) -> bool:
        """Count one candidate. False if the budget is spent."""
        self.left -= 1
        return self.left >= 0


# --- folding
class Folded(NamedTuple):
    """A text in ASCII digits, without invisible characters.

    `places` maps each of its characters to the index in the original text; None if folding changed nothing.
    """

    text: str
    places: Sequence[int] | None

    def in_original(self, redactions: Iterable[Redaction]) -> Iterator[Redaction]:
        """The same redactions, with positions in the original text."""
        if self.places is None:
            yield from redactions
            return
        for start, end, placeholder in redactions:
            yield Redaction(self.places[start], self.places[end - 1] + 1, placeholder)


def fold(text: str) -> Folded:
    """Fold full-width forms and the digits of all scripts to ASCII, and drop invisible characters. Linear time."""
    if text.isascii() or not FOLDABLE.search(text):
        return Folded(text, None)
    places = [place for place, character in enumerate(text) if not HIDDEN.match(character)]
    return Folded("".join([_fold_character(text[place]) for place in places]), places)


def _fold_character(character: str) -> str:
    if character.isdecimal():
        return str(int(character))
    return chr(ord(character) - TO_ASCII) if ord(character) in FULL_WIDTH else character


# --- runs of digits, such as "4111 1111-1111.1111"
class Group(NamedTuple):
    """One group of digits, text[start:end]."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """The number of digits."""
        return self.end - self.start


def run_pattern(fewest: int, gap: str) -> re.Pattern[str]:
    """A pattern for runs of at least `fewest` digits with `gap` between them."""
    return re.compile(rf"\d(?:{gap}\d){{{fewest - 1},}}+")


def has_enough_digits(text: str) -> bool:
    """Whether `text` holds at least FEWEST digits."""
    if text.isascii():  # as bytes: ten times faster than the pattern
        raw = text.encode()
        return len(raw) - len(raw.translate(None, ASCII_DIGITS)) >= FEWEST
    return ENOUGH.search(text) is not None


def groups_of(text: str, run: re.Match[str]) -> list[Group]:
    """The groups of digits in a run."""
    return [Group(*group.span()) for group in GROUP.finditer(text, *run.span())]


def digits_of(text: str) -> str:
    """The digits of a text, without separators."""
    return "".join(GROUP.findall(text))
