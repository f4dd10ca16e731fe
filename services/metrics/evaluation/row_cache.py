"""A cache of encoded rows: those of buckets that consist of whole sealed spans.

What such a row depends on is a part of its key: the seals, which never change, the query and the settings of the tenant. So an
entry is never out of date, and is only forgotten for lack of room. A year of daily values has 364 such buckets.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from services.metrics.store.run_cache import Group, RunCache

MOST_BYTES = 64 * 2**20
"""Memory for cached rows."""
OVERHEAD = 300
"""Bytes that an entry takes beside its rows, and 100 for each row."""

Key = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class CachedBucket:
    """The encoded rows of a bucket, of all groups that have contributions in it. `sampled` are the groups with a sample, `bins`
    is the number of bins of their histograms."""

    rows: Mapping[Group, bytes]
    sampled: frozenset[Group]
    bins: int

    @property
    def size(self) -> int:
        """The memory that it takes, in bytes."""
        return OVERHEAD + sum(100 + len(row) for row in self.rows.values())


Buckets = dict[Key, CachedBucket]
"""The cached buckets of one query by what else they depend on."""


@dataclass(slots=True)
class RowCache:
    """The buckets of the queries that were used last, up to `most_bytes`."""

    most_bytes: int = MOST_BYTES
    _queries: OrderedDict[Key, Buckets] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def of(self, query: Key) -> Mapping[Key, CachedBucket]:
        """The cached buckets of a query."""
        buckets = self._queries.get(query)
        if buckets is None:
            return {}
        self._queries.move_to_end(query)
        return buckets

    def add(self, query: Key, key: Key, bucket: CachedBucket) -> None:
        """Cache a bucket of a query, and forget the queries that were not used for longest if there is no room."""
        buckets = self._queries.setdefault(query, {})
        if (former := buckets.pop(key, None)) is not None:
            self._bytes -= former.size
        buckets[key] = bucket
        self._bytes += bucket.size
        while self._bytes > self.most_bytes:
            _, forgotten = self._queries.popitem(last=False)
            self._bytes -= sum(entry.size for entry in forgotten.values())


@dataclass(frozen=True, slots=True)
class Caches:
    """All that a process caches of sealed spans."""

    runs: RunCache = field(default_factory=RunCache)
    rows: RowCache = field(default_factory=RowCache)
