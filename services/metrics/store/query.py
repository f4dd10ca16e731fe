"""Histograms of a selection: from sealed histograms where they fit, from contributions for everything else.

Both give the same counts. A query has contiguous buckets of time, given by their edges, and is one statement, so it reads one
snapshot.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from services.metrics.domain.histogram import Histogram
from services.metrics.domain.measure import MULTI_VALUED, family_of
from services.metrics.domain.measures import AGE_FAMILIES
from services.metrics.store.counting import sum_of_squares
from services.metrics.store.seals import CUBOID_OF, CUBOIDS_REVISION, Level
from services.metrics.store.selection import Parameters, Scope, conditions, histogram_conditions

Group = tuple[str | None, ...]
"""The values of the dimensions of `group_by`."""

Cell = tuple[int, Group]
"""The number of a bucket, from 0, and a group."""

Histograms = dict[Cell, dict[str, Histogram]]
"""The histograms of each cell, by measure. Empty ones are left out."""

SEALED = """
    WITH wanted AS (
        SELECT b.number, b.low, b.high, m.measure
        FROM unnest($3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS b (low, high, number)
        CROSS JOIN unnest($2::int[]) AS m (measure)
    ), sealed AS (
        SELECT width_bucket(s.starts, $3::timestamptz[]) AS number, s.measure, s.id, s.starts, s.ends
        FROM unnest($2::int[]) AS m (measure)
        JOIN seals s ON s.tenant = $1 AND s.measure = m.measure AND s.level = ANY($5::smallint[])
                    AND s.starts >= $8 AND s.starts < $9 AND s.ends <= $9
        WHERE s.state = 'sealed' AND s.revision = $6
    ), fit AS (
        -- a span begins after all before it have ended, or lies inside a larger one, as an hour does in its day
        SELECT *,
            max(ends) OVER (
                PARTITION BY number, measure ORDER BY starts, ends DESC
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
        FROM sealed WHERE ends <= ($4::timestamptz[])[number]
    ), chosen AS (
        SELECT *,
            lag(ends, 1, ($3::timestamptz[])[number]) OVER (PARTITION BY number, measure ORDER BY starts) AS before
        FROM fit WHERE reached IS NULL OR reached <= starts
    ), gaps AS (
        SELECT number, measure, before AS low, starts AS high FROM chosen WHERE before < starts
        UNION ALL
        SELECT w.number, w.measure, coalesce(last.ends, w.low), w.high
        FROM wanted w
        LEFT JOIN (SELECT number, measure, max(ends) AS ends FROM chosen GROUP BY 1, 2) last USING (number, measure)
        WHERE coalesce(last.ends, w.low) < w.high
    ), counted AS (
        SELECT c.number, c.measure, {sealed_group}, u.bin, u.n,
            CASE u.place WHEN 1 THEN h.total ELSE 0 END AS total, CASE u.place WHEN 1 THEN h.squares ELSE 0 END AS squares
        FROM chosen c
        JOIN histograms h ON h.seal_id = c.id AND h.cuboid = $7
        CROSS JOIN LATERAL unnest(h.bins, h.counts) WITH ORDINALITY AS u (bin, n, place)
        WHERE true {sealed_conditions}
        UNION ALL
        SELECT g.number, g.measure, k.first, k.second, k.bin, k.n, k.total, k.squares
        FROM gaps g CROSS JOIN LATERAL (
            SELECT {group}, c.bin, count(*) AS n, sum(c.amount) AS total, {squares} AS squares
            FROM contributions c {unnested}
            WHERE c.tenant = $1 AND c.measure = g.measure AND c.at >= g.low AND c.at < g.high {conditions}
            GROUP BY 1, 2, 3
        ) k
    )
"""

SCANNED = """
    WITH counted AS (
        SELECT width_bucket(c.at, $3::timestamptz[]) AS number, c.measure, {group}, c.bin,
            count(*) AS n, sum(c.amount) AS total, {squares} AS squares
        FROM contributions c {unnested}
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $4 AND c.at < $5 {conditions}
        GROUP BY 1, 2, 3, 4, 5
    )
"""

LATEST = """
    WITH selected AS (
        SELECT width_bucket(c.at, $3::timestamptz[]) AS number, c.measure, {columns}, c.bin, c.amount, c.at,
            c.customer, c.subject_id {tie_columns}
        FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $4 AND c.at < $5 {conditions}
    ), latest AS (
        SELECT DISTINCT ON (f.number, f.customer) f.number, f.measure, f.first, f.second, f.bin, f.amount
        FROM selected f JOIN subjects s ON s.id = f.subject_id JOIN measures m ON m.id = f.measure
        WHERE f.customer IS NOT NULL
        ORDER BY f.number, f.customer, f.at DESC, s.subject DESC, m.name DESC, f.bin DESC, f.amount DESC {ties}
    ), counted AS (
        SELECT number, measure, {group}, bin, count(*) AS n, sum(c.amount) AS total, {squares} AS squares
        FROM (
            SELECT * FROM latest
            UNION ALL
            SELECT number, measure, first, second, bin, amount FROM selected WHERE customer IS NULL
        ) c {unnested}
        GROUP BY 1, 2, 3, 4, 5
    )
"""


def _sorted_names(column: str) -> str:
    """The names of an array of ids, sorted by code point; an empty array for NULL."""
    names = 'array_agg(t.term ORDER BY t.term COLLATE "C")'
    return f"coalesce((SELECT {names} FROM terms t WHERE t.id = ANY({column})), '{{}}') COLLATE \"C\""  # noqa: S608


TIE_COLUMNS = "".join(f", c.{column}" for column in MULTI_VALUED.values())
TIES = "".join(f", {_sorted_names(f'f.{column}')} DESC" for column in MULTI_VALUED.values())
"""Which of one subject's comments is a customer's latest, where nothing else tells: needed only to group by themes or urgency."""

ANSWER = """
    SELECT json_agg(json_build_array(number, measure, first, second, bins, counts, total, squares))::text AS cells,
        sum(cardinality(bins))::bigint AS bins
    FROM (
        SELECT a.number - 1 AS number, a.measure, one.term AS first, two.term AS second, a.bins, a.counts,
            a.total::text AS total, a.squares::text AS squares, (row_number() OVER () - 1) / {cells_in_row} AS row
        FROM (
            SELECT number, measure, first, second,
                array_agg(bin) AS bins, array_agg(n) AS counts, sum(total) AS total, sum(squares) AS squares
            FROM (
                SELECT number, measure, first, second, {merged}, sum(total) AS total, sum(squares) AS squares
                FROM counted GROUP BY 1, 2, 3, 4, 5 {having}
                LIMIT {limit}::bigint
            ) merged
            GROUP BY 1, 2, 3, 4
        ) a
        LEFT JOIN terms one ON one.id = a.first
        LEFT JOIN terms two ON two.id = a.second
    ) listed
    GROUP BY row
"""
"""Cells as JSON, CELLS_IN_ROW to a row. The driver would decode plain rows in the event loop; JSON can be decoded in slices."""

MERGED = {"merged": "bin, sum(n)::bigint AS n", "having": ""}
NET = {"merged": "abs(bin) AS bin, sum(sign(bin) * n)::bigint AS n", "having": "HAVING sum(sign(bin) * n) <> 0"}
"""How the counts of one bin are merged. `NET`: those of a bin less those of its negative, which cancels the closed tickets."""

CELLS_IN_ROW = 500

decode_cells = msgspec.json.Decoder(list[tuple[int, int, str | None, str | None, list[int], list[int], str, str]]).decode


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
    if use_seals and scope.selection.cuboid is not None:
        statement, values = _from_seals(scope, edges, limit)
    else:
        statement, values = _from_contributions(scope, edges, limit)
    rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
    if most_bins is not None and bins_of(rows) > most_bins:
        raise TooManyBins
    return rows


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
def _from_seals(scope: Scope, edges: Sequence[datetime], limit: int | None) -> tuple[str, list[Any]]:
    """The statement that reads sealed histograms where they fit, and its parameters."""
    dimension = scope.selection.cuboid or None
    levels = [Level.DAY, Level.MONTH] if dimension else list(Level)
    parameters = Parameters(
        scope.tenant,
        list(scope.measures),
        list(edges[:-1]),
        list(edges[1:]),
        levels,
        CUBOIDS_REVISION,
        CUBOID_OF[dimension],
        edges[0],
        edges[-1],
    )
    group_by = scope.selection.group_by
    columns = [scope.selection.column(dimension) for dimension in group_by]
    text = SEALED.format(
        sealed_group=_select(["h.value"] if group_by else []),
        sealed_conditions=histogram_conditions(scope, parameters),
        group=_group(group_by, columns),
        unnested=_unnested(group_by, columns),
        conditions=conditions(scope, parameters),
        squares=sum_of_squares("c.amount"),
    )
    return text + _answer(scope, parameters.add(limit)), parameters.values


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
