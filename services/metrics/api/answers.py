"""From a question to the rows of its answer: read the counts of each period, estimate, encode.

Reading takes a connection and is `counted`. The rest, `encoded`, may take a second for a large answer, and does it in slices
between which the event loop goes on. MOST_ROWS and MOST_BINS bound an answer before that.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from services.metrics.api.parameters import refusing
from services.metrics.api.questions import Period, Question
from services.metrics.domain.estimators import Estimate
from services.metrics.domain.histogram import Histogram, merge
from services.metrics.domain.intervals import Interval, beyond_noise
from services.metrics.domain.windows import MOST_ROWS, BadQuery, TooManyRows
from services.metrics.store.query import Group, TooManyBins, bins_of, counts, decode_counts
from services.metrics.store.selection import Scope
from shared.slices import Slices

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

MOST_BINS = 250_000
"""Bins that the histograms of one answer may have together; each takes about 150 bytes while the answer is made."""

Measured = Mapping[str, Histogram]
NOTHING: Measured = {}


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of a period as rows of the database."""

    period: Period
    scope: Scope | None
    rows: list[asyncpg.Record]


@dataclass(frozen=True, slots=True)
class Cells:
    """What was counted in a period: of each group the buckets, by number, in which it has anything. `instant`: each bucket has
    the change since the one before, and its value is the sum of all changes up to its end."""

    period: Period
    of: Mapping[Group, Mapping[int, Measured]]
    instant: bool

    def changes(self, group: Group) -> Iterator[tuple[int, Measured]]:
        """The buckets of `group` that have anything of their own, in order, each with its value."""
        before = NOTHING
        for number, measured in sorted(self.of.get(group, {}).items()):
            before = added(before, measured) if self.instant else measured
            yield number, before

    def dense(self, group: Group, count: int) -> list[Measured]:
        """The values of buckets 0 to `count` - 1 of `group`, also where the period has fewer buckets."""
        found = [NOTHING] * count
        changes = [*self.changes(group), (len(self.period.buckets), NOTHING)]
        for (number, measured), (following, _) in pairwise(changes):
            for place in range(number, min(following if self.instant else number + 1, count)):
                found[place] = measured
        return found


async def counted(connection: asyncpg.Connection, question: Question, scope: Scope | None, now: datetime) -> list[Counted]:
    """The counts of the question's period and of those that it compares with, reading nothing from `now` on; raises BadRequest
    if they are too many for one answer."""
    found, left = [], MOST_BINS
    for period in (question.period, *question.compare):
        edges = instants(period, now) if question.kpi.instant else bounds(period, now)
        with refusing():
            try:
                rows = await counts(connection, scope, edges, most_bins=left) if scope else []
            except TooManyBins as error:
                smaller = "group_by" if question.selection.group_by else "grain"
                raise BadQuery(
                    smaller, "gives too many values; ask for fewer groups, a coarser grain or a shorter window"
                ) from error
        found.append(Counted(period, scope, rows))
        left -= bins_of(rows)
    return found


def bounds(period: Period, now: datetime) -> list[datetime]:
    """The edges of a period's buckets up to `now`; buckets that lie ahead have none."""
    begun = [bucket for bucket in period.buckets if bucket.start < now]
    return [begun[0].start, *(min(bucket.end, now) for bucket in begun)] if begun else []


def instants(period: Period, now: datetime) -> list[datetime]:
    """The beginning of time, and the end of each bucket, for values that are summed from the beginning."""
    return [BEGINNING, *(min(bucket.end, now) for bucket in period.buckets)]


async def encoded(question: Question, found: Sequence[Counted], head: Mapping[str, Any]) -> bytes:
    """The answer as JSON: `head`, then the rows; every bucket if there is a grain. Raises BadRequest if the rows are too many."""
    slices = Slices()
    main, *others = [await cells(question, one, slices) for one in found]
    count = len(main.period.buckets)
    groups = await shown_groups(question, main, MOST_ROWS // (count * (1 + len(others))), slices)
    series: dict[Group, list[list[Measured]]] = {}
    for group in groups:
        series[group] = [one.dense(group, count) for one in (main, *others)]
        await slices.pause()
    rows = []
    for number in range(count):
        for group in groups:
            measured, *before = (one[number] for one in series[group])
            compared = [(period.name, other) for period, other in zip(question.compare, before, strict=True)]
            rows.append(msgspec.json.encode(row(question, main.period, number, group, measured, compared)))
            await slices.pause()
    return msgspec.json.encode(head)[:-1] + b',"rows":[' + b",".join(rows) + b"]}"


async def cells(question: Question, one: Counted, slices: Slices) -> Cells:
    """The counts of a period by group and bucket."""
    found: defaultdict[Group, dict[int, dict[str, Histogram]]] = defaultdict(dict)
    if one.scope is not None:
        for row_of_cells in one.rows:
            for (number, group), measured in decode_counts(one.scope, [row_of_cells]).items():
                found[group].setdefault(number, {}).update(measured)
            await slices.pause()
    return Cells(one.period, found, question.kpi.instant)


def added(before: Measured, more: Measured) -> Measured:
    """Two counts of the same measures as one."""
    return {name: merge(*(side[name] for side in (before, more) if name in side)) for name in before.keys() | more.keys()}


async def shown_groups(question: Question, main: Cells, most: int, slices: Slices) -> list[Group]:
    """The groups that have rows, those with anything in them, the nameless one last; raises BadRequest if they are more than
    `most`."""
    if not question.selection.group_by:
        return [()]
    found: list[Group] = []
    for group in main.of:
        if any(estimate(question, measured).n > 0 for _, measured in main.changes(group)):
            found.append(group)
        if len(found) > most:
            with refusing():
                raise TooManyRows("group_by")
        await slices.pause()
    return sorted(found, key=lambda group: [(value is None, value or "") for value in group])


def estimate(question: Question, measured: Measured) -> Estimate:
    """The KPI of these histograms. Business hours need a calendar, and there is none yet: no value, never 0."""
    found = question.kpi.estimate(measured, question.agg)
    if question.business:
        return replace(found, value=None, interval=None, distribution=None, flags=(*found.flags, "no_calendar"))
    return found


def row(
    question: Question,
    period: Period,
    number: int,
    group: Group,
    measured: Measured,
    compared: Sequence[tuple[str, Measured]],
) -> dict[str, Any]:
    """One row: bucket `number` of `group`, with the same bucket of each period in `compared`, by name."""
    bucket, zone = period.buckets[number], period.window.zone
    found = estimate(question, measured)
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
    if compared:
        told["compare"] = [comparison(found, estimate(question, before), name) for name, before in compared]
    return told


def comparison(found: Estimate, before: Estimate, to: str) -> dict[str, Any]:
    known = found.value is not None and before.value is not None
    return {
        "to": to,
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
