"""Filter values that no record of the tenant has ever had, and those of the same dimension that were probably meant."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from services.metrics.store.selection import Scope, Selection, unknown_values
from services.metrics.store.similar import candidates_for
from shared.suggestions import closest

MAX_VALUES, MAX_SUGGESTIONS = 5, 3
"""Unknown values of a query for which suggestions are searched, and suggestions for each."""


@dataclass(frozen=True, slots=True)
class UnknownValues:
    """`values` are by dimension. `suggestions` are by dimension and value; a value without a similar one is left out."""

    values: Mapping[str, list[str]]
    suggestions: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)


async def find_unknown_values(connection: asyncpg.Connection, selection: Selection, scope: Scope | None) -> UnknownValues:
    """The unknown values of the filters of `selection`: all of them if the tenant is unknown, so that there is no `scope`."""
    if scope is None:
        return UnknownValues(unknown_values(selection))
    values = scope.unknown_filter_values
    suggestions: dict[str, dict[str, list[str]]] = {}
    left = MAX_VALUES
    for dimension, listed in values.items():
        if searched := listed[:left]:
            left -= len(searched)
            candidates = await candidates_for(connection, scope, dimension, searched)
            if matches := await to_thread(closest_values, candidates):
                suggestions[dimension] = matches
    return UnknownValues(values, suggestions)


def closest_values(candidates: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """For each value the closest of its candidates, at most MAX_SUGGESTIONS. A value without a similar one is left out."""
    matches = {value: closest(value, near, MAX_SUGGESTIONS) for value, near in candidates.items()}
    return {value: similar for value, similar in matches.items() if similar}
