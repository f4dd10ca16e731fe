"""Proposes the entries of `answers` in the mapping of a CSV file, from the names of columns and from their cells."""

import re
from typing import Any

from services.ingest.domain.imports.sample_columns import Column, Note

KINDS = ("nps", "csat", "ces")
GOOD_OR_BAD = {"good": 1, "good with comment": 1, "bad": 0, "bad with comment": 0, "offered": None, "not offered": None}
"""Words of Zendesk's satisfaction ratings. A rating that was offered and not given is no answer."""
NAMES_NPS = re.compile(r"\b(nps|net promoter)\b", re.IGNORECASE)
SCALE_IN_NAME = re.compile(r"\b(\d{1,2})\s*(?:-|–|to|bis)\s*(\d{1,2})\b", re.IGNORECASE)


def kind_of_surveys(column: Column) -> str | None:
    """The kind of all rows, if the column is one of survey types and has only one: then the score of each row is of this kind."""
    kinds = {cell.lower() for cell in column.cells} if column.is_named("survey_type") else set()
    return next((kind for kind in KINDS if kinds == {kind}), None)


def typed_answer(kind: str, column: Column) -> dict[str, Any] | None:
    """The entry of `answers` for the scores of surveys of this kind. None if they do not fit its scale."""
    numbers = column.numbers
    if not numbers:
        return None
    if kind == "nps":
        return {"kind": "nps"} if min(numbers) >= 0 and max(numbers) <= 10 else None
    scale = _scale(column.name, min(numbers), max(numbers))
    return {"kind": kind, "scale": scale} if scale else None


def answer_of(column: Column, notes: list[Note]) -> dict[str, Any] | None:
    """The entry of `answers` for a column; None if neither its name nor its cells say that it holds answers. Numbers from 0 to 10
    alone don't."""
    numbers = column.numbers
    if not numbers:
        return _comment(column, notes)
    low, high = min(numbers), max(numbers)
    if column.is_named("nps") and low >= 0 and high <= 10:
        return _nps(column, high, notes)
    kind = next((kind for kind in ("csat", "ces") if column.is_named(kind)), None)
    if kind is None:
        if low >= 0 and high <= 10:
            notes.append(Note(column.name, f"numbers from {low} to {high}: if it is a rating, state its `kind` and `scale`"))
        return None
    scale = _scale(column.name, low, high)
    if scale is None:
        notes.append(Note(column.name, f"numbers from {low} to {high}: state the `scale`, and for csat `positive_from`"))
        return None
    if not SCALE_IN_NAME.search(column.name):
        notes.append(Note(column.name, f"its scale is taken from the numbers of the sample, {low} to {high}: check it"))
    return {"kind": kind, "scale": scale}


def _nps(column: Column, high: int, notes: list[Note]) -> dict[str, Any] | None:
    """NPS. None if the name of the column states another scale than 0 to 10, or does not name NPS and no number is above 7."""
    scale = SCALE_IN_NAME.search(column.name)
    if scale and (int(scale[1]), int(scale[2])) != (0, 10):
        notes.append(Note(column.name, f"NPS goes from 0 to 10, not from {scale[1]} to {scale[2]}: state its `kind` and `scale`"))
        return None
    if not scale and high <= 7 and not NAMES_NPS.search(column.name):
        notes.append(Note(column.name, f"no number of the sample is above {high}: if its scale is 0 to 10, state the kind `nps`"))
        return None
    if not scale and high <= 7:
        notes.append(Note(column.name, f"no number of the sample is above {high}: check that its scale is 0 to 10"))
    return {"kind": "nps"}


def _scale(name: str, low: int, high: int) -> list[int] | None:
    """The scale that the name states, else 1 to 5 or 1 to 7 if the numbers reach its end."""
    if match := SCALE_IN_NAME.search(name):
        lowest, highest = int(match[1]), int(match[2])
        return [lowest, highest] if lowest < highest and lowest <= low and high <= highest else None
    return next(([1, end] for end in (5, 7) if low >= 1 and high == end), None)


def _comment(column: Column, notes: list[Note]) -> dict[str, Any] | None:
    words = [len(cell.split()) for cell in column.cells]
    if not words:
        return None
    if column.is_named("comment") and sum(words) >= 2 * len(words):
        return {"kind": "comment"}
    if column.is_named("satisfaction") and (values := good_or_bad(column)):
        return {"kind": "csat", "scale": [0, 1], "values": values}
    if column.is_named("nps") or column.is_named("csat") or column.is_named("ces"):
        notes.append(Note(column.name, "its cells are words: state `kind`, `scale` and the number of each word in `values`"))
    elif sum(words) >= 4 * len(words) and len({*column.cells}) > len(words) / 2:
        notes.append(Note(column.name, "its cells are texts: if they are comments, state the kind `comment`"))
    return None


def good_or_bad(column: Column) -> dict[str, int | None] | None:
    """The `values` of a column whose cells are all words of GOOD_OR_BAD, written as there. None if some are not."""
    words = {cell.lower().replace("_", " ") for cell in column.cells}
    if not words <= {*GOOD_OR_BAD}:
        return None
    first = column.cells[0]
    gap = "_" if any("_" in cell for cell in column.cells) else " "
    written = {
        word: word.title() if first.istitle() else word.capitalize() if first[0].isupper() else word for word in GOOD_OR_BAD
    }
    return {written[word].replace(" ", gap): value for word, value in GOOD_OR_BAD.items()}
