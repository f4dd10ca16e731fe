"""Results as tables for CSV: their columns, which don't depend on the rows, and the value of each."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.events import DIMENSIONS, NAMED_DIMENSIONS
from shared.fields import dimension_column

Item = Mapping[str, Any]
"""A row of a KPI result or a record, as metrics returns it."""

HEAD_COLUMNS = ("kpi", "version", "unit")
TIME_FIELDS = ("from", "to", "at", "next_breach")
VALUE_COLUMNS = ("value", "n", "numerator", "denominator")
INTERVAL_COLUMNS = ("low", "high", "level", "method")
RECORD_COLUMNS = ("subject", "measure", "value", "label", "score", "model", "judged_by", "text", "text_hash")
COMPARE_COLUMNS = ("to", "value", "delta", "significant")
PRESET_COLUMNS = ("preset", "value", "n", "delta")

KPIS_WITH_NEXT_BREACH = ("sla_breached_open",)
"""KPIs whose rows have the field `next_breach`."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `field` is the field of the JSON that it comes from; `value` returns its value in a row."""

    field: str
    name: str
    value: Callable[[Item], Any]


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a table. Its rows are made one by one."""

    columns: list[Column]

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def row(self, item: Item) -> list[Any]:
        """The values of a row in the order of the columns."""
        return [column.value(item) for column in self.columns]

    def only(self, fields: Collection[str]) -> "Table":
        """The table without the columns of other fields."""
        return Table([column for column in self.columns if column.field in fields])


def kpi_table(head: Item, dims: Sequence[str], comparisons: int, presets: int = 0) -> Table:
    """The table of a KPI result grouped by `dims` with `comparisons` comparisons and the values under `presets` other presets.

    `head` has the fields of the result other than its rows.
    """
    return Table(
        [
            *(Column(name, name, constant(head.get(name))) for name in HEAD_COLUMNS),
            *(Column(name, name, time_of(name)) for name in ("from", "to")),
            *dimension_columns(dims),
            *(Column(name, name, plain(name)) for name in VALUE_COLUMNS),
            *(Column("interval", f"interval_{name}", inner("interval", name)) for name in INTERVAL_COLUMNS),
            Column("flags", "flags", words("flags")),
            Column("distribution", "distribution", as_json("distribution")),
            *(
                Column("compare", f"compare_{number}_{name}", entry_of("compare", number, name))
                for number in range(1, comparisons + 1)
                for name in COMPARE_COLUMNS
            ),
            *name_columns(dims),
            *(
                Column("presets", f"compare_preset_{number}_{name}", entry_of("presets", number, name))
                for number in range(1, presets + 1)
                for name in PRESET_COLUMNS
            ),
            *(Column(name, name, time_of(name)) for name in ("next_breach",) if head.get("kpi") in KPIS_WITH_NEXT_BREACH),
        ]
    )


def records_table(own: Sequence[str]) -> Table:
    """The table of a page of records. `own` are the names of the tenant's own dimensions."""
    return Table(
        [
            Column("at", "at", time_of("at")),
            *(Column(name, name, plain(name)) for name in RECORD_COLUMNS),
            *dimension_columns((*DIMENSIONS, *own)),
            *name_columns(NAMED_DIMENSIONS),
            Column("themes", "themes", theme_ids),
            Column("urgency", "urgency", words("urgency")),
            *(Column(name, name, plain(name)) for name in ("themes_by", "model_label")),
        ]
    )


def dimension_columns(dims: Sequence[str]) -> Iterator[Column]:
    """A column for the values of each dimension."""
    return (Column("dims", dimension_column(name), inner("dims", name)) for name in dims)


def name_columns(dims: Sequence[str]) -> Iterator[Column]:
    """A column for the names of each dimension that can have names: `team_name`."""
    return (Column("names", f"{name}_name", inner("names", name)) for name in dims if name in NAMED_DIMENSIONS)


# --- values ---------------------------------------------------------------------------------------------------------------
def constant(value: Any) -> Callable[[Item], Any]:
    """The same value in every row."""
    return lambda item: value


def plain(field: str) -> Callable[[Item], Any]:
    """The field itself."""
    return lambda item: item.get(field)


def inner(field: str, name: str) -> Callable[[Item], Any]:
    """A value in an object that may be null or left out."""
    return lambda item: (item.get(field) or {}).get(name)


def words(field: str) -> Callable[[Item], str]:
    """The entries of a list, separated by blanks."""
    return lambda item: " ".join(item.get(field) or ())


def as_json(field: str) -> Callable[[Item], str | None]:
    """The field as JSON; None if it is null."""
    return lambda item: None if item.get(field) is None else msgspec.json.encode(item[field]).decode()


def entry_of(field: str, number: int, name: str) -> Callable[[Item], Any]:
    """A value of the entry of that number, from 1, in a list that may be left out."""

    def value(item: Item) -> Any:
        entries = item.get(field) or ()
        return entries[number - 1].get(name) if number <= len(entries) else None

    return value


def time_of(field: str) -> Callable[[Item], str | None]:
    """A time in the format of `utc`."""
    return lambda item: None if item.get(field) is None else utc(item[field])


def theme_ids(item: Item) -> str:
    """The ids of a comment's themes, separated by blanks."""
    return " ".join(theme["theme"] for theme in item.get("themes") or ())


def utc(time: str) -> str:
    """A time of RFC 3339 in UTC, with microseconds: `2026-11-01T09:00:00.000000Z`.

    All times have this one format, also where the clocks change and where there are no fractions, so that pandas reads a column
    of them as one type.
    """
    return datetime.fromisoformat(time).astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def with_utc_times(item: Item) -> dict[str, Any]:
    """A row or a record with its times in the format of `utc`."""
    return {name: utc(value) if name in TIME_FIELDS and value is not None else value for name, value in item.items()}
