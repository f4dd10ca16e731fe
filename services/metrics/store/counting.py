"""The four steps that seal spans: announce, wait, count, confirm. See `services.metrics.sealer` for their order.

Each is a statement or two on one connection; none holds a lock that a writer would wait for longer than an instant.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.domain.measures import SCORED_FAMILIES
from services.metrics.store.seals import CUBOID_OF, CUBOIDS_REVISION, Level
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
        again = await connection.fetch(ANNOUNCE_ANEW, stale, CUBOIDS_REVISION) if stale else []
        columns = [[s.measure for s in new], [s.level for s in new], [s.starts for s in new], [s.ends for s in new]]
        made = await connection.fetch(ANNOUNCE_NEW, tenant, zone, CUBOIDS_REVISION, *columns) if new else []
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


SQUARABLE = 3_000_000_000
"""Amounts up to this one, positive or negative, have a square that fits a bigint."""


def sum_of_squares(amount: str) -> str:
    """SQL of the sum of the squares of a bigint column, as numeric.

    Only amounts whose square is no bigint are squared as numeric, which takes twice as long. CASE is faster than FILTER.
    """
    fits = f"{amount} BETWEEN -{SQUARABLE} AND {SQUARABLE}"
    return (
        f"coalesce(sum(CASE WHEN {fits} THEN {amount} * {amount} END), 0)"
        f" + coalesce(sum({amount}::numeric * {amount}) FILTER (WHERE NOT {fits}), 0)"
    )


def _grouping_sets() -> str:
    return ", ".join(["(s.id, c.bin)", *(f"(s.id, c.bin, c.{dimension})" for dimension in DIMENSIONS)])


def _which_cuboid() -> str:
    """`grouping()` has a bit for each dimension, the first one highest, that is 0 where the set groups by it."""
    everything = 2 ** len(DIMENSIONS) - 1
    bits: dict[str | None, int] = {
        dimension: everything - 2 ** (len(DIMENSIONS) - 1 - place) for place, dimension in enumerate(DIMENSIONS)
    }
    bits[None] = everything
    cases = " ".join(f"WHEN {bits[d]} THEN {number}" for d, number in CUBOID_OF.items() if d in bits)
    return f"CASE grouping({', '.join(f'c.{d}' for d in DIMENSIONS)}) {cases} END"


def _values(dimension: tuple[str, str]) -> str:
    name, column = dimension
    return f"SELECT {CUBOID_OF[name]} AS cuboid, t.term FROM (VALUES (1)) one LEFT JOIN unnest(c.{column}) AS t (term) ON true"  # noqa: S608


FILE = """
    INSERT INTO histograms (seal_id, cuboid, value, bins, counts, total, squares)
    SELECT id, cuboid, value, array_agg(bin ORDER BY bin), array_agg(n ORDER BY bin), sum(total), sum(squares)
    FROM ({counted}) counted GROUP BY 1, 2, 3
"""

OF_CONTRIBUTIONS = f"""
    SELECT s.id, {{cuboid}} AS cuboid, {{value}} AS value, c.bin,
        count(*) AS n, sum(c.amount) AS total, {sum_of_squares("c.amount")} AS squares
    FROM seals s CROSS JOIN LATERAL (
        SELECT * FROM contributions c
        WHERE c.tenant = s.tenant AND c.measure = s.measure AND c.at >= s.starts AND c.at < s.ends OFFSET 0
    ) c
    WHERE s.id = ANY($1::bigint[])
    GROUP BY {{sets}}
