"""Fill the slots of the templates in `own/*.toml`. The rows are the same each time.

A slot, `{thing}`, takes each of its file's values; `{Thing}` the same with a capital letter. Of a template with too many fillings
some are sampled, with the template as the seed.
"""

import random
import re
import tomllib
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Literal

import msgspec

from services.sentiment.training.data import Row

FOLDER = Path(__file__).parent
SLOT = re.compile(r"\{(\w+)\}")


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Templates of one intent and one label."""

    name: Literal[
        "problem", "request", "sarcasm", "lukewarm", "terse", "praise", "complaint", "statement", "question", "contrast",
        "negation", "idiom", "count", "verdict", "support", "social",
    ]  # fmt: skip
    label: Literal["neg", "neu", "pos"]
    train: list[str]
    held_out: list[str]

    def templates(self, held_out: bool) -> list[str]:
        return self.held_out if held_out else self.train


Part = Literal["policy", "kinds"]
"""`policy`: comments that are rare in public sets, such as a report without an opinion; since e5-1. `kinds`: kinds of comments
that public sets lack, such as answers to surveys of telecoms, mails of companies, and phrases; since e5-4."""


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a language."""

    language: str
    slots: dict[str, list[str]]
    groups: list[Group]
    part: Part = "policy"


def own_rows(held_out: bool, most_per_template: int = 12, part: Part | None = None) -> list[Row]:
    """The rows of all languages, or of one part of the files: those to train on, or those never trained on.

    Raises KeyError for a template with a slot that its file lacks, `msgspec.ValidationError` for a file of another format.
    """
    chosen_sheets = [sheet for sheet in sheets() if part in (None, sheet.part)]
    return [row for sheet in chosen_sheets for row in rows_of(sheet, held_out, most_per_template)]


def sheets() -> list[Sheet]:
    """All files, by name."""
    return [msgspec.convert(tomllib.loads(file.read_text("utf-8")), Sheet) for file in sorted(FOLDER.glob("*.toml"))]


def rows_of(sheet: Sheet, held_out: bool, most: int) -> list[Row]:
    """The rows of a language, at most `most` of a template."""
    split = "held_out" if held_out else "train"
    rows = {
        text.casefold(): Row(text, group.label, f"own_{group.name}", sheet.language, split)
        for group in sheet.groups
        for template in group.templates(held_out)
        for text in fillings(template, sheet.slots, most)
    }
    return list(rows.values())


def fillings(template: str, slots: dict[str, list[str]], most: int) -> Iterator[str]:
    """At most `most` texts of a template; a repeated slot has one value."""
    names = sorted({slot.lower() for slot in SLOT.findall(template)})
    ways = prod(len(slots[name]) for name in names)
    for way in random.Random(template).sample(range(ways), min(most, ways)):
        yield filled(template, chosen(names, slots, way))


def chosen(names: list[str], slots: dict[str, list[str]], way: int) -> dict[str, str]:
    """The values of the slots in combination number `way`."""
    values = {}
    for name in names:
        way, place = divmod(way, len(slots[name]))
        values[name] = slots[name][place]
    return values


def filled(template: str, values: dict[str, str]) -> str:
    def value(slot: re.Match[str]) -> str:
        name = slot[1]
        filling = values[name.lower()]
        return filling if name.islower() else filling[:1].upper() + filling[1:]

    return SLOT.sub(value, template)
