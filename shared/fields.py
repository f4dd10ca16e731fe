"""The fields of KPI rows and records that the parameter `fields` selects.

Metrics leaves out the other fields of JSON, and the gateway the other columns of CSV.
"""

from collections.abc import Sequence

from shared.suggestions import refusal

KPI_FIELDS = (
    "kpi", "version", "unit", "from", "to", "dims", "names", "value", "n", "numerator", "denominator", "interval", "distribution",
    "flags", "compare",
)  # fmt: skip
"""The fields of a row. `kpi`, `version` and `unit` are columns of CSV; JSON always has them, beside the rows."""

RECORD_FIELDS = (
    "subject", "at", "measure", "value", "dims", "names", "text", "text_hash", "label", "score", "themes", "urgency", "judged_by",
    "themes_by", "model", "model_label",
)  # fmt: skip
"""The fields of a record; those from `text_hash` on are of records of comments."""


def select_fields(text: str | None, fields: Sequence[str]) -> tuple[str, ...]:
    """The `fields` that `text` selects, in their own order; all without a text.

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
