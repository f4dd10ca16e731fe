"""The worker that freezes subjects that nothing touches any more, and thaws them when their tenant switches freezing off.

Any number of processes may run it over one database (`services.metrics.store.freezing`).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

import asyncpg
import structlog

from services.metrics.polling import poll
from services.metrics.store.freezing import AT_ONCE, next_piece

log = structlog.get_logger()

EVERY_SECONDS = 10.0
PAUSE_RATIO = 4.0
"""Seconds of pause for each second of work, so that freezing gets at most a fifth of a connection's time."""
UPGRADE_GRACE = timedelta(minutes=10)
"""How long a process runs before it freezes anything: until then servers of the version before, which can't read frozen subjects,
may be writing."""


@dataclass(slots=True)
class Freezer:
    """`run` is the worker. It uses one connection of its pool."""

    pool: asyncpg.Pool
    grace: timedelta = UPGRADE_GRACE
    at_once: int = AT_ONCE
    pause_ratio: float = PAUSE_RATIO
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self) -> None:
        """Work until cancelled; wait out an outage of the database."""
        await asyncio.sleep(self.grace.total_seconds())
        await poll(self.step, EVERY_SECONDS, "freezer.interrupted")

    async def step(self) -> bool:
        """Freeze or thaw a piece. Returns whether there was one."""
        began = monotonic()
        async with self.pool.acquire() as connection:
            piece = await next_piece(connection, self.clock(), self.at_once)
        if piece is None:
            return False
        if piece.frozen or piece.thawed:
            log.info("freezer.piece", tenant=piece.tenant, frozen=piece.frozen, thawed=piece.thawed, ended=piece.ended)
        await asyncio.sleep((monotonic() - began) * self.pause_ratio)
        return True
