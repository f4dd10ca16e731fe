"""Deletes bodies, and discards quarantined deliveries, that are older than their tenant's settings allow.

Tenants take turns, one step each. Any number of processes may work on one database. A tenant's next pass begins an hour after the
one before.
"""

from collections.abc import Callable
from datetime import datetime

import asyncpg
import structlog

from services.ingest.inbox import retention
from services.ingest.polling import Poller

log = structlog.get_logger()


class Expirer:
    """`run` is the worker. `now` is the clock by which bodies are old."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now
        self._poller = Poller("expirer", self.step)

    def wake(self) -> None:
        """Poll now. Call it when a tenant's setting has changed."""
        self._poller.wake()

    async def run(self) -> None:
        """Do the steps of all tenants until cancelled."""
        await self._poller.run()

    async def step(self) -> bool:
        """Do the next step that is due. False if there is none."""
        claimed = await retention.claim_pass(self._pool)
        if claimed is None:
            return False
        expired = await retention.expire_next(self._pool, claimed, self._now())
        if expired.bodies or expired.discarded:
            log.info(
                "retention.expired",
                tenant=claimed.tenant,
                bodies=expired.bodies,
                discarded=expired.discarded,
                is_last=expired.is_last,
            )
        return True
