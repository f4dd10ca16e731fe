"""The fields of KPI rows and records that the parameter `fields` selects.

Metrics leaves out the other fields of JSON, and the gateway the other columns of CSV. Dimensions of a tenant's own are columns
too, so they can't be declared with the name of another column or field.
"""

import re
from collections.abc import Sequence

from shared.suggestions import refusal

KPI_FIELDS = (
    "kpi", "version", "unit", "from", "to", "dims", "names", "value", "n", "numerator", "denominator", "interval", "distribution",
    "flags", "compare", "presets", "next_breach",
)  # fmt: skip
"""The fields of a row. `kpi`, `version` and `unit` are columns of CSV; JSON always has them, beside the rows."""

RECORD_FIELDS = (
    "subject", "at", "measure", "value", "dims", "names", "text", "text_hash", "label", "score", "themes", "urgency", "judged_by",
    "themes_by", "model", "model_label",
)  # fmt: skip
"""The fields of a record; those from `text_hash` on are of records of comments."""

COLUMNS = (
    "interval_low", "interval_high", "interval_level", "interval_method", "team_name", "agent_name", "survey_name",
)  # fmt: skip
"""The further columns of CSV, beside those that are named after a field or a dimension."""
RESERVED_NAMES = tuple(sorted({*KPI_FIELDS, *RECORD_FIELDS, *COLUMNS} - {"urgency"}))
"""Names that no dimension of a tenant's own can be declared with; others begin with `compare_`. `urgency` is a dimension."""
COMPARISON_COLUMN = re.compile(r"compare_.*")

DIMENSION_PREFIX = "dim."
"""Begins the name of a dimension's column in CSV if that name is reserved, but was not when the dimension was declared."""


def is_reserved(name: str) -> bool:
    """Whether a column or a field has this name, so that no dimension of a tenant's own can be declared with it."""
    return name in RESERVED_NAMES or COMPARISON_COLUMN.fullmatch(name) is not None


def dimension_column(name: str) -> str:
    """The name of a dimension's column in CSV."""
    return f"{DIMENSION_PREFIX}{name}" if is_reserved(name) else name


def select_fields(text: str | None, fields: Sequence[str]) -> tuple[str, ...]:
    """The `fields` that `text` selects, in their own order; all fields if it is None.

    `value,n` selects these fields, `!distribution` all but this one. Raises ValueError, with the reason, for an unknown field and
    if none is left.
    """
    if text is None:
        return tuple(fields)
    names = [name.strip() for name in text.split(",")]
    excluded = {name[1:] for name in names if name.startswith("!")}
    included = {name for name in names if not name.startswith("!")} or set(fields)
    for name in (*included, *excluded):
        if name not in fields:
            raise ValueError(refusal("unknown field", name, fields))
    selected = tuple(name for name in fields if name in included - excluded)
    if not selected:
        raise ValueError("selects no field")
    return selected
