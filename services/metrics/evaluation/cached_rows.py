"""Which rows of a query may be cached, and what they depend on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.metrics.domain.query import Query
from services.metrics.domain.windows import Bucket
from services.metrics.evaluation.periods import Period
from services.metrics.evaluation.row_cache import CachedBucket, Key, RowCache
from services.metrics.store.promotions import CurrentTenant
from services.metrics.store.query import key_of
from services.metrics.store.selection import Scope
from services.metrics.store.spans import Run, Spans


@dataclass(frozen=True, slots=True)
class CachedSeries:
    """The buckets of a query whose rows may be cached: their keys, by number, and those that are."""

    cache: RowCache
    query: Key
    keys: Mapping[int, Key]
    buckets: Mapping[int, CachedBucket]

    def add(self, number: int, bucket: CachedBucket) -> None:
        """Cache the rows of a bucket."""
        self.cache.add(self.query, self.keys[number], bucket)


def is_cacheable(query: Query) -> bool:
    """Whether a row depends on the counts of its bucket alone."""
    alone = not query.compare and not query.compare_presets and query.kpi.whole is None and not query.kpi.instant
    return alone and query.grain is not None


def cacheable_rows(
    cache: RowCache,
    query: Query,
    current: CurrentTenant,
    scope: Scope,
    period: Period,
    spans: Spans,
    now: datetime,
    fields: Sequence[str],
) -> CachedSeries:
    """The buckets of `period` that consist of sealed spans, with the cached ones. `fields` are those of the rows."""
    key = _query_key(query, current, scope, period, fields)
    runs: dict[int, list[tuple[int, Sequence[Run]]]] = {}
    for (number, measure), of_place in spans.runs.items():
        runs.setdefault(number, []).append((measure, tuple(of_place)))
    for gap in spans.gaps:
        runs.setdefault(gap.bucket, []).append((gap.measure, (gap.seals,)))
    for gap in spans.gaps:
        if not gap.seals:
            runs.pop(gap.bucket, None)
    keys = {number: (*_bucket_key(query, period.buckets[number], now), *of_bucket) for number, of_bucket in runs.items()}
    of_query = cache.of(key)
    buckets = {number: bucket for number, of_bucket in keys.items() if (bucket := of_query.get(of_bucket)) is not None}
    return CachedSeries(cache, key, keys, buckets)


def _query_key(query: Query, current: CurrentTenant, scope: Scope, period: Period, fields: Sequence[str]) -> Key:
    """Everything except their buckets that the rows of a query depend on."""
    kpi = query.kpi
    of_query = kpi.id, kpi.formula, kpi.aggregations, query.agg, query.business_hours, query.preset, query.filed_by, tuple(fields)
    of_tenant = current.names_revision, current.terms_revision, current.calendars, current.policies, current.presets
    return *of_query, *of_tenant, period.window.zone.key, tuple(scope.measures.items()), key_of(scope)


def _bucket_key(query: Query, bucket: Bucket, now: datetime) -> Key:
    """The fields of a row that state its bucket."""
    return bucket.start, bucket.end, bucket.partial, query.kpi.is_maturing(bucket.end, now)
