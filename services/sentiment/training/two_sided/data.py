"""Comments that praise and complain, and comments that only seem to, composed of the clauses in `two_sided/*.toml`.

A comment has two clauses of different aspects, joined as people join them. Of a language's clauses and joins some are held out,
for the choice of the thresholds; a sentence under `held_out` is never trained on.
"""

import random
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from services.sentiment.training.data import Row

FOLDER = Path(__file__).parent
DRAWN = 12
"""Comments with both, and composed comments without, in one lesson."""
PUBLIC = 24
"""Public comments with one label in one lesson, which keep the false rate low."""
WHOLE = 0.35
"""Share of drawn comments that are whole sentences, not composed ones."""
TWO_SIDED = frozenset({"own_contrast"})
"""Sources whose rows have one label although they praise and complain."""
HELD_OUT_PER_LANGUAGE = 60


class Clauses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Clauses of praise and of complaint, without a full stop; `joins` with the slots {a} and {b}, or {A} and {B} with a capital
    letter; whole comments with `both`, and comments with only `one` that resemble them.
    """

    joins: list[str]
    good: list[str]
    bad: list[str]
    both: list[str]
    one: list[str]


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a language."""

    language: str
    train: Clauses
    held_out: Clauses


def sheets() -> list[Sheet]:
    """All files, by name."""
    return [msgspec.convert(tomllib.loads(file.read_text("utf-8")), Sheet) for file in sorted(FOLDER.glob("*.toml"))]


def joined(join: str, first: str, second: str) -> str:
    """Two clauses as one comment."""
    return join.format(a=first, b=second, A=capital(first), B=capital(second))


def capital(text: str) -> str:
    """The text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def draw_both(clauses: Clauses, chance: random.Random) -> str:
    """A comment that praises and complains."""
    if chance.random() < WHOLE:
        return chance.choice(clauses.both)
    sides = [chance.choice(clauses.good), chance.choice(clauses.bad)]
    chance.shuffle(sides)
    return joined(chance.choice(clauses.joins), *sides)


def draw_one(clauses: Clauses, chance: random.Random) -> str:
    """A comment that only praises or only complains, joined like those with both."""
    if chance.random() < WHOLE:
        return chance.choice(clauses.one)
    return joined(chance.choice(clauses.joins), *chance.sample(chance.choice((clauses.good, clauses.bad)), 2))


class TwoSidedLessons:
    """Draws texts with the truth about each: 1 if it praises and complains, else 0."""

    def __init__(self, sheets: Sequence[Sheet], rows: Sequence[Row]) -> None:
        self._clauses = [sheet.train for sheet in sheets]
        self._public = [row.text for row in rows if row.source not in TWO_SIDED]
        self._chance = random.Random(0)

    def draw(self) -> tuple[list[str], list[float]]:
        """The texts of one lesson and the truth about them."""
        chance = self._chance
        both = [draw_both(chance.choice(self._clauses), chance) for _ in range(DRAWN)]
        one = [draw_one(chance.choice(self._clauses), chance) for _ in range(DRAWN)]
        public = chance.sample(self._public, min(PUBLIC, len(self._public)))
        return both + one + public, [1.0] * len(both) + [0.0] * (len(one) + len(public))


def two_sided_texts(sheets: Sequence[Sheet], both: bool = True) -> list[str]:
    """Held-out comments that praise and complain, or that only seem to; the same each time."""
    chance, draw = random.Random(0), draw_both if both else draw_one
    return [text for sheet in sheets for text in sorted({draw(sheet.held_out, chance) for _ in range(HELD_OUT_PER_LANGUAGE)})]
