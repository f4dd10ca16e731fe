"""Histograms of a selection: from sealed histograms where they fit, from contributions for everything else.

Both give the same counts. A query has contiguous buckets of time, given by their edges. It is several statements, so it must run
in a `snapshot`. What a sealed span holds never changes, so it may be cached from one query to the next (`RunCache`).
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Container, Hashable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import asyncpg
import msgspec

from services.metrics.domain.cuboids import Cuboid
from services.metrics.domain.histogram import Histogram, merge
from services.metrics.store.query_building import from_contributions, is_net, of_gaps, of_runs
from services.metrics.store.run_cache import Group, RunCache, RunSum
from services.metrics.store.selection import Scope
from services.metrics.store.spans import Place, Run, Spans, read_spans
from shared.slices import Slices

Cell = tuple[int, Group]
"""The number of a bucket, from 0, and a group."""

Histograms = dict[Cell, dict[str, Histogram]]
"""The histograms of each cell, by measure. Empty ones are left out."""

RawCell = tuple[int, int, str | None, str | None, list[int], list[int], str, str]
"""Number, measure, first and second value, bins, counts, total, squares."""

Of = TypeVar("Of")

decode_cells = msgspec.json.Decoder(list[RawCell]).decode


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
    connection: asyncpg.Connection,
    scope: Scope,
    edges: Sequence[datetime],
    *,
    use_seals: bool = True,
    cache: RunCache | None = None,
) -> Histograms:
    """The histograms of each bucket `[edges[k], edges[k + 1])`, by group and measure."""
    return await (await counts(connection, scope, edges, use_seals=use_seals, cache=cache)).decode(Slices())


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """The counts of buckets as rows of the database, of which `decode` makes histograms. It needs no connection.

    `rows` are of buckets and measures. `run_rows` are of `runs`, by their numbers; `parts` has those that were cached. `places`
    says of which runs a bucket and a measure are the sum, beside `rows`.
    """

    scope: Scope
    rows: Sequence[asyncpg.Record] = ()
    run_rows: Sequence[asyncpg.Record] = ()
    runs: Sequence[Run] = ()
    parts: Mapping[Run, RunSum] = field(default_factory=dict)
    places: Mapping[Place, Sequence[Run]] = field(default_factory=dict)
    cache: RunCache | None = None

    @property
    def bins(self) -> int:
        """How many bins were read."""
        read: int = sum(row["bins"] for row in (*self.rows, *self.run_rows))
        return read + sum(part.bins for part in self.parts.values())

    async def decode(self, slices: Slices) -> Histograms:
        """The histograms, in slices of the event loop. Runs that were read are cached."""
        cells: defaultdict[Cell, dict[str, Histogram]] = defaultdict(dict)
        depth, names = len(self.scope.selection.group_by), self.scope.measures
        for row in self.rows:
            for cell in decode_cells(row["cells"]):
                cells[cell[0], cell[2:4][:depth]][names[cell[1]]] = histogram_of(cell)
            await slices.pause()
        parts, key = dict(self.parts), key_of(self.scope)
        read: dict[Run, dict[Group, Histogram]] = {run: {} for run in self.runs}
        for row in self.run_rows:
            for cell in decode_cells(row["cells"]):
                add_to(read[self.runs[cell[0]]], cell[2:4][:depth], histogram_of(cell))
            await slices.pause()
        for run, of_groups in read.items():
            parts[run] = RunSum(of_groups, sum(len(histogram.counts) for histogram in of_groups.values()))
            if self.cache is not None:
                self.cache.add((key, run), parts[run])
        for (bucket, measure), runs in self.places.items():
            name = names[measure]
            for group, histograms in by_group(parts[run] for run in runs).items():
                measured = cells[bucket, group]
                measured[name] = merge(*histograms, *((measured[name],) if name in measured else ()))
                await slices.pause()
        return without_empty(cells) if is_net(self.scope) else dict(cells)


def by_group(sums: Iterable[RunSum]) -> dict[Group, list[Histogram]]:
    """The histograms of several sums by group."""
    several: defaultdict[Group, list[Histogram]] = defaultdict(list)
    for partial_sum in sums:
        for group, histogram in partial_sum.histograms.items():
            several[group].append(histogram)
    return several


def histogram_of(cell: RawCell) -> Histogram:
    """The histogram of a cell."""
    *_, bins, numbers, total, squares = cell
    return Histogram(dict(zip(bins, numbers, strict=True)), int(total), int(squares))


def add_to(histograms: dict[Group, Histogram], group: Group, histogram: Histogram) -> None:
    """Add a histogram to that of its group: a filter with several values selects several histograms of one group."""
    histograms[group] = merge(histograms[group], histogram) if group in histograms else histogram


def without_empty(cells: Mapping[Cell, Mapping[str, Histogram]]) -> Histograms:
    """The cells without bins whose counts cancel."""
    cells_left: Histograms = {}
    for cell, measured in cells.items():
        for name, histogram in measured.items():
            if left := {place: n for place, n in histogram.counts.items() if n}:
                cells_left.setdefault(cell, {})[name] = Histogram(left, histogram.total, histogram.squares)
    return cells_left


def key_of(scope: Scope) -> Hashable:
    """Everything except its seals that the histograms of a run depend on."""
    selection = scope.selection
    filters = tuple(
        (f.dimension, *((tuple(scope.ids(f.dimension, values)), None in values) for values in (f.include, f.exclude)))
        for f in selection.filters
    )
    return scope.tenant, selection.group_by, filters, is_net(scope)


async def counts(
    connection: asyncpg.Connection,
    scope: Scope,
    edges: Sequence[datetime],
    *,
    use_seals: bool = True,
    most_bins: int | None = None,
    cache: RunCache | None = None,
) -> StoredCounts:
    """The counts of the buckets `[edges[k], edges[k + 1])`. `cache`: the sums of runs that earlier queries read.

    Raises TooManyBins if more than `most_bins` bins are read; no more than that are read by one statement.
    """
    if len(edges) < 2 or not scope.measures:
        return StoredCounts(scope)
    cuboid = scope.selection.cuboid
    if use_seals and cuboid is not None:
        spans = await read_spans(connection, scope, cuboid, edges)
        return await read_counts_of(connection, scope, cuboid, spans, most_bins=most_bins, cache=cache)
    statement, values = from_contributions(scope, edges, most_bins)
    return bounded(StoredCounts(scope, await connection.fetch(statement, *values)), most_bins)


async def read_counts_of(
    connection: asyncpg.Connection,
    scope: Scope,
    cuboid: Cuboid,
    spans: Spans,
    leave_out: Container[int] = (),
    most_bins: int | None = None,
    cache: RunCache | None = None,
) -> StoredCounts:
    """The counts of these spans, without the buckets in `leave_out`. `cache`: the sums of runs that earlier queries read.

    Raises as `counts`.
    """
    gaps = [gap for gap in spans.gaps if gap.bucket not in leave_out]
    places = {place: list(runs) for place, runs in spans.runs.items() if place[0] not in leave_out}
    scanned = {gap.seals: gap for gap in gaps if gap.seals}
    for gap in scanned.values():
        places.setdefault((gap.bucket, gap.measure), []).append(gap.seals)
    key = key_of(scope)
    all_runs = [run for of_place in places.values() for run in of_place]
    parts = {run: part for run in all_runs if (part := cache.get((key, run))) is not None} if cache is not None else {}
    runs = [run for run in all_runs if run not in parts]
    rows = await _fetch(connection, of_gaps, scope, [gap for gap in gaps if not gap.seals], most_bins)
    numbered = list(enumerate(runs))
    counted = [scanned[run]._replace(bucket=number) for number, run in numbered if run in scanned]
    run_rows = await _fetch(connection, of_gaps, scope, counted, most_bins)
    net = is_net(scope)
    for single in (True, False):
        selected = [(number, run) for number, run in numbered if run not in scanned and (len(run) == 1 and not net) is single]
        run_rows += await _fetch(connection, partial(of_runs, cuboid=cuboid, single=single), scope, selected, most_bins)
    return bounded(StoredCounts(scope, rows, run_rows, runs, parts, places, cache), most_bins)


async def _fetch(
    connection: asyncpg.Connection,
    statement_of: Callable[[Scope, Sequence[Of], int | None], tuple[str, list[Any]]],
    scope: Scope,
    several: Sequence[Of],
    limit: int | None,
) -> list[asyncpg.Record]:
    """The rows of the statement of several gaps or runs; none without any."""
    if not several:
        return []
    statement, values = statement_of(scope, several, limit)
    return await connection.fetch(statement, *values)  # type: ignore[no-any-return]


def bounded(counted: StoredCounts, most_bins: int | None) -> StoredCounts:
    """The same counts. Raises TooManyBins if they have more than `most_bins` bins."""
    if most_bins is not None and counted.bins > most_bins:
        raise TooManyBins
    return counted
