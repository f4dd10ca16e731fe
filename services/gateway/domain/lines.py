"""Rows as lines: of CSV (RFC 4180) without spreadsheet formulas, and of NDJSON."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

FORMULA_SIGNS = frozenset("=+-@")
"""Characters that begin a spreadsheet formula (OWASP, CSV Injection), after normalisation of their width."""

BLANK_CHARACTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as nothing. Other invisible characters are recognised by their Unicode category."""


def csv_lines(header: Sequence[str] | None, rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The header, if there is one, and the rows as lines of CSV. None is an empty field, booleans are `true` and `false`, numbers
    are never rounded."""
    if header is not None:
        yield _csv_line(header)
    for row in rows:
        yield _csv_line([_field(value) for value in row])


def _csv_line(fields: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(fields)
    return text.getvalue()


def _field(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}" if may_be_formula(value) else value
        case _:
            return str(value)


def may_be_formula(text: str) -> bool:
    """Whether a spreadsheet may read `text` as a formula: it begins with a control character, or its first visible character is
    one of FORMULA_SIGNS in any width. Spreadsheets differ in what they trim, so every invisible character is skipped."""
    if text[:1] < " ":
        return bool(text)
    visible = next((character for character in text if not is_invisible(character)), "")
    return unicodedata.normalize("NFKC", visible)[:1] in FORMULA_SIGNS if visible else False


def is_invisible(character: str) -> bool:
    """White space, controls, format characters such as U+200B, combining marks, unassigned code points, blank letters."""
    return unicodedata.category(character)[0] in "ZCM" or character in BLANK_CHARACTERS


def to_ndjson(items: Iterable[Mapping[str, Any]]) -> bytes:
    """One line of JSON for each item."""
    return b"".join(msgspec.json.encode(item) + b"\n" for item in items)
