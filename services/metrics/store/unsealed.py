"""Spans that lack a valid seal: of every measure, and the hours of busy days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.calendar import over
from services.metrics.domain.cuboids import CUBOIDS_VERSION
from services.metrics.store.counting import SpanToSeal
from services.metrics.store.seals import REVISIONS, Level

BUSY = 5_000
"""Contributions of a measure from which on a day is busy: its hours stay sealed, so that a window may begin within it."""

UNSEALED = """
    WITH unsealed AS (
        SELECT m.measure, sp.starts, sp.ends, {first} AS first, s.id, s.since,
            s.state IS DISTINCT FROM 'open' OR s.since <= clock_timestamp() - $9::interval AS rested
        FROM {spans}
        LEFT JOIN seals s
          ON s.tenant = $1 AND s.measure = m.measure AND s.level = $7 AND s.starts = sp.starts AND s.zone = $2
        WHERE (
            s.state = 'sealed' AND s.revision = ANY($8::smallint[]) AND s.held_by = s.id AND s.cuboids >= $11
        ) IS NOT TRUE {whole}
    )
    SELECT measure, starts, ends, id, rested,
        count(*) FILTER (WHERE rested) OVER () AS due,
        min(since) FILTER (WHERE NOT rested) OVER () AS resting_since,
        min(starts) FILTER (WHERE NOT rested) OVER () AS resting_starts
    FROM unsealed ORDER BY rested DESC, first DESC, starts DESC LIMIT $10
"""
"""A seal that is valid but lacks cuboids of this version is among them: it is counted again. `first`: those that come first."""

EACH_MEASURE = """
        unnest($3::int[], $4::timestamptz[]) AS m (measure, first)
        JOIN unnest($5::timestamptz[], $6::timestamptz[]) AS sp (starts, ends) ON sp.ends > m.first
"""
"""Every span that ends after a measure's first contribution."""

ITS_MEASURE = """
        unnest($3::int[], $4::boolean[], $5::timestamptz[], $6::timestamptz[]) AS sp (measure, first, starts, ends)
        CROSS JOIN LATERAL (SELECT sp.measure) AS m
"""
"""Each span of its own measure."""

BUSY_DAYS = """
    SELECT s.measure, s.state = 'open' AS is_open, s.starts, s.ends
    FROM seals s JOIN histograms h ON h.seal_id = s.id AND h.cuboid = 0
    WHERE s.tenant = $1 AND s.measure = ANY($2::int[]) AND s.level = $3 AND s.starts >= $4 AND s.starts < $5 AND s.zone = $6
      AND s.state IN ('sealed', 'open') AND s.revision = ANY($7::smallint[])
      AND (SELECT sum(n) FROM unnest(h.counts) AS n) >= $8
      AND s.ends - s.starts > coalesce((
          SELECT sum(o.ends - o.starts) FROM seals o
          WHERE o.tenant = $1 AND o.measure = s.measure AND o.level = $9 AND o.zone = $6 AND o.starts >= s.starts
            AND o.starts < s.ends AND o.state = 'sealed' AND o.revision = ANY($7::smallint[]) AND o.held_by = o.id
            AND o.cuboids >= $10
      ), interval '0')
    ORDER BY s.starts DESC
"""
"""The busy days that lack the seal of an hour. An open seal has the histograms that it had before the change."""

WHOLE = """
          AND sp.ends - sp.starts = (
              SELECT sum(d.ends - d.starts) FROM seals d
              WHERE d.tenant = $1 AND d.measure = m.measure AND d.zone = $2 AND d.level = 2
                AND d.starts >= sp.starts AND d.starts < sp.ends AND d.ends <= sp.ends
                AND d.state = 'sealed' AND d.revision = ANY($8::smallint[]) AND d.held_by = d.id AND d.cuboids >= $11
          )
"""
"""Whether all days of a month are sealed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A tenant that the sealer looks at now: at its spans that end by `until`. Those that end by `since` have valid seals; None:
    any span may lack one."""

    tenant: int
    zone: ZoneInfo
    until: datetime
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Unsealed:
    """Spans of one level that lack a valid seal. `spans` have rested and can be counted, latest first; `complete`: there are no
    more of these. Other spans changed too recently: `resting_since` is when the first of them changed, `resting_starts` where the
    earliest begins."""

    spans: list[SpanToSeal]
    complete: bool = True
    resting_since: datetime | None = None
    resting_starts: datetime | None = None


async def unsealed_spans(
    connection: asyncpg.Connection,
    claim: Claim,
    level: Level,
    firsts: Mapping[int, datetime],
    spans: Sequence[tuple[datetime, datetime]],
    rest: timedelta,
    limit: int,
) -> Unsealed:
    """Those of `spans`, for each measure in `firsts` that had begun, that have no valid seal; up to `limit` of them.

    A seal in state `counting` was abandoned, for only one sealer at a time works for a tenant. A month is not among them while
    one of its days lacks a seal.
    """
    statement = UNSEALED.format(spans=EACH_MEASURE, first="false", whole=WHOLE if level is Level.MONTH else "")
    columns = list(firsts), list(firsts.values()), [start for start, _ in spans], [end for _, end in spans]
    return await _unsealed(connection, claim, level, statement, columns, rest, limit)


async def unsealed_hours_of_busy_days(
    connection: asyncpg.Connection,
    claim: Claim,
    measures: Sequence[int],
    between: tuple[datetime, datetime],
    rest: timedelta,
    limit: int,
) -> Unsealed:
    """The hours without a valid seal of days with at least BUSY contributions of a measure; up to `limit` of them.

    Those of days whose seal is open come first: until it is counted again, queries read the day by its hours.
    """
    if between[0] >= between[1]:
        return Unsealed([])
    of_days = claim.tenant, list(measures), Level.DAY, *between, claim.zone.key, REVISIONS, BUSY
    days = await connection.fetch(BUSY_DAYS, *of_days, Level.HOUR, CUBOIDS_VERSION)
    spans = [
        (day["measure"], day["is_open"], *hour) for day in days for hour in over("PT1H", claim.zone, day["starts"], day["ends"])
    ]
    if not spans:
        return Unsealed([])
    numbers, first, starts, ends = (list(column) for column in zip(*spans, strict=True))
    statement = UNSEALED.format(spans=ITS_MEASURE, first="sp.first", whole="")
    columns = numbers, first, starts, ends
    return await _unsealed(connection, claim, Level.HOUR, statement, columns, rest, limit)


async def _unsealed(
    connection: asyncpg.Connection,
    claim: Claim,
    level: Level,
    statement: str,
    columns: tuple[list[int], list[datetime] | list[bool], list[datetime], list[datetime]],
    rest: timedelta,
    limit: int,
) -> Unsealed:
    key = claim.tenant, claim.zone.key
    rows = await connection.fetch(statement, *key, *columns, level, REVISIONS, rest, limit, CUBOIDS_VERSION)
    if not rows:
        return Unsealed([])
    rested = [SpanToSeal(row["measure"], level, row["starts"], row["ends"], row["id"]) for row in rows if row["rested"]]
    return Unsealed(rested, len(rested) == rows[0]["due"], rows[0]["resting_since"], rows[0]["resting_starts"])
