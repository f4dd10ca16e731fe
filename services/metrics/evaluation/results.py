"""Evaluate a KPI query: read the counts of each period in one snapshot, then estimate row by row.

Estimating may take a second for a large result, so it happens after the connection is released, in slices between which the event
loop continues. MAX_ROWS and MAX_BINS bound a result before it starts.
"""

from asyncio import to_thread
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.estimators import Estimate
from services.metrics.domain.histogram import Histogram, merge
from services.metrics.domain.intervals import beyond_noise
from services.metrics.domain.query import Query
from services.metrics.domain.windows import MAX_ROWS, BadQuery, Bucket, TooManyRows, Window
from services.metrics.evaluation.impacts import MAX_IMPACTS, TOO_MANY, all_answers, draw_intervals, with_whole
from services.metrics.evaluation.periods import Period, periods
from services.metrics.evaluation.scans import check_scan
from services.metrics.evaluation.selections import names_of_groups, selection_of
from services.metrics.evaluation.source import Source
from services.metrics.evaluation.unknown_values import UnknownValues, find_unknown_values
from services.metrics.store.names import Directory
from services.metrics.store.progress import Freshness, freshness
from services.metrics.store.promotions import CurrentTenant
from services.metrics.store.query import Group, TooManyBins, bins_of, counts, decode_counts, exceeds_most_values
from services.metrics.store.selection import Scope, Selection, resolve
from shared.slices import Slices

MAX_BINS = 250_000
"""Bins of all histograms of one result together; each takes about 150 bytes while the result is computed."""

Measured = Mapping[str, Histogram]
"""Histograms by the full name of their measure."""

EMPTY: Measured = {}


# --- the result -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Compared:
    """The value of a bucket's counterpart in a comparison. `significant`: None if one of the two has no interval."""

    to: str
    estimate: Estimate
    delta: float | None
    significant: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """One bucket of one group. `group` has the values of the query's `group_by`. `maturing`: the value is expected to change."""

    bucket: Bucket
    group: Group
    estimate: Estimate
    compared: tuple[Compared, ...]
    maturing: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of the estimate and of the bucket."""
        of_bucket = {"partial": self.bucket.partial, "maturing": self.maturing}
        return (*self.estimate.flags, *(flag for flag, applies in of_bucket.items() if applies))


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a query, evaluated at `now`. `names` are those of the values of its groups.

    `missing_terms` are flags of every value: of settings that the KPI needs and that the tenant lacks.
    """

    query: Query
    now: datetime
    window: Window
    freshness: Freshness
    unknown: UnknownValues
    names: Directory
    groups: list[Group]
    series: "list[Series]"
    missing_terms: tuple[str, ...] = ()

    def estimate(self, measured: Measured, period: Period, number: int) -> Estimate:
        """The KPI of these histograms of a bucket, with the flags of settings that the tenant lacks."""
        value = self.query.kpi.estimate(measured, self.query.agg, period.end(number, self.now))
        return replace(value, flags=(*value.flags, *self.missing_terms)) if self.missing_terms else value

    async def rows(self) -> AsyncIterator[Row]:
        """The rows by bucket, then by group; every bucket has a row for every group."""
        slices = Slices()
        main, *others = self.series
        count = len(main.period.buckets)
        dense: dict[Group, list[list[Measured]]] = {}
        for group in self.groups:
            dense[group] = [one.dense(group, count) for one in (main, *others)]
            await slices.pause()
        for number, bucket in enumerate(main.period.buckets):
            maturing = self.query.kpi.is_maturing(bucket.end, self.now)
            for group in self.groups:
                value, *values = (
                    self.estimate(measured[number], one.period, number)
                    for one, measured in zip(self.series, dense[group], strict=True)
                )
                compared = [compare(value, value_of, one.period.name) for one, value_of in zip(others, values, strict=True)]
                yield Row(bucket, group, value, tuple(compared), maturing)
                await slices.pause()


@dataclass(frozen=True, slots=True)
class Series:
    """The histograms of a period by group and bucket number; buckets without any are left out.

    `cumulative`: a bucket has the change since the bucket before, and its value is the sum of all changes up to its end.
    """

    period: Period
    buckets: Mapping[Group, Mapping[int, Measured]]
    cumulative: bool

    def changes(self, group: Group) -> Iterator[tuple[int, Measured]]:
        """The value of each bucket that has histograms of its own, in order."""
        total = EMPTY
        for number, measured in sorted(self.buckets.get(group, {}).items()):
            total = add(total, measured) if self.cumulative else measured
            yield number, total

    def dense(self, group: Group, count: int) -> list[Measured]:
        """The values of buckets 0 to `count` - 1, also if the period has fewer."""
        values = [EMPTY] * count
        changes = [*self.changes(group), (len(self.period.buckets), EMPTY)]
        for (number, measured), (following, _) in pairwise(changes):
            for place in range(number, min(following if self.cumulative else number + 1, count)):
                values[place] = measured
        return values


# --- evaluation -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of a query as rows of the database, for each of its periods; `scope` is None if the tenant is unknown.

    `whole` are those of all answers, if the query is of the impact of a theme.
    """

    selection: Selection
    scope: Scope | None
    spans: list[Period]
    rows: list[list[asyncpg.Record]]
    whole: "Counts | None" = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that the result of a query needs of the database. The result itself is computed without a connection."""

    query: Query
    now: datetime
    counted: Counts
    freshness: Freshness
    unknown: UnknownValues
    names: Directory
    missing_terms: tuple[str, ...]

    async def result(self) -> Result:
        """The result. Raises TooManyRows."""
        groups, series = await decode(self.query, self.counted, self.now)
        window = self.counted.spans[0].window
        terms = self.missing_terms
        return Result(self.query, self.now, window, self.freshness, self.unknown, self.names, groups, series, terms)


