"""Divides a file into ranges that several processes can read at the same time. A range begins where a record begins."""

from collections.abc import Iterable

from services.ingest.domain.imports.lines import FilePosition
from services.ingest.domain.imports.rows import CsvRow, Unreadable

MOST_RANGES = 64


def parts_of_range(parts: int) -> int:
    """The number of parts of each range of a file with `parts` parts."""
    return max(1, -(-parts // MOST_RANGES))


class LineRanges:
    """Finds the places where ranges of a file begin whose records are lines. `add` takes the parts of the file in their order."""

    def __init__(self, parts: int) -> None:
        self._step = parts_of_range(parts)
        self._next = 1 + self._step
        self._lines = 0
        self.begins: list[FilePosition] = []

    def add(self, number: int, content: bytes) -> None:
        """Look for the end of a line in a part, if a range may begin there."""
        if number >= self._next and (end := content.find(b"\n") + 1):
            self.begins.append(FilePosition(number, end, self._lines + 1))
            self._next = number + self._step
        self._lines += content.count(b"\n")


def row_ranges(rows: Iterable[CsvRow], parts: int) -> list[FilePosition]:
    """The places where ranges of a CSV file begin: at the ends of rows, since a row may have several lines.

    No range begins after a row that can't be read: the range that holds this row ends the import.
    """
    step = parts_of_range(parts)
    begins: list[FilePosition] = []
    begin = 1 + step
    try:
        for row in rows:
            if row.end.part >= begin:
                begins.append(row.end)
                begin = row.end.part + step
    except Unreadable:
        return begins
    return begins