"""  # noqa: S608

COUNT_HOURS = FILE.format(
    counted=OF_CONTRIBUTIONS.format(cuboid="0", value="NULL::int", sets="s.id, c.bin"),
)
COUNT_DAYS = FILE.format(
    counted=OF_CONTRIBUTIONS.format(
        cuboid=_which_cuboid(),
        value=f"coalesce({', '.join(f'c.{d}' for d in DIMENSIONS)})",
        sets=f"GROUPING SETS ({_grouping_sets()})",
    )
)
COUNT_MULTI_VALUED = FILE.format(
    counted=f"""
        SELECT s.id, v.cuboid, v.term AS value, c.bin,
            count(*) AS n, sum(c.amount) AS total, {sum_of_squares("c.amount")} AS squares
        FROM seals s JOIN measures m ON m.id = s.measure CROSS JOIN LATERAL (
            SELECT * FROM contributions c
            WHERE c.tenant = s.tenant AND c.measure = s.measure AND c.at >= s.starts AND c.at < s.ends OFFSET 0
        ) c CROSS JOIN LATERAL ({" UNION ALL ".join(map(_values, MULTI_VALUED.items()))}) v
        WHERE s.id = ANY($1::bigint[]) AND split_part(m.name, ':', 1) = ANY($2::text[])
        GROUP BY 1, 2, 3, 4
    """  # noqa: S608
)
"""A contribution counts once under each of its values; without a value, once under NULL."""
COUNT_MONTHS = FILE.format(
    counted="""
        SELECT s.id, h.cuboid, h.value, u.bin, sum(u.n)::bigint AS n,
            sum(CASE u.place WHEN 1 THEN h.total ELSE 0 END) AS total,
            sum(CASE u.place WHEN 1 THEN h.squares ELSE 0 END) AS squares
        FROM seals s
        JOIN seals d ON d.tenant = s.tenant AND d.measure = s.measure AND d.zone = s.zone AND d.level = 2
                    AND d.starts >= s.starts AND d.starts < s.ends AND d.ends <= s.ends
        JOIN histograms h ON h.seal_id = d.id
        CROSS JOIN LATERAL unnest(h.bins, h.counts) WITH ORDINALITY AS u (bin, n, place)
        WHERE s.id = ANY($1::bigint[])
        GROUP BY 1, 2, 3, 4
    """
)
COUNTS = {Level.HOUR: COUNT_HOURS, Level.DAY: COUNT_DAYS, Level.MONTH: COUNT_MONTHS}

WHOLE_MONTHS = """
    SELECT s.id FROM seals s WHERE s.id = ANY($1::bigint[]) AND s.ends - s.starts = (
        SELECT sum(d.ends - d.starts) FROM seals d
        WHERE d.tenant = s.tenant AND d.measure = s.measure AND d.zone = s.zone AND d.level = 2
          AND d.starts >= s.starts AND d.starts < s.ends AND d.ends <= s.ends AND d.state = 'sealed' AND d.revision = s.revision
    )
"""


async def count(connection: asyncpg.Connection, level: Level, seals: Sequence[int]) -> list[int]:
    """File the histograms of `seals`, all of one level, within a transaction; returns the ids of those that could be counted.

    A month is the sum of its days, and can't be counted while one of them isn't sealed. This is checked after the wait: a
    writer that opens one of its days later opens the announced month too.
    """
    if level is Level.MONTH:
        seals = [row["id"] for row in await connection.fetch(WHOLE_MONTHS, list(seals))]
    await connection.execute(f"SET LOCAL work_mem = '{WORK_MEMORY}'")
    await connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    await connection.execute(COUNTS[level], list(seals))
    if level is Level.DAY:
        await connection.execute(COUNT_MULTI_VALUED, list(seals), list(SCORED_FAMILIES))
    return list(seals)


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
    UPDATE seals SET state = 'sealed', since = clock_timestamp() WHERE id IN (SELECT id FROM counting) RETURNING id
"""


async def confirm(connection: asyncpg.Connection, seals: Sequence[int]) -> list[int]:
    """Make `seals` sealed, but for those that a writer opened meanwhile: their counts are deleted. Returns the sealed ones."""
    confirmed = [row["id"] for row in await connection.fetch(CONFIRM, list(seals))]
    opened = list(set(seals) - set(confirmed))
    if opened:
        await connection.execute("DELETE FROM histograms WHERE seal_id = ANY($1::bigint[])", opened)
    return confirmed
