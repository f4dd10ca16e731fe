"""Gauges of the outbox, read when Prometheus scrapes."""

import asyncpg

from services.ingest.instruments import OUTBOX_DELIVERIES, OUTBOX_SECONDS
from shared.gauges import DatabaseGauges

EXACT = 10_000
"""Deliveries that are counted; more are estimated."""

OUTBOX = """
SELECT counted.deliveries, estimated.deliveries, extract(epoch FROM now() - oldest.received_at)::float8
FROM (SELECT count(*) AS deliveries FROM (SELECT FROM unpublished LIMIT $1 + 1) AS head) AS counted
LEFT JOIN (SELECT n_live_tup AS deliveries FROM pg_stat_user_tables WHERE relname = 'unpublished') AS estimated ON true
LEFT JOIN (SELECT received_at FROM inbox WHERE seq = (SELECT min(seq) FROM unpublished)) AS oldest ON true
"""
"""Reads at most EXACT + 1 rows of the outbox, the first entry of its primary key, and one row of the inbox."""


def outbox_gauges(pool: asyncpg.Pool) -> DatabaseGauges:
    """The gauges of the outbox."""

    async def read() -> tuple[float, ...]:
        counted, estimated, seconds = await pool.fetchrow(OUTBOX, EXACT)
        return counted if counted <= EXACT else max(counted, estimated or 0), max(0.0, seconds or 0.0)

    return DatabaseGauges((OUTBOX_DELIVERIES, OUTBOX_SECONDS), read)
