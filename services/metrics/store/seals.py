"""Seals: which spans of which measures have a histogram that is exact.

A seal is `counting` while a sealer counts, `sealed` while its histogram is exact, and `open` once a writer changed something in
its span: `since` then says when, so that the sealer lets a span rest before it counts again. Every announcement gives the row a
new id, under which its histograms are stored: a count that began before a change can't be confirmed after it.

`held` has a bit for each cuboid (`services.metrics.domain.cuboids`) that the seal holds whole. It belongs to the id in `held_by`:
a server of an earlier version, which does not know the column, gives the seal another id when it counts it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import groupby
from operator import itemgetter

import asyncpg

from services.metrics.domain.cuboids import DIMENSION_CUBOIDS, TOTAL
from services.metrics.store.contributions import Touch

ALL_DIMENSIONS, SOME_CUBOIDS = 2, 3
REVISIONS = (ALL_DIMENSIONS, SOME_CUBOIDS)
"""The values of `revision` of seals that are read. The previous version reads the first alone, and expects that such a seal holds
the total and each dimension."""


class Level(IntEnum):
    """Lengths of spans."""

    HOUR = 1
    DAY = 2
    MONTH = 3


HELD_BEFORE = {Level.HOUR: TOTAL.bit, Level.DAY: DIMENSION_CUBOIDS, Level.MONTH: DIMENSION_CUBOIDS}
"""The cuboids of seals that the previous version counted, which does not write `held`."""

LONGEST = {Level.HOUR: timedelta(hours=2), Level.DAY: timedelta(days=2), Level.MONTH: timedelta(days=32)}
"""No span of a level is longer, whatever its zone's clocks do."""

HOURS_SEALED = timedelta(days=8)
"""How far back hours are sealed."""

RENEWED = timedelta(seconds=10)
"""The precision of an open seal's `since`: it is rewritten at most this often."""

INVALIDATE = """
    WITH touched AS (
        SELECT s.id
        FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[]) AS t (tenant, measure, low, high)
        CROSS JOIN unnest($5::smallint[], $6::interval[]) AS l (level, longest)
        JOIN seals s
          ON s.tenant = t.tenant AND s.measure = t.measure AND s.level = l.level
         AND s.starts > t.low - l.longest AND s.starts <= t.high AND s.ends > t.low
        WHERE s.state <> 'open' OR s.since < clock_timestamp() - $7::interval
        ORDER BY s.id
        FOR UPDATE OF s
    )
    UPDATE seals SET state = 'open', since = clock_timestamp() WHERE id IN (SELECT id FROM touched)
"""

REQUEST_LOOK = """
    WITH touched AS (
        SELECT s.tenant, t.low
        FROM unnest($1::int[], $2::timestamptz[]) AS t (tenant, low)
        JOIN sealing s ON s.tenant = t.tenant
        WHERE (t.low < s.until AND (s.due > clock_timestamp() OR s.since > t.low)) OR s.idle
        ORDER BY s.tenant
        FOR NO KEY UPDATE OF s
    )
    UPDATE sealing s SET due = least(s.due, clock_timestamp()), since = least(s.since, t.low), idle = false
    FROM touched t WHERE s.tenant = t.tenant
"""
"""Spans that end after `until` have no seals yet, so most changes, which are of the current hour, request nothing."""

NEAR = timedelta(minutes=30)


async def invalidate(connection: asyncpg.Connection, touches: Iterable[Touch]) -> None:
    """Open the seals of every span that holds one of `touches`, in order of their ids, and have the sealer look at them.

    Call it after the changes are written and in their transaction: the sealer relies on it. Writers before the announcement
    of a seal are waited for; writers after it find the seal here.
    """
    ranges = list(coalesced(touches))
    if ranges:
        tenants, measures, lows, highs = (list(column) for column in zip(*ranges, strict=True))
        await connection.execute(INVALIDATE, tenants, measures, lows, highs, list(LONGEST), list(LONGEST.values()), RENEWED)
        earliest: dict[int, datetime] = {}
        for tenant, low in zip(tenants, lows, strict=True):
            if tenant not in earliest or low < earliest[tenant]:
                earliest[tenant] = low
        await connection.execute(REQUEST_LOOK, list(earliest), list(earliest.values()))


def coalesced(touches: Iterable[Touch]) -> Iterator[tuple[int, int, datetime, datetime]]:
    """Ranges (tenant, measure, first, last) that hold all of `touches`: instants that are NEAR one another become one range.

    Only the rest of an hour that a change of clocks cut is shorter than that. To open one seal too many costs a recount, no more.
    """
    for (tenant, measure), touched in groupby(sorted(touches), key=itemgetter(0, 1)):
        instants = [at for _, _, at in touched]
        low = high = instants[0]
        for at in instants:
            if at - high >= NEAR:
                yield tenant, measure, low, high
                low = at
            high = at
        yield tenant, measure, low, high
