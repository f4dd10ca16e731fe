"""The 95 % intervals of means, quantiles and impacts, from their definitions."""

import math
import random
from collections.abc import Sequence
from functools import cache
from math import comb

Ends = tuple[float, float]
DRAWS = 300


def t_interval(values: Sequence[float], low: float, high: float) -> Ends | None:
    """Student's t, within the scale [low, high]; a single value has none."""
    n = len(values)
    if n < 2:
        return None
    mean = math.fsum(values) / n
    half = t_quantile(n - 1) * math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)
    return max(low, mean - half), min(high, mean + half)


@cache
def t_quantile(df: int) -> float:
    """Where the distribution function reaches 97.5 %: the density summed by Simpson's rule, and Newton's method."""

    def density(t: float) -> float:
        return math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - (df + 1) / 2 * math.log1p(t * t / df)) / math.sqrt(
            df * math.pi
        )

    t, steps = 1.96, 400
    for _ in range(20):
        inner = math.fsum((4 if k % 2 else 2) * density(k * t / steps) for k in range(1, steps))
        reached = 0.5 + t / steps / 3 * (density(0) + inner + density(t))
        t += (0.975 - reached) / density(t)
    return t


@cache
def ranks(n: int, percent: int) -> tuple[int, int] | None:
    """The ranks, from 1, that leave out a quantile with at most 2.5 % at each end; None if n is too small.

    The number of values below it is binomial. Probabilities are whole numbers of 100^-n.
    """
    weights = [comb(n, k) * percent**k * (100 - percent) ** (n - k) for k in range(n + 1)]
    whole = 40  # 2.5 % is one of forty parts
    low = max((rank for rank in range(n + 1) if whole * sum(weights[:rank]) <= 100**n), default=0)
    high = min((rank for rank in range(1, n + 2) if whole * sum(weights[rank:]) <= 100**n), default=n + 1)
    return (low, high) if low >= 1 and high <= n else None


def bootstrap(all_scores: Sequence[float], without: Sequence[bool]) -> Ends:
    """Of the mean of all less that of those without a theme: percentiles of samples that are drawn with replacement."""
    r, rows, differences = random.Random(1), list(zip(all_scores, without, strict=True)), []
    for _ in range(DRAWS):
        drawn = r.choices(rows, k=len(rows))
        others = [score for score, is_without in drawn if is_without]
        differences.append(math.fsum(score for score, _ in drawn) / len(drawn) - math.fsum(others) / len(others))
    differences.sort()
    return differences[round(0.025 * DRAWS)], differences[round(0.975 * DRAWS) - 1]
