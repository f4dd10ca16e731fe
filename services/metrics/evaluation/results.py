"""Evaluate a KPI query: read the counts of each period in one snapshot, then estimate row by row.

Estimating may take a second for a large result, so it happens after the connection is released, in slices between which the event
loop continues. MAX_ROWS and MAX_BINS bound a result before it starts.
"""

from asyncio import to_thread
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from services.metrics.domain.estimator import Estimate
from services.metrics.domain.intervals import beyond_noise
from services.metrics.domain.query import Query
from services.metrics.domain.windows import MAX_ROWS, BadQuery, Bucket, TooManyRows, Window
from services.metrics.evaluation.cached_rows import CachedSeries
from services.metrics.evaluation.counting import MAX_BINS, CountReader, Counts, too_many_bins
from services.metrics.evaluation.impacts import MAX_IMPACTS, TOO_MANY, all_answers, draw_intervals, with_whole
from services.metrics.evaluation.next_breaches import NextBreaches, read_next_breaches
from services.metrics.evaluation.periods import Period
from services.metrics.evaluation.row_cache import CachedBucket
from services.metrics.evaluation.selections import names_of_groups
from services.metrics.evaluation.series import EMPTY, Measured, Series
from services.metrics.evaluation.source import Source
from services.metrics.evaluation.unknown_values import UnknownValues, find_unknown_values
from services.metrics.store.names import Directory
from services.metrics.store.progress import Freshness, freshness
from services.metrics.store.promotions import CurrentTenant
from services.metrics.store.query import Histograms
from services.metrics.store.run_cache import Group
from shared.slices import Slices


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

    number: int
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

    `missing_terms` are flags of every value: of settings that the KPI needs and that the tenant lacks. `cached`: rows that are
    encoded already, and those that may be cached. `next_breaches`: None if rows have none.
    """

    query: Query
    now: datetime
    window: Window
    freshness: Freshness
    unknown: UnknownValues
    names: Directory
    groups: list[Group]
    series: list[Series]
    missing_terms: tuple[str, ...] = ()
    cached: CachedSeries | None = None
    next_breaches: NextBreaches | None = None

    def estimate(self, measured: Measured, series: Series, number: int, group: Group) -> Estimate:
        """The KPI of these histograms of a bucket and a group, with the flags of settings that the tenant lacks."""
        value = series.estimates.get((number, group))
        if value is None:
            value = self.query.kpi.estimate(measured, self.query.agg, series.period.end(number, self.now))
        return with_missing(value, self.query, self.missing_terms) if self.missing_terms else value

    def cache(self, number: int, rows: Mapping[Group, bytes], sampled: Collection[Group]) -> None:
        """Cache the encoded rows of a bucket, if that is allowed and no group with contributions lacks a row.

        `sampled` are the groups with a sample.
        """
        if self.cached is None or number not in self.cached.keys:
            return
        present = {group: by_number[number] for group, by_number in self.series[0].buckets.items() if number in by_number}
        if present.keys() <= rows.keys():
            bins = sum(len(histogram.counts) for measured in present.values() for histogram in measured.values())
            self.cached.add(number, CachedBucket(dict(rows), frozenset(sampled), bins))

    def cached_bucket(self, number: int) -> CachedBucket | None:
        """The encoded rows of a bucket, if they are cached."""
        return self.cached.buckets.get(number) if self.cached is not None else None

    async def rows(self) -> AsyncIterator[Row]:
        """The rows by bucket, then by group; every bucket has a row for every group. Those of cached buckets are left out."""
        slices = Slices()
        main, *others = self.series
        count = len(main.period.buckets)
        dense: dict[Group, list[list[Measured]]] = {}
        for group in self.groups:
            dense[group] = [measured.dense(group, count) for measured in (main, *others)]
            await slices.pause()
        for number in range(count):
            if self.cached_bucket(number) is None:
                for group in self.groups:
                    yield self.row(number, group, [measured[number] for measured in dense[group]])
                    await slices.pause()

    def row(self, number: int, group: Group, measured: Sequence[Measured]) -> Row:
        """The row of a bucket and a group with these histograms, one for each series."""
        bucket, (_, *others) = self.series[0].period.buckets[number], self.series
        value, *values = (self.estimate(of, single, number, group) for single, of in zip(self.series, measured, strict=True))
        compared = [compare(value, value_of, other.period.name) for other, value_of in zip(others, values, strict=True)]
        return Row(number, bucket, group, value, tuple(compared), self.query.kpi.is_maturing(bucket.end, self.now))

    def empty_row(self, number: int, group: Group) -> Row:
        """The row of a group that has no contributions in a bucket."""
        return self.row(number, group, [EMPTY])


# --- evaluation -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that the result of a query needs from the database. The result itself is computed without a connection."""

    query: Query
    now: datetime
    counted: Counts
    freshness: Freshness
    unknown: UnknownValues
    names: Directory
    missing_terms: tuple[str, ...]
    next_breaches: NextBreaches | None = None

    async def result(self) -> Result:
        """The result. Raises TooManyRows."""
        groups, series = await decode(self.query, self.counted, self.now)
        window = self.counted.spans[0].window
        terms = self.missing_terms
        cached, due = self.counted.cached, self.next_breaches
        return Result(self.query, self.now, window, self.freshness, self.unknown, self.names, groups, series, terms, cached, due)


