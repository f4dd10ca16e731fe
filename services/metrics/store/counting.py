"""The four steps that seal spans: announce, wait, count, confirm. See `services.metrics.sealer` for their order.

Each is a statement or two on one connection; none holds a lock that a writer would wait for longer than an instant.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.metrics.domain.cuboids import ALL_CUBOIDS, CUBOIDS_VERSION, DIMENSION_CUBOIDS, WIDE
from services.metrics.store.counting_cuboids import Measured, count_by_cuboids, measures_of
from services.metrics.store.counting_statements import COUNT_MONTHS, WHOLE_MONTHS
from services.metrics.store.seals import ALL_DIMENSIONS, REVISIONS, SOME_CUBOIDS, Level

WAIT_POLL = 0.01
"""Seconds between two looks at the oldest transaction."""


@dataclass(frozen=True, slots=True)
class SpanToSeal:
    """A span of time to seal for one measure. `seal_id` is the id of its seal, which is not valid, if it has one."""

    measure: int
    level: Level
    starts: datetime
    ends: datetime
    seal_id: int | None = None


WORK_MEMORY = "64MB"
"""For one count: enough to group some hundred thousand rows by every dimension without a file."""


SETTINGS = f"""
    SET LOCAL work_mem = '{WORK_MEMORY}'; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_memoize = off;
    SET LOCAL synchronous_commit = off
"""
"""For the transaction of a count. A statement reads no span twice, so memoizing its rows would only cost time. A crash may lose
the commit, whole: the spans are then counted again."""


class StillWriting(Exception):
    """A transaction has been writing for too long to wait for it now."""


ANNOUNCE_ANEW = """
    WITH reopened AS (SELECT id FROM seals WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE),
    cleared AS (DELETE FROM histograms WHERE seal_id = ANY($1::bigint[]))
    UPDATE seals SET id = DEFAULT, state = 'counting', since = clock_timestamp(), revision = $2
    WHERE id IN (SELECT id FROM reopened) RETURNING id
"""

ANNOUNCE_NEW = """
    INSERT INTO seals (tenant, zone, revision, state, since, measure, level, starts, ends)
    SELECT $1, $2, $3, 'counting', clock_timestamp(), new.*
    FROM unnest($4::int[], $5::smallint[], $6::timestamptz[], $7::timestamptz[]) AS new
    ON CONFLICT DO NOTHING RETURNING id
