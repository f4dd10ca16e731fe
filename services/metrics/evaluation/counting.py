"""Read the counts of a query, for each of its periods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.cuboids import Cuboid
from services.metrics.domain.query import Query
from services.metrics.domain.windows import BadQuery, TooManyRows
from services.metrics.evaluation.cached_rows import CachedSeries, cacheable_rows, is_cacheable
from services.metrics.evaluation.impacts import all_answers
from services.metrics.evaluation.periods import Period, periods
from services.metrics.evaluation.row_cache import Caches
from services.metrics.evaluation.scans import check_scan
from services.metrics.evaluation.selections import selection_of
from services.metrics.store.promotions import CurrentTenant
from services.metrics.store.query import StoredCounts, TooManyBins, counts, read_counts_of
from services.metrics.store.selection import Scope, Selection, resolve
from services.metrics.store.spans import read_spans

MAX_BINS = 250_000
"""Bins of all histograms of one result together; each takes about 150 bytes while the result is computed."""

MOST_READ = 2 * MAX_BINS
"""The most bins that are read: the same bin of a group may be read several times, for a month, for days and for hours."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of a query as rows of the database, for each of its periods; `scope` is None if the tenant is unknown.

    `whole` are those of all answers, if the query is of the impact of a theme. `cached`: of the first period, the buckets whose
    encoded rows may be cached; `rows` lack those that are.
    """

    selection: Selection
    scope: Scope | None
    spans: list[Period]
    rows: list[StoredCounts]
    whole: "Counts | None" = None
    cached: CachedSeries | None = None


@dataclass(frozen=True, slots=True)
class CountReader:
    """Reads the counts of queries of a tenant before `now`, in one snapshot.

    `caches`: what this process caches of sealed spans. With `fields`, those of the rows, it may have whole rows too.
    """

    connection: asyncpg.Connection
    current: CurrentTenant
    now: datetime
    scan_reason: str | None = None
    use_seals: bool = True
    caches: Caches | None = None
    fields: Sequence[str] | None = None

    async def read(self, query: Query) -> Counts:
        """The counts of each period of a query.

        Raises BadQuery if they have many more than MAX_BINS bins, and TooManyContributions if they must be read one by one, for
        `scan_reason`, and are too many.
        """
        spans = periods(query, ZoneInfo(self.current.zone), self.now)
        selection = selection_of(query, self.current)
        scope = await resolve(self.connection, self.current.slug, selection)
        if scope is None:
            return Counts(selection, None, spans, [], await self._whole(query))
        if self.scan_reason is not None:
            await check_scan(self.connection, scope, query, spans, self.now, self.scan_reason)
        read: list[StoredCounts] = []
        cached: list[CachedSeries | None] = []
        bins_left = MOST_READ
        for period in spans:
            try:
                counted, of_period = await self._read_period(query, scope, period, bins_left)
            except TooManyBins as error:
                raise too_many_bins(query) from error
            read.append(counted)
            cached.append(of_period)
            bins_left -= counted.bins
        return Counts(selection, scope, spans, read, await self._whole(query), cached[0])

    async def _whole(self, query: Query) -> Counts | None:
        return await self.read(all_answers(query)) if query.kpi.whole is not None else None

    async def _read_period(
        self, query: Query, scope: Scope, period: Period, most_bins: int
    ) -> tuple[StoredCounts, CachedSeries | None]:
        """The counts of a period, except the buckets whose rows are cached. Raises TooManyBins, and TooManyRows."""
        instant, cuboid = query.kpi.instant, scope.selection.cuboid
        edges = period.instants(self.now) if instant else period.edges(self.now)
        if len(edges) < 2 or not scope.measures:
            return StoredCounts(scope), None
        if not self.use_seals or cuboid is None:
            return await counts(self.connection, scope, edges, use_seals=False, most_bins=most_bins), None
        spans = await read_spans(self.connection, scope, cuboid, edges)
        if spans.too_wide and not instant and has_row_of_each_group(scope.selection, cuboid):
            raise TooManyRows("group_by")
        cached = None
        if self.caches is not None and self.fields is not None and is_cacheable(query):
            cached = cacheable_rows(self.caches.rows, query, self.current, scope, period, spans, self.now, self.fields)
        runs = self.caches.runs if self.caches is not None else None
        leave_out = cached.buckets if cached is not None else ()
        return await read_counts_of(self.connection, scope, cuboid, spans, leave_out, most_bins, runs), cached


def has_row_of_each_group(selection: Selection, cuboid: Cuboid) -> bool:
    """Whether a result has a row for each group of a cuboid: a filter leaves some out."""
    return bool(cuboid.dimensions) and not selection.filters and len(selection.group_by) == len(cuboid.dimensions)


def too_many_bins(query: Query) -> BadQuery:
    """The error of a query whose histograms have too many bins."""
    reason = "gives too many values; use fewer groups, a coarser grain or a shorter window"
    return BadQuery("group_by" if query.group_by else "grain", reason)
