"""Read labelled comments: the files `train`, `dev`, `test`, `unseen`, `multi`, `mixed` (JSON lines), and `gold.ndjson`, an
optional export of human judgements (`GET /v1/gold`)."""

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
"""Sources with non-commercial terms, which are used for nothing that is shipped: weights, calibration, thresholds."""


class Row(msgspec.Struct, frozen=True):
    """A comment with its human label."""

    text: str
    label: Literal["neg", "neu", "pos", "mixed"]
    source: str
    lang: str = "en"
    split: str = ""

    @property
    def kind(self) -> int:
        return KINDS.index(self.label)


def read(folder: Path, name: str) -> list[Row]:
    """The rows of a file."""
    lines = (folder / f"{name}.jsonl").read_bytes().splitlines()
    decode = msgspec.json.Decoder(Row).decode
    return [decode(line) for line in lines if line.strip()]


class Judged(msgspec.Struct, frozen=True):
    """The fields of an exported row that are used."""

    text: str
    comment: str
    label: Label | None
    language: str | None = None


KIND_OF: dict[Label, Literal["neg", "neu", "pos"]] = {"negative": "neg", "neutral": "neu", "positive": "pos"}
HELD_OUT = 0x1A
"""Texts whose hash starts with a byte below this are dev: a tenth of all."""


def read_gold(path: Path) -> list[Row]:
    """An export of gold as rows of the source `gold`, without judgements of themes alone. An unknown language is `und`.

    Hashes of the texts decide which tenth is dev, so that no later export moves a text from dev into training.
    """
    decode = msgspec.json.Decoder(Judged).decode
    judged = [decode(line) for line in path.read_bytes().splitlines() if line.strip()]
    return [_gold(one, KIND_OF[one.label]) for one in judged if one.label is not None]


def _gold(judged: Judged, label: Literal["neg", "neu", "pos"]) -> Row:
    lang = (judged.language or "und").replace("_", "-").partition("-")[0].lower()
    return Row(judged.text, label, "gold", lang, "dev" if bytes.fromhex(judged.comment)[0] < HELD_OUT else "train")


def gold_rows(folder: Path, split: str) -> list[Row]:
    """The rows of the folder's gold; empty without gold."""
    path = folder / "gold.ndjson"
    return [row for row in read_gold(path) if row.split == split] if path.exists() else []


def training_rows(folder: Path, most: Mapping[str, int]) -> list[Row]:
    """The training rows: of the English sources in `most`, so many rows of each label, chosen by a fixed seed."""
    english = sampled(read(folder, "train"), most)
    return ours([*english, *(row for row in read(folder, "multi") if row.split == "train"), *gold_rows(folder, "train")])


def choosing_rows(folder: Path) -> list[Row]:
    """The rows for calibration and thresholds: dev of all languages."""
    return ours([*read(folder, "dev"), *(row for row in read(folder, "multi") if row.split == "dev"), *gold_rows(folder, "dev")])


def ours(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.source not in NOT_OURS and row.label in KINDS]


def sampled(rows: Sequence[Row], most: Mapping[str, int]) -> list[Row]:
    """At most `most[source]` rows of each label; all rows of a source that is not in `most`."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.label].append(row)
    chance = random.Random(0)
    chosen: list[Row] = []
    for (source, _), group in groups.items():
        size = most.get(source, len(group))
        chosen += chance.sample(group, size) if len(group) > size else group
    return chosen
