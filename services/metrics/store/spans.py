"""Which sealed spans answer a query, and which times are left to contributions.

A bucket and a measure are read from *runs*: the largest sealed spans that fit, by their length. What lies between them, and at
the edges of the window, are *gaps*, which are read from contributions. A gap may consist of sealed spans too, whose seals lack
the cuboid: then its counts don't change either.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

import asyncpg

from services.metrics.domain.cuboids import CUBOIDS_VERSION, Cuboid
from services.metrics.store.seals import HELD_BEFORE, HOURS_SEALED, LONGEST, REVISIONS, Level
from services.metrics.store.selection import Scope

SHORTEST_DAY, SHORTEST_MONTH = timedelta(hours=22), timedelta(days=27, hours=22)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""A sum that begins earlier has no first day."""

SEALED = """
    SELECT s.measure, s.level, s.id, s.since, s.starts, s.ends, of_seal.held >> $8::int & 1 = 1 AS holds,
        coalesce(s.held_by = s.id AND s.cuboids >= $9 AND of_seal.held & $10::bigint <> 0, false) AS wide,
        of_seal.valid
    FROM unnest($2::int[], $3::smallint[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
        AS l (measure, level, low, high, held_before)
    JOIN seals s ON s.tenant = $1 AND s.measure = l.measure AND s.level = l.level AND s.starts >= l.low AND s.starts < l.high
    CROSS JOIN LATERAL (
        SELECT CASE s.held_by WHEN s.id THEN s.held ELSE l.held_before END AS held,
            s.state = 'sealed' AND s.revision = ANY($7::smallint[]) AS valid
    ) AS of_seal
    WHERE of_seal.valid OR s.level = $11
    ORDER BY s.measure, s.starts, s.ends DESC
"""
"""A span comes after all before it, and a larger one before those that lie inside it. `wide`: unless it holds the cuboid, that
has too many groups there. Days without a valid seal are among them: their hours may have one."""


class ConfirmedSeal(NamedTuple):
    """A confirmed seal. Its histograms never change: a recount has another id, and `since` is the time of its confirmation."""

    id: int
    since: datetime


class SealedSpan(NamedTuple):
    """A span with a seal, as a row of SEALED: sealed, or a day whose seal is not valid."""

    measure: int
    level: int
    id: int
    since: datetime
    starts: datetime
    ends: datetime
    holds: bool
    wide: bool
    valid: bool = True
    """Whether the seal is confirmed, and of a revision that is read. Only then its counts are exact."""


Run = tuple[ConfirmedSeal, ...]
"""Seals of one level, in the order of time."""

Place = tuple[int, int]
"""The number of a bucket, from 0, and a measure."""


class Gap(NamedTuple):
    """A time in a bucket, as [low, high), that contributions are read of. `seals`: it consists of their spans, all of one level;
    empty if it has others."""

    bucket: int
    measure: int
    low: datetime
    high: datetime
    seals: Run = ()


@dataclass(frozen=True, slots=True)
class Spans:
    """The runs of each place, of one level each, and the gaps. Both together cover every bucket once.

    `too_wide`: a span has more than MOST_VALUES groups of the cuboid.
    """

    runs: Mapping[Place, Sequence[Run]]
    gaps: Sequence[Gap]
    too_wide: bool


Range = tuple[int, Level, datetime, datetime]
"""A measure, and between which times its spans of a level may begin."""


async def read_spans(connection: asyncpg.Connection, scope: Scope, cuboid: Cuboid, edges: Sequence[datetime]) -> Spans:
    """The spans that hold `cuboid`, for the buckets `[edges[k], edges[k + 1])`.

    Their counts must be read in the same snapshot. One statement reads all that is needed if everything is sealed except the last
    hours; others follow for gaps in the middle.
    """
    plan = SpanPlan(sorted(scope.measures), edges)
    likely = list(plan.likely_ranges())
    spans = await _read(connection, scope, cuboid, likely)
    for level in sorted(Level, reverse=True):
        ranges = list(plan.ranges(level))
        if all(any(includes(range_, other) for range_ in likely) for other in ranges):
            plan.add([span for span in spans if span.level == level])
        else:
            plan.add(await _read(connection, scope, cuboid, ranges))
    return plan.spans()


