"""Explain a KPI: its formula with the numbers filled in, what it leaves out, and a recomputation from stored statements.

A value comes from contributions, sealed or not. Its recomputation reads the statements of every subject that may have to do with
it, folds them, and counts in plain Python, in the same snapshot of the database. So the two differ if a stored contribution or a
sealed histogram is wrong.
"""

from asyncio import to_thread
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from services.metrics.domain.contributions import contributions
from services.metrics.domain.estimators import Estimate
from services.metrics.domain.query import Query
from services.metrics.domain.terms import FIRST_TERMS, Terms
from services.metrics.domain.view import view
from services.metrics.domain.windows import MAX_ROWS, Bucket, Window
from services.metrics.evaluation.impacts import all_answers, with_any_theme, with_whole
from services.metrics.evaluation.left_out import FoldedSubject, LeftOut
from services.metrics.evaluation.presets import read_query_under
from services.metrics.evaluation.recount import Names, Recount
from services.metrics.evaluation.results import (
    Counts,
    Series,
    decode,
    groups_of,
    missing_terms,
    names_of_groups,
    read_counts,
    sort_groups,
)
from services.metrics.evaluation.source import Source
from services.metrics.evaluation.unknown_values import UnknownValues, find_unknown_values
from services.metrics.store.names import Directory, read_names
from services.metrics.store.population import is_outdated, read_population
from services.metrics.store.progress import Freshness, freshness
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import Group, snapshot
from services.metrics.store.subjects import Subject, load
from services.metrics.store.terms import read_terms
from services.metrics.store.writer import decode_scores
from shared.events import NAMED_DIMENSIONS
from shared.problems import TooLarge
from shared.slices import Slices

MOST_SUBJECTS = 10_000
"""Subjects that one explanation reads and folds: a few seconds of work."""
AT_ONCE = 200
"""Subjects that are in memory, and folded in one go."""


