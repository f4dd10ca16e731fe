"""Different ways to write the same characters: zero-width characters, digits of any script, full-width forms."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from services.ingest.domain.redaction.spans import Span

INVISIBLE = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""Soft hyphens, zero-width characters and marks of text direction; telephones copy them along with a number."""
HIDDEN = re.compile(f"[{INVISIBLE}]")
FOLDABLE = re.compile(rf"[{INVISIBLE}\uff01-\uff5e]|(?![0-9])\d")
FULL_WIDTH = range(0xFF01, 0xFF5F)
TO_ASCII = 0xFEE0
"""What a full-width character's code point is above that of its ASCII twin."""


class Folded(NamedTuple):
    """`text` in ASCII digits and without invisible characters. `places`: where each character was; None if nothing changed."""

    text: str
    places: Sequence[int] | None

    def in_original(self, spans: Iterable[Span]) -> Iterator[Span]:
        """The same spans in the text that was folded."""
        if self.places is None:
            yield from spans
            return
        for start, end, placeholder in spans:
            yield Span(self.places[start], self.places[end - 1] + 1, placeholder)


def fold(text: str) -> Folded:
    """`text` as the searches read it. Linear in its length."""
    if text.isascii() or not FOLDABLE.search(text):
        return Folded(text, None)
    places = [place for place, sign in enumerate(text) if not HIDDEN.match(sign)]
    return Folded("".join([_folded(text[place]) for place in places]), places)


def _folded(sign: str) -> str:
    if sign.isdecimal():
        return str(int(sign))
    return chr(ord(sign) - TO_ASCII) if ord(sign) in FULL_WIDTH else sign
