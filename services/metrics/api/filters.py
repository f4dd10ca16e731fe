"""Parse dimensions and filters of a KPI query. Invalid ones raise BadQuery with the name of the parameter."""

import re
from collections.abc import Sequence

from services.metrics.domain.kpi import Kpi
from services.metrics.domain.query import MAX_GROUPINGS, Filter, unknown_dimension
from services.metrics.domain.windows import BadQuery
from shared.events import can_be_own_dimension
from shared.text import nfc

NULL, ESCAPED_NULL = "null", "\\null"
ITEM = re.compile(r"(?:\A|,)((?:\\[\\,!]|[^,])*)")
ESCAPE = re.compile(r"\\([\\,!])")
SPECIAL = re.compile(r"[\\,!]")


def parse_group_by(kpi: Kpi, texts: Sequence[str]) -> tuple[str, ...]:
    """The dimensions to group by. Raises BadQuery."""
    names = tuple(name for text in texts for name in text.split(","))
    for name in names:
        require_dimension(kpi, "group_by", name)
    if len(names) > MAX_GROUPINGS or len(set(names)) < len(names):
        raise BadQuery("group_by", "takes up to two different dimensions")
    return names


def parse_filter(kpi: Kpi, dimension: str, text: str) -> Filter:
    """The filter on a dimension: values separated by commas, `!` before one to exclude. See docs/queries.md. Raises BadQuery.

    A backslash takes `,`, `!` or a backslash literally; before any other character it is itself. `null` is the group of
    records without a value, `\\null` the value `null`. Values are compared in Unicode NFC.
    """
    name = f"filter[{dimension}]"
    require_dimension(kpi, name, dimension)
    include: list[str | None] = []
    exclude: list[str | None] = []
    for item in ITEM.findall(text):
        value = item.removeprefix("!")
        if not value or "\0" in value:
            raise BadQuery(name, "holds an empty value or NUL; values are separated by commas, and \\, is a comma within one")
        (exclude if item.startswith("!") else include).append(unescaped(value))
    return Filter(dimension, tuple(include), tuple(exclude))


def unescaped(value: str) -> str | None:
    """The value of a filter without its escapes; None for the unescaped NULL."""
    if value == NULL:
        return None
    return NULL if value == ESCAPED_NULL else nfc(ESCAPE.sub(r"\1", value))


def filter_text(f: Filter) -> str:
    """The text that `parse_filter` reads as this filter."""
    included, excluded = ([escaped(value) for value in values] for values in (f.include, f.exclude))
    return ",".join([*included, *(f"!{value}" for value in excluded)])


def escaped(value: str | None) -> str:
    """The value of a filter with its escapes; NULL for None."""
    if value is None:
        return NULL
    return ESCAPED_NULL if value == NULL else SPECIAL.sub(r"\\\g<0>", value)


def require_dimension(kpi: Kpi, parameter: str, name: str) -> None:
    """Raise BadQuery if the KPI and all tenants lack such a dimension. The evaluation checks the tenant's own dimensions."""
    if name not in kpi.dimensions and not can_be_own_dimension(name):
        raise unknown_dimension(parameter, name, kpi.dimensions)
