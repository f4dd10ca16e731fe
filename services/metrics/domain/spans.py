"""Spans of time in bins: a table of integer bounds at most 2 % apart, so that a bin's middle is within 1 % of all it holds.

Zero and every second up to 99 have bins of their own. The table reaches past what two datetimes can be apart.
"""

from bisect import bisect_right

LONGEST = 400_000_000_000


def _bounds() -> tuple[int, ...]:
    bounds, bound = [0], 1
    while bound <= LONGEST:
        bounds.append(bound)
        bound = max(bound + 1, bound * 102 // 100)
    return tuple(bounds)


BOUNDS = _bounds()
"""Bin i holds the whole seconds from BOUNDS[i] up to, not including, BOUNDS[i + 1]."""


def bin_of(seconds: int) -> int:
    """The bin of a span of whole seconds, 0 or more."""
    return bisect_right(BOUNDS, seconds) - 1


def value_of(bin: int) -> float:  # noqa: A002 - the field's own word
    """The seconds that stand for a bin: the middle of the least and the greatest that it holds."""
    return (BOUNDS[bin] + BOUNDS[bin + 1] - 1) / 2 if bin + 1 < len(BOUNDS) else float(BOUNDS[bin])
