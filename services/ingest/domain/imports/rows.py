"""Turns rows of a CSV file into canonical records."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from services.ingest.domain.imports.lines import MAX_LINE_BYTES, FilePosition, Line
from services.ingest.domain.imports.mapping import MAX_COLUMNS, AnswerColumn, CsvMapping, TimeColumn
from services.ingest.domain.imports.times import read_time
from shared.suggestions import refusal

BOM = b"\xef\xbb\xbf"
SEPARATOR = re.compile(rb"sep=(.)\s*", re.IGNORECASE)
"""A line before the header by which Excel states the delimiter."""
MAX_ROW_LINES = 10_000
"""Lines of one row, whose texts may have line breaks."""

csv.field_size_limit(MAX_LINE_BYTES)
"""The limit is that of the whole process: nothing else reads CSV."""

Record = dict[str, Any]
Cells = Mapping[str, str]
"""The cells of a row by the names of their columns, without the white space around them. Blank ones are left out."""


class Unreadable(ValueError):
    """The rest of the file can't be read. The message says why, and in which line."""


class WrongCell(ValueError):
    """A cell can't be used: `column` is its column, the message the reason."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


@dataclass(frozen=True, slots=True)
class CsvRow:
    """The cells of one row in the order of the header, the line in which it begins, and the position after it."""

    line: int
    end: FilePosition
    cells: Sequence[str]


def read_rows(lines: Iterable[Line], mapping: CsvMapping) -> Iterator[CsvRow]:
    """The rows of a CSV file that are not blank, the header first if `lines` has it. Raises Unreadable.

    A row may have several lines, if its texts have line breaks.
    """
    ends: list[FilePosition] = []
    reader = csv.reader(_texts(lines, mapping.encoding, ends), delimiter=mapping.delimiter, strict=True)
    while True:
        ends.clear()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            begin = ends[0].line if ends else 0
            raise Unreadable(f"line {begin}: {_reason(str(error))}") from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield CsvRow(ends[0].line, ends[-1], cells)


def _texts(lines: Iterable[Line], encoding: str, ends: list[FilePosition]) -> Iterator[str]:
    """The lines as text. Their positions are appended to `ends`."""
    for line in lines:
        ends.append(line.end)
        if line.is_too_long or len(ends) > MAX_ROW_LINES:
            raise Unreadable(f"line {ends[0].line}: the row has more than {MAX_LINE_BYTES} bytes or {MAX_ROW_LINES} lines")
        content = line.content.removeprefix(BOM) if line.number == 1 else line.content
        if line.number == 1 and SEPARATOR.fullmatch(content):
            content = b"\n"
        if b"\0" in content:
            raise Unreadable(f"line {line.number}: NUL; the file must be text in {encoding}")
        try:
            yield content.decode(encoding)
        except UnicodeDecodeError:
            raise Unreadable(f"line {line.number}: not {encoding}") from None


def _reason(error: str) -> str:
    """The reason of an error of the csv module."""
    if "unexpected end of data" in error:
        return "a quoted cell has no end"
    if "expected after" in error:
        return "text follows the end of a quoted cell"
    if "new-line character" in error:
        return "a line ends with a carriage return alone: save the file with the line ends LF or CRLF"
    if "field limit" in error:
        return f"a cell has more than {MAX_LINE_BYTES} characters"
    return "not CSV"


def read_header(cells: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns. Raises Unreadable if there are too many, or one occurs twice."""
    names = tuple(cell.strip() for cell in cells)
    if len(names) > MAX_COLUMNS:
        raise Unreadable(f"the header has {len(names)} columns, more than {MAX_COLUMNS}")
    return names


def missing_columns(mapping: CsvMapping, header: Sequence[str]) -> list[dict[str, str]]:
    """The places of the mapping that name no column of the header, or one that occurs twice, each with the reason."""
    return [
        {"name": place, "reason": _column_reason(name, header)} for place, name in mapping.columns() if header.count(name) != 1
    ]


def _column_reason(name: str, header: Sequence[str]) -> str:
    return "the file has two columns of this name" if name in header else refusal("is no column of the file", name, header)


