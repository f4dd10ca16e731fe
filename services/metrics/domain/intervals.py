"""Values and their 95 % confidence intervals, computed from counts and sums."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf, sqrt

from services.metrics.domain.quantiles import Z95, quantile_ranks, t_quantile


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval at `level`, in the unit of its value."""

    low: float
    high: float
    method: str
    level: float = 0.95


Scale = tuple[float, float]
"""The lowest and the highest value that an estimate can have."""

PERCENT: Scale = (0.0, 100.0)
POINTS: Scale = (-100.0, 100.0)
NO_SCALE: Scale = (-inf, inf)


def enclosing(value: float, low: float, high: float, method: str, scale: Scale = NO_SCALE) -> Interval:
    """The interval from `low` to `high`, clipped to `scale` and then widened to include `value`, which lies within `scale`.

    Methods that shrink towards the middle can exclude the value if n is tiny, and any method can by rounding in the last digit.
    """
    return Interval(min(value, max(low, scale[0])), max(value, min(high, scale[1])), method)


def adjusted_wald(up: int, down: int, n: int) -> Interval:
    """The interval of 100·(up − down)/n, an NPS or another difference of two shares, for n ≥ 1.

    Adds three answers, ¾ of one to each end and 1½ in between, which gives a realistic width for few or one-sided answers
    (Rocks, "Interval estimation for the net promoter score"; Sauro and Lewis).
    """
    size = n + 3
    p_up, p_down = (up + 0.75) / size, (down + 0.75) / size
    difference = p_up - p_down
    half = Z95 * sqrt((p_up + p_down - difference**2) / size)
    value = 100 * (up - down) / n
    return enclosing(value, 100 * (difference - half), 100 * (difference + half), "adjusted_wald", POINTS)


def wilson(hits: int, n: int) -> Interval:
    """Wilson's score interval of the share 100·hits/n, for n ≥ 1."""
    p, z2 = hits / n, Z95**2
    middle = p + z2 / (2 * n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = (100 * (middle + side * half) / (1 + z2 / n) for side in (-1, 1))
    return enclosing(100 * hits / n, low, high, "wilson", PERCENT)


def mean_t(n: int, total: int, squares: int, unit: int = 1, scale: Scale = NO_SCALE) -> tuple[float, Interval | None]:
    """The mean of n integers in parts of `unit` (1000 for thousandths) and its t interval, from their sum and sum of squares.

    `scale`, in whole units, encloses every value; the interval is clipped to it. The variance is computed in integers, so no
    digits cancel. A single value has no interval.
    """
    mean = total / n / unit
    if n < 2:
        return mean, None
    variance = (n * squares - total * total) / (n * (n - 1))
    half = t_quantile(n - 1) * sqrt(variance / n) / unit
    return mean, enclosing(mean, mean - half, mean + half, "t", scale)


def quantile(values: Mapping[float, int], percent: int) -> tuple[float, Interval | None]:
    """The `ordered_quantile` of values with their counts, in any order."""
    ordered = sorted(values)
    return ordered_quantile(ordered, [values[value] for value in ordered], percent)


def ordered_quantile(values: Sequence[float], counts: Iterable[int], percent: int) -> tuple[float, Interval | None]:
    """A quantile of ascending values with their counts, linear between neighbours, and the interval of its order statistics.

    In sorted order it lies at rank (n − 1)·percent/100 from the first, like SQL's `percentile_cont`.
    """
    reached = list(accumulate(counts))
    n = reached[-1]
    whole, rest = divmod((n - 1) * percent, 100)
    ranks = quantile_ranks(n, percent) or ()
    below, above, *ends = (values[bisect_left(reached, rank)] for rank in (whole + 1, min(whole + 2, n), *ranks))
    value = below + (above - below) * rest / 100
    return value, enclosing(value, ends[0], ends[1], "order_statistics") if ends else None


def beyond_noise(value: float, interval: Interval | None, other: float, other_interval: Interval | None) -> bool | None:
    """Whether two independent values differ significantly at 95 %; None if one has no interval.

    The interval of the difference is recovered from the two (MOVER: Zou and Donner 2008; for shares Newcombe 1998, method 10).
    """
    if interval is None or other_interval is None:
        return None
    delta = value - other
    low = delta - sqrt((value - interval.low) ** 2 + (other_interval.high - other) ** 2)
    high = delta + sqrt((interval.high - value) ** 2 + (other - other_interval.low) ** 2)
    return not low <= 0 <= high