"""


async def announce(connection: asyncpg.Connection, tenant: int, zone: str, spans: Sequence[SpanToSeal]) -> list[int]:
    """Insert a seal in state `counting` for each span, and commit. Returns their ids, none of which was used before."""
    stale = [span.seal_id for span in spans if span.seal_id is not None]
    new = [span for span in spans if span.seal_id is None]
    async with connection.transaction():
        again = await connection.fetch(ANNOUNCE_ANEW, stale, SOME_CUBOIDS) if stale else []
        columns = [[s.measure for s in new], [s.level for s in new], [s.starts for s in new], [s.ends for s in new]]
        made = await connection.fetch(ANNOUNCE_NEW, tenant, zone, SOME_CUBOIDS, *columns) if new else []
    return [row["id"] for row in (*again, *made)]


async def wait_for_writers(connection: asyncpg.Connection, patience: float) -> None:
    """Return when every transaction that had written anything when this was called has ended.

    A fresh transaction id, taken in a statement of its own, is higher than all of theirs. Once the oldest transaction that runs
    has no lower id, they have ended. (A snapshot's xmax is no such bound: it can lie below ids that are in use.)

    Raises StillWriting after `patience` seconds.
    """
    fresh = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
    deadline = asyncio.get_running_loop().time() + patience
    while await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint") < fresh:
        if asyncio.get_running_loop().time() > deadline:
            raise StillWriting
        await asyncio.sleep(WAIT_POLL)


async def count(connection: asyncpg.Connection, level: Level, seals: Sequence[int]) -> dict[int, int]:
    """Store the histograms of `seals`, all of one level, within a transaction.

    Returns the seals that could be counted, each with the mask of the cuboids that it holds. By the cuboids that all of its days
    hold, a month is the sum of its days; by the others it is counted from contributions. It can't be counted while one of its
    days isn't sealed. This is checked after the wait: a writer that opens one of its days later opens the announced month too.
    """
    await connection.execute(SETTINGS)
    masks: dict[int, int] = {}
    missing = dict.fromkeys(seals, ALL_CUBOIDS)
    if level is Level.MONTH:
        months = await _whole_months(connection, seals)
        masks = await _sum_days(connection, months)
        missing = {month.id: month.missing for month in months}
    measures = await measures_of(connection, list(missing))
    uncounted = {seal: cuboids for seal, measure in measures.items() if (cuboids := missing[seal] & measure.cuboids)}
    masks |= await count_by_cuboids(connection, uncounted, measures, masks)
    return {seal: held_by(masks.get(seal), measure) for seal, measure in measures.items()}


def held_by(mask: int | None, measure: Measured) -> int:
    """The mask of a seal for which this mask was counted; None: it has no contributions."""
    if mask is None:
        return HOLDS_ALL
    return mask | ALL_CUBOIDS & ~measure.cuboids


@dataclass(frozen=True, slots=True)
class Month:
    """A month whose days are all sealed: the masks of the cuboids that all days hold, and of those that are too wide in one."""

    id: int
    held: int
    wide: int

    @property
    def missing(self) -> int:
        """The mask of the cuboids that its contributions must be counted by."""
        return ALL_CUBOIDS & ~self.held & ~self.wide


async def _whole_months(connection: asyncpg.Connection, seals: Sequence[int]) -> list[Month]:
    """Those of the seals of months whose days are all sealed."""
    rows = await connection.fetch(WHOLE_MONTHS, list(seals), CUBOIDS_VERSION, REVISIONS)
    return [Month(row["id"], row["held"], row["wide"]) for row in rows]


async def _sum_days(connection: asyncpg.Connection, months: Sequence[Month]) -> defaultdict[int, int]:
    """Store the histograms of months by the cuboids that all of their days hold. Returns a mask for each with contributions."""
    masks: defaultdict[int, int] = defaultdict(int)
    columns = [month.id for month in months], [month.held & ALL_CUBOIDS for month in months]
    for seal, mask in await connection.fetch(COUNT_MONTHS, *columns) if months else []:
        masks[seal] = mask
    for month in months:
        if month.id in masks:
            masks[month.id] |= month.wide << WIDE
    return masks


HOLDS_ALL = -1
"""The mask of a seal without contributions: there is nothing to store, so it holds every cuboid."""

OTHERS_WORK = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state = 'active'
    )
"""


async def others_work(connection: asyncpg.Connection) -> bool:
    """Whether the database executes a statement of another connection at this moment: a query, a batch or another sealer's."""
    return bool(await connection.fetchval(OTHERS_WORK))


CONFIRM = """
    WITH counting AS (
        SELECT id FROM seals WHERE id = ANY($1::bigint[]) AND state = 'counting' ORDER BY id FOR UPDATE
    )
    UPDATE seals s SET state = 'sealed', since = clock_timestamp(), held_by = s.id, held = c.held, cuboids = $3,
        revision = CASE WHEN s.level = $4 OR c.held & $5::bigint = $5::bigint THEN $6::smallint ELSE s.revision END
    FROM unnest($1::bigint[], $2::bigint[]) AS c (id, held)
    WHERE s.id = c.id AND s.id IN (SELECT id FROM counting) RETURNING s.id
"""


async def confirm(connection: asyncpg.Connection, counted: Mapping[int, int]) -> list[int]:
    """Mark these seals as sealed, with the masks of their cuboids. Seals that a writer opened meanwhile stay open, and their
    counts are deleted. Returns the sealed ones."""
    rows = await connection.fetch(
        CONFIRM, list(counted), list(counted.values()), CUBOIDS_VERSION, Level.HOUR, DIMENSION_CUBOIDS, ALL_DIMENSIONS
    )
    confirmed = {row["id"] for row in rows}
    opened = [seal for seal in counted if seal not in confirmed]
    if opened:
        await connection.execute("DELETE FROM histograms WHERE seal_id = ANY($1::bigint[])", opened)
    return list(confirmed)
