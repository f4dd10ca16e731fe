"""Cuts a file of records into samples of whole records, and sums the results of their dry runs."""

from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

SAMPLE_BYTES = 768 * 1024
"""Bytes of one dry run: after conversion to UTF-8 too, they are below the limit of 1 MiB."""


def samples(
    lines: Iterable[bytes], encoding: str = "utf-8", header: bool = False, size: int = SAMPLE_BYTES
) -> Iterator[tuple[int, str]]:
    """(lines before the sample, its text) of samples of about `size` bytes. Each begins with the header if the file has one.

    A row of a CSV file may have several lines: a sample ends only where all quotation marks are paired.
    """
    first, part, before = b"", b"", 0
    for number, line in enumerate(lines, 1):
        part += line
        if header and not first and not part.count(b'"') % 2:
            first, part, before = part, b"", number
        elif len(part) >= size and (not header or not part.count(b'"') % 2):
            yield before - first.count(b"\n"), _text(first + part, encoding)
            part, before = b"", number
    if part:
        yield before - first.count(b"\n"), _text(first + part, encoding)


def _text(content: bytes, encoding: str) -> str:
    return content.decode(encoding, errors="replace")


def detect_encoding(sample: bytes) -> str:
    """`utf-8` or `windows-1252`: the encoding in which the beginning of a file is text. It may end within a character."""
    try:
        getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def add_results(total: Mapping[str, Any] | None, result: Mapping[str, Any], lines_before: int) -> dict[str, Any]:
    """The sum of the results of two dry runs. Lines of `result` are counted from the beginning of the file."""
    moved = dict(result) | {"faults": [fault | {"line": fault["line"] + lines_before} for fault in result["faults"]]}
    if total is None:
        return moved
    added = {name: total[name] + moved[name] for name in ("rows", "new", "existing", "erased", "rejected")}
    added["other"] = {name: total["other"].get(name, 0) + moved["other"].get(name, 0) for name in total["other"] | moved["other"]}
    added["questions"] = _add_rows(total["questions"], moved["questions"], ("question", "kind"), "answers")
    added["dimensions"] = _add_rows(total["dimensions"], moved["dimensions"], ("dimension",), "records")
    added["faults"] = [*total["faults"], *moved["faults"]][:100]
    for name, choose in (("first_at", min), ("last_at", max)):
        added[name] = choose(filter(None, (total[name], moved[name])), default=None)
    return {**total, **added}


def _add_rows(
    rows: Iterable[Mapping[str, Any]], more: Iterable[Mapping[str, Any]], key: tuple[str, ...], number: str
) -> list[dict[str, Any]]:
    """Rows with equal keys are added."""
    by_key: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in (*rows, *more):
        name = tuple(row[column] for column in key)
        by_key[name] = {**row, **by_key.get(name, {}), number: row[number] + by_key.get(name, {}).get(number, 0)}
    return list(by_key.values())
