"""The bins of durations: integer bounds at most 2 % apart, so that a bin's middle is within 1 % of every duration in it.

0 to 99 seconds have a bin per second. The table reaches beyond the largest difference of two datetimes.
"""

from bisect import bisect_right
from itertools import pairwise

LONGEST = 400_000_000_000
"""Seconds, about 12,700 years."""


def _bounds() -> tuple[int, ...]:
    bounds, bound = [0], 1
    while bound <= LONGEST:
        bounds.append(bound)
        bound = max(bound + 1, bound * 102 // 100)
    return tuple(bounds)


BOUNDS = _bounds()
"""Bin i holds the whole seconds from BOUNDS[i] up to, not including, BOUNDS[i + 1]. Bins are stored: never change them."""

VALUES = (*((low + high - 1) / 2 for low, high in pairwise(BOUNDS)), float(BOUNDS[-1]))
"""The seconds that represent each bin: the middle of the lowest and the highest in it."""


def bin_of(seconds: int) -> int:
    """The bin of a duration in whole seconds, 0 or more."""
    return bisect_right(BOUNDS, seconds) - 1