class RowConverter:
    """Converts rows of a file with this header to canonical records."""

    def __init__(self, mapping: CsvMapping, header: Sequence[str]) -> None:
        self._mapping = mapping
        self._header = header
        self._used = {name for _, name in mapping.columns()}

    def convert(self, row: CsvRow) -> Record:
        """The record. Raises WrongCell."""
        if len(row.cells) > len(self._header) and any(cell.strip() for cell in row.cells[len(self._header) :]):
            raise WrongCell("", f"the row has {len(row.cells)} cells, the header {len(self._header)}")
        pairs = zip(self._header, row.cells, strict=False)
        cells = {name: text for name, cell in pairs if name in self._used and (text := cell.strip())}
        mapping = self._mapping
        at = _time(cells, mapping.at)
        record: Record = {
            "type": mapping.type,
            "id": _cell(cells, mapping.id) if mapping.id else sha256("\0".join(row.cells).encode()).hexdigest()[:32],
            "at": at,
            "updated_at": _time(cells, mapping.updated_at) if _is_stated(cells, mapping.updated_at) else at,
        }
        optional = {
            "survey": mapping.survey.model_dump(exclude_none=True) if mapping.survey else None,
            "channel": mapping.channel,
            "customer": _customer(cells, mapping),
            "dimensions": {name: cells[column] for column, name in mapping.dimensions.items() if column in cells},
        }
        record |= {name: value for name, value in optional.items() if value}
        return record | (_answers(cells, mapping) if mapping.type == "response" else _review(cells, mapping))


def _cell(cells: Cells, column: str) -> str:
    if column not in cells:
        raise WrongCell(column, "is blank")
    return cells[column]


def _is_stated(cells: Cells, column: TimeColumn | None) -> bool:
    return column is not None and column.column in cells


def _time(cells: Cells, column: TimeColumn | None) -> str:
    assert column
    text = _cell(cells, column.column)
    return str(_checked(column.column, partial(read_time, text, column.format, column.zone)).isoformat())


def _checked(column: str, read: Callable[[], Any]) -> Any:
    """The result of `read()`. Its ValueError becomes WrongCell."""
    try:
        return read()
    except ValueError as error:
        raise WrongCell(column, str(error)) from None


def _customer(cells: Cells, mapping: CsvMapping) -> Record | None:
    columns = mapping.customer
    if columns is None:
        return None
    named = {"id": columns.id, "email": columns.email}
    return {field: cells[column] for field, column in named.items() if column and column in cells}


def _answers(cells: Cells, mapping: CsvMapping) -> Record:
    return {
        "answers": [
            _answer(name, column, cells[name])
            for name, column in mapping.answers.items()
            if name in cells and column.values.get(cells[name], 0) is not None
        ],
    }


def _answer(name: str, column: AnswerColumn, text: str) -> Record:
    answer: Record = {"question": column.question_of(name), "kind": column.kind}
    if column.kind == "comment":
        return answer | {"text": text} | ({"language": column.language} if column.language else {})
    scale = list(column.scale) if column.scale else None
    optional: Record = {"scale": scale, "polarity": column.polarity, "positive_from": column.positive_from}
    answer |= {field: value for field, value in optional.items() if value is not None}
    if text in column.values:
        return answer | {"value": column.values[text], "raw": text[:200]}
    return answer | {"value": _number(name, text)}


def _number(column: str, text: str) -> int:
    """A whole number, also as `9.0`."""
    try:
        value = float(text) if text.isascii() else None
    except ValueError:
        value = None
    if value is None or not value.is_integer() or abs(value) > 1000:
        raise WrongCell(column, "not a whole number; words need `values` in the mapping")
    return int(value)


def _review(cells: Cells, mapping: CsvMapping) -> Record:
    columns = mapping.review
    assert columns
    fields: Record = {
        field: cells[column]
        for field in ("title", "text", "product")
        if (column := getattr(columns, field)) is not None and column in cells
    }
    if columns.stars and columns.stars in cells:
        fields["stars"] = _number(columns.stars, cells[columns.stars])
    return fields | ({"language": columns.language} if columns.language else {})
