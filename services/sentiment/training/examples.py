"""The training rows of the transformer: public comments, our own sentences, and copies of both with typos."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from services.sentiment.training.data import Row, training_rows
from services.sentiment.training.own.templates import own_rows
from services.sentiment.training.own.typos import typos

MOST = {"goemotions": 8_000, "semeval_tweets": 12_000}
"""Rows of one label at most, so that no source dominates."""
SLIPPED = 0.1
"""Share of public rows that are repeated with typos; all of our own sentences are."""
LOWERED = 0.05
"""Share of rows that are repeated without capitals, as people type on phones."""


def examples(folder: Path) -> list[Row]:
    """All training rows, deterministic. Languages other than English count twice, since they have few rows."""
    public, own, chance = training_rows(folder, MOST), own_rows(held_out=False), random.Random(0)
    foreign = [row for row in public if row.lang != "en"]
    slipped = slips([*drawn(public, SLIPPED, chance), *own], chance)
    return [*public, *foreign, *own, *slipped, *lowered(drawn([*public, *own], LOWERED, chance))]


def drawn(rows: Sequence[Row], share: float, chance: random.Random) -> list[Row]:
    return chance.sample(rows, round(share * len(rows)))


def lowered(rows: Iterable[Row]) -> list[Row]:
    return [msgspec.structs.replace(row, text=row.text.lower()) for row in rows]


def slips(rows: Iterable[Row], chance: random.Random) -> list[Row]:
    return [msgspec.structs.replace(row, text=typos(row.text, chance)) for row in rows]
