"""The statements of a selection, with their parameters."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.metrics.domain.cuboids import Cuboid
from services.metrics.domain.measure import MULTI_VALUED, family_of
from services.metrics.domain.measures import AGE_FAMILIES
from services.metrics.store.counting_statements import sum_of_squares
from services.metrics.store.query_statements import (
    ANSWER,
    CELLS_IN_ROW,
    GAPS,
    LATEST,
    MERGED,
    NET,
    RUNS,
    SCANNED,
    SINGLE_SEALS,
    TIE_COLUMNS,
    TIES,
)
from services.metrics.store.selection import Parameters, Scope, conditions, histogram_column, histogram_conditions
from services.metrics.store.spans import Gap, Run


def is_net(scope: Scope) -> bool:
    """Whether the counts of a bin and of its negative cancel."""
    return all(family_of(name) in AGE_FAMILIES for name in scope.measures.values())


def of_runs(
    scope: Scope, runs: Sequence[tuple[int, Run]], limit: int | None, *, cuboid: Cuboid, single: bool
) -> tuple[str, list[Any]]:
    """The statement that reads the sums of runs with their numbers, each of one seal if `single`, and its parameters."""
    seals = [(number, seal.id) for number, run in runs for seal in run]
    parameters = Parameters([number + 1 for number, _ in seals], [seal for _, seal in seals], cuboid.number)
    group = select_groups([histogram_column(cuboid, dimension) for dimension in scope.selection.group_by])
    text = (SINGLE_SEALS if single else RUNS).format(
        group=group,
        conditions=histogram_conditions(scope, cuboid, parameters),
        limit=(most := parameters.add(_one_more(limit))),
        cells_in_row=CELLS_IN_ROW,
    )
    return text if single else text + _answer(scope, most), parameters.values


def of_gaps(scope: Scope, gaps: Sequence[Gap], limit: int | None) -> tuple[str, list[Any]]:
    """The statement that reads the contributions of gaps, and its parameters."""
    numbers, measures, lows, highs, _ = (list(column) for column in zip(*gaps, strict=True))
    parameters = Parameters(scope.tenant, [number + 1 for number in numbers], measures, lows, highs)
    text = GAPS.format(**_grouping_of_contributions(scope, parameters))
    return text + _answer(scope, parameters.add(_one_more(limit))), parameters.values


def _one_more(limit: int | None) -> int | None:
    """The rows to read in order to see that there are more than `limit`."""
    return None if limit is None else limit + 1


def _grouping_of_contributions(scope: Scope, parameters: Parameters) -> dict[str, str]:
    """The parts of a statement that groups contributions of the scope."""
    group_by = scope.selection.group_by
    columns = [scope.selection.column(dimension) for dimension in group_by]
    return {
        "group": _group(group_by, columns),
        "unnested": _unnested(group_by, columns),
        "conditions": conditions(scope, parameters),
        "squares": sum_of_squares("c.amount"),
    }


def from_contributions(scope: Scope, edges: Sequence[datetime], limit: int | None) -> tuple[str, list[Any]]:
    """The statement that reads contributions alone, and its parameters."""
    parameters = Parameters(scope.tenant, list(scope.measures), list(edges[:-1]), edges[0], edges[-1])
    group_by = scope.selection.group_by
    columns = [scope.selection.column(dimension) for dimension in group_by]
    per_respondent = scope.selection.per_respondent
    grouped = ["c.first", "c.second"][: len(group_by)] if per_respondent else columns
    multi_valued = not MULTI_VALUED.keys().isdisjoint(group_by)
    text = (LATEST if per_respondent else SCANNED).format(
        columns=select_groups(columns),
        tie_columns=TIE_COLUMNS if multi_valued else "",
        ties=TIES if multi_valued else "",
        group=_group(group_by, grouped),
        unnested=_unnested(group_by, grouped),
        conditions=conditions(scope, parameters),
        squares=sum_of_squares("c.amount"),
    )
    return text + _answer(scope, parameters.add(_one_more(limit))), parameters.values


def _answer(scope: Scope, limit: str) -> str:
    """The end of a statement, which merges the counts."""
    return ANSWER.format(limit=limit, cells_in_row=CELLS_IN_ROW, **(NET if is_net(scope) else MERGED))


def select_groups(columns: Sequence[str]) -> str:
    """The columns as `first` and `second`; NULL for one that isn't there."""
    first, second = (*columns, "NULL::int", "NULL::int")[:2]
    return f"{first} AS first, {second} AS second"


def _group(group_by: Sequence[str], columns: Sequence[str]) -> str:
    """The values that are grouped by: of a multi-valued dimension one value of each row of `_unnested`."""
    return select_groups([f"{d}_.value" if d in MULTI_VALUED else column for d, column in zip(group_by, columns, strict=True)])


def _unnested(group_by: Sequence[str], columns: Sequence[str]) -> str:
    """Joins that repeat a contribution for each value of its multi-valued dimensions. Without a value it stays, with NULL."""
    return " ".join(
        f"LEFT JOIN LATERAL unnest({column}) AS {dimension}_ (value) ON true"
        for dimension, column in zip(group_by, columns, strict=True)
        if dimension in MULTI_VALUED
    )
