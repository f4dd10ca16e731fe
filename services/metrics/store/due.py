"""What there is to seal: spans that are over, have rested, and have no seal that stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from services.metrics.store.counting import Span
from services.metrics.store.seals import CUBOIDS_REVISION, Level

DUE = """
    SELECT m.measure, sp.starts, sp.ends, s.id
    FROM unnest($3::int[], $4::timestamptz[]) AS m (measure, first)
    JOIN unnest($5::timestamptz[], $6::timestamptz[]) AS sp (starts, ends) ON sp.ends > m.first
    LEFT JOIN seals s ON s.tenant = $1 AND s.measure = m.measure AND s.level = $7 AND s.starts = sp.starts AND s.zone = $2
    WHERE (s.id IS NULL OR s.revision <> $8 OR s.state = 'counting'
           OR (s.state = 'open' AND s.since <= clock_timestamp() - $9::interval))
      {whole}
    ORDER BY sp.starts DESC LIMIT $10
"""

WHOLE = """
      AND sp.ends - sp.starts = (
          SELECT sum(d.ends - d.starts) FROM seals d
          WHERE d.tenant = $1 AND d.measure = m.measure AND d.zone = $2 AND d.level = 2
            AND d.starts >= sp.starts AND d.starts < sp.ends AND d.ends <= sp.ends AND d.state = 'sealed' AND d.revision = $8
      )
"""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant to seal for."""

    id: int
    zone: str


async def tenants(connection: asyncpg.Connection) -> list[Tenant]:
    """Every tenant."""
    return [Tenant(*row) for row in await connection.fetch("SELECT id, zone FROM tenants ORDER BY id")]


async def first_instants(connection: asyncpg.Connection, tenant: Tenant, horizon: datetime) -> dict[int, datetime]:
    """When each measure of `tenant` that has anything since `horizon` began to."""
    rows = await connection.fetch(
        "SELECT m.id, first.at FROM measures m CROSS JOIN LATERAL ("
        " SELECT min(at) AS at FROM contributions c WHERE c.tenant = $1 AND c.measure = m.id AND c.at >= $2"
        ") first WHERE m.tenant = $1 AND first.at IS NOT NULL",
        tenant.id,
        horizon,
    )
    return dict(rows)


async def due(
    connection: asyncpg.Connection,
    tenant: Tenant,
    level: Level,
    firsts: dict[int, datetime],
    spans: Sequence[tuple[datetime, datetime]],
    rested: timedelta,
    limit: int,
) -> list[Span]:
    """Up to `limit` spans of `level` that want a seal, latest first: `spans`, for each measure that had begun.

    A seal found `counting` was abandoned, for only one sealer at a time works for a tenant.
    """
    rows = await connection.fetch(
        DUE.format(whole=WHOLE if level is Level.MONTH else ""),
        tenant.id,
        tenant.zone,
        list(firsts),
        list(firsts.values()),
        [start for start, _ in spans],
        [end for _, end in spans],
        level,
        CUBOIDS_REVISION,
        rested,
        limit,
    )
    return [Span(row["measure"], level, row["starts"], row["ends"], row["id"]) for row in rows]


async def tidy(connection: asyncpg.Connection, tenant: Tenant, oldest_hour: datetime) -> None:
    """Remove seals that nothing will read: hours of the past, and spans of a zone that the tenant has left."""
    await connection.execute(
        "WITH gone AS (DELETE FROM seals WHERE tenant = $1 AND ((level = $2 AND starts < $3) OR zone <> $4) RETURNING id)"
        " DELETE FROM histograms WHERE seal_id IN (SELECT id FROM gone)",
        tenant.id,
        Level.HOUR,
        oldest_hour,
        tenant.zone,
    )