def includes(one: Range, other: Range) -> bool:
    """Whether every span of a range is one of another range."""
    return one[:2] == other[:2] and one[2] <= other[2] and other[3] <= one[3]


async def _read(connection: asyncpg.Connection, scope: Scope, cuboid: Cuboid, ranges: Sequence[Range]) -> list[SealedSpan]:
    """The sealed spans in these ranges, and the days whose seals are not valid."""
    measures, levels, lows, highs = (list(column) for column in zip(*ranges, strict=True))
    before = [HELD_BEFORE[level] for level in levels]
    of_cuboid = cuboid.number, CUBOIDS_VERSION, cuboid.wide_bit
    columns = measures, levels, lows, highs, before
    rows = await connection.fetch(SEALED, scope.tenant, *columns, REVISIONS, *of_cuboid, Level.DAY)
    return [SealedSpan(*row) for row in rows]


class SpanPlan:
    """The choice of spans for buckets: those that hold the cuboid first, longer ones before shorter ones."""

    def __init__(self, measures: Sequence[int], edges: Sequence[datetime]) -> None:
        self.measures = measures
        self._edges = edges
        self._gaps = [Gap(bucket, measure, *times) for measure in measures for bucket, times in enumerate(pairwise(edges))]
        self._runs: dict[Place, dict[int, list[ConfirmedSeal]]] = {}
        self._lacking: list[SealedSpan] = []
        self._open_days: list[SealedSpan] = []

    def add(self, spans: Sequence[SealedSpan]) -> None:
        """Choose among spans of SEALED, all of which are shorter than those before. Some may not fit any more."""
        holding = [span for span in spans if span.valid and span.holds]
        self._lacking += [span for span in spans if span.valid and not span.holds]
        self._open_days += [span for span in spans if not span.valid]
        rest: list[Gap] = []
        for gap, span in fill(self._gaps, holding):
            if span is None:
                rest.append(gap)
            else:
                runs = self._runs.setdefault((gap.bucket, gap.measure), {})
                runs.setdefault(span.level, []).append(ConfirmedSeal(span.id, span.since))
        self._gaps = rest

    def likely_ranges(self) -> Iterator[Range]:
        """The ranges that are enough if all spans except the last ones of the window are sealed and hold the cuboid."""
        longest = self._longest_bucket()
        hours, days = self._hours(), self._likely_days()
        if longest >= SHORTEST_DAY:
            hours = [(max(low, high - 2 * LONGEST[Level.DAY]), high) for low, high in hours]
        for measure in self.measures:
            if longest >= SHORTEST_MONTH:
                yield measure, Level.MONTH, self._edges[0], self._edges[-1]
            if longest >= SHORTEST_DAY:
                yield from ((measure, Level.DAY, low, high) for low, high in days)
            yield from ((measure, Level.HOUR, low, high) for low, high in hours)

    def _longest_bucket(self) -> timedelta:
        return max(high - low for low, high in pairwise(self._edges))

    def _likely_days(self) -> list[tuple[datetime, datetime]]:
        """Where days fit and months don't: buckets that are shorter than a month, and the ends of a series of longer ones."""
        month = LONGEST[Level.MONTH]
        last = len(self._edges) - 2
        days: list[tuple[datetime, datetime]] = []
        for bucket, (low, high) in enumerate(pairwise(self._edges)):
            pieces = [(low, high)]
            if high - low >= SHORTEST_MONTH:
                at_end = bucket == last or self._edges[bucket + 2] - high < SHORTEST_MONTH
                pieces = [(low, min(low + month, high))] if bucket == 0 and low >= EARLIEST else []
                pieces += [(max(high - month, low), high)] if at_end else []
            for begin, end in pieces:
                if days and begin <= days[-1][1]:
                    days[-1] = days[-1][0], end
                else:
                    days.append((begin, end))
        return days

    def ranges(self, level: Level) -> Iterator[Range]:
        """The ranges in which spans of a level could cover what longer ones don't."""
        if self._longest_bucket() < {Level.MONTH: SHORTEST_MONTH, Level.DAY: SHORTEST_DAY}.get(level, timedelta()):
            return
        for gap in joined(self._gaps):
            times = self._hours_of(gap.measure) if level is Level.HOUR else [(self._edges[0], self._edges[-1])]
            for low, high in times:
                if max(low, gap.low) < min(high, gap.high):
                    yield gap.measure, level, max(low, gap.low), min(high, gap.high)

    def _hours_of(self, measure: int) -> list[tuple[datetime, datetime]]:
        """The times of which hours of a measure are read: those of every measure, and the days between them whose seals are open.

        A busy day has sealed hours, of which a change opens only its own.
        """
        (first, until), *last = self._hours()
        begin = last[0][0] if last else until
        open_days = [
            (max(day.starts, until), min(day.ends, begin))
            for day in self._open_days
            if day.measure == measure and day.ends > until and day.starts < begin
        ]
        return [(first, until), *open_days, *last]

    def _hours(self) -> list[tuple[datetime, datetime]]:
        """The times of which hours are read: the ends of the window, where days may not fit or not be sealed, each up to the
        length of a day, or as far back as hours are sealed. Buckets that are shorter than a day need all of them."""
        edges, first, last = self._edges, self._edges[0], self._edges[-1]
        if edges[1] - first < SHORTEST_DAY and len(edges) > 2 and edges[2] - edges[1] < SHORTEST_DAY:
            return [(first, last)]
        begin = edges[1] if first < EARLIEST else first
        until = last if last - begin <= LONGEST[Level.DAY] else begin + LONGEST[Level.DAY]
        return [(first, until), (max(until, last - HOURS_SEALED), last)] if until < last else [(first, until)]

    def spans(self) -> Spans:
        """The chosen spans, with what is left as gaps: those that consist of sealed spans apart."""
        too_wide = any(span.wide for span in self._lacking)
        lacking = sorted(sorted(self._lacking, key=attrgetter("ends"), reverse=True), key=attrgetter("measure", "starts"))
        gaps: list[Gap] = []
        level = 0
        for gap, span in fill(self._gaps, lacking):
            if span is None:
                gaps.append(gap)
                continue
            seal, last = ConfirmedSeal(span.id, span.since), gaps[-1] if gaps else None
            if last and last.seals and level == span.level and last[:2] == gap[:2] and last.high == gap.low:
                gaps[-1] = last._replace(high=gap.high, seals=(*last.seals, seal))
            else:
                gaps.append(gap._replace(seals=(seal,)))
            level = span.level
        return Spans({place: list(map(tuple, by_level.values())) for place, by_level in self._runs.items()}, gaps, too_wide)


