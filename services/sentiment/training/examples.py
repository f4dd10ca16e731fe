"""What the transformer is trained on: public comments, our own sentences, and copies of both with slips of the keyboard."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from services.sentiment.training.data import Row, training_rows
from services.sentiment.training.own.templates import own_rows
from services.sentiment.training.own.typos import typos

MOST = {"goemotions": 8_000, "semeval_tweets": 12_000}
"""Rows of one label, so that no source drowns the others."""
SLIPPED = 0.1
"""The share of public rows that come a second time, with slips; of our own sentences all do."""
LOWERED = 0.05
"""The share that comes a second time without a capital, as people type on telephones."""


def examples(folder: Path) -> list[Row]:
    """All rows to learn from, the same each time. Languages other than English count twice: they are few."""
    public, own, chance = training_rows(folder, MOST), own_rows(held_out=False), random.Random(0)
    foreign = [row for row in public if row.lang != "en"]
    slipped = slips([*drawn(public, SLIPPED, chance), *own], chance)
    lowered = [msgspec.structs.replace(row, text=row.text.lower()) for row in drawn([*public, *own], LOWERED, chance)]
    return [*public, *foreign, *own, *slipped, *lowered]


def drawn(rows: Sequence[Row], share: float, chance: random.Random) -> list[Row]:
    return chance.sample(rows, round(share * len(rows)))


def slips(rows: Iterable[Row], chance: random.Random) -> list[Row]:
    return [msgspec.structs.replace(row, text=typos(row.text, chance)) for row in rows]
