"""A question answered: histograms fetched, estimated, and set out as the rows of api.md."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.api.questions import Period, Question
from services.metrics.domain.estimates import Estimate
from services.metrics.domain.estimators import Interval, beyond_noise
from services.metrics.domain.histogram import Histogram, merge
from services.metrics.domain.windows import MOST_ROWS
from services.metrics.store.query import Group, histograms
from services.metrics.store.selection import Scope
from shared.problems import BadRequest

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
Measured = Mapping[str, Histogram]


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in each bucket of a period, by group."""

    period: Period
    buckets: list[dict[Group, Measured]]

    def of(self, number: int, group: Group) -> Measured:
        """What bucket `number` holds of `group`: nothing where the period has no such bucket."""
        return self.buckets[number].get(group, {}) if number < len(self.buckets) else {}

    @property
    def groups(self) -> set[Group]:
        return {group for bucket in self.buckets for group in bucket}


async def counted(
    connection: asyncpg.Connection,
    question: Question,
    scope: Scope | None,
    period: Period,
    now: datetime,
) -> Counted:
    """Count a period, reading nothing from `now` on."""
    found: list[dict[Group, Measured]] = [{} for _ in period.buckets]
    if scope is None:
        return Counted(period, found)
    instant = question.kpi.instant
    edges = instants(period, now) if instant else bounds(period, now)
    for (number, group), measured in (await histograms(connection, scope, edges)).items():
        found[number][group] = measured
    return Counted(period, running(found) if instant else found)


def bounds(period: Period, now: datetime) -> list[datetime]:
    """The edges of a period's buckets up to `now`; buckets that lie ahead have none."""
    begun = [bucket for bucket in period.buckets if bucket.start < now]
    return [begun[0].start, *(min(bucket.end, now) for bucket in begun)] if begun else []


def instants(period: Period, now: datetime) -> list[datetime]:
    """The beginning of time, and the end of each bucket, for what is summed from before it."""
    return [BEGINNING, *(min(bucket.end, now) for bucket in period.buckets)]


def running(buckets: Iterable[dict[Group, Measured]]) -> list[dict[Group, Measured]]:
    """Each bucket with all that came before it."""
    nothing: dict[Group, Measured] = {}
    return list(accumulate(buckets, added, initial=nothing))[1:]


def added(before: dict[Group, Measured], more: dict[Group, Measured]) -> dict[Group, Measured]:
    return before | {
        group: {
            name: merge(*(side[name] for side in (before.get(group, {}), measured) if name in side))
            for name in before.get(group, {}).keys() | measured.keys()
        }
        for group, measured in more.items()
    }


def rows(question: Question, main: Counted, others: Sequence[Counted]) -> list[dict[str, Any]]:
    """The answer's rows: every bucket where there is a grain; of groups those with anything in them, the nameless one last."""
    estimates = {group: [estimate(question, main.of(k, group)) for k in range(len(main.buckets))] for group in main.groups}
    if not question.selection.group_by:
        estimates.setdefault((), [estimate(question, {}) for _ in main.buckets])
    else:
        estimates = {group: found for group, found in estimates.items() if any(e.n > 0 for e in found)}
    if len(estimates) * len(main.buckets) > MOST_ROWS:
        reason = f"gives more than {MOST_ROWS} rows"
        raise BadRequest(f"group_by {reason}", invalid_params=[{"name": "group_by", "reason": reason}])
    groups = sorted(estimates, key=lambda group: [(value is None, value or "") for value in group])
    return [
        row(question, main, number, group, estimates[group][number], others)
        for number in range(len(main.buckets))
        for group in groups
    ]


def estimate(question: Question, measured: Measured) -> Estimate:
    """The KPI of these histograms. Business hours need a calendar, and there is none yet: no value, never 0."""
    found = question.kpi.estimate(measured, question.agg)
    if question.business:
        return replace(found, value=None, interval=None, distribution=None, flags=(*found.flags, "no_calendar"))
    return found


def row(
    question: Question, main: Counted, number: int, group: Group, found: Estimate, others: Sequence[Counted]
) -> dict[str, Any]:
    bucket, zone = main.period.buckets[number], main.period.window.zone
    told: dict[str, Any] = {
        "from": local(bucket.start, zone),
        "to": local(bucket.end, zone),
        "dims": dict(zip(question.selection.group_by, group, strict=True)),
        "value": found.value,
        "n": found.n,
        "numerator": found.numerator,
        "denominator": found.denominator,
        "interval": interval(found.interval),
        "distribution": {str(place): n for place, n in sorted(found.distribution.items())}
        if found.distribution is not None
        else None,
        "flags": [*found.flags, *(["partial"] if bucket.partial else [])],
    }
    if others:
        told["compare"] = [comparison(found, estimate(question, other.of(number, group)), other) for other in others]
    return told


def comparison(found: Estimate, before: Estimate, other: Counted) -> dict[str, Any]:
    known = found.value is not None and before.value is not None
    return {
        "to": other.period.name,
        "value": before.value,
        "n": before.n,
        "delta": found.value - before.value if known else None,  # type: ignore[operator]
        "significant": significant(found, before),
    }


def significant(one: Estimate, other: Estimate) -> bool | None:
    """Whether the two differ by more than noise; None where that can't be told."""
    if one.value is None or other.value is None:
        return None
    return beyond_noise(one.value, one.interval, other.value, other.interval)


def interval(found: Interval | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"low": found.low, "high": found.high, "level": found.level, "method": found.method}


def local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()
