"""Delete values that nothing uses after an erasure. Any number of processes may run it over one database."""

from datetime import timedelta

import asyncpg
import structlog

from services.metrics.polling import poll
from services.metrics.store import purges

log = structlog.get_logger()

EVERY_SECONDS = 60.0
GRACE = timedelta(days=1)
"""From the mark to the deletion: far longer than a process remembers a value, or a batch takes."""


class Purger:
    """`run` is the worker. Its pool must let a statement take as long as reading a tenant's contributions."""

    def __init__(self, pool: asyncpg.Pool, grace: timedelta = GRACE) -> None:
        self._pool = pool
        self._grace = grace

    async def run(self) -> None:
        """Purge until cancelled; wait out an outage of the database."""
        await poll(self.step, EVERY_SECONDS, "purger.interrupted")

    async def step(self) -> bool:
        """Purge the tenant whose turn it is. Returns whether there was one."""
        async with self._pool.acquire(timeout=5) as connection:
            due = await purges.claim(connection)
            if due is None:
                return False
            deleted = await purges.purge(connection, due, self._grace)
        log.info("purger.purged", tenant=due.tenant, values=deleted)
        return True
