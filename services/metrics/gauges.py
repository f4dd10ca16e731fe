"""Gauges of the sealer's backlog and of verifications, read when Prometheus scrapes."""

from collections.abc import Callable
from datetime import timedelta

import asyncpg

from services.metrics.instruments import SEALING_SECONDS, SEALING_TENANTS, VERIFIED_DIFFERING, VERIFIED_SECONDS
from shared.gauges import DatabaseGauges

MAX_TENANTS = 1000

SEALING = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - $1::interval - min(due) FILTER (WHERE isfinite(due))), 0)::float8
FROM (SELECT due FROM sealing WHERE due <= clock_timestamp() - $1::interval ORDER BY due LIMIT $2) AS first
"""
"""Reads at most MAX_TENANTS rows of `sealing`, by its index on `due`. A tenant that needs a full look has no finite `due`."""

VERIFIED = """
SELECT count(*) FILTER (WHERE differences > 0), coalesce(extract(epoch FROM clock_timestamp() - min(started_at)), 0)::float8
FROM verifications WHERE latest
"""
"""Reads one row of each tenant, by the index of `latest`."""
VERIFIED_EVERY = 60.0


def sealing_gauges(pool: Callable[[], asyncpg.Pool], after: timedelta) -> DatabaseGauges:
    """The gauges of the sealer's backlog. `pool` returns an open pool; a span is sealed when it is unchanged for `after`."""

    async def read() -> tuple[float, ...]:
        tenants, seconds = await pool().fetchrow(SEALING, after, MAX_TENANTS)
        return tenants, seconds

    return DatabaseGauges((SEALING_TENANTS, SEALING_SECONDS), read)


def verification_gauges(pool: Callable[[], asyncpg.Pool]) -> DatabaseGauges:
    """The gauges of the latest verification of each tenant. `pool` returns an open pool."""

    async def read() -> tuple[float, ...]:
        differing, seconds = await pool().fetchrow(VERIFIED)
        return differing, seconds

    return DatabaseGauges((VERIFIED_DIFFERING, VERIFIED_SECONDS), read, every=VERIFIED_EVERY)
