"""Recompute the values of queries from the statements of their subjects, or of a sample if there are too many."""

from asyncio import to_thread
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import asyncpg

from services.metrics.domain.contributions import contributions
from services.metrics.domain.query import Query
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from services.metrics.evaluation.counting import CountReader, Counts
from services.metrics.evaluation.impacts import all_answers, with_whole
from services.metrics.evaluation.left_out import FoldedSubject, LeftOutCounts
from services.metrics.evaluation.recount import Names, Recount
from services.metrics.evaluation.results import (
    decode,
)
from services.metrics.evaluation.sample import Sample, check_sample
from services.metrics.evaluation.scans import MOST_SCANNED, number_of_contributions
from services.metrics.evaluation.series import Series
from services.metrics.store.derivation import decode_scores
from services.metrics.store.names import read_names
from services.metrics.store.population import read_population, related_measures
from services.metrics.store.promotions import CurrentTenant
from services.metrics.store.subjects import Subject, load
from shared.events import NAMED_DIMENSIONS

MOST_SUBJECTS = 10_000
"""Subjects that one explanation reads and folds: a few seconds of work."""
AT_ONCE = 200
"""Subjects that are in memory, and folded in one go."""
WINDOW_OF_INSTANT = timedelta(days=30)
"""How long before the instant of `at` the subjects of a sample have contributions."""


MOST_RELATED = 1_000_000
"""Contributions that are read to find these subjects: a second or two of work."""


async def names_in_filters(connection: asyncpg.Connection, query: Query, current: CurrentTenant) -> Names:
    """The names of the values of the dimensions that a query filters by."""
    dimensions = [f.dimension for f in query.filters if f.dimension in NAMED_DIMENSIONS]
    if current.number is None or not current.names_revision or not dimensions:
        return {}
    return await read_names(connection, current.number, dimensions)


@dataclass(frozen=True, slots=True)
class Recomputation:
    """The recomputation of some queries. `recounts` or `counted` give the values; neither, if there are none."""

    subjects: int
    queries: Sequence[Query]
    recounts: Sequence[Recount] = ()
    wholes: Sequence[Recount] = ()
    """Of KPIs that compare with all answers: the recounts of these, by query."""
    counted: Sequence[Counts] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    sample: Sample | None = None

    async def series(self, now: datetime) -> list[Series | None]:
        """The recomputed histograms of each query."""
        if self.recounts:
            recounted: list[Series | None] = [recount.series() for recount in self.recounts]
            for place, everything in enumerate(self.wholes):
                themed, group_by = recounted[place], self.queries[place].group_by
                assert themed is not None
                whole = everything.series().buckets
                recounted[place] = replace(themed, buckets=with_whole(themed.buckets, whole, group_by))
            return recounted
        if not self.counted:
            return [None] * len(self.queries)
        return [(await decode(query, counts, now))[1][0] for query, counts in zip(self.queries, self.counted, strict=True)]


async def population(connection: asyncpg.Connection, counts: Counts, query: Query, now: datetime) -> list[Subject] | None:
    """The subjects that the query may depend on; None if there are more than MOST_SUBJECTS."""
    scope = counts.scope
    if scope is None:
        return []
    related = replace(scope, measures=await related_measures(connection, scope, query.kpi))
    if await number_of_contributions(connection, related, query, counts.spans, now) > MOST_RELATED:
        return None
    window = counts.spans[0].window
    members = await read_population(connection, scope, query.kpi, window.start, min(window.end, now), MOST_SUBJECTS)
    return members.subjects if members.complete else None


async def recompute(
    connection: asyncpg.Connection,
    current: CurrentTenant,
    queries: Sequence[Query],
    counted: Sequence[Counts],
    subjects: Sequence[Subject],
    terms: Terms,
    now: datetime,
) -> Recomputation:
    """Recompute from the statements of all subjects."""
    names = await names_in_filters(connection, queries[0], current)
    recounts = [
        Recount(query, counts.spans[0], current.model, current.dimensions, names, now)
        for query, counts in zip(queries, counted, strict=True)
    ]
    wholes = [
        Recount(all_answers(recount.query), recount.period, current.model, current.dimensions, names, now)
        for recount in recounts
        if queries[0].kpi.whole is not None
    ]
    left_out = LeftOutCounts(recounts[0], terms, current.model, now)
    for part in parts(subjects):
        await load(connection, part)
        await to_thread(add_subjects, part, terms, [*recounts, *wholes], left_out)
    counts_left_out = dict(+left_out.counts)
    if earlier := recounts[0].earlier_answers:
        counts_left_out["earlier_answer"] = earlier
    return Recomputation(len(subjects), queries, recounts, wholes, left_out=counts_left_out)


async def recompute_sample(
    connection: asyncpg.Connection,
    current: CurrentTenant,
    queries: Sequence[Query],
    counted: Sequence[Counts],
    terms: Terms,
    now: datetime,
) -> Recomputation:
    """Count from contributions, if they are no more than a scan may read, and recompute a sample of subjects."""
    scope, window = counted[0].scope, counted[0].spans[0].window
    assert scope is not None
    scanned = await number_of_contributions(connection, scope, queries[0], counted[0].spans, now)
    recounted: list[Counts] = []
    if scanned * len(queries) <= MOST_SCANNED:
        reader = CountReader(connection, current, now, use_seals=False)
        recounted = [await reader.read(query) for query in queries]
    start = window.start if window.start < window.end else window.end - WINDOW_OF_INSTANT
    sample = await check_sample(connection, scope, terms, start, min(window.end, now))
    return Recomputation(sample.subjects, queries, counted=recounted, sample=sample)


def parts(subjects: Sequence[Subject]) -> Iterator[list[Subject]]:
    """The subjects in parts of AT_ONCE, each without the statements that were loaded for the part before."""
    for start in range(0, len(subjects), AT_ONCE):
        yield [replace(subject) for subject in subjects[start : start + AT_ONCE]]


def add_subjects(subjects: Sequence[Subject], terms: Terms, recounts: Sequence[Recount], left_out: LeftOutCounts) -> None:
    """Fold loaded subjects and count them. It takes a while: run it off the event loop."""
    for subject in subjects:
        current, scores = view(subject.statements.values()), decode_scores(subject.scores)
        rows = contributions(current, scores, terms)
        for recount in recounts:
            recount.add(subject.name, rows)
        left_out.add(FoldedSubject(current, scores, rows))
