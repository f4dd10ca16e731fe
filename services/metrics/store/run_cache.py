"""A cache of sums of sealed histograms, so that a query need not read them again.

A sealed histogram never changes: a recount gets another seal. So an entry is never out of date, and is only forgotten for lack of
room. Which seals count is read from the database by every query, in its snapshot.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from cachetools import LRUCache

from services.metrics.domain.histogram import Histogram
from services.metrics.store.spans import Run

Group = tuple[str | None, ...]
"""The values of the dimensions of `group_by`."""

MOST_BINS = 500_000
"""Cached bins, of all runs together. Each takes about 100 bytes."""
OVERHEAD = 4
"""An entry or a histogram takes as much memory as this many bins."""


@dataclass(frozen=True, slots=True)
class RunSum:
    """The sum of the histograms of a run, by group. `bins`: how many bins they have."""

    histograms: Mapping[Group, Histogram]
    bins: int

    @property
    def size(self) -> int:
        """The memory that it takes, in bins."""
        return self.bins + OVERHEAD * (1 + len(self.histograms))


Key = tuple[Hashable, Run]
"""Everything that the histograms of a run depend on except its seals, and the run."""


class RunCache:
    """The parts that were used last, up to `most_bins` bins."""

    def __init__(self, most_bins: int = MOST_BINS) -> None:
        self._largest = most_bins // 4
        self._parts: LRUCache[Key, RunSum] = LRUCache(most_bins, getsizeof=lambda part: part.size)

    def get(self, key: Key) -> RunSum | None:
        """The part of a run, if it is cached."""
        return self._parts.get(key)

    def add(self, key: Key, part: RunSum) -> None:
        """Cache a part, and forget those that were not used for longest if there is no room."""
        if part.size <= self._largest:
            self._parts[key] = part
