"""Count contributions as a query does, in plain Python: for recomputations of what SQL counted."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product

from services.metrics.domain.contributions import Contribution
from services.metrics.domain.histogram import count
from services.metrics.domain.measure import stem_of
from services.metrics.domain.query import Filter, Query
from services.metrics.evaluation.periods import Period
from services.metrics.evaluation.series import Series
from services.metrics.store.run_cache import Group

Pairs = defaultdict[str, list[tuple[int, int]]]
"""Bins and amounts by the full name of their measure."""
Names = Mapping[str, Mapping[str, str]]
"""By dimension, the name of each value."""

NO_NAMES: Names = {}


def values_in(row: Contribution, dimension: str, own: Sequence[str]) -> Sequence[str | None]:
    """The groups of a dimension, common or of the tenant's `own`, that a contribution is in."""
    if dimension not in own:
        return row.values(dimension)
    return (row.own[own.index(dimension)] if row.own else None,)


def passes(row: Contribution, f: Filter, own: Sequence[str], names: Names = NO_NAMES) -> bool:
    """Whether a contribution is one of those that a filter selects, by its values or by their names."""
    values = set(values_in(row, f.dimension, own))
    if by_value := names.get(f.dimension):
        values |= {by_value[value] for value in values if value is not None and value in by_value}
    return (not f.include or not values.isdisjoint(f.include)) and values.isdisjoint(f.exclude)


class Recount:
    """The contributions that a query selects, before `now`, by group and bucket.

    `model` is the promoted one, `own` are the tenant's own dimensions, `names` those of the values in filters.
    `earlier_answers` counts, with `per=respondent`, answers after which the customer gave a later one in the same bucket.
    """

    def __init__(self, query: Query, period: Period, model: str, own: Sequence[str], names: Names, now: datetime) -> None:
        self.query = query
        self.period = period
        self.end = min(period.window.end, now)
        self.earlier_answers = 0
        self._own = own
        self._names = names
        self._selectors = frozenset(query.selectors(model))
        buckets = period.buckets
        self._edges = [bucket.end if query.kpi.instant else bucket.start for bucket in buckets]
        self._cells: defaultdict[Group, defaultdict[int, Pairs]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        self._latest: dict[tuple[int, str], tuple[tuple[object, ...], Contribution]] = {}

    def reads(self, measure: str) -> bool:
        """Whether the query reads the measure of this full name."""
        return measure in self._selectors or f"{stem_of(measure)}:" in self._selectors

    def passes_filters(self, row: Contribution) -> bool:
        """Whether the filters of the query select a contribution."""
        return all(passes(row, f, self._own, self._names) for f in self.query.filters)

    def in_window(self, at: datetime) -> bool:
        """Whether `at` lies in the part of the window that has begun."""
        return self.period.window.start <= at < self.end

    def counts(self, row: Contribution) -> bool:
        """Whether the query counts a contribution: of a KPI with a value at an instant also those before the window."""
        begun = self.query.kpi.instant or row.at >= self.period.window.start
        return begun and row.at < self.end and self.reads(row.measure) and self.passes_filters(row)

    def add(self, subject: str, rows: Iterable[Contribution]) -> None:
        """Count the contributions of a subject."""
        for row in filter(self.counts, rows):
            number = bisect_right(self._edges, row.at) - (0 if self.query.kpi.instant else 1)
            if self.query.per_respondent and row.customer is not None:
                self._keep_latest((number, row.customer), (row.at, subject, *row[:4], row.themes, row.urgency), row)
            else:
                self._count(number, row)

    def _keep_latest(self, place: tuple[int, str], rank: tuple[object, ...], row: Contribution) -> None:
        if place in self._latest:
            self.earlier_answers += 1
        if place not in self._latest or rank > self._latest[place][0]:
            self._latest[place] = rank, row

    def _count(self, number: int, row: Contribution) -> None:
        for group in product(*(values_in(row, dimension, self._own) for dimension in self.query.group_by)):
            self._cells[group][number][row.measure].append((row.bin, row.amount))

    def series(self) -> Series:
        """The histograms by group and bucket. Call it once, when every subject is counted."""
        for (number, _), (_, row) in self._latest.items():
            self._count(number, row)
        buckets = {
            group: {number: {name: count(pairs) for name, pairs in by_measure.items()} for number, by_measure in numbers.items()}
            for group, numbers in self._cells.items()
        }
        return Series(self.period, buckets, self.query.kpi.instant)
