"""Results as tables, and tables as CSV (RFC 4180) without spreadsheet formulas."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shared.events import DIMENSIONS

Table = tuple[list[str], Iterable[Sequence[Any]]]
"""Column names, and rows of that width."""

VALUE_COLUMNS = ("value", "n", "numerator", "denominator")
INTERVAL_COLUMNS = ("low", "high", "level", "method")
COMPARE_COLUMNS = ("to", "value", "delta", "significant")
RECORD_FIELDS = ("at", "subject", "measure", "value", "label", "score", "model", "judged_by", "text", "text_hash")
RECORD_COLUMNS = (*RECORD_FIELDS, *DIMENSIONS)

FORMULA_SIGNS = frozenset("=+-@")
"""Characters that begin a spreadsheet formula (OWASP, CSV Injection), after normalisation of their width."""

BLANK_CHARACTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as nothing. Other invisible characters are recognised by their Unicode category."""


def kpi_columns(dims: Sequence[str], comparisons: int) -> list[str]:
    """The columns of a KPI result grouped by `dims` with `comparisons` comparisons. They don't depend on the rows."""
    return [
        *("kpi", "version", "unit", "from", "to"),
        *dims,
        *VALUE_COLUMNS,
        *(f"interval_{name}" for name in INTERVAL_COLUMNS),
        *("flags", "distribution"),
        *(f"compare_{number}_{name}" for number in range(1, comparisons + 1) for name in COMPARE_COLUMNS),
    ]


def kpi_table(result: Mapping[str, Any], dims: Sequence[str], comparisons: int) -> Table:
    """A KPI result as a table with the columns of `kpi_columns`."""
    return kpi_columns(dims, comparisons), (_kpi_row(result, row, dims, comparisons) for row in result["rows"])


def _kpi_row(result: Mapping[str, Any], row: Mapping[str, Any], dims: Sequence[str], comparisons: int) -> list[Any]:
    interval = row.get("interval") or {}
    distribution = row.get("distribution")
    compared = [*row.get("compare", ()), *([{}] * comparisons)][:comparisons]
    return [
        *(result.get(name) for name in ("kpi", "version", "unit")),
        *(row.get(name) for name in ("from", "to")),
        *((row.get("dims") or {}).get(name) for name in dims),
        *(row.get(name) for name in VALUE_COLUMNS),
        *(interval.get(name) for name in INTERVAL_COLUMNS),
        " ".join(row.get("flags", ())),
        None if distribution is None else msgspec.json.encode(distribution).decode(),
        *(comparison.get(name) for comparison in compared for name in COMPARE_COLUMNS),
    ]


def records_table(page: Mapping[str, Any]) -> Table:
    """A page of records as a table with RECORD_COLUMNS."""
    return list(RECORD_COLUMNS), (
        [*(record.get(name) for name in RECORD_FIELDS), *((record.get("dims") or {}).get(name) for name in DIMENSIONS)]
        for record in page["records"]
    )


def to_csv(table: Table) -> str:
    """The table as CSV, with its header."""
    return "".join(csv_lines(table))


def csv_lines(table: Table) -> Iterator[str]:
    """The header and the rows of the table as lines of CSV. None is an empty field, booleans are `true` and `false`, numbers are
    never rounded."""
    columns, rows = table
    yield _csv_line(columns)
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