async def read_evaluation(
    connection: asyncpg.Connection,
    source: Source,
    current: CurrentTenant,
    query: Query,
    now: datetime,
    fields: Sequence[str] | None = None,
) -> Evaluation:
    """Read what `query` needs in one snapshot. With `fields`, those of encoded rows, rows that are cached are not computed.

    Raises BadQuery or TooManyContributions if it is too large.
    """
    reader = CountReader(connection, current, now, source.scan_reason, caches=source.caches, fields=fields)
    counted = await reader.read(query)
    unknown = await find_unknown_values(connection, counted.selection, counted.scope)
    names = await names_of_groups(connection, query, current)
    fresh = await freshness(connection, current, query.kpi, source.partitions)
    due = await read_next_breaches(connection, query, current, now, fields)
    return Evaluation(query, now, counted, fresh, unknown, names, missing_terms(query, current), due)


def missing_terms(query: Query, current: CurrentTenant) -> tuple[str, ...]:
    """The flags of the settings that a query needs and that the tenant lacks."""
    missing = {
        "no_calendar": query.business_hours and not current.calendars,
        "no_policy": query.kpi.of_policies and not current.policies,
        "no_preset": query.preset != "" and query.preset not in current.presets,
    }
    return tuple(flag for flag, applies in missing.items() if applies)


def with_missing(estimate: Estimate, query: Query, missing: tuple[str, ...]) -> Estimate:
    """The estimate with the flags of settings that the tenant lacks.

    There is none if the query reads rows of a preset that is off: a count of rows that were not made is not 0.
    """
    if "no_preset" in missing and any(measure.preset for measure in query.kpi.measures):
        return Estimate(None, 0, flags=missing)
    return replace(estimate, flags=(*estimate.flags, *missing))


async def decode(query: Query, counted: Counts, now: datetime) -> tuple[list[Group], list[Series]]:
    """The groups of a query's result and the histograms of its periods. It needs no connection.

    Raises TooManyRows, and BadQuery if they have more than MAX_BINS bins.
    """
    slices = Slices()
    cells = [await rows.decode(slices) for rows in counted.rows] or [{} for _ in counted.spans]
    buckets = list(counted.cached.buckets.values()) if counted.cached is not None else []
    if sum(bucket.bins for bucket in buckets) + sum(map(bins_of, cells)) > MAX_BINS:
        raise too_many_bins(query)
    series = [series_of(query, period, of_period) for period, of_period in zip(counted.spans, cells, strict=True)]
    most = MAX_ROWS // (len(counted.spans[0].buckets) * len(counted.spans))
    if counted.whole is None:
        sampled = frozenset[Group]().union(*(bucket.sampled for bucket in buckets))
        return await groups_of(query, series[0], now, most, slices, sampled), series
    _, whole = await decode(all_answers(query), counted.whole, now)
    series = [
        replace(single, buckets=with_whole(single.buckets, other.buckets, query.group_by))
        for single, other in zip(series, whole, strict=True)
    ]
    groups: list[Group] = sort_groups(series[0].buckets) if query.group_by else [()]
    if len(groups) * len(counted.spans[0].buckets) * len(counted.spans) > MAX_IMPACTS:
        raise BadQuery("group_by", TOO_MANY)
    await to_thread(draw_intervals, query.kpi, [single.buckets for single in series])
    return groups, series


def series_of(query: Query, period: Period, cells: Histograms) -> Series:
    """The histograms of a period by group and bucket."""
    buckets: defaultdict[Group, dict[int, Measured]] = defaultdict(dict)
    for (number, group), measured in cells.items():
        buckets[group][number] = measured
    return Series(period, buckets, query.kpi.instant)


def bins_of(cells: Histograms) -> int:
    """How many bins these histograms have."""
    return sum(len(histogram.counts) for measured in cells.values() for histogram in measured.values())


async def groups_of(
    query: Query, main: Series, now: datetime, most: int, slices: Slices, sampled: Collection[Group] = ()
) -> list[Group]:
    """The groups with a sample in any bucket, sorted, None last; those in `sampled` have one elsewhere.

    `main` keeps the estimates that it computes. Raises TooManyRows if there are more than `most`.
    """
    if not query.group_by:
        return [()]
    groups = set(sampled)
    for group in main.buckets:
        if group not in groups and has_sample(query, main, group, now):
            groups.add(group)
        if len(groups) > most:
            raise TooManyRows("group_by")
        await slices.pause()
    return sort_groups(groups)


def has_sample(query: Query, main: Series, group: Group, now: datetime) -> bool:
    """Whether a group has a sample in any bucket. `main` keeps the estimates that it computes."""
    for number, measured in main.changes(group):
        estimate = query.kpi.estimate(measured, query.agg, main.period.end(number, now))
        main.estimates[number, group] = estimate
        if estimate.n > 0:
            return True
    return False


def sort_groups(groups: Iterable[Group]) -> list[Group]:
    """The groups by their values, None last."""
    return sorted(groups, key=lambda group: [(value is None, value or "") for value in group])


def compare(value: Estimate, other: Estimate, to: str) -> Compared:
    """Compare a value with that of another window, named `to`."""
    if value.value is None or other.value is None:
        return Compared(to, other, None, None)
    significant = beyond_noise(value.value, value.interval, other.value, other.interval)
    return Compared(to, other, value.value - other.value, significant)
