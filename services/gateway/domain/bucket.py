"""A token bucket: how often someone may call, as a pure function of the bucket before and the time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, `per_second` in the long run."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """`tokens` were left at `at` (seconds on any steady clock)."""

    tokens: float
    at: float


def take(bucket: Bucket | None, rate: Rate, now: float) -> tuple[Bucket, bool]:
    """The bucket after a request at `now`, and whether there was a token for it. A refused request costs nothing."""
    tokens = filled(bucket, rate, now)
    return (Bucket(tokens - 1, now), True) if tokens >= 1 else (Bucket(tokens, now), False)


def give_back(bucket: Bucket, rate: Rate) -> Bucket:
    """The bucket with the token of a request that, as it turned out, does not count."""
    return Bucket(min(float(rate.burst), bucket.tokens + 1), bucket.at)


def filled(bucket: Bucket | None, rate: Rate, now: float) -> float:
    """The tokens in the bucket at `now`; a bucket never seen is full."""
    if bucket is None:
        return float(rate.burst)
    return min(float(rate.burst), bucket.tokens + max(0.0, now - bucket.at) * rate.per_second)


def wait(bucket: Bucket, rate: Rate) -> float:
    """Seconds until the bucket holds a whole token."""
    return max(0.0, (1 - bucket.tokens) / rate.per_second)
