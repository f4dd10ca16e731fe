"""Token buckets for rate limits, as pure functions of the earlier bucket and the time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, `per_second` in the long run."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """`tokens` at the time `at`, in seconds of any monotonic clock."""

    tokens: float
    at: float


def take(bucket: Bucket | None, rate: Rate, now: float) -> tuple[Bucket, bool]:
    """The bucket after a request at `now`, and whether the request is allowed. A refused request takes no token.

    None is a full bucket.
    """
    tokens = _refilled(bucket, rate, now)
    return (Bucket(tokens - 1, now), True) if tokens >= 1 else (Bucket(tokens, now), False)


def give_back(bucket: Bucket, rate: Rate) -> Bucket:
    """The bucket with one token more, for a request that doesn't count after all."""
    return Bucket(min(float(rate.burst), bucket.tokens + 1), bucket.at)


def seconds_until_token(bucket: Bucket, rate: Rate) -> float:
    """Seconds until the bucket holds a whole token."""
    return max(0.0, (1 - bucket.tokens) / rate.per_second)


def _refilled(bucket: Bucket | None, rate: Rate, now: float) -> float:
    if bucket is None:
        return float(rate.burst)
    return min(float(rate.burst), bucket.tokens + max(0.0, now - bucket.at) * rate.per_second)
