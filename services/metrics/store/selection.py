"""Select contributions: the measures, groups and filters of a query, as numbers and as SQL conditions."""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from services.metrics.domain.cuboids import Cuboid, smallest_cuboid
from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.domain.query import Filter

NO_ID = 0
"""An id that no name has."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`measures` are full names, or families that end in a colon. `group_by` has up to two dimensions.

    `own` are the names of the tenant's own dimensions, in the order in which contributions hold their values.
    """

    measures: tuple[str, ...]
    group_by: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    per_respondent: bool = False
    own: tuple[str, ...] = ()

    @property
    def cuboid(self) -> Cuboid | None:
        """The smallest cuboid that has all that grouping and filters need; None if only contributions have it."""
        return None if self.per_respondent else smallest_cuboid(self.group_by, self.filters)

    def column(self, dimension: str) -> str:
        """The column of a dimension in contributions, which are called `c`."""
        if dimension in self.own:
            return f"c.own[{self.own.index(dimension) + 1}]"
        return f"c.{MULTI_VALUED.get(dimension, dimension)}"


@dataclass(frozen=True, slots=True)
class Scope:
    """A selection in one tenant, with the ids of its names. The id of a name that was never stored is NO_ID."""

    tenant: int
    selection: Selection
    measures: Mapping[int, str]
    terms: Mapping[str, int]
    named: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    """By dimension and name, the ids of the values with this name."""

    @property
    def unknown_filter_values(self) -> dict[str, list[str]]:
        """By dimension, the filter values that no contribution of the tenant has ever had, neither they nor a value so named."""
        return unknown_values(self.selection, self.terms, self.named)

    def ids(self, dimension: str, values: Sequence[str | None]) -> list[int]:
        """The ids of `values`, and of the values with these names; without those that are None."""
        names = self.named.get(dimension, {})
        listed = [value for value in values if value is not None]
        return [
            *(self.terms.get(value, NO_ID) for value in listed),
            *(identity for value in listed for identity in names.get(value, ())),
        ]


def unknown_values(
    selection: Selection, known: Container[str] = (), named: Mapping[str, Container[str]] | None = None
) -> dict[str, list[str]]:
    """By dimension, the filter values of `selection` that are not in `known` and are no name in `named` of that dimension."""
    unknown: dict[str, list[str]] = {}
    for f in selection.filters:
        names = (named or {}).get(f.dimension, ())
        values = [value for value in dict.fromkeys((*f.include, *f.exclude)) if value is not None]
        if missing := [value for value in values if value not in known and value not in names]:
            unknown[f.dimension] = missing
    return unknown


RESOLVE = """
    SELECT t.id,
        (SELECT coalesce(jsonb_object_agg(id::text, name), '{}') FROM measures
          WHERE tenant = t.id AND (name = ANY($2) OR split_part(name, ':', 1) || ':' = ANY($2)))::text AS measures,
        (SELECT coalesce(jsonb_object_agg(term, id), '{}') FROM terms WHERE tenant = t.id AND term = ANY($3))::text AS terms,
        (SELECT coalesce(jsonb_agg(jsonb_build_array(n.dimension, n.name, v.id)), '[]')
         FROM names n JOIN terms v ON v.tenant = n.tenant AND v.term = n.value
         WHERE n.tenant = t.id AND n.dimension = ANY($4) AND n.name = ANY($3))::text AS named
    FROM tenants t WHERE t.slug = $1
"""


async def resolve(connection: asyncpg.Connection, tenant: str, selection: Selection) -> Scope | None:
    """Look up the ids of the names in a selection. None if the tenant is unknown."""
    names = [value for f in selection.filters for value in (*f.include, *f.exclude) if value is not None]
    dimensions = [f.dimension for f in selection.filters]
    row = await connection.fetchrow(RESOLVE, tenant, list(selection.measures), names, dimensions)
    if row is None:
        return None
    measures = {int(number): name for number, name in json.loads(row["measures"]).items()}
    named: dict[str, dict[str, list[int]]] = {}
    for dimension, name, number in json.loads(row["named"]):
        named.setdefault(dimension, {}).setdefault(name, []).append(number)
    return Scope(row["id"], selection, measures, json.loads(row["terms"]), named)


# --- SQL ------------------------------------------------------------------------------------------------------------------
class Parameters:
    """The parameters of a statement, numbered as its text is built."""

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)

    def add(self, value: Any) -> str:
        """Add a value; returns its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}"


def conditions(scope: Scope, parameters: Parameters) -> str:
    """The filters as SQL conditions on contributions `c`: nothing, or text that begins with AND."""
    column = scope.selection.column
    return "".join(
        f" AND {_condition(scope, f, parameters, column(f.dimension), '&&' if f.dimension in MULTI_VALUED else '= ANY')}"
        for f in scope.selection.filters
    )


def histogram_conditions(scope: Scope, cuboid: Cuboid, parameters: Parameters) -> str:
    """The filters as SQL conditions on the histograms `h` of a cuboid that answers the selection."""
    return "".join(
        f" AND {_condition(scope, f, parameters, histogram_column(cuboid, f.dimension), '= ANY')}"
        for f in scope.selection.filters
    )


def histogram_column(cuboid: Cuboid, dimension: str) -> str:
    """The column of a dimension of `cuboid` in histograms, which are called `h`."""
    return ("h.value", "h.second")[cuboid.dimensions.index(dimension)]


def _condition(scope: Scope, f: Filter, parameters: Parameters, column: str, operator: str) -> str:
    def has_any(values: Sequence[str | None]) -> str:
        """Whether the column has any of the values. `operator` is `= ANY` for a single value, `&&` for an array."""
        named = f"{column} {operator} ({parameters.add(scope.ids(f.dimension, values))}::int[])"
        return f"({named} OR {column} IS NULL)" if None in values else named

    included = has_any(f.include) if f.include else "true"
    return f"({included} AND {has_any(f.exclude)} IS NOT TRUE)" if f.exclude else f"({included})"
