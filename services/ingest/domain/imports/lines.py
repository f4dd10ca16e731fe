"""Splits a file that was uploaded in parts into lines. The parts may be cut anywhere."""

from collections.abc import Callable, Iterator

from msgspec import Struct

MAX_LINE_BYTES = 1024 * 1024
"""Of a longer line only the beginning is read, which is enough to reject it."""


class FilePosition(Struct, frozen=True, order=True):
    """A place between two lines of the file: `offset` bytes into part `part`, after `line` lines. Parts are counted from 1."""

    part: int
    offset: int
    line: int


START = FilePosition(1, 0, 0)


class Line(Struct, frozen=True):
    """A line with its end, `\\n`, if it has one. `end` is the position after it."""

    content: bytes
    end: FilePosition

    @property
    def number(self) -> int:
        """Its number in the file, from 1."""
        return self.end.line

    @property
    def is_too_long(self) -> bool:
        """Whether the line has more than MAX_LINE_BYTES bytes."""
        return len(self.content) > MAX_LINE_BYTES


def read_lines(
    load: Callable[[int], bytes | None], begin: FilePosition = START, end_of_range: FilePosition | None = None
) -> Iterator[Line]:
    """The lines from `begin` on, up to `end_of_range` or the end of the file. `load` returns a part by its number, None after the
    last one; one part is held at a time."""
    part, offset, number = begin.part, begin.offset, begin.line
    last = None if end_of_range is None else end_of_range.line
    rest = b""
    if number == last:
        return
    while (content := load(part)) is not None:
        while end := content.find(b"\n", offset) + 1:
            number += 1
            yield Line(_limited(rest, content[offset:end]), FilePosition(part, end, number))
            if number == last:
                return
            rest, offset = b"", end
        rest = _limited(rest, content[offset:])
        part, offset = part + 1, 0
    if rest:
        yield Line(rest, FilePosition(part, 0, number + 1))


def _limited(begin: bytes, more: bytes) -> bytes:
    """Both together, cut behind MAX_LINE_BYTES."""
    return (begin + more)[: MAX_LINE_BYTES + 1] if begin else more[: MAX_LINE_BYTES + 1]
