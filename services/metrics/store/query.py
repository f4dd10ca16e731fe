"""Histograms of a selection: from sealed histograms where they fit, from contributions for everything else.

Both give the same counts. A query has contiguous buckets of time, given by their edges, and is one statement, so it reads one
snapshot.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from services.metrics.domain.cuboids import CUBOIDS_VERSION, Cuboid
from services.metrics.domain.histogram import Histogram
from services.metrics.domain.measure import MULTI_VALUED, family_of
from services.metrics.domain.measures import AGE_FAMILIES
from services.metrics.store.counting_statements import sum_of_squares
from services.metrics.store.query_statements import (
    ANSWER,
    CELLS_IN_ROW,
    LATEST,
    MERGED,
    NET,
    SCANNED,
    SEALED,
    TIE_COLUMNS,
    TIES,
    WIDE_SPAN,
)
from services.metrics.store.seals import HELD_BEFORE, HOURS_SEALED, LONGEST, REVISIONS, Level
from services.metrics.store.selection import Parameters, Scope, conditions, histogram_column, histogram_conditions

Group = tuple[str | None, ...]
"""The values of the dimensions of `group_by`."""

Cell = tuple[int, Group]
"""The number of a bucket, from 0, and a group."""

Histograms = dict[Cell, dict[str, Histogram]]
"""The histograms of each cell, by measure. Empty ones are left out."""

decode_cells = msgspec.json.Decoder(list[tuple[int, int, str | None, str | None, list[int], list[int], str, str]]).decode


SHORTEST_DAY = timedelta(hours=22)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""A sum that begins earlier has no first day."""


class TooManyBins(Exception):
    """The histograms of a query have more bins than one answer may read."""


ACQUIRE_SECONDS = 10.0
"""How long a request waits for a connection. After that the database counts as unavailable."""