def joined(gaps: Iterable[Gap]) -> Iterator[Gap]:
    """Gaps of one measure that follow one another as one."""
    last: Gap | None = None
    for gap in gaps:
        if last is not None and last.measure == gap.measure and last.high == gap.low:
            last = last._replace(high=gap.high)
            continue
        if last is not None:
            yield last
        last = gap
    if last is not None:
        yield last


def fill(gaps: Iterable[Gap], spans: Sequence[SealedSpan]) -> Iterator[tuple[Gap, SealedSpan | None]]:
    """The gaps, which are in the order of their measures and times, cut into the largest of `spans` that fit, and the rest.

    `spans` are in the order of SEALED. Of those that overlap, the first is taken.
    """
    place, count = 0, len(spans)
    for gap in gaps:
        low, high, measure = gap.low, gap.high, gap.measure
        while place < count and (
            spans[place].measure < measure or (spans[place].measure == measure and spans[place].starts < low)
        ):
            place += 1
        while place < count and spans[place].measure == measure and spans[place].starts < high:
            span = spans[place]
            place += 1
            if span.starts < low or span.ends > high:
                continue
            if low < span.starts:
                yield gap._replace(low=low, high=span.starts), None
            yield gap._replace(low=span.starts, high=span.ends), span
            low = span.ends
        if low < high:
            yield gap._replace(low=low, high=high), None
