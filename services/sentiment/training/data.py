"""Labelled comments as files: `train`, `dev`, `test`, `unseen`, `multi`, `mixed`, a JSON object a line."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

KINDS = ("neg", "neu", "pos")
"""The labels in the order of the models' classes."""

NOT_OURS = frozenset({"airline"})
"""Sources whose terms (non-commercial) keep them out of everything that is shipped: weights, calibration and choices."""


class Row(msgspec.Struct, frozen=True):
    """A comment and what a human called it."""

    text: str
    label: Literal["neg", "neu", "pos", "mixed"]
    source: str
    lang: str = "en"
    split: str = ""

    @property
    def kind(self) -> int:
        return KINDS.index(self.label)


def read(folder: Path, name: str) -> list[Row]:
    """The rows of one file."""
    lines = (folder / f"{name}.jsonl").read_bytes().splitlines()
    decode = msgspec.json.Decoder(Row).decode
    return [decode(line) for line in lines if line.strip()]


def training_rows(folder: Path, most: int) -> list[Row]:
    """What weights are learnt from: at most `most` rows of each source and label, chosen by a fixed seed."""
    english = sampled(read(folder, "train"), most)
    return ours([*english, *(row for row in read(folder, "multi") if row.split == "train")])


def choosing_rows(folder: Path) -> list[Row]:
    """What is calibrated and chosen by: the dev rows of all languages."""
    return ours([*read(folder, "dev"), *(row for row in read(folder, "multi") if row.split == "dev")])


def ours(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.source not in NOT_OURS and row.label in KINDS]


def sampled(rows: Sequence[Row], most: int) -> list[Row]:
    """At most `most` rows of each source and label."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.label].append(row)
    chance = random.Random(0)
    return [row for group in groups.values() for row in (chance.sample(group, most) if len(group) > most else group)]
