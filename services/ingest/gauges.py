"""Gauges of the outbox, of work in the background and of plain bodies, read when Prometheus scrapes."""

import asyncpg
from prometheus_client import Gauge

from services.ingest.domain.delivery import SQL_IS_PLAIN
from services.ingest.instruments import (
    ERASURES_RUNNING,
    ERASURES_SECONDS,
    FETCHES_SECONDS,
    FETCHES_WAITING,
    IMPORTS_RUNNING,
    IMPORTS_SECONDS,
    JOBS_RUNNING,
    JOBS_SECONDS,
    OUTBOX_DELIVERIES,
    OUTBOX_SECONDS,
    PLAIN_BODIES,
    REPLAYS_RUNNING,
    REPLAYS_SECONDS,
)
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


FETCHES = """
SELECT counted.fetches, estimated.fetches, extract(epoch FROM now() - oldest.added)::float8
FROM (SELECT count(*) AS fetches FROM (SELECT FROM fetches LIMIT $1 + 1) AS head) AS counted
LEFT JOIN (SELECT n_live_tup AS fetches FROM pg_stat_user_tables WHERE relname = 'fetches') AS estimated ON true
LEFT JOIN (
    SELECT min(added) AS added FROM (SELECT connection, added FROM fetches ORDER BY added LIMIT 1000) AS first
    JOIN connections ON connections.id = first.connection LEFT JOIN tool_apis ON tool_apis.connection = first.connection
    WHERE connections.state = 'active' AND connections.sealed_credentials IS NOT NULL AND tool_apis.stopped IS NULL
) AS oldest ON true
"""
"""Reads at most EXACT + 1 rows of the queue, and of the 1,000 oldest also their connection."""

JOBS = "SELECT count(*), extract(epoch FROM now() - min(added))::float8 FROM delivery_jobs WHERE finished IS NULL"
"""Reads the index of running jobs, of which a tenant has ten at most."""

REPLAYS = """
SELECT coalesce(sum(open.replays), 0)::bigint, extract(epoch FROM now() - min(greatest(open.added, (
    SELECT max(worked) FROM replays WHERE replays.tenant = open.tenant
))))::float8
FROM (SELECT tenant, count(*) AS replays, min(added) AS added FROM replays WHERE finished IS NULL GROUP BY tenant) AS open
"""
"""Reads the index of open replays, of which a tenant has ten at most, and the latest step of each of their tenants. By tenant,
since of a tenant's replays only the one that is furthest behind makes steps."""

IMPORTS = """
SELECT count(*), extract(epoch FROM now() - min(greatest(claimed, started)))::float8
FROM imports WHERE finished IS NULL AND state = 'running'
"""
"""Reads the index of open imports, of which a tenant has ten at most."""


ERASURES = """
SELECT count(*), extract(epoch FROM now() - (SELECT received_at FROM inbox WHERE seq = min(erasures.seq)))::float8 FROM erasures
"""
"""Reads the list of erasures that are not done, of which there are few."""

PLAIN = f"""
SELECT counted.bodies, estimated.bodies
FROM (SELECT count(*) AS bodies FROM (SELECT FROM inbox WHERE {SQL_IS_PLAIN} LIMIT $1 + 1) AS head) AS counted
LEFT JOIN (SELECT reltuples::bigint AS bodies FROM pg_class WHERE relname = 'inbox_plain_bodies') AS estimated ON true
"""  # noqa: S608
"""Reads at most EXACT + 1 entries of the index of plain bodies."""


def outbox_gauges(pool: asyncpg.Pool) -> DatabaseGauges:
    """The gauges of the outbox."""
    return _estimated(pool, OUTBOX, OUTBOX_DELIVERIES, OUTBOX_SECONDS)


def fetch_gauges(pool: asyncpg.Pool) -> DatabaseGauges:
    """The gauges of the queue of fetches."""
    return _estimated(pool, FETCHES, FETCHES_WAITING, FETCHES_SECONDS)


def job_gauges(pool: asyncpg.Pool) -> DatabaseGauges:
    """The gauges of jobs."""
    return _counted(pool, JOBS, JOBS_RUNNING, JOBS_SECONDS)


def replay_gauges(pool: asyncpg.Pool) -> DatabaseGauges:
    """The gauges of replays."""
    return _counted(pool, REPLAYS, REPLAYS_RUNNING, REPLAYS_SECONDS)


def import_gauges(pool: asyncpg.Pool) -> DatabaseGauges:
    """The gauges of imports."""
    return _counted(pool, IMPORTS, IMPORTS_RUNNING, IMPORTS_SECONDS)


def erasure_gauges(pool: asyncpg.Pool) -> DatabaseGauges:
    """The gauges of erasures."""
    return _counted(pool, ERASURES, ERASURES_RUNNING, ERASURES_SECONDS)


def _counted(pool: asyncpg.Pool, statement: str, running: Gauge, seconds: Gauge) -> DatabaseGauges:
    """Gauges of the number that `statement` returns, and of the age of the oldest."""

    async def read() -> tuple[float, ...]:
        count, age = await pool.fetchrow(statement)
        return count, max(0.0, age or 0.0)

    return DatabaseGauges((running, seconds), read)


def _estimated(pool: asyncpg.Pool, statement: str, waiting: Gauge, seconds: Gauge) -> DatabaseGauges:
    """Like `_counted`, for a number that `statement` counts up to EXACT + 1 and estimates."""

    async def read() -> tuple[float, ...]:
        counted, estimated, age = await pool.fetchrow(statement, EXACT)
        return _exact_or(counted, estimated), max(0.0, age or 0.0)

    return DatabaseGauges((waiting, seconds), read)


def _exact_or(counted: int, estimated: int | None) -> int:
    """The number if it was counted, else its estimate, which may be too low or missing."""
    return counted if counted <= EXACT else max(counted, estimated or 0)


def body_gauges(pool: asyncpg.Pool) -> DatabaseGauges:
    """The gauge of plain bodies."""

    async def read() -> tuple[float, ...]:
        counted, estimated = await pool.fetchrow(PLAIN, EXACT)
        return (_exact_or(counted, estimated),)

    return DatabaseGauges((PLAIN_BODIES,), read)
