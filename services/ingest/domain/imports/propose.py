"""Proposes the mapping of a CSV file from a sample of it.

A column is used only if its name or its values say what it holds. Whatever is left to decide becomes a note.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from services.ingest.domain.fields import is_email
from services.ingest.domain.imports.times import ISO, UNIX, UNIX_MS, read_time

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_ROWS = 500
MOSTLY = 0.95
"""The share of the cells of a column that must fit."""

FORMATS = (
    ISO,
    "%Y-%m-%d %H:%M:%S %z",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%b %d, %Y %H:%M",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y",
    "%d %b %Y %H:%M",
    "%B %d, %Y",
)
"""Formats of times that are tried, in this order."""

WORDS = {
    "id": r"#|id|token|(response|respondent|submission|survey response|answer|review|record)[ _-]?(id|token|number|no)",
    "at": r".*\b(submit|submitted|completed|responded|answered|created|date|time|timestamp|at)\b.*",
    "updated_at": r".*\b(updated|modified|edited)\b.*",
    "email": r".*\be-?mail\b.*",
    "customer": r"(customer|user|client|contact|person|member|account|external)[ _-]?(id|number|no)",
    "nps": r".*\b(nps|net promoter( score)?)\b.*|.*\blikely\b.*\brecommend\b.*|.*\brecommend\b.*\blikely\b.*",
    "csat": r".*\b(csat|satisf\w*|zufrieden\w*)\b.*",
    "ces": r".*\b(ces|effort|easy|ease)\b.*",
    "comment": r".*\b(comments?|feedback|why|reason|tell us|suggestions?|improve|remarks?|verbatim|kommentar|warum)\b.*",
    "region": r"region|country|market|land",
    "language": r"language|locale|sprache",
    "team": r"team|group|department|support group",
    "agent": r"agent|assignee|agent[ _-]?(id|name)",
    "segment": r"segment|tier",
}
"""The name of a column as a regular expression, by the part of the record that it is."""
NAMED = {part: re.compile(pattern, re.IGNORECASE) for part, pattern in WORDS.items()}
DIMENSIONS = ("region", "language", "team", "agent", "segment")
SCALE_IN_NAME = re.compile(r"\b(\d{1,2})\s*(?:-|–|to|bis)\s*(\d{1,2})\b", re.IGNORECASE)


class Undecidable(ValueError):
    """The sample is no CSV with a header and at least one row. The message says why."""


@dataclass(frozen=True, slots=True)
class Note:
    """A decision that the proposal leaves open, or makes on weak grounds."""

    column: str
    text: str


@dataclass(slots=True)
class Proposal:
    """`mapping` has the fields of CsvMapping that the sample decides; `left_out` are the columns that it does not name."""

    mapping: dict[str, Any]
    notes: list[Note] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the sample with its cells that are not blank."""

    name: str
    cells: Sequence[str]

    def is_named(self, part: str) -> bool:
        """Whether its name is one for this part of a record."""
        return NAMED[part].fullmatch(self.name) is not None

    def mostly(self, fits: Callable[[str], bool]) -> bool:
        """Whether nearly all of its cells fit. False for a blank column."""
        return bool(self.cells) and sum(map(fits, self.cells)) >= MOSTLY * len(self.cells)

    @property
    def numbers(self) -> list[int]:
        """Its cells as whole numbers, if nearly all are; else none."""
        return [int(float(cell)) for cell in self.cells if is_whole(cell)] if self.mostly(is_whole) else []


def propose(sample: str) -> Proposal:
    """The proposed mapping. Raises Undecidable."""
    delimiter, rows = read_sample(sample)
    columns = to_columns(rows)
    proposal = Proposal({"type": "response"} | ({"delimiter": delimiter} if delimiter != "," else {}), rows=len(rows) - 1)
    left = [column for column in columns if column.name]
    for take in (_take_times, _take_id, _take_customer, _take_dimensions, _take_answers):
        left = take(left, proposal)
    proposal.left_out = [column.name for column in left]
    return proposal


def read_sample(sample: str) -> tuple[str, list[list[str]]]:
    """(delimiter, rows with the header first): the delimiter that divides the rows into most columns, evenly."""
    best: tuple[tuple[float, int], str, list[list[str]]] | None = None
    for delimiter in DELIMITERS:
        rows = list(islice(_parse(sample, delimiter), SAMPLE_ROWS + 1))
        widths = Counter(map(len, rows))
        if rows and len(rows[0]) > 1:
            even = widths[len(rows[0])] / len(rows)
            if best is None or (even, len(rows[0])) > best[0]:
                best = (even, len(rows[0])), delimiter, rows
    if best is None or len(best[2]) < 2:
        raise Undecidable("a header and at least one row are needed, with columns divided by a comma, semicolon, tab or |")
    return best[1], best[2]


def _parse(sample: str, delimiter: str) -> Iterator[list[str]]:
    """The rows that are not blank. The last one is left out if the sample cuts it."""
    complete = sample if sample.endswith("\n") else sample[: sample.rfind("\n") + 1] or sample
    try:
        for row in csv.reader(complete.removeprefix("\ufeff").splitlines(keepends=True), delimiter=delimiter):
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error:
        return


def to_columns(rows: Sequence[Sequence[str]]) -> list[Column]:
    """The columns of a sample. Those whose name occurs twice are left out: a mapping can't name them."""
    header = [cell.strip() for cell in rows[0]]
    cells = [[row[i].strip() for row in rows[1:] if i < len(row) and row[i].strip()] for i in range(len(header))]
    return [Column(name, its) for name, its in zip(header, cells, strict=True) if header.count(name) == 1]


