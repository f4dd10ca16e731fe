"""Values and their 95 % intervals, from counts alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from services.metrics.domain.quantiles import Z95, quantile_ranks, t_quantile


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true value lies with probability `level`, in the unit of the value that it belongs to."""

    low: float
    high: float
    method: str
    level: float = 0.95


def adjusted_wald(up: int, down: int, n: int) -> Interval:
    """The interval of 100·(up − down)/n, an NPS or another balance of two shares.

    Three answers are added, ¾ of one to each end and 1½ between, so that few or one-sided answers get an honest width
    (Rocks, "Interval estimation for the net promoter score"; Sauro and Lewis).
    """
    size = n + 3
    p_up, p_down = (up + 0.75) / size, (down + 0.75) / size
    balance = p_up - p_down
    half = Z95 * sqrt((p_up + p_down - balance**2) / size)
    return Interval(max(-100.0, 100 * (balance - half)), min(100.0, 100 * (balance + half)), "adjusted_wald")


def wilson(hits: int, n: int) -> Interval:
    """Wilson's score interval of the share 100·hits/n."""
    p, z2 = hits / n, Z95**2
    middle = p + z2 / (2 * n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = ((middle + side * half) / (1 + z2 / n) for side in (-1, 1))
    return Interval(100 * max(0.0, low), 100 * min(1.0, high), "wilson")


def mean_t(n: int, total: int, squares: int, unit: int = 1) -> tuple[float, Interval | None]:
    """The mean of n integers in parts of `unit` (1000 for thousandths), from their sum and sum of squares, and its t interval.

    The variance is taken in integers, so no digits cancel. One value alone has no interval.
    """
    mean = total / n / unit
    if n < 2:
        return mean, None
    variance = (n * squares - total * total) / (n * (n - 1))
    half = t_quantile(n - 1) * sqrt(variance / n) / unit
    return mean, Interval(mean - half, mean + half, "t")


def quantile(values: Mapping[float, int], percent: int) -> tuple[float, Interval | None]:
    """A quantile of values with their counts, linear between neighbours, and the interval of its order statistics.

    With the values in order it lies at rank (n − 1)·percent/100 from the first, as `percentile_cont` of SQL has it.
    """
    n = sum(values.values())
    whole, rest = divmod((n - 1) * percent, 100)
    ranks = quantile_ranks(n, percent)
    wanted = [whole + 1, min(whole + 2, n), *(ranks or ())]
    below, above, *ends = _at_ranks(values, wanted)
    interval = Interval(ends[0], ends[1], "order_statistics") if ends else None
    return below + (above - below) * rest / 100, interval


def _at_ranks(values: Mapping[float, int], ranks: list[int]) -> list[float]:
    """The values at these ranks, counted from 1."""
    found: dict[int, float] = {}
    missing, reached = sorted(set(ranks), reverse=True), 0
    for value in sorted(values):
        reached += values[value]
        while missing and missing[-1] <= reached:
            found[missing.pop()] = value
    return [found[rank] for rank in ranks]


def beyond_noise(value: float, interval: Interval | None, other: float, other_interval: Interval | None) -> bool | None:
    """Whether two independent values differ by more than noise at 95 %; None where one has no interval.

    The interval of the difference is recovered from the two (MOVER: Zou and Donner 2008; for shares Newcombe 1998).
    """
    if interval is None or other_interval is None:
        return None
    delta = value - other
    low = delta - sqrt((value - interval.low) ** 2 + (other_interval.high - other) ** 2)
    high = delta + sqrt((interval.high - value) ** 2 + (other - other_interval.low) ** 2)
    return not low <= 0 <= high
