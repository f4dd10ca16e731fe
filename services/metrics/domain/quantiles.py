"""Quantiles of the distributions that intervals are computed from: normal, Student's t, binomial.

The last two come from one function, the regularised incomplete beta function, by its continued fraction
(DLMF 8.17.22, evaluated by Lentz's method), accurate to about 12 digits.
"""

from functools import lru_cache
from math import ceil, exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)
"""The normal quantile of two-sided 95 % intervals: 1.959964."""


def beta_cdf(x: float, a: float, b: float) -> float:
    """I_x(a, b): the share of a beta(a, b) distribution below x."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast only below the mean
        return 1 - beta_cdf(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    tiny, c, d = 1e-300, 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _nonzero(1 + step * d)
            c = _nonzero(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return max(value, tiny)


def _nonzero(x: float) -> float:
    """x, or a tiny number in place of zero."""
    return x if abs(x) > 1e-300 else 1e-300


def t_quantile(df: int) -> float:
    """The t that a Student's t variable of `df` degrees of freedom exceeds with a probability of 2.5 %."""
    return _t_of_few(df) if df < 60 else _t_of_many(df)


@lru_cache(maxsize=60)
def _t_of_few(df: int) -> float:
    low, high = 1.0, 16.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if _t_tail(middle, df) > 0.025 else (low, middle)
    return high


def _t_of_many(df: int) -> float:
    """Abramowitz and Stegun 26.7.5; the error is below 1e-8 from 60 degrees of freedom on."""
    z, z2 = Z95, Z95**2
    terms = (
        z,
        z * (z2 + 1) / 4,
        z * ((5 * z2 + 16) * z2 + 3) / 96,
        z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384,
        z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160,
    )
    return sum(term / float(df) ** power for power, term in enumerate(terms))


def _t_tail(t: float, df: int) -> float:
    return beta_cdf(df / (df + t * t), df / 2, 0.5) / 2


def binomial_cdf(k: int, n: int, p: float) -> float:
    """P(X ≤ k) of n trials with probability p."""
    if k < 0 or k >= n:
        return float(k >= n)
    return beta_cdf(1 - p, n - k, k + 1)


@lru_cache(maxsize=16_384)
def quantile_ranks(n: int, percent: int) -> tuple[int, int] | None:
    """The ranks (1..n) of the order statistics that enclose a quantile with at least 95 %, each side with at most 2.5 % error.

    `percent` is 50 or more. Distribution-free (David and Nagaraja, Order Statistics, 7.1): the number of values below the
    quantile is binomial. None if n is too small for such an interval (a median needs 6 values, a 90th percentile 36).
    """
    p = percent / 100
    low = _least(n, p, 0.025)  # P(X ≤ low) > 2.5 %, and P(X < low) = P(X ≤ low − 1) ≤ 2.5 %
    high = _least(n, p, 0.975) + 1
    return (low, high) if low >= 1 and high <= n else None


def _least(n: int, p: float, share: float) -> int:
    """The least k with P(X ≤ k) > `share`, for p ≥ ½: searched downwards from the normal approximation.

    For p ≥ ½ the approximation is not too low: by Cornish and Fisher the quantile lies below it by ½ for continuity and
    by (z² − 1)(2p − 1)/6 ≥ 0 for skewness, where z² ≥ 1.
    """
    k = ceil(n * p + NormalDist().inv_cdf(share) * sqrt(n * p * (1 - p)))
    k = min(max(k, 0), n)
    while k > 0 and binomial_cdf(k - 1, n, p) > share:
        k -= 1
    return k
