"""The histograms of a period, by group and bucket."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from services.metrics.domain.estimator import Estimate
from services.metrics.domain.histogram import Histogram, merge
from services.metrics.evaluation.periods import Period
from services.metrics.store.run_cache import Group

Measured = Mapping[str, Histogram]
"""Histograms by the full name of their measure."""

EMPTY: Measured = {}


@dataclass(frozen=True, slots=True)
class Series:
    """The histograms of a period by group and bucket number; buckets without any are left out.

    `cumulative`: a bucket has the change since the bucket before, and its value is the sum of all changes up to its end.
    `estimates`: those that were computed already, by the number of the bucket and the group.
    """

    period: Period
    buckets: Mapping[Group, Mapping[int, Measured]]
    cumulative: bool
    estimates: dict[tuple[int, Group], Estimate] = field(default_factory=dict, compare=False)

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


def add(one: Measured, other: Measured) -> Measured:
    """Both sets of histograms merged by measure."""
    return {name: merge(*(side[name] for side in (one, other) if name in side)) for name in one.keys() | other.keys()}
