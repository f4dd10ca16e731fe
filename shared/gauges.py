"""Gauges that are read when Prometheus scrapes, instead of all the time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from math import nan

import asyncpg
import structlog
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from shared.database import ENGINE_OVERFLOW, OUTAGE
from shared.instruments import DATABASE_CONNECTIONS, DATABASE_LIMIT

log = structlog.get_logger()


class DatabaseGauges:
    """Sets `gauges` to the values that `read` returns, in their order. Call it before a scrape.

    `read` runs one cheap statement. It is called at most once in `every` seconds, however many scrapers there are, and has
    `limit` seconds. If it fails, the gauges are NaN: unknown.
    """

    def __init__(
        self, gauges: tuple[Gauge, ...], read: Callable[[], Awaitable[tuple[float, ...]]], every: float = 5.0, limit: float = 2.0
    ) -> None:
        self._gauges = gauges
        self._read = read
        self._every = every
        self._limit = limit
        self._next = 0.0

    async def __call__(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._every
        try:
            async with asyncio.timeout(self._limit):
                values = await self._read()
        except (asyncpg.PostgresError, *OUTAGE) as error:
            log.warning("gauges.unknown", error=type(error).__name__)
            values = (nan,) * len(self._gauges)
        for gauge, value in zip(self._gauges, values, strict=True):
            gauge.set(value)


def observe_pools(pools: Mapping[str, asyncpg.Pool], engine: AsyncEngine | None = None) -> None:
    """Set the gauges of these pools, and of the pool of `engine` as `engine`."""
    for name, pool in pools.items():
        _set_pool(name, pool.get_size() - pool.get_idle_size(), pool.get_idle_size(), pool.get_max_size())
    if engine is not None and isinstance(engine.pool, QueuePool):
        pool = engine.pool
        _set_pool("engine", pool.checkedout(), pool.checkedin(), pool.size() + ENGINE_OVERFLOW)


def _set_pool(name: str, in_use: int, idle: int, limit: int) -> None:
    DATABASE_CONNECTIONS.labels(name, "in_use").set(in_use)
    DATABASE_CONNECTIONS.labels(name, "idle").set(idle)
    DATABASE_LIMIT.labels(name).set(limit)
