"""Explain a KPI: its formula with the numbers filled in, what it leaves out, and a recomputation from stored statements.

A value comes from contributions, sealed or not. Its recomputation reads the statements of every subject that it may depend on,
folds them, and counts in plain Python, in the same snapshot of the database. So the two differ if a stored contribution or a
sealed histogram is wrong. If there are more than MOST_SUBJECTS, it is counted from all contributions, and a sample of subjects is
recomputed (`services.metrics.evaluation.sample`).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from services.metrics.domain.changes import kinds_of
from services.metrics.domain.estimator import Estimate
from services.metrics.domain.query import Query
from services.metrics.domain.terms import FIRST_TERMS
from services.metrics.domain.windows import MAX_ROWS, Bucket, Window
from services.metrics.evaluation.counting import CountReader, Counts
from services.metrics.evaluation.impacts import with_any_theme
from services.metrics.evaluation.presets import read_query_under
from services.metrics.evaluation.recomputation import population, recompute, recompute_sample
from services.metrics.evaluation.results import (
    decode,
    groups_of,
    missing_terms,
    sort_groups,
    with_missing,
)
from services.metrics.evaluation.sample import Sample
from services.metrics.evaluation.scans import limit_statement_time, reason_to_scan
from services.metrics.evaluation.selections import names_of_groups
from services.metrics.evaluation.series import Series
from services.metrics.evaluation.source import Source
from services.metrics.evaluation.unknown_values import UnknownValues, find_unknown_values
from services.metrics.store.names import Directory
from services.metrics.store.population import is_outdated
from services.metrics.store.progress import Freshness, freshness
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.run_cache import Group
from services.metrics.store.terms import read_terms
from shared.slices import Slices


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """The value of one bucket of one group, its formula with the numbers filled in, and its recomputation if there is one."""

    bucket: Bucket
    group: Group
    estimate: Estimate
    filled_in: str | None
    recomputed: Estimate | None
    flags: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether a recomputation has the same value, counts, interval and distribution."""
        return self.recomputed is None or self.estimate == self.recomputed


@dataclass(frozen=True, slots=True)
class Explanation:
    """An explanation of a query's result. `whole` is the value of the whole window, `values` are those of buckets and groups.

    `model` is the one whose scores count, None if the KPI reads none. `subjects` were read for the recomputation. `sample`: they
    are a sample, and the recomputation is counted from all contributions. `outdated`: an earlier version of the definitions made
    the stored contributions, and a build is replacing them.
    """

    query: Query
    window: Window
    freshness: Freshness
    unknown: UnknownValues
    names: Directory
    model: str | None
    subjects: int
    sample: Sample | None
    left_out: dict[str, int]
    outdated: bool
    whole: ExplainedValue
    values: list[ExplainedValue]

    @property
    def equal(self) -> bool:
        """Whether all values equal their recomputations, and the contributions of a sample those that its statements give."""
        return all(value.equal for value in (self.whole, *self.values)) and not (self.sample and self.sample.differing)


async def explain(source: Source, tenant: str, query: Query, now: datetime) -> Explanation:
    """Explain the result of a query without comparisons, at `now`. Raises as its evaluation does."""
    async with snapshot(source.pool) as connection, limit_statement_time(connection, source.scan_reason):
        current = await current_tenant(connection, tenant, source.default_model, kinds_of(query.kpi))
        query = await read_query_under(connection, query, current)
        whole = with_any_theme(replace(query, grain=None, group_by=()))
        queries = [whole] if query == whole else [whole, query]
        counted = [
            await CountReader(connection, current, now, scan_reason_of(query, current, now)).read(query) for query in queries
        ]
        terms = FIRST_TERMS if current.number is None else await read_terms(connection, current.number)
        subjects = await population(connection, counted[0], query, now)
        if subjects is not None:
            recomputation = await recompute(connection, current, queries, counted, subjects, terms, now)
        else:
            recomputation = await recompute_sample(connection, current, queries, counted, terms, now)
        unknown = await find_unknown_values(connection, counted[0].selection, counted[0].scope)
        names = await names_of_groups(connection, query, current)
        outdated = current.number is not None and await is_outdated(connection, current.number)
        fresh = await freshness(connection, current, query.kpi, source.partitions)
    flags = missing_terms(query, current)
    explained = [
        await explained_values(query, counts, series, flags, now)
        for query, counts, series in zip(queries, counted, await recomputation.series(now), strict=True)
    ]
    return Explanation(
        query=query,
        window=counted[0].spans[0].window,
        freshness=fresh,
        unknown=unknown,
        names=names,
        model=current.model if any(measure.by_model for measure in query.kpi.measures) else None,
        subjects=recomputation.subjects,
        sample=recomputation.sample,
        left_out=recomputation.left_out,
        outdated=outdated,
        whole=explained[0][0],
        values=explained[1] if len(explained) > 1 else [],
    )


def scan_reason_of(query: Query, current: CurrentTenant, now: datetime) -> str | None:
    """Why the stored value itself is read from contributions; None if it is not."""
    return reason_to_scan(query, ZoneInfo(current.zone), now)


async def explained_values(
    query: Query, counts: Counts, recounted: Series | None, missing: tuple[str, ...], now: datetime
) -> list[ExplainedValue]:
    """The values by bucket, then by group, each beside its recomputation. A group that only one of the two has is listed too."""
    slices = Slices()
    groups, (stored,) = await decode(query, counts, now)
    buckets = stored.period.buckets
    if query.group_by and recounted is not None:
        groups = sort_groups({*groups, *await groups_of(query, recounted, now, MAX_ROWS // len(buckets), slices)})
    sides = [
        (group, stored.dense(group, len(buckets)), recounted.dense(group, len(buckets)) if recounted else None)
        for group in groups
    ]
    values = []
    for number, bucket in enumerate(buckets):
        end = stored.period.end(number, now)
        of_bucket = {"partial": bucket.partial, "maturing": query.kpi.is_maturing(bucket.end, now)}
        flags_of_bucket = tuple(flag for flag, applies in of_bucket.items() if applies)
        for group, measured, remeasured in sides:
            estimate = with_missing(query.kpi.estimate(measured[number], query.agg, end), query, missing)
            recomputed = (
                with_missing(query.kpi.estimate(remeasured[number], query.agg, end), query, missing)
                if remeasured is not None
                else None
            )
            flags = (*estimate.flags, *flags_of_bucket)
            filled_in = query.kpi.filled_in(measured[number], query.agg, end) if estimate.value is not None else None
            values.append(ExplainedValue(bucket, group, estimate, filled_in, recomputed, flags))
            await slices.pause()
    return values
