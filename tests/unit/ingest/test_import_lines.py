"""Lines of an uploaded file, whose parts may be cut anywhere."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.imports.lines import MAX_LINE_BYTES, START, FilePosition, read_lines


def parts_of(content: bytes, cuts: list[int]) -> dict[int, bytes]:
    """The content in non-empty parts, cut at these places."""
    places = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    return dict(enumerate((content[a:b] for a, b in itertools.pairwise(places)), 1))


@given(
    st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"\xc3\xa9"]), max_size=40).map(b"".join), st.lists(st.integers(0, 99))
)
def test_lines_are_the_same_wherever_the_file_is_cut(content: bytes, cuts: list[int]) -> None:
    parts = parts_of(content, cuts)
    lines = list(read_lines(parts.get))
    assert b"".join(line.content for line in lines) == content
    assert [line.content for line in lines] == content.splitlines(keepends=True) if b"\r\n" not in content else True
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n"]), max_size=40).map(b"".join), st.lists(st.integers(0, 99)))
def test_reading_continues_at_the_end_of_any_line(content: bytes, cuts: list[int]) -> None:
    parts = parts_of(content, cuts)
    lines = list(read_lines(parts.get))
    for index, line in enumerate(lines):
        assert list(read_lines(parts.get, line.end)) == lines[index + 1 :]


def test_an_endless_line_takes_bounded_memory_and_the_next_one_is_read() -> None:
    parts = dict.fromkeys(range(1, 6), b"x" * MAX_LINE_BYTES) | {6: b"\nnext\n"}
    endless, following = read_lines(parts.get)
    assert endless.is_too_long
    assert len(endless.content) == MAX_LINE_BYTES + 1
    assert (following.content, following.end) == (b"next\n", FilePosition(6, 6, 2))


def test_a_file_without_parts_has_no_lines() -> None:
    parts: dict[int, bytes] = {}
    assert list(read_lines(parts.get, START)) == []
