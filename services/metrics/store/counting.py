"""The four steps that seal spans: announce, wait, count, confirm. See `services.metrics.sealer` for their order.

Each is a statement or two on one connection; none holds a lock that a writer would wait for longer than an instant.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.metrics.domain.cuboids import (
    ALL_CUBOIDS,
    CUBOIDS_VERSION,
    DIMENSION_CUBOIDS,
    FEWEST,
    MOST_BINS,
    MULTI_VALUED_CUBOIDS,
    SINGLE_VALUED_CUBOIDS,
    TOTAL,
    WIDE,
)
from services.metrics.domain.measure import family_of
from services.metrics.domain.measures import EQUAL_BIN_FAMILIES, SCORED_FAMILIES
from services.metrics.store.counting_statements import (
    COUNT_MONTHS,
    COUNT_TOTALS,
    DIMENSION_VALUES,
    WHOLE_MONTHS,
    count_contributions,
    count_multi_valued,
)
from services.metrics.store.seals import ALL_DIMENSIONS, REVISIONS, SOME_CUBOIDS, Level
from shared.events import DIMENSIONS

WAIT_POLL = 0.01
"""Seconds between two looks at the oldest transaction."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time to seal for one measure. `seal_id` is the id of its seal, which is not valid, if it has one."""

    measure: int
    level: Level
    starts: datetime
    ends: datetime
    seal_id: int | None = None


WORK_MEMORY = "64MB"
"""For one count: enough to group some hundred thousand rows by every dimension without a file."""


SETTINGS = f"""
    SET LOCAL work_mem = '{WORK_MEMORY}'; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL synchronous_commit = off
"""
"""For the transaction of a count. A crash may lose its commit, whole: its spans are then counted again."""


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


async def announce(connection: asyncpg.Connection, tenant: int, zone: str, spans: Sequence[Span]) -> list[int]:
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
    if level is Level.MONTH:
        months = await _whole_months(connection, seals)
        masks = await _sum_days(connection, months)
        missing = {month.id: month.missing for month in months if month.missing}
        scored = {month.id for month in months if month.family in SCORED_FAMILIES}
        seals = [month.id for month in months]
    else:
        masks, missing, scored = defaultdict(int), dict.fromkeys(seals, ALL_CUBOIDS), set()
    spans = await connection.fetch(DIMENSION_VALUES, list(missing)) if missing else []
    scored |= {span["id"] for span in spans if family_of(span["name"]) in SCORED_FAMILIES}
    for seal, mask in await _count_contributions(connection, spans, missing):
        masks[seal] |= mask
    return {seal: held_by(masks.get(seal), scored=seal in scored) for seal in seals}


def held_by(mask: int | None, *, scored: bool) -> int:
    """The mask of a seal for which this mask was counted; None: it has no contributions. `scored`: of scored comments."""
    if mask is None:
        return HOLDS_ALL
    return mask if scored else mask | MULTI_VALUED_CUBOIDS


@dataclass(frozen=True, slots=True)
class Month:
    """A month whose days are all sealed: the masks of the cuboids that all days hold, and of those that are too wide in one."""

    id: int
    family: str
    held: int
    wide: int

    @property
    def missing(self) -> int:
        """The mask of the cuboids that its contributions must be counted by."""
        cuboids = ALL_CUBOIDS if self.family in SCORED_FAMILIES else SINGLE_VALUED_CUBOIDS
        return cuboids & ~self.held & ~self.wide


async def _whole_months(connection: asyncpg.Connection, seals: Sequence[int]) -> list[Month]:
    """Those of the seals of months whose days are all sealed."""
    rows = await connection.fetch(WHOLE_MONTHS, list(seals), CUBOIDS_VERSION, REVISIONS)
    return [Month(row["id"], family_of(row["name"]), row["held"], row["wide"]) for row in rows]


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


async def _count_contributions(
    connection: asyncpg.Connection, spans: Sequence[asyncpg.Record], cuboids: Mapping[int, int]
) -> list[asyncpg.Record]:
    """Store the histograms of spans, which are rows of DIMENSION_VALUES, by the cuboids in the mask of each.

    Returns masks of the cuboids that their seals hold.
    """
    counted: list[asyncpg.Record] = []
    if sparse := [span["id"] for span in spans if span["n"] < FEWEST and cuboids[span["id"]] & TOTAL.bit]:
        counted += await connection.fetch(COUNT_TOTALS, sparse)
    dense = [span for span in spans if span["n"] >= FEWEST]
    varying: defaultdict[int, int] = defaultdict(int)
    for span in dense:
        varying[span["measure"]] |= span["varying"]
    alike: defaultdict[tuple[int, int, bool], list[asyncpg.Record]] = defaultdict(list)
    scored: defaultdict[tuple[int, bool], list[asyncpg.Record]] = defaultdict(list)
    for span in dense:
        mask, family = cuboids[span["id"]], family_of(span["name"])
        equal_bins = family in EQUAL_BIN_FAMILIES
        if mask & SINGLE_VALUED_CUBOIDS:
            alike[varying[span["measure"]], mask & SINGLE_VALUED_CUBOIDS, equal_bins].append(span)
        if family in SCORED_FAMILIES and mask & MULTI_VALUED_CUBOIDS:
            scored[mask & MULTI_VALUED_CUBOIDS, equal_bins].append(span)
    for (dimensions, mask, equal_bins), several in alike.items():
        statement = count_contributions(dimensions, mask, equal_bins=equal_bins)
        columns = [[span[name] for span in several] for name in DIMENSIONS]
        counted += await connection.fetch(statement, *_sizes(several), MOST_BINS, *columns)
    for (mask, equal_bins), several in scored.items():
        counted += await connection.fetch(count_multi_valued(mask, equal_bins=equal_bins), *_sizes(several), MOST_BINS)
    return counted


def _sizes(spans: Sequence[asyncpg.Record]) -> tuple[list[int], list[int]]:
    """The ids of spans, and the numbers of their contributions."""
    return [span["id"] for span in spans], [span["n"] for span in spans]


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
    """Make these seals sealed, with the masks of their cuboids, but for those that a writer opened meanwhile: their counts are
    deleted. Returns the sealed ones."""
    rows = await connection.fetch(
        CONFIRM, list(counted), list(counted.values()), CUBOIDS_VERSION, Level.HOUR, DIMENSION_CUBOIDS, ALL_DIMENSIONS
    )
    confirmed = {row["id"] for row in rows}
    opened = [seal for seal in counted if seal not in confirmed]
    if opened:
        await connection.execute("DELETE FROM histograms WHERE seal_id = ANY($1::bigint[])", opened)
    return list(confirmed)