def is_whole(cell: str) -> bool:
    """Whether the cell is a whole number of up to four digits."""
    return re.fullmatch(r"-?\d{1,4}(\.0+)?", cell, re.ASCII) is not None


def _take_times(columns: list[Column], proposal: Proposal) -> list[Column]:
    formats = {column.name: layouts for column in columns if (layouts := formats_of(column))}
    candidates = [column for column in columns if column.name in formats]
    edited = next((column for column in candidates if column.is_named("updated_at")), None)
    others = [column for column in candidates if column is not edited]
    at = min(others, key=lambda column: (not _is_submission(column), not column.is_named("at")), default=edited)
    edited = edited if edited is not at else None
    if at is None:
        proposal.notes.append(Note("", "no column holds times of a known format: `at` is missing"))
    for field_name, column in (("at", at), ("updated_at", edited)):
        if column:
            proposal.mapping[field_name] = _time_column(column, formats[column.name], proposal)
    return [column for column in columns if column not in (at, edited)]


def _is_submission(column: Column) -> bool:
    return re.search(r"submi|complet|respond|answer", column.name, re.IGNORECASE) is not None


def formats_of(column: Column) -> list[str]:
    """The formats that every cell of the column has. Numbers are seconds or milliseconds only if the column's name says time."""
    cells = column.cells[:SAMPLE_ROWS]
    if not cells:
        return []
    if all(re.fullmatch(r"\d{9,13}", cell, re.ASCII) for cell in cells):
        return [UNIX_MS if len(cells[0]) > 11 else UNIX] if column.is_named("at") else []
    if not all(re.search(r"\d.*\D.*\d", cell) and len(cell) <= 40 for cell in cells):
        return []
    return [layout for layout in FORMATS if all(_fits(cell, layout) for cell in cells)]


def _fits(cell: str, layout: str) -> bool:
    try:
        read_time(cell, layout, "UTC")
    except ValueError:
        return False
    return True


def _time_column(column: Column, formats: list[str], proposal: Proposal) -> dict[str, Any]:
    layout = formats[0]
    day_first = [one for one in formats if "%d/%m" in one]
    is_undecided = bool(day_first) and any("%m/%d" in one for one in formats)
    if is_undecided:
        proposal.notes.append(Note(column.name, "day/month or month/day? No date of the sample decides it: state the `format`"))
    proposed: dict[str, Any] = {"column": column.name}
    if layout != ISO and not is_undecided:
        proposed["format"] = layout
    has_offset = layout in (UNIX, UNIX_MS) or "%z" in layout
    has_offset = has_offset or all(re.search(r"(Z|[+-]\d\d:?\d\d)$", cell) for cell in column.cells)
    if not has_offset and "utc" not in column.name.lower() and "gmt" not in column.name.lower():
        proposal.notes.append(Note(column.name, "its times have no offset: state their `zone`, which is UTC otherwise"))
    return proposed


def _take_id(columns: list[Column], proposal: Proposal) -> list[Column]:
    for column in columns:
        if column.is_named("id") and len({*column.cells}) == len(column.cells) == proposal.rows:
            proposal.mapping["id"] = column.name
            return [one for one in columns if one is not column]
    proposal.notes.append(Note("", "no column is an id: a digest of the row is its id, so a changed row is a new record"))
    return columns


def _take_customer(columns: list[Column], proposal: Proposal) -> list[Column]:
    customer: dict[str, str] = {}
    for column in columns:
        if "email" not in customer and column.is_named("email") and column.mostly(is_email):
            customer["email"] = column.name
        elif "id" not in customer and column.is_named("customer") and column.cells:
            customer["id"] = column.name
    if customer:
        proposal.mapping["customer"] = customer
    return [column for column in columns if column.name not in customer.values()]


def _take_dimensions(columns: list[Column], proposal: Proposal) -> list[Column]:
    dimensions: dict[str, str] = {}
    for column in columns:
        part = next((name for name in DIMENSIONS if column.is_named(name)), None)
        if part and part not in dimensions.values() and column.cells and max(map(len, column.cells)) <= 200:
            dimensions[column.name] = part
    if dimensions:
        proposal.mapping["dimensions"] = dimensions
    return [column for column in columns if column.name not in dimensions]


def _take_answers(columns: list[Column], proposal: Proposal) -> list[Column]:
    answers = {column.name: answer for column in columns if (answer := answer_of(column, proposal.notes))}
    if not answers:
        proposal.notes.append(Note("", "no column is known to hold answers: `answers` is missing"))
    proposal.mapping["answers"] = answers
    return [column for column in columns if column.name not in answers]


def answer_of(column: Column, notes: list[Note]) -> dict[str, Any] | None:
    """The entry of `answers` for a column; None if neither its name nor its cells say that it is one. A 0 to 10 alone is none."""
    numbers = column.numbers
    if not numbers:
        return _comment(column, notes)
    low, high = min(numbers), max(numbers)
    if column.is_named("nps") and low >= 0 and high <= 10:
        return {"kind": "nps"}
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
    if column.is_named("nps") or column.is_named("csat") or column.is_named("ces"):
        notes.append(Note(column.name, "its cells are words: state `kind`, `scale` and the number of each word in `values`"))
    elif sum(words) >= 4 * len(words) and len({*column.cells}) > len(words) / 2:
        notes.append(Note(column.name, "its cells are texts: if they are comments, state the kind `comment`"))
    return None
