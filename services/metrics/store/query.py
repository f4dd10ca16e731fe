"""Histograms for questions: from sealed ones where they fit whole, from contributions for all else; either way the same.

A question has contiguous buckets of time, given by their edges. One statement answers it, so all of it is seen in one snapshot.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from services.metrics.domain.histogram import Histogram
from services.metrics.store.counting import sum_of_squares
from services.metrics.store.seals import CUBOID_OF, CUBOIDS_REVISION, Level
from services.metrics.store.selection import COLUMN_OF, Parameters, Scope, conditions

Group = tuple[str | None, ...]
"""The values of the dimensions that are grouped by."""

Cell = tuple[int, Group]
"""A bucket's number, from 0, and a group."""

Histograms = dict[Cell, dict[str, Histogram]]
"""What was counted in each cell, by measure; cells and measures with nothing in them are left out."""

SEALED = """
    WITH wanted AS (
        SELECT b.number, b.low, b.high, m.measure
        FROM unnest($3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS b (low, high, number)
        CROSS JOIN unnest($2::int[]) AS m (measure)
    ), standing AS (
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
        FROM standing WHERE ends <= ($4::timestamptz[])[number]
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
            FROM contributions c
            WHERE c.tenant = $1 AND c.measure = g.measure AND c.at >= g.low AND c.at < g.high {conditions}
            GROUP BY 1, 2, 3
        ) k
    )
"""

SCANNED = """
    WITH counted AS (
        SELECT width_bucket(c.at, $3::timestamptz[]) AS number, c.measure, {group}, c.bin,
            count(*) AS n, sum(c.amount) AS total, {squares} AS squares
        FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $4 AND c.at < $5 {conditions}
        GROUP BY 1, 2, 3, 4, 5
    )
"""

LATEST = """
    WITH found AS (
        SELECT width_bucket(c.at, $3::timestamptz[]) AS number, c.measure, {group}, c.bin, c.amount, c.at,
            c.customer, c.subject_id
        FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $4 AND c.at < $5 {conditions}
    ), latest AS (
        SELECT DISTINCT ON (f.number, f.customer) f.number, f.measure, f.first, f.second, f.bin, f.amount
        FROM found f JOIN subjects s ON s.id = f.subject_id JOIN measures m ON m.id = f.measure
        WHERE f.customer IS NOT NULL
        ORDER BY f.number, f.customer, f.at DESC, s.subject DESC, m.name DESC, f.bin DESC, f.amount DESC, f.first, f.second
    ), counted AS (
        SELECT number, measure, first, second, bin, count(*) AS n, sum(c.amount) AS total, {squares} AS squares
        FROM (
            SELECT * FROM latest
            UNION ALL
            SELECT number, measure, first, second, bin, amount FROM found WHERE customer IS NULL
        ) c
        GROUP BY 1, 2, 3, 4, 5
    )
"""

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
                SELECT number, measure, first, second, bin, sum(n)::bigint AS n, sum(total) AS total, sum(squares) AS squares
                FROM counted GROUP BY 1, 2, 3, 4, 5
                LIMIT {limit}::bigint
            ) merged
            GROUP BY 1, 2, 3, 4
        ) a
        LEFT JOIN terms one ON one.id = a.first
        LEFT JOIN terms two ON two.id = a.second
    ) listed
    GROUP BY row
"""
"""Cells as JSON, some hundred in a row: the driver decodes rows in the event loop, but JSON can be decoded in a thread."""

CELLS_IN_ROW = 500

decode_cells = msgspec.json.Decoder(list[tuple[int, int, str | None, str | None, list[int], list[int], str, str]]).decode


class TooManyBins(Exception):
    """The histograms that a question needs have more bins than may be read for one answer."""


ACQUIRE_SECONDS = 10.0
"""How long a request waits for a connection before it says that the database is slow."""


@asynccontextmanager
async def snapshot(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection on which all statements see one state of the database."""
    async with (
        pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def histograms(
    connection: asyncpg.Connection, scope: Scope, edges: Sequence[datetime], *, use_seals: bool = True
) -> Histograms:
    """What lies in each of the buckets `[edges[k], edges[k + 1])`, by group and measure."""
    return decoded(scope, await counts(connection, scope, edges, use_seals=use_seals))


async def counts(
    connection: asyncpg.Connection,
    scope: Scope,
    edges: Sequence[datetime],
    *,
    use_seals: bool = True,
    most_bins: int | None = None,
) -> list[asyncpg.Record]:
    """The rows of which `decoded` makes the histograms of the buckets `[edges[k], edges[k + 1])`.

    Raises TooManyBins if all of these histograms together have more than `most_bins` bins; no more are read.
    """
    if len(edges) < 2 or not scope.measures:
        return []
    limit = None if most_bins is None else most_bins + 1
    if use_seals and scope.selection.cuboid is not None:
        statement, values = sealed(scope, edges, limit)
    else:
        statement, values = scanned(scope, edges, limit)
    rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
    if most_bins is not None and bins_of(rows) > most_bins:
        raise TooManyBins
    return rows


def bins_of(rows: Iterable[asyncpg.Record]) -> int:
    """How many bins the histograms of these rows have together."""
    return sum(row["bins"] for row in rows)


def decoded(scope: Scope, rows: Iterable[asyncpg.Record]) -> Histograms:
    """The histograms in rows that `counts` read; one row may have some measures of a cell, and the next the others."""
    found: defaultdict[Cell, dict[str, Histogram]] = defaultdict(dict)
    depth = len(scope.selection.group_by)
    for row in rows:
        for number, measure, first, second, bins, numbers, total, squares in decode_cells(row["cells"]):
            histogram = Histogram(dict(zip(bins, numbers, strict=True)), int(total), int(squares))
            found[number, (first, second)[:depth]][scope.measures[measure]] = histogram
    return dict(found)


def sealed(scope: Scope, edges: Sequence[datetime], limit: int | None) -> tuple[str, list[Any]]:
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
    text = SEALED.format(
        sealed_group=grouped(scope, {str(dimension): "h.value"}),
        group=grouped(scope, COLUMN_OF),
        sealed_conditions=conditions(scope, parameters, {str(dimension): "h.value"}),
        conditions=conditions(scope, parameters, COLUMN_OF),
        squares=sum_of_squares("c.amount"),
    )
    return text + ANSWER.format(limit=parameters.add(limit), cells_in_row=CELLS_IN_ROW), parameters.values


def scanned(scope: Scope, edges: Sequence[datetime], limit: int | None) -> tuple[str, list[Any]]:
    """The statement that counts contributions alone, and its parameters."""
    parameters = Parameters(scope.tenant, list(scope.measures), list(edges[:-1]), edges[0], edges[-1])
    template = LATEST if scope.selection.per_respondent else SCANNED
    text = template.format(
        group=grouped(scope, COLUMN_OF),
        conditions=conditions(scope, parameters, COLUMN_OF),
        squares=sum_of_squares("c.amount"),
    )
    return text + ANSWER.format(limit=parameters.add(limit), cells_in_row=CELLS_IN_ROW), parameters.values


def grouped(scope: Scope, column_of: Mapping[str, str]) -> str:
    """The columns `first` and `second` of a group; NULL where there is no such dimension."""
    columns = [column_of[dimension] for dimension in scope.selection.group_by]
    first, second = (*columns, "NULL::int", "NULL::int")[:2]
    return f"{first} AS first, {second} AS second"
