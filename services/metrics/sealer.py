"""The sealer: counts spans of time that are over, so that queries need not. Any number may run; one at a time works for a tenant.

A round looks only at tenants that have something to seal (`services.metrics.store.due`). Sealing and writing need no lock
between them:

1. announce: a seal is inserted as `counting` and committed;
2. wait: every transaction that had written when the seal became visible has ended;
3. count: histograms are counted from the contributions that are there now;
4. confirm: seals that are still `counting` become `sealed`; the counts of all others are deleted.

A writer writes first and then opens the seals of what it changed. So a sealed histogram is exact: writers before the
announcement were waited for, and writers after it have opened the seal.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from time import monotonic
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from services.metrics.domain.calendar import Grain, day_start, edges, floor, over
from services.metrics.pace import Pace
from services.metrics.store import due
from services.metrics.store.counting import SpanToSeal, StillWriting, announce, confirm, count, others_work, wait_for_writers
from services.metrics.store.due import Next
from services.metrics.store.seals import HOURS_SEALED, Level
from services.metrics.store.unsealed import Claim, unsealed_hours_of_busy_days, unsealed_spans
from shared.database import OUTAGE, RETRYABLE

log = structlog.get_logger()

GRAINS: dict[Level, Grain] = {Level.HOUR: "PT1H", Level.DAY: "P1D", Level.MONTH: "P1M"}

HORIZON = timedelta(days=3700)
"""How far back days and months are sealed: the longest window, and the month at its beginning."""
MOST_AT_ONCE = 500
"""Spans that are announced, waited for and counted together, at most."""
FIRST_AT_ONCE = 20
"""Spans of the first count of a level, whose duration gives the number of the next ones."""
PAUSE_RATIO = 1.0
"""Seconds of pause for each second of counting while others use the database, so that they get at least half of it."""
PATIENCE = 30.0
"""Seconds to wait for writers; a transaction that is idle for five is ended by the server."""
MOST_TENANTS = 1000
"""Tenants of a round."""
TENANTS_AT_ONCE = 50
"""Tenants that are claimed together and share one wait for writers."""
ADVISORY = 6520
"""The first key of the advisory locks of sealers; the second is the tenant's number."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """The steps after the announcement, so that a test can show that each is needed."""

    wait: Callable[[asyncpg.Connection, float], Awaitable[None]] = wait_for_writers
    count: Callable[[asyncpg.Connection, Level, Sequence[int]], Awaitable[dict[int, int]]] = count
    confirm: Callable[[asyncpg.Connection, Mapping[int, int]], Awaitable[list[int]]] = confirm