@asynccontextmanager
async def snapshot(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection on which all statements read one snapshot of the database."""
    async with (
        pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def histograms(
    connection: asyncpg.Connection, scope: Scope, edges: Sequence[datetime], *, use_seals: bool = True
) -> Histograms:
    """The histograms of each bucket `[edges[k], edges[k + 1])`, by group and measure."""
    return decode_counts(scope, await counts(connection, scope, edges, use_seals=use_seals))


async def counts(
    connection: asyncpg.Connection,
    scope: Scope,
    edges: Sequence[datetime],
    *,
    use_seals: bool = True,
    most_bins: int | None = None,
) -> list[asyncpg.Record]:
    """The rows from which `decode_counts` makes the histograms of the buckets `[edges[k], edges[k + 1])`.

    Raises TooManyBins if these histograms have more than `most_bins` bins in all; no more than that are read.
    """
    if len(edges) < 2 or not scope.measures:
        return []
    limit = None if most_bins is None else most_bins + 1
    cuboid = scope.selection.cuboid
    if use_seals and cuboid is not None:
        statement, values = _from_seals(scope, cuboid, edges, limit)
    else:
        statement, values = _from_contributions(scope, edges, limit)
    rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
    if most_bins is not None and bins_of(rows) > most_bins:
        raise TooManyBins
    return rows


async def exceeds_most_values(connection: asyncpg.Connection, scope: Scope, start: datetime, end: datetime) -> bool:
    """Whether one sealed span in [start, end) has more than MOST_VALUES groups of the selection.

    Only of a selection without filters: a filter leaves groups out.
    """
    cuboid, selection = scope.selection.cuboid, scope.selection
    if cuboid is None or selection.filters or len(selection.group_by) != len(cuboid.dimensions) or not cuboid.dimensions:
        return False
    key = scope.tenant, list(scope.measures), list(Level), start, end
    return bool(await connection.fetchval(WIDE_SPAN, *key, REVISIONS, cuboid.bit, CUBOIDS_VERSION, cuboid.wide_bit))


def bins_of(rows: Iterable[asyncpg.Record]) -> int:
    """How many bins the histograms of these rows have in all."""
    return sum(row["bins"] for row in rows)


def decode_counts(scope: Scope, rows: Iterable[asyncpg.Record]) -> Histograms:
    """The histograms in rows of `counts`. The measures of one cell may be spread over several rows."""
    by_cell: defaultdict[Cell, dict[str, Histogram]] = defaultdict(dict)
    depth = len(scope.selection.group_by)
    for row in rows:
        for number, measure, first, second, bins, numbers, total, squares in decode_cells(row["cells"]):
            histogram = Histogram(dict(zip(bins, numbers, strict=True)), int(total), int(squares))
            by_cell[number, (first, second)[:depth]][scope.measures[measure]] = histogram
    return dict(by_cell)


# --- statements -----------------------------------------------------------------------------------------------------------
def _from_seals(scope: Scope, cuboid: Cuboid, edges: Sequence[datetime], limit: int | None) -> tuple[str, list[Any]]:
    """The statement that reads histograms of `cuboid` where sealed spans fit, and its parameters."""
    parameters = Parameters(
        scope.tenant,
        list(scope.measures),
        list(edges[:-1]),
        list(edges[1:]),
        list(Level),
        REVISIONS,
        cuboid.number,
        edges[0],
        edges[-1],
        [HELD_BEFORE[level] for level in Level],
        *_hours_read(edges),
    )
    group_by = scope.selection.group_by
    columns = [scope.selection.column(dimension) for dimension in group_by]
    text = SEALED.format(
        sealed_group=_select([histogram_column(cuboid, dimension) for dimension in group_by]),
        sealed_conditions=histogram_conditions(scope, cuboid, parameters),
        group=_group(group_by, columns),
        unnested=_unnested(group_by, columns),
        conditions=conditions(scope, parameters),
        squares=sum_of_squares("c.amount"),
    )
    return text + _answer(scope, parameters.add(limit)), parameters.values


def _hours_read(edges: Sequence[datetime]) -> tuple[datetime, datetime]:
    """Sealed hours before the first of these times and from the second on are read: where days may not fit or not be sealed.

    Buckets that are shorter than a day need all of them.
    """
    if edges[1] - edges[0] < SHORTEST_DAY and len(edges) > 2 and edges[2] - edges[1] < SHORTEST_DAY:
        return edges[-1], edges[-1]
    first = edges[1] if edges[0] < EARLIEST else edges[0]
    begin = edges[-1] if edges[-1] - first <= LONGEST[Level.DAY] else first + LONGEST[Level.DAY]
    return begin, edges[-1] - HOURS_SEALED


def _from_contributions(scope: Scope, edges: Sequence[datetime], limit: int | None) -> tuple[str, list[Any]]:
    """The statement that reads contributions alone, and its parameters."""
    parameters = Parameters(scope.tenant, list(scope.measures), list(edges[:-1]), edges[0], edges[-1])
    group_by = scope.selection.group_by
    columns = [scope.selection.column(dimension) for dimension in group_by]
    per_respondent = scope.selection.per_respondent
    grouped = ["c.first", "c.second"][: len(group_by)] if per_respondent else columns
    multi_valued = not MULTI_VALUED.keys().isdisjoint(group_by)
    text = (LATEST if per_respondent else SCANNED).format(
        columns=_select(columns),
        tie_columns=TIE_COLUMNS if multi_valued else "",
        ties=TIES if multi_valued else "",
        group=_group(group_by, grouped),
        unnested=_unnested(group_by, grouped),
        conditions=conditions(scope, parameters),
        squares=sum_of_squares("c.amount"),
    )
    return text + _answer(scope, parameters.add(limit)), parameters.values


def _answer(scope: Scope, limit: str) -> str:
    """The end of a statement, which merges the counts."""
    net = all(family_of(name) in AGE_FAMILIES for name in scope.measures.values())
    return ANSWER.format(limit=limit, cells_in_row=CELLS_IN_ROW, **(NET if net else MERGED))


def _select(columns: Sequence[str]) -> str:
    """The columns as `first` and `second`; NULL for one that isn't there."""
    first, second = (*columns, "NULL::int", "NULL::int")[:2]
    return f"{first} AS first, {second} AS second"


def _group(group_by: Sequence[str], columns: Sequence[str]) -> str:
    """The values that are grouped by: of a multi-valued dimension one value of each row of `_unnested`."""
    return _select([f"{d}_.value" if d in MULTI_VALUED else column for d, column in zip(group_by, columns, strict=True)])


def _unnested(group_by: Sequence[str], columns: Sequence[str]) -> str:
    """Joins that repeat a contribution for each value of its multi-valued dimensions. Without a value it stays, with NULL."""
    return " ".join(
        f"LEFT JOIN LATERAL unnest({column}) AS {dimension}_ (value) ON true"
        for dimension, column in zip(group_by, columns, strict=True)
        if dimension in MULTI_VALUED
    )
