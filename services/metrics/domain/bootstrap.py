"""Bootstrap intervals of the difference that a part of a sample makes to its mean.

Each replicate draws every cell of the sample (the rows with one score, with or without the part) from a Poisson distribution with
its count as the mean, as Hanley and MacGibbon (2006) do. This equals drawing rows with replacement, except that the size
of the sample varies. The cost doesn't depend on the number of rows. The random numbers have a fixed seed, so that equal samples
have equal intervals.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from math import exp, sqrt
from random import Random
from statistics import NormalDist

SEED = 20_261_128
REPLICATES = 999
"""With this number, the ends of an interval of 95 % are the replicates of rank 25 and 975."""
LOW, HIGH = 25, 975

NORMAL_FROM = 30
"""From this mean on a Poisson variable is drawn from a normal distribution with the same mean and variance."""

NORMAL = NormalDist()

Cell = tuple[float, int, int]
"""A score, the rows with this score, and those of them in the part."""


def cells_of(whole: Mapping[float, int], part: Mapping[float, int]) -> tuple[Cell, ...]:
    """The cells of a sample and of a part of it, whose rows are counted by their score."""
    return tuple((score, n, part.get(score, 0)) for score, n in sorted(whole.items()))


def impact(cells: tuple[Cell, ...]) -> float | None:
    """The mean score of all rows − that of the rows outside of the part. None if there are none outside."""
    return difference((score, float(n - part), float(part)) for score, n, part in cells)


@lru_cache(maxsize=4096)
def bootstrap_interval(cells: tuple[Cell, ...]) -> tuple[float, float] | None:
    """The 95 % interval of `impact`, by percentiles. None if too many replicates have no rows outside of the part."""
    random = Random(SEED)
    values = sorted(value for _ in range(REPLICATES) if (value := difference(drawn(cells, random))) is not None)
    return (values[LOW - 1], values[HIGH - 1]) if len(values) == REPLICATES else None


def drawn(cells: tuple[Cell, ...], random: Random) -> Iterator[tuple[float, float, float]]:
    """The cells of a replicate: each score with its rows outside and in the part."""
    for score, n, part in cells:
        yield score, poisson(n - part, random), poisson(part, random)


def poisson(mean: int, random: Random) -> float:
    """A Poisson variable. It takes one random number, or none if the mean is 0."""
    if not mean:
        return 0.0
    uniform = random.random() or 0.5
    if mean >= NORMAL_FROM:
        return max(0.0, float(round(mean + sqrt(mean) * NORMAL.inv_cdf(uniform))))
    return float(bisect_left(poisson_sums(mean), uniform))


@lru_cache(maxsize=NORMAL_FROM)
def poisson_sums(mean: int) -> list[float]:
    """The probabilities that a Poisson variable with this mean is at most 0, 1, 2, …"""
    probability = reached = exp(-mean)
    sums = [reached]
    for count in range(1, 10 * NORMAL_FROM):
        probability *= mean / count
        reached += probability
        sums.append(reached)
    return sums


def difference(cells: Iterable[tuple[float, float, float]]) -> float | None:
    """The mean of all rows − that of the rows outside; None without rows outside."""
    outside_n = outside = part_n = part = 0.0
    for score, without, within in cells:
        outside_n += without
        outside += score * without
        part_n += within
        part += score * within
    if not outside_n:
        return None
    return (outside + part) / (outside_n + part_n) - outside / outside_n
