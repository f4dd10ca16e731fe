"""Which contributions a question is about, and the SQL that says so."""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from shared.events import DIMENSIONS

NOWHERE = 0
"""A number that no value has."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Values of one dimension to keep (none: all) and to leave out; None is the nameless group."""

    dimension: str
    include: tuple[str | None, ...] = ()
    exclude: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """`measures`: full names, or families that end in a colon. `group_by`: up to two dimensions."""

    measures: tuple[str, ...]
    group_by: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    per_respondent: bool = False

    @property
    def cuboid(self) -> str | None:
        """The one dimension that grouping and filters need, `""` for none, None where they need several."""
        needed = {*self.group_by, *(f.dimension for f in self.filters)}
        return next(iter(needed), "") if len(needed) < 2 and not self.per_respondent else None


@dataclass(frozen=True, slots=True)
class Scope:
    """A selection in one tenant, with its values as numbers. A name that was never seen is NOWHERE."""

    tenant: int
    selection: Selection
    measures: Mapping[int, str]
    terms: Mapping[str, int]

    @property
    def unknown_filter_values(self) -> dict[str, list[str]]:
        """By dimension, the values to filter by that no record of the tenant has had, in any dimension."""
        return unknown(self.selection, self.terms)

    def numbers(self, values: Sequence[str | None]) -> list[int]:
        return [self.terms.get(value, NOWHERE) for value in values if value is not None]


def unknown(selection: Selection, known: Container[str] = ()) -> dict[str, list[str]]:
    """By dimension, the values that the filters of `selection` name and that aren't among `known`."""
    found = {
        one.dimension: [v for v in dict.fromkeys((*one.include, *one.exclude)) if v is not None and v not in known]
        for one in selection.filters
    }
    return {dimension: values for dimension, values in found.items() if values}


RESOLVE = """
    SELECT t.id,
        (SELECT coalesce(jsonb_object_agg(id::text, name), '{}') FROM measures
          WHERE tenant = t.id AND (name = ANY($2) OR split_part(name, ':', 1) || ':' = ANY($2)))::text AS measures,
        (SELECT coalesce(jsonb_object_agg(term, id), '{}') FROM terms WHERE tenant = t.id AND term = ANY($3))::text AS terms
    FROM tenants t WHERE t.slug = $1
"""


class Parameters:
    """Numbers the parameters of a statement as its text is put together."""

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)

    def add(self, value: Any) -> str:
        """The placeholder for one more value."""
        self.values.append(value)
        return f"${len(self.values)}"


def conditions(scope: Scope, parameters: Parameters, column_of: Mapping[str, str]) -> str:
    """The scope's filters as SQL that begins with AND, or nothing; `column_of` says in which column a dimension's number lies."""
    return "".join(f" AND {condition(scope, f, parameters, column_of[f.dimension])}" for f in scope.selection.filters)


def condition(scope: Scope, one: Filter, parameters: Parameters, column: str) -> str:
    kept = among(scope, one.include, parameters, column) if one.include else "true"
    return f"({kept} AND {among(scope, one.exclude, parameters, column)} IS NOT TRUE)" if one.exclude else f"({kept})"


def among(scope: Scope, values: Sequence[str | None], parameters: Parameters, column: str) -> str:
    """Whether `column` holds one of `values`."""
    named = f"{column} = ANY({parameters.add(scope.numbers(values))}::int[])"
    return f"({named} OR {column} IS NULL)" if None in values else named


COLUMN_OF = {dimension: f"c.{dimension}" for dimension in DIMENSIONS}
"""Where contributions, called `c`, keep each dimension."""


async def resolve(connection: asyncpg.Connection, tenant: str, selection: Selection) -> Scope | None:
    """The selection with numbers for names; None where the tenant isn't known yet."""
    names = [value for f in selection.filters for value in (*f.include, *f.exclude) if value is not None]
    row = await connection.fetchrow(RESOLVE, tenant, list(selection.measures), names)
    if row is None:
        return None
    measures = {int(number): name for number, name in json.loads(row["measures"]).items()}
    return Scope(row["id"], selection, measures, json.loads(row["terms"]))
