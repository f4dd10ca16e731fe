"""Make typos for training, as people make them on phones and in a hurry.

Only words of four letters or more are changed, and never their first letter: "no" and "not" stay as they are.
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from random import Random

WORD = re.compile(r"[^\W\d_]{4,}")
APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
SPACE = re.compile(r"(?<=\w) (?=\w)")
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "ضصثقفغعهخحجد", "شسيبلاتنمكط", "ئءؤرلاىةوزظ")
"""Rows of keys, Latin (the English layout) and Arabic."""
BESIDE = {pair[0]: pair[1] for row in ROWS for pair in (*pairwise(row), (row[-1], row[-2]))}
"""Key → its neighbours."""

Slip = Callable[[str, Random], str]
"""A kind of typo: the changed text, or the same one if it is not possible."""


def typos(text: str, chance: int | Random) -> str:
    """The text with one or two typos, or none if none is possible. Deterministic by seed."""
    chance = chance if isinstance(chance, Random) else Random(chance)
    for _ in range(chance.randint(1, 2)):
        text = slipped(text, chance)
    return text


def slipped(text: str, chance: Random) -> str:
    """The text with the first typo, in random order, that changes it."""
    tried = (slip(text, chance) for slip in chance.sample(SLIPS, len(SLIPS)))
    return next((changed for changed in tried if changed != text), text)


def swapped(text: str, chance: Random) -> str:
    at = letter(text, chance, last=2)
    return text if at is None else text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def dropped(text: str, chance: Random) -> str:
    at = letter(text, chance)
    return text if at is None else text[:at] + text[at + 1 :]


def doubled(text: str, chance: Random) -> str:
    at = letter(text, chance)
    return text if at is None else text[:at] + text[at] + text[at:]


def beside(text: str, chance: Random) -> str:
    """A letter is replaced by a neighbour on the keyboard."""
    at = letter(text, chance)
    return text if at is None else text[:at] + BESIDE.get(text[at], text[at]) + text[at + 1 :]


def without_apostrophe(text: str, chance: Random) -> str:
    return without_one(APOSTROPHE, text, chance)


def without_space(text: str, chance: Random) -> str:
    return without_one(SPACE, text, chance)


def lower(text: str, _: Random) -> str:
    return text.lower()


def without_diacritics(text: str, _: Random) -> str:
    """All of them at once, as people write whose keyboard lacks them."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


SLIPS: tuple[Slip, ...] = (
    swapped,
    dropped,
    doubled,
    beside,
    without_apostrophe,
    without_space,
    lower,
    without_diacritics,
)


def letter(text: str, chance: Random, last: int = 1) -> int | None:
    """Index of a letter in a long word: not the first, and none of the last `last`."""
    places = [at for word in WORD.finditer(text) for at in range(word.start() + 1, word.end() - last + 1)]
    return chance.choice(places) if places else None


def without_one(pattern: re.Pattern[str], text: str, chance: Random) -> str:
    places = [match.start() for match in pattern.finditer(text)]
    if not places:
        return text
    at = chance.choice(places)
    return text[:at] + text[at + 1 :]