@dataclass(slots=True)
class Sealer:
    """Seals spans that have been over, and unchanged, for `after`; looks for due tenants every `every` seconds.

    `pool` has two connections for it: one for its work, one for its locks. `pace` lets it yield to the queries of this process.
    """

    pool: asyncpg.Pool
    after: timedelta
    every: float
    protocol: Protocol = Protocol()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pace: Pace = field(default_factory=Pace)
    _counted: dict[Level, tuple[int, float]] = field(default_factory=dict, init=False)
    """How many spans of each level were counted last, and in how many seconds."""

    async def run(self) -> None:
        """Seal until cancelled; wait out an outage of the database."""
        prepared = False
        while True:
            sealed = 0
            try:
                if not prepared:
                    await due.prepare(self.pool)
                    prepared = True
                sealed = await self.round()
            except StillWriting:
                log.warning("sealer.writers_too_long")
            except (*OUTAGE, *RETRYABLE) as error:
                log.warning("sealer.interrupted", error=type(error).__name__)
            if not sealed:
                await asyncio.sleep(self.every)

    async def round(self) -> int:
        """Seal for each tenant that is due and that no other sealer works for. Returns how many spans are sealed now.

        A failure for one tenant is raised only after the others were sealed for; that tenant is due again after a while.
        """
        sealed = 0
        async with self.pool.acquire() as connection:
            async with self.pace.piece():
                tenants = await due.due_tenants(connection, self.after, MOST_TENANTS)
            for place in range(0, len(tenants), TENANTS_AT_ONCE):
                sealed += await self._seal_for(connection, tenants[place : place + TENANTS_AT_ONCE])
        return sealed

    async def _seal_for(self, connection: asyncpg.Connection, tenants: Sequence[tuple[int, str]]) -> int:
        async with self._lock([tenant for tenant, _ in tenants]) as locked:
            return await self._seal_for_locked(connection, [tenant for tenant in tenants if tenant[0] in locked])

    @asynccontextmanager
    async def _lock(self, tenants: Sequence[int]) -> AsyncIterator[set[int]]:
        """The tenants that no other sealer works for, locked until the end of the context.

        A transaction of its own holds the locks: those of a session would not work behind a pooler in transaction mode. It has no
        snapshot and no id, so neither writers nor the vacuum wait for it.
        """
        async with self.pool.acquire() as locking, locking.transaction():
            await locking.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield {row["tenant"] for row in await locking.fetch(LOCK, ADVISORY, tenants)}

    async def _seal_for_locked(self, connection: asyncpg.Connection, tenants: Sequence[tuple[int, str]]) -> int:
        sealed, failures = 0, list[Exception]()
        now = self.clock()
        async with self.pace.piece():
            claims = await due.claim(connection, tenants, now, self.after)
        if claims:
            await self.protocol.wait(connection, PATIENCE)
        for claim in claims:
            try:
                sealed += await self._visit(connection, claim, now)
            except StillWriting:
                raise
            except Exception as error:
                log.warning("sealer.failed", tenant=claim.tenant, error=type(error).__name__)
                failures.append(error)
        if failures:
            raise failures[0]
        return sealed

    async def _visit(self, connection: asyncpg.Connection, claim: Claim, now: datetime) -> int:
        """Seal what a tenant has to seal, and say when to look again. Returns how many spans are sealed now."""
        hours_since = now - HOURS_SEALED
        if claim.since is None:
            async with self.pace.piece():
                await due.tidy(connection, claim, hours_since - timedelta(days=1))
        async with self.pace.piece():
            measures = await due.measures_since(connection, claim.tenant, now - HORIZON)
        if not measures:
            await due.finish(connection, claim, Next(claim.until, idle=True))
            return 0
        firsts = {measure: first_month(times.first, claim.zone) for measure, times in measures.items()}
        recent = {measure: firsts[measure] for measure, times in measures.items() if times.last >= hours_since}
        following = next_look(claim, now, idle=not recent)
        earliest = min(firsts.values())
        since = earliest if claim.since is None else max(earliest, first_month(claim.since, claim.zone))
        sealed = 0
        for level in Level:
            begun, start = (recent, max(since, hours_since)) if level is Level.HOUR else (firsts, since)
            spans = over(GRAINS[level], claim.zone, start, claim.until)
            async with self.pace.piece():
                unsealed = await unsealed_spans(connection, claim, level, begun, spans, self.after, MOST_AT_ONCE)
            sealed += await self.seal(connection, claim, level, unsealed.spans)
            following.rest(unsealed)
            if not unsealed.complete:
                following = following.again(claim, self.after)
                break
            if level is not Level.DAY:  # before the days, which take longest, and once new days are known to be busy
                async with self.pace.piece():
                    unsealed = await unsealed_hours_of_busy_days(
                        connection, claim, list(firsts), (since, hours_since), self.after, MOST_AT_ONCE
                    )
                sealed += await self.seal(connection, claim, Level.HOUR, unsealed.spans)
                following.rest(unsealed)
                if not unsealed.complete:
                    following = following.again(claim, self.after)
        await due.finish(connection, claim, following)
        return sealed

    async def seal(self, connection: asyncpg.Connection, claim: Claim, level: Level, spans: Sequence[SpanToSeal]) -> int:
        """Seal these spans, a few at a time, with a pause after each count if others use the database.

        Returns how many of them are sealed now.
        """
        sealed = 0
        spans = sorted(spans, key=attrgetter("measure"))  # spans of one measure are counted by one statement
        while spans:
            async with self.pace.piece():
                at_once = fitting(*self._counted[level], self.pace.seconds) if level in self._counted else FIRST_AT_ONCE
                part, spans = spans[:at_once], spans[at_once:]
                seals = await announce(connection, claim.tenant, claim.zone.key, part)
                await self.protocol.wait(connection, PATIENCE)
                began = monotonic()
                async with connection.transaction():
                    counted = await self.protocol.count(connection, level, seals)
                    confirmed = await self.protocol.confirm(connection, counted)
                seconds = monotonic() - began
            self._counted[level] = len(part), seconds
            sealed += len(confirmed)
            log.info("sealer.sealed", tenant=claim.tenant, level=level.name, spans=len(part), sealed=len(confirmed))
            await asyncio.sleep(seconds * PAUSE_RATIO if await others_work(connection) else 0)
        return sealed


LOCK = "SELECT tenant FROM unnest($2::int[]) AS tenant WHERE pg_try_advisory_xact_lock($1, tenant)"


def next_look(claim: Claim, now: datetime, *, idle: bool) -> Next:
    """When there is something to seal although nothing changes: once the next hour is over, of an idle tenant the next day.

    The first look after the end of a day is at everything, so that nothing stays unsealed for longer than that.
    """
    day = following_edge("P1D", claim.zone, claim.until)
    edge = day if idle else following_edge("PT1H", claim.zone, claim.until)
    return Next(claim.until, edge - now, full_look_at=day, idle=idle)


def following_edge(grain: Grain, zone: ZoneInfo, at: datetime) -> datetime:
    """The end of the span that holds `at`."""
    return edges(grain, zone, at, at + timedelta(microseconds=1))[-1]


def fitting(spans: int, took: float, seconds: float) -> int:
    """How many spans to count at once so that it takes `seconds`, when `spans` took `took` seconds."""
    return max(1, min(MOST_AT_ONCE, 2 * spans, int(spans * seconds / max(took, 0.001))))


def first_month(at: datetime, zone: ZoneInfo) -> datetime:
    """Where the month of `at` begins: a measure is sealed from there, so that its first month has all its days."""
    return day_start(floor("month", at.astimezone(zone).date()), zone)
