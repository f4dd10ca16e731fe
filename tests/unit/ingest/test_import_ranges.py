"""Ranges of a file: they begin where records begin, and together hold each record once."""

import pytest

from services.ingest.domain.imports.lines import START, FilePosition, read_lines
from services.ingest.domain.imports.mapping import CsvMapping
from services.ingest.domain.imports.ranges import MOST_RANGES, LineRanges, parts_of_range, row_ranges
from services.ingest.domain.imports.reading import header_of
from services.ingest.domain.imports.rows import read_rows
from tests.unit.ingest.importing import HEADER, MAPPING

LINES = [b'{"n": %d}\n' % number for number in range(40)]


def cut(content: bytes, size: int) -> dict[int, bytes]:
    return {number: content[at : at + size] for number, at in enumerate(range(0, len(content), size), 1)}


@pytest.mark.parametrize("size", [1, 7, 9, 10, 11, 64, 1000])
def test_ranges_of_lines_hold_each_line_once_wherever_the_parts_are_cut(size: int) -> None:
    parts = cut(b"".join(LINES), size)
    ranges = LineRanges(len(parts))
    for number, content in parts.items():
        ranges.add(number, content)
    begins = [START, *ranges.begins]
    read = [line for begin, end in zip(begins, [*begins[1:], None], strict=True) for line in read_lines(parts.get, begin, end)]
    assert [line.content for line in read] == LINES
    assert [line.number for line in read] == list(range(1, 41))
    assert len(begins) <= MOST_RANGES


@pytest.mark.parametrize("size", [3, 20, 50])
def test_ranges_of_a_csv_file_never_cut_a_row_of_several_lines(size: int) -> None:
    rows = [f'{number},2026-11-20T09:00:00Z,,9,"two\nlines, 5"" wide",DE,\n' for number in range(30)]
    parts, mapping = cut((HEADER + "".join(rows)).encode(), size), CsvMapping.model_validate(MAPPING)
    _, begin = header_of(read_lines(parts.get), mapping)
    begins = [begin, *row_ranges(read_rows(read_lines(parts.get, begin), mapping), len(parts))]
    assert len(begins) > 1
    read = [
        row
        for begin, end in zip(begins, [*begins[1:], None], strict=True)
        for row in read_rows(read_lines(parts.get, begin, end), mapping)
    ]
    assert [row.cells[0] for row in read] == [str(number) for number in range(30)]
    assert [row.line for row in read] == list(range(2, 62, 2))


def test_no_range_begins_behind_a_row_that_can_not_be_read() -> None:
    rows = [f"{number},2026-11-20T09:00:00Z,,9,,DE,\n" for number in range(10)]
    rows[4] = '4,2026-11-20T09:00:00Z,,9,"no"end,DE,\n'
    parts, mapping = cut((HEADER + "".join(rows)).encode(), 20), CsvMapping.model_validate(MAPPING)
    _, begin = header_of(read_lines(parts.get), mapping)
    begins = row_ranges(read_rows(read_lines(parts.get, begin), mapping), len(parts))
    assert begins
    assert max(begin.line for begin in begins) <= 5


def test_a_long_file_has_few_ranges_of_many_parts() -> None:
    assert [parts_of_range(parts) for parts in (1, 64, 65, 10_000)] == [1, 1, 2, 157]


def test_a_part_within_a_line_begins_no_range() -> None:
    ranges = LineRanges(3)
    for number, content in enumerate((b"abc", b"def", b"g\nh\n"), 1):
        ranges.add(number, content)
    assert ranges.begins == [FilePosition(3, 2, 1)]