async def read_evaluation(
    connection: asyncpg.Connection, source: Source, current: CurrentTenant, query: Query, now: datetime
) -> Evaluation:
    """Read what `query` needs in one snapshot. Raises BadQuery or TooManyContributions if it is too large."""
    counted = await read_counts(connection, current, query, now, source.scan_reason)
    unknown = await find_unknown_values(connection, counted.selection, counted.scope)
    names = await names_of_groups(connection, query, current)
    fresh = await freshness(connection, current, query.kpi, source.partitions)
    return Evaluation(query, now, counted, fresh, unknown, names, missing_terms(query, current))


def missing_terms(query: Query, current: CurrentTenant) -> tuple[str, ...]:
    """The flags of the settings that a query needs and that the tenant lacks."""
    missing = {
        "no_calendar": query.business_hours and not current.calendars,
        "no_policy": query.kpi.of_policies and not current.policies,
        "no_preset": query.preset != "" and query.preset not in current.presets,
    }
    return tuple(flag for flag, applies in missing.items() if applies)


async def read_counts(
    connection: asyncpg.Connection,
    current: CurrentTenant,
    query: Query,
    now: datetime,
    scan_reason: str | None = None,
    *,
    use_seals: bool = True,
) -> Counts:
    """The counts of each period of a query before `now`.

    Raises BadQuery if they have more than MAX_BINS bins, and TooManyContributions if they must be read one by one, for
    `scan_reason`, and are too many.
    """
    spans = periods(query, ZoneInfo(current.zone), now)
    selection = selection_of(query, current)
    scope = await resolve(connection, current.slug, selection)
    if scope is not None and scan_reason is not None:
        await check_scan(connection, scope, query, spans, now, scan_reason)
    read: list[list[asyncpg.Record]] = []
    bins_left = MAX_BINS
    for period in spans:
        edges = period.instants(now) if query.kpi.instant else period.edges(now)
        if scope and edges and not query.kpi.instant and await exceeds_most_values(connection, scope, edges[0], edges[-1]):
            raise TooManyRows("group_by")
        try:
            rows = await counts(connection, scope, edges, use_seals=use_seals, most_bins=bins_left) if scope else []
        except TooManyBins as error:
            reason = "gives too many values; use fewer groups, a coarser grain or a shorter window"
            raise BadQuery("group_by" if query.group_by else "grain", reason) from error
        read.append(rows)
        bins_left -= bins_of(rows)
    whole = None
    if query.kpi.whole is not None:
        whole = await read_counts(connection, current, all_answers(query), now, scan_reason, use_seals=use_seals)
    return Counts(selection, scope, spans, read, whole)


async def decode(query: Query, counted: Counts, now: datetime) -> tuple[list[Group], list[Series]]:
    """The groups of a query's result and the histograms of its periods. Raises TooManyRows. It needs no connection."""
    slices = Slices()
    periods_and_rows = zip(counted.spans, counted.rows, strict=True)
    series = [await series_of(query, counted.scope, period, rows, slices) for period, rows in periods_and_rows]
    most = MAX_ROWS // (len(counted.spans[0].buckets) * len(counted.spans))
    if counted.whole is None:
        return await groups_of(query, series[0], now, most, slices), series
    _, whole = await decode(all_answers(query), counted.whole, now)
    series = [
        replace(one, buckets=with_whole(one.buckets, other.buckets, query.group_by))
        for one, other in zip(series, whole, strict=True)
    ]
    groups: list[Group] = sort_groups(series[0].buckets) if query.group_by else [()]
    if len(groups) * len(counted.spans[0].buckets) * len(counted.spans) > MAX_IMPACTS:
        raise BadQuery("group_by", TOO_MANY)
    await to_thread(draw_intervals, query.kpi, [one.buckets for one in series])
    return groups, series


async def series_of(query: Query, scope: Scope | None, period: Period, rows: list[asyncpg.Record], slices: Slices) -> Series:
    """Decode the counts of a period."""
    buckets: defaultdict[Group, dict[int, dict[str, Histogram]]] = defaultdict(dict)
    if scope is not None:
        for row in rows:
            for (number, group), measured in decode_counts(scope, [row]).items():
                buckets[group].setdefault(number, {}).update(measured)
            await slices.pause()
    return Series(period, buckets, query.kpi.instant)


async def groups_of(query: Query, main: Series, now: datetime, most: int, slices: Slices) -> list[Group]:
    """The groups with a sample in any bucket, sorted, None last. Raises TooManyRows if there are more than `most`."""
    if not query.group_by:
        return [()]
    groups: list[Group] = []
    for group in main.buckets:
        changes = main.changes(group)
        if any(query.kpi.estimate(measured, query.agg, main.period.end(number, now)).n > 0 for number, measured in changes):
            groups.append(group)
        if len(groups) > most:
            raise TooManyRows("group_by")
        await slices.pause()
    return sort_groups(groups)


def sort_groups(groups: Iterable[Group]) -> list[Group]:
    """The groups by their values, None last."""
    return sorted(groups, key=lambda group: [(value is None, value or "") for value in group])


def add(one: Measured, other: Measured) -> Measured:
    """Both sets of histograms merged by measure."""
    return {name: merge(*(side[name] for side in (one, other) if name in side)) for name in one.keys() | other.keys()}


def compare(value: Estimate, other: Estimate, to: str) -> Compared:
    """Compare a value with that of another window, named `to`."""
    if value.value is None or other.value is None:
        return Compared(to, other, None, None)
    significant = beyond_noise(value.value, value.interval, other.value, other.interval)
    return Compared(to, other, value.value - other.value, significant)
