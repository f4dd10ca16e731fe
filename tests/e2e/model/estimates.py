"""The value, n and interval of a KPI, from the values of its facts."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tests.e2e.model.intervals import Ends, ranks, t_interval

Z = 1.959963984540054
QUANTILES = {"p50": 50, "p90": 90, "p95": 95}
LOW_N = 30
"""A value of fewer has the flag `low_n`, unless it is a plain count."""
COUNTS = frozenset(
    {
        *("theme_volume", "urgent_comments", "backlog", "sla_breached_open"),
        *("tickets_opened", "tickets_dropped", "tickets_solved", "tickets_reopened"),
    }
)
EXACT = 1e-6, 1e-9


@dataclass(frozen=True)
class Value:
    """`within`: the range that a quantile must be in. The definitions allow 1 %, and any value between the two beside it.

    `tolerance`: by how much the ends of the interval may differ, relative to them and absolutely; None: it is not compared.
    """

    n: int
    value: float | None = None
    interval: Ends | None = None
    within: tuple[float, float] | None = None
    tolerance: tuple[float, float] | None = EXACT
    flags: frozenset[str] = frozenset()

    def flags_of(self, kpi: str) -> frozenset[str]:
        """The flags of a row with this value that depend on nothing else."""
        is_null = self.value is None and self.within is None
        return self.flags | ({"low_n"} if self.n < LOW_N and not is_null and kpi not in COUNTS else frozenset())

    def agrees(self, row: Mapping[str, Any]) -> bool:
        """Whether a row has this value and interval."""
        if self.within:
            is_equal = self.within[0] <= row["value"] <= self.within[1]
        else:
            is_equal = row["value"] == self.value if self.value is None else near(self.value, row["value"], EXACT)
        return is_equal and (self.tolerance is None or self._has_interval(row["interval"], self.tolerance))

    def _has_interval(self, served: Mapping[str, Any] | None, tolerance: tuple[float, float]) -> bool:
        if served is None or self.interval is None:
            return served is None and self.interval is None
        return all(near(end, served[name], tolerance) for end, name in zip(self.interval, ("low", "high"), strict=True))


def near(expected: float, value: float | None, tolerance: tuple[float, float]) -> bool:
    return value is not None and abs(value - expected) <= max(tolerance[0] * abs(expected), tolerance[1])


def share(good: int, n: int) -> Value:
    if not n:
        return Value(0)
    p, wide = good / n, 1 + Z * Z / n
    middle, half = p + Z * Z / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return Value(n, 100 * p, (100 * (middle - half) / wide, 100 * (middle + half) / wide))


def balance(up: int, down: int, n: int) -> Value:
    if not n:
        return Value(0)
    p, q = (up + 0.75) / (n + 3), (down + 0.75) / (n + 3)
    half, value = Z * math.sqrt((p + q - (p - q) ** 2) / (n + 3)), 100 * (up - down) / n
    return Value(n, value, (min(value, 100 * max(-1, p - q - half)), max(value, 100 * min(1, p - q + half))))


def mean(values: Sequence[float], low: float = -math.inf, high: float = math.inf) -> Value:
    """The mean of values of a scale."""
    return Value(len(values), math.fsum(values) / len(values), t_interval(values, low, high)) if values else Value(0)


def csat_mean(ratings: Sequence[tuple[tuple[int, int], int, int]]) -> Value:
    """The mean of ratings of one form: a scale, and the lowest positive value."""
    if len({form[:2] for form in ratings}) > 1:
        return Value(len(ratings), flags=frozenset({"mixed_forms"}))
    return mean([value for *_, value in ratings], *(ratings[0][0] if ratings else ()))


def csat(ratings: Sequence[tuple[tuple[int, int], int, int]]) -> Value:
    of_all = share(sum(value >= positive for _, positive, value in ratings), len(ratings))
    return replace(of_all, flags=frozenset({"mixed_forms"} if len({form[:2] for form in ratings}) > 1 else ()))


def count(values: Sequence[Any]) -> Value:
    return Value(len(values), len(values))


def span(values: Sequence[timedelta], agg: str) -> Value:
    seconds = [value // timedelta(seconds=1) for value in values]
    return mean(seconds, 0) if agg == "mean" else quantile(seconds, agg or "p50", 0.5)


def quantile(values: Sequence[float], agg: str, tolerance: float) -> Value:
    """The quantile, to 1 % and a tolerance."""
    if not values:
        return Value(0)
    ordered, n, percent = sorted(values), len(values), QUANTILES[agg]
    low = min((n - 1) * percent // 100, -(-n * percent // 100) - 1)
    high = min(max(-(-(n - 1) * percent // 100), n * percent // 100), n - 1)
    ends = ranks(n, percent)
    interval = (ordered[ends[0] - 1], ordered[ends[1] - 1]) if ends else None
    within = 0.99 * ordered[low] - tolerance, 1.01 * ordered[high] + tolerance
    return Value(n, None, interval, within, (0.0100001, tolerance))


def of_replies(values: Sequence[int], agg: str) -> Value:
    return mean(values, 0) if agg == "mean" else quantile(values, agg, 0)


Estimate = Callable[[Sequence[Sequence[Any]], str], Value]
"""A function of the values of each kind of fact that a KPI reads, and of the aggregation."""

ESTIMATES: dict[str, tuple[tuple[str, ...], Estimate]] = {
    "nps": (("nps",), lambda v, _: balance(sum(x >= 9 for x in v[0]), sum(x <= 6 for x in v[0]), len(v[0]))),
    "csat": (("csat",), lambda v, _: csat(v[0])),
    "csat_mean": (("csat",), lambda v, _: csat_mean(v[0])),
    "ces": (("ces",), lambda v, _: share(sum(x >= 5 for x in v[0]), len(v[0]))),
    "ces_mean": (("ces",), lambda v, _: mean(v[0], 1, 7)),
    "ces_index": (("ces",), lambda v, _: balance(sum(x >= 6 for x in v[0]), sum(x <= 3 for x in v[0]), len(v[0]))),
    "stars": (("stars",), lambda v, _: mean(v[0], 1, 5)),
    "stars_share": (("stars",), lambda v, _: share(sum(x >= 4 for x in v[0]), len(v[0]))),
    "response_rate": (("sent",), lambda v, _: share(sum(v[0]), len(v[0]))),
    "comment_rate": (("responses",), lambda v, _: share(sum(v[0]), len(v[0]))),
    "sentiment": (("sentiment",), lambda v, _: mean([round(x, 3) for x in v[0]], -1, 1)),
    "net_sentiment": (("label",), lambda v, _: balance(v[0].count("positive"), v[0].count("negative"), len(v[0]))),
    "sentiment_share": (("label",), lambda v, agg: share(v[0].count(agg), len(v[0]))),
    "sentiment_coverage": (("label", "comments"), lambda v, _: share(len(v[0]), len(v[1]))),
    "theme_volume": (("scored",), lambda v, _: count(v[0])),
    "theme_sentiment": (("sentiment",), lambda v, _: mean([round(x, 3) for x in v[0]], -1, 1)),
    "urgent_comments": (("urgent",), lambda v, _: count(v[0])),
    "tickets_opened": (("opened",), lambda v, _: count(v[0])),
    "tickets_dropped": (("dropped",), lambda v, _: count(v[0])),
    "tickets_solved": (("solved",), lambda v, _: count(v[0])),
    "tickets_reopened": (("reopened",), lambda v, _: count(v[0])),
    "backlog": (("backlog",), lambda v, _: count(v[0])),
    "backlog_age": (("age",), lambda v, agg: quantile([x.total_seconds() for x in v[0]], agg, 451)),
    "first_reply_time": (("replied",), lambda v, agg: span(v[0], agg)),
    "first_resolution_time": (("first_resolution",), lambda v, agg: span(v[0], agg)),
    "full_resolution_time": (("full_resolution",), lambda v, agg: span(v[0], agg)),
    "next_reply_time": (("next_replied",), lambda v, agg: span(v[0], agg)),
    "handling_time": (("handling",), lambda v, agg: span(v[0], agg)),
    "requester_wait": (("requester_wait",), lambda v, agg: span(v[0], agg)),
    "agent_wait": (("agent_wait",), lambda v, agg: span(v[0], agg)),
    "agent_replies": (("touched",), lambda v, agg: of_replies([replies for replies, _ in v[0]], agg)),
    "one_touch_rate": (("touched",), lambda v, _: share(sum(one_touch for _, one_touch in v[0]), len(v[0]))),
    "no_reply_rate": (("touched",), lambda v, _: share(sum(not replies for replies, _ in v[0]), len(v[0]))),
    "resolution_rate_cohort": (("cohort",), lambda v, _: share(sum(v[0]), len(v[0]))),
    "resolution_rate": (
        ("standing_solve", "opened"),
        lambda v, _: Value(len(v[1]), 100 * len(v[0]) / len(v[1]) if v[1] else None),
    ),
    "sla_first_reply": (("target_first_reply",), lambda v, _: share(sum(v[0]), len(v[0]))),
    "sla_next_reply": (("target_next_reply",), lambda v, _: share(sum(v[0]), len(v[0]))),
    "sla_resolution": (("target_resolution",), lambda v, _: share(sum(v[0]), len(v[0]))),
    "sla_breached_open": (("breached",), lambda v, _: count(v[0])),
    "reopen_rate": (("first_solve",), lambda v, _: share(sum(v[0]), len(v[0]))),
}
