"""A cache of sums of sealed histograms, so that a query need not read them again.

A sealed histogram never changes: a recount gets another seal. So an entry is never out of date, and is only forgotten for lack of
room. Which seals count is read from the database by every query, in its snapshot.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from services.metrics.domain.histogram import Histogram
from services.metrics.store.spans import Run

Group = tuple[str | None, ...]
"""The values of the dimensions of `group_by`."""

MOST_BINS = 500_000
"""Cached bins, of all runs together. Each takes about 100 bytes."""
OVERHEAD = 4
"""An entry or a histogram takes as much memory as this many bins."""


@dataclass(frozen=True, slots=True)
class Part:
    """The sum of the histograms of a run, by group. `bins`: how many bins they have."""

    histograms: Mapping[Group, Histogram]
    bins: int

    @property
    def size(self) -> int:
        """The memory that it takes, in bins."""
        return self.bins + OVERHEAD * (1 + len(self.histograms))


Key = tuple[Hashable, Run]
"""All that the histograms of a run depend on beside its seals, and the run."""


@dataclass(slots=True)
class RunCache:
    """The parts that were used last, up to `most_bins` bins."""

    most_bins: int = MOST_BINS
    _parts: OrderedDict[Key, Part] = field(default_factory=OrderedDict)
    _bins: int = 0

    def get(self, key: Key) -> Part | None:
        """The part of a run, if it is cached."""
        part = self._parts.get(key)
        if part is not None:
            self._parts.move_to_end(key)
        return part

    def add(self, key: Key, part: Part) -> None:
        """Cache a part, and forget those that were not used for longest if there is no room."""
        size = part.size
        if size > self.most_bins // 4:
            return
        if (former := self._parts.pop(key, None)) is not None:
            self._bins -= former.size
        self._parts[key] = part
        self._bins += size
        while self._bins > self.most_bins:
            self._bins -= self._parts.popitem(last=False)[1].size
