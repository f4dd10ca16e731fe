"""Proposes the mapping of a CSV file from a sample of it.

A column is used only if its name or its values say what it holds. Whatever is left to decide becomes a note.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from services.ingest.domain.fields import is_email
from services.ingest.domain.imports.propose_answers import answer_of, kind_of_surveys, typed_answer
from services.ingest.domain.imports.sample_columns import Column, Note
from services.ingest.domain.imports.times import ISO, UNIX, UNIX_MS, read_time

DELIMITERS = (",", ";", "\t", "|")
SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""A line before the header by which Excel states the delimiter."""
SERIAL_DAY = re.compile(r"[2-6]\d{4}([.,]\d+)?", re.ASCII)
"""A time as Excel counts it, in days since 1900."""
SAMPLE_ROWS = 500
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
    "%d.%m.%y %H:%M",
    "%d/%m/%y %H:%M",
    "%m/%d/%y %H:%M",
    "%m/%d/%y %I:%M %p",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%b %d, %Y %H:%M",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y",
    "%d %b %Y %H:%M",
    "%B %d, %Y",
)
"""Formats of times that are tried, in this order."""

DIMENSIONS = ("region", "language", "team", "agent", "segment")


class Undecidable(ValueError):
    """The sample is no CSV with a header and at least one row. The message says why."""


@dataclass(slots=True)
class Proposal:
    """`mapping` has the fields of CsvMapping that the sample decides; `left_out` are the columns that it does not name."""

    mapping: dict[str, Any]
    notes: list[Note] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    rows: int = 0


def propose(sample: str) -> Proposal:
    """The proposed mapping. Raises Undecidable."""
    delimiter, rows = read_sample(sample)
    proposal = Proposal({"type": "response"} | ({"delimiter": delimiter} if delimiter != "," else {}), rows=len(rows) - 1)
    if len(rows) > 2 and is_header(rows[1]):
        proposal.notes.append(Note("", "the second row has no values, only further names of columns: an import rejects it"))
        proposal.rows -= 1
        del rows[1]
    columns = to_columns(rows)
    left = [column for column in columns if column.name]
    for take in (_take_times, _take_id, _take_customer, _take_dimensions, _take_answers):
        left = take(left, proposal)
    proposal.left_out = [column.name for column in left]
    return proposal


def read_sample(sample: str) -> tuple[str, list[list[str]]]:
    """(delimiter, rows with the header first): the delimiter that divides the rows into most columns, evenly, unless the first
    line states it."""
    text = sample.removeprefix("\ufeff")
    if "\r" in text and "\n" not in text:
        raise Undecidable("the lines end with a carriage return alone: save the file with the line ends LF or CRLF")
    first_line = SEPARATOR.match(text)
    text = text[first_line.end() :] if first_line else text
    best: tuple[tuple[float, int], str, list[list[str]]] | None = None
    for delimiter in (first_line[1],) if first_line and first_line[1] in DELIMITERS else DELIMITERS:
        rows = list(islice(_parse(text, delimiter), SAMPLE_ROWS + 1))
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
        for row in csv.reader(io.StringIO(complete, newline=""), delimiter=delimiter):
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error:
        return


def is_header(row: Sequence[str]) -> bool:
    """Whether a row below the header continues it: its first cells are blank, and no cell has a digit. Exports of surveys whose
    questions have several columns have such a row."""
    return not any(cell.strip() for cell in row[:2]) and not any(character.isdigit() for cell in row for character in cell)


def to_columns(rows: Sequence[Sequence[str]]) -> list[Column]:
    """The columns of a sample. Those whose name occurs twice are left out: a mapping can't name them."""
    header = [cell.strip() for cell in rows[0]]
    cells = [[row[i].strip() for row in rows[1:] if i < len(row) and row[i].strip()] for i in range(len(header))]
    return [Column(name, its) for name, its in zip(header, cells, strict=True) if header.count(name) == 1]


def _take_times(columns: list[Column], proposal: Proposal) -> list[Column]:
    formats = {column.name: layouts for column in columns if (layouts := formats_of(column))}
    candidates = [column for column in columns if column.name in formats]
    edited = next((column for column in candidates if column.is_named("updated_at")), None)
    others = [column for column in candidates if column is not edited]
    at = min(others, key=lambda column: (not _is_submission(column), not column.is_named("at")), default=edited)
    edited = edited if edited is not at else None
    if at is None:
        proposal.notes.append(Note("", "no column holds times of a known format: `at` is missing"))
        for other in columns:
            if other.is_named("at") and other.mostly(lambda cell: SERIAL_DAY.fullmatch(cell) is not None):
                proposal.notes.append(
                    Note(other.name, "its numbers may be Excel's days: format the column as date and time there")
                )
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
    day_first = [candidate for candidate in formats if "%d/%m" in candidate]
    is_undecided = bool(day_first) and any("%m/%d" in candidate for candidate in formats)
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
            return [other for other in columns if other is not column]
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
    kind = next((kind for column in columns if (kind := kind_of_surveys(column))), None)
    typed = [column for column in columns if kind and column.is_named("score")]
    answers = {
        column.name: answer
        for column in columns
        if (answer := (typed_answer(kind, column) if kind and column in typed else answer_of(column, proposal.notes)))
    }
    if not answers:
        proposal.notes.append(Note("", "no column is known to hold answers: `answers` is missing"))
    proposal.mapping["answers"] = answers
    return [column for column in columns if column.name not in answers]