class TooManyRecords(TooLarge):
    """More than MOST_SUBJECTS subjects have to do with the query."""

    title = "Too many records"


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """The value of one bucket of one group, its formula with the numbers filled in, and its recomputation."""

    bucket: Bucket
    group: Group
    estimate: Estimate
    filled_in: str | None
    recomputed: Estimate
    flags: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether the recomputation has the same value, counts, interval and distribution."""
        return self.estimate == self.recomputed


@dataclass(frozen=True, slots=True)
class Explanation:
    """An explanation of a query's result. `whole` is the value of the whole window, `values` are those of buckets and groups.

    `model` is the one whose scores count, None if the KPI reads none. `subjects` were read for the recomputation. `outdated`:
    an earlier version of the definitions made the stored contributions, and a build is replacing them.
    """

    query: Query
    window: Window
    freshness: Freshness
    unknown: UnknownValues
    names: Directory
    model: str | None
    subjects: int
    left_out: dict[str, int]
    outdated: bool
    whole: ExplainedValue
    values: list[ExplainedValue]

    @property
    def equal(self) -> bool:
        """Whether all values equal their recomputations."""
        return all(value.equal for value in (self.whole, *self.values))


async def explain(source: Source, tenant: str, query: Query, now: datetime) -> Explanation:
    """Explain the result of a query without comparisons, at `now`.

    Raises TooManyRecords if more than MOST_SUBJECTS subjects have to do with it, and BadQuery as its evaluation does.
    """
    async with snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model)
        query = await read_query_under(connection, query, current)
        whole = with_any_theme(replace(query, grain=None, group_by=()))
        queries = [whole] if query == whole else [whole, query]
        counted = [await read_counts(connection, current, one, now) for one in queries]
        filter_names = await names_in_filters(connection, query, current)
        terms = FIRST_TERMS if current.number is None else await read_terms(connection, current.number)
        recounts = [
            Recount(one, counts.spans[0], current.model, current.dimensions, filter_names, now)
            for one, counts in zip(queries, counted, strict=True)
        ]
        wholes = [
            Recount(all_answers(one.query), one.period, current.model, current.dimensions, filter_names, now)
            for one in recounts
            if query.kpi.whole is not None
        ]
        left_out = LeftOut(recounts[0], terms, current.model, now)
        subjects = await population(connection, counted[0], query, now)
        for part in parts(subjects):
            await load(connection, part)
            await to_thread(add_subjects, part, terms, [*recounts, *wholes], left_out)
        unknown = await find_unknown_values(connection, counted[0].selection, counted[0].scope)
        names = await names_of_groups(connection, query, current)
        outdated = current.number is not None and await is_outdated(connection, current.number)
        fresh = await freshness(connection, current, query.kpi, source.partitions)
    flags = missing_terms(query, current)
    recounted = [recount.series() for recount in recounts]
    for place, everything in enumerate(wholes):
        themed, group_by = recounted[place], queries[place].group_by
        recounted[place] = replace(themed, buckets=with_whole(themed.buckets, everything.series().buckets, group_by))
    explained = [
        await explained_values(one, counts, series, flags, now)
        for one, counts, series in zip(queries, counted, recounted, strict=True)
    ]
    counts_left_out = dict(+left_out.counts)
    if earlier := recounts[0].earlier_answers:
        counts_left_out["earlier_answer"] = earlier
    return Explanation(
        query=query,
        window=counted[0].spans[0].window,
        freshness=fresh,
        unknown=unknown,
        names=names,
        model=current.model if any(measure.by_model for measure in query.kpi.measures) else None,
        subjects=len(subjects),
        left_out=counts_left_out,
        outdated=outdated,
        whole=explained[0][0],
        values=explained[1] if len(explained) > 1 else [],
    )


async def names_in_filters(connection: asyncpg.Connection, query: Query, current: CurrentTenant) -> Names:
    """The names of the values of the dimensions that a query filters by."""
    dimensions = [f.dimension for f in query.filters if f.dimension in NAMED_DIMENSIONS]
    if current.number is None or not current.names_revision or not dimensions:
        return {}
    return await read_names(connection, current.number, dimensions)


async def population(connection: asyncpg.Connection, counts: Counts, query: Query, now: datetime) -> list[Subject]:
    """The subjects to recompute from. Raises TooManyRecords."""
    if counts.scope is None:
        return []
    window = counts.spans[0].window
    members = await read_population(connection, counts.scope, query.kpi, window.start, min(window.end, now), MOST_SUBJECTS)
    if not members.complete:
        raise TooManyRecords(
            f"more than {MOST_SUBJECTS:,} responses, reviews or tickets have to do with this value; use a shorter window, or a"
            " filter"
        )
    return members.subjects


def parts(subjects: Sequence[Subject]) -> Iterator[list[Subject]]:
    """The subjects in parts of AT_ONCE, each without the statements that were loaded for the part before."""
    for start in range(0, len(subjects), AT_ONCE):
        yield [replace(subject) for subject in subjects[start : start + AT_ONCE]]


def add_subjects(subjects: Sequence[Subject], terms: Terms, recounts: Sequence[Recount], left_out: LeftOut) -> None:
    """Fold loaded subjects and count them. It takes a while: run it off the event loop."""
    for subject in subjects:
        current, scores = view(subject.statements.values()), decode_scores(subject.scores)
        rows = contributions(current, scores, terms)
        for recount in recounts:
            recount.add(subject.name, rows)
        left_out.add(FoldedSubject(current, scores, rows))


async def explained_values(
    query: Query, counts: Counts, recounted: Series, missing: tuple[str, ...], now: datetime
) -> list[ExplainedValue]:
    """The values by bucket, then by group, each beside its recomputation. A group that only one of the two has is listed too."""
    slices = Slices()
    groups, (stored,) = await decode(query, counts, now)
    buckets = stored.period.buckets
    if query.group_by:
        groups = sort_groups({*groups, *await groups_of(query, recounted, now, MAX_ROWS // len(buckets), slices)})
    sides = [(group, stored.dense(group, len(buckets)), recounted.dense(group, len(buckets))) for group in groups]
    values = []
    for number, bucket in enumerate(buckets):
        end = stored.period.end(number, now)
        of_bucket = {"partial": bucket.partial, "maturing": query.kpi.is_maturing(bucket.end, now)}
        flags_of_bucket = tuple(flag for flag, applies in of_bucket.items() if applies)
        for group, measured, remeasured in sides:
            estimate, recomputed = (query.kpi.estimate(side[number], query.agg, end) for side in (measured, remeasured))
            flags = (*estimate.flags, *missing, *flags_of_bucket)
            filled_in = query.kpi.filled_in(measured[number], query.agg, end)
            values.append(ExplainedValue(bucket, group, estimate, filled_in, recomputed, flags))
            await slices.pause()
    return values
