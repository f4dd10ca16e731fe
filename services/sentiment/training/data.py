"""Labelled comments as files: `train`, `dev`, `test`, `unseen`, `multi`, `mixed`, a JSON object a line; and, where there is one,
an export of what humans judged (`GET /v1/gold`) as `gold.ndjson`."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from shared.events import Label

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


class Judged(msgspec.Struct, frozen=True):
    """What is read of an exported row."""

    text: str
    comment: str
    label: Label | None
    language: str | None = None


KIND_OF: dict[Label, Literal["neg", "neu", "pos"]] = {"negative": "neg", "neutral": "neu", "positive": "pos"}
HELD_OUT = 0x1A
"""Of the 256 first bytes that a text's hash may have, so many are dev: a tenth."""


def read_gold(path: Path) -> list[Row]:
    """An export of gold as rows of the source `gold`; judgements of themes alone are left out. Which tenth of the texts is dev is
    decided by their hashes, so that no later export moves one from there into training. An unknown language is `und`."""
    decode = msgspec.json.Decoder(Judged).decode
    judged = [decode(line) for line in path.read_bytes().splitlines() if line.strip()]
    return [_gold(one, KIND_OF[one.label]) for one in judged if one.label is not None]


def _gold(judged: Judged, label: Literal["neg", "neu", "pos"]) -> Row:
    lang = (judged.language or "und").replace("_", "-").partition("-")[0].lower()
    return Row(judged.text, label, "gold", lang, "dev" if bytes.fromhex(judged.comment)[0] < HELD_OUT else "train")


def gold_rows(folder: Path, split: str) -> list[Row]:
    """The rows of the folder's gold, none where it has none."""
    path = folder / "gold.ndjson"
    return [row for row in read_gold(path) if row.split == split] if path.exists() else []


def training_rows(folder: Path, most: Mapping[str, int]) -> list[Row]:
    """What weights are learnt from: of the English sources in `most` so many rows of each label, chosen by a fixed seed."""
    english = sampled(read(folder, "train"), most)
    return ours([*english, *(row for row in read(folder, "multi") if row.split == "train"), *gold_rows(folder, "train")])


def choosing_rows(folder: Path) -> list[Row]:
    """What is calibrated and chosen by: the dev rows of all languages."""
    return ours([*read(folder, "dev"), *(row for row in read(folder, "multi") if row.split == "dev"), *gold_rows(folder, "dev")])


def ours(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.source not in NOT_OURS and row.label in KINDS]


def sampled(rows: Sequence[Row], most: Mapping[str, int]) -> list[Row]:
    """At most `most[source]` rows of each label; all of a source that isn't named there."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.label].append(row)
    chance = random.Random(0)
    found: list[Row] = []
    for (source, _), group in groups.items():
        size = most.get(source, len(group))
        found += chance.sample(group, size) if len(group) > size else group
    return found
