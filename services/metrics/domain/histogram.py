"""A measure counted: how many contributions per bin, and the sums from which mean and variance follow."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Histogram:
    """The count of each bin, the sum of the amounts and the sum of their squares.

    All are integers, so the order of addition is irrelevant.
    """

    counts: Mapping[int, int]
    total: int = 0
    squares: int = 0

    @property
    def n(self) -> int:
        """The number of contributions."""
        return sum(self.counts.values())

    def above(self, least: int) -> int:
        """The number in the bin `least` and higher ones."""
        return sum(count for place, count in self.counts.items() if place >= least)

    def below(self, limit: int) -> int:
        """The number in bins lower than `limit`."""
        return self.n - self.above(limit)


EMPTY = Histogram({})


def merge(*histograms: Histogram) -> Histogram:
    """The sum of histograms."""
    if len(histograms) < 2:
        return histograms[0] if histograms else EMPTY
    largest, *others = sorted(histograms, key=lambda histogram: len(histogram.counts), reverse=True)
    counts = dict(largest.counts)
    for histogram in others:
        for place, n in histogram.counts.items():
            counts[place] = counts.get(place, 0) + n
    return Histogram(counts, sum(histogram.total for histogram in histograms), sum(histogram.squares for histogram in histograms))


def count(contributions: Iterable[tuple[int, int]]) -> Histogram:
    """The histogram of (bin, amount) pairs."""
    counts: Counter[int] = Counter()
    total = squares = 0
    for place, amount in contributions:
        counts[place] += 1
        total += amount
        squares += amount * amount
    return Histogram(dict(counts), total, squares)
