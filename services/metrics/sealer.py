"""The sealer: counts spans of time that are over, so that queries need not. Any number may run; one at a time works for a tenant.

How sealing and writing meet without a lock between them:

1. announce: a seal is inserted as `counting` and committed;
2. wait: every transaction that had written when the seal became visible has ended;
3. count: histograms are counted from what is there now;
4. confirm: seals that are still `counting` become `sealed`; of the others the count is thrown away.

A writer writes first and then opens the seals of what it changed. So a seal that stands is right: who wrote before it was waited
for, who wrote after has opened it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from services.metrics.domain.calendar import Grain, day_start, floor, over
from services.metrics.store import due
from services.metrics.store.counting import Span, StillWriting, announce, confirm, count, wait_for_writers
from services.metrics.store.seals import Level
from shared.database import OUTAGE, RETRYABLE

log = structlog.get_logger()

GRAINS: dict[Level, Grain] = {Level.HOUR: "PT1H", Level.DAY: "P1D", Level.MONTH: "P1M"}

HORIZON = timedelta(days=400)
"""How far back days and months are sealed: a year's window and what may be compared with its edges."""
HOURS_KEPT = timedelta(days=8)
MOST_AT_ONCE = 500
"""Spans that are announced, waited for and counted together, at most."""
BRIEFLY = 2.0
"""Seconds that a count should take: while it runs, other sealers wait for it as for any writer."""
PATIENCE = 30.0
"""Seconds to wait for writers; a transaction that is idle for five is ended by the server."""
ADVISORY = 6520
"""The first key of the advisory locks of sealers; the second is the tenant's number."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """The steps after the announcement, so that a test can show that each is needed."""

    wait: Callable[[asyncpg.Connection, float], Awaitable[None]] = wait_for_writers
    count: Callable[[asyncpg.Connection, Level, Sequence[int]], Awaitable[list[int]]] = count
    confirm: Callable[[asyncpg.Connection, Sequence[int]], Awaitable[list[int]]] = confirm


@dataclass(slots=True)
class Sealer:
    """Seals spans that have been over, and untouched, for `after`; looks for them every `every` seconds."""

    pool: asyncpg.Pool
    after: timedelta
    every: float
    protocol: Protocol = Protocol()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    at_once: int = MOST_AT_ONCE
    _last: int = 0
    """The tenant that was sealed for last, whether or not it worked."""

    async def run(self) -> None:
        """Seal until cancelled; an outage of the database is waited out."""
        while True:
            try:
                sealed = await self.round()
            except StillWriting:
                log.warning("sealer.writers_too_long")
                sealed = 0
            except (*OUTAGE, *RETRYABLE) as error:
                log.warning("sealer.interrupted", error=type(error).__name__)
                sealed = 0
            if not sealed:
                await asyncio.sleep(self.every)

    async def round(self) -> int:
        """Seal up to `at_once` spans of each level for each tenant that no other sealer works for; how many are now sealed.

        Tenants take turns. A round that fails for one tenant is followed by one that begins after it.
        """
        sealed = 0
        async with self.pool.acquire() as connection:
            tenants = await due.tenants(connection)
            for tenant in sorted(tenants, key=lambda tenant: (tenant.id <= self._last, tenant.id)):
                self._last = tenant.id
                if await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", ADVISORY, tenant.id):
                    try:
                        sealed += await self._seal_for(connection, tenant)
                    finally:
                        await connection.execute("SELECT pg_advisory_unlock($1, $2)", ADVISORY, tenant.id)
        return sealed

    async def _seal_for(self, connection: asyncpg.Connection, tenant: due.Tenant) -> int:
        now = self.clock()
        await due.tidy(connection, tenant, now - HOURS_KEPT - timedelta(days=1))
        zone = ZoneInfo(tenant.zone)
        begun = await due.first_instants(connection, tenant, now - HORIZON)
        firsts = {measure: first_month(at, zone) for measure, at in begun.items()}
        sealed = 0
        for level in Level:
            since = now - HOURS_KEPT if level is Level.HOUR else min(firsts.values(), default=now)
            spans = over(GRAINS[level], zone, since, now - self.after)
            if found := await due.due(connection, tenant, level, firsts, spans, self.after, self.at_once):
                sealed += await self._seal(connection, tenant, level, found)
        return sealed

    async def _seal(self, connection: asyncpg.Connection, tenant: due.Tenant, level: Level, spans: Sequence[Span]) -> int:
        seals = await announce(connection, tenant.id, tenant.zone, spans)
        await self.protocol.wait(connection, PATIENCE)
        began = monotonic()
        async with connection.transaction():
            counted = await self.protocol.count(connection, level, seals)
            standing = await self.protocol.confirm(connection, counted)
        self.at_once = fitting(len(spans), monotonic() - began)
        log.info("sealer.sealed", tenant=tenant.id, level=level.name, spans=len(spans), standing=len(standing))
        return len(standing)


def fitting(spans: int, seconds: float) -> int:
    """How many spans to count at once, when so many took so long."""
    return max(1, min(MOST_AT_ONCE, int(spans * BRIEFLY / max(seconds, 0.001))))


def first_month(at: datetime, zone: ZoneInfo) -> datetime:
    """Where the month of `at` begins: a measure is sealed from there, so that its first month has all its days."""
    return day_start(floor("month", at.astimezone(zone).date()), zone)
