"""The builder: brings the contributions of tenants to new terms, or to a new version of their definition, in the background.

Any number of processes may run it over one database; each build has a lease, so one at a time works on it. A build walks the
tenant's subjects in pieces and stores its place after each, so that another process can continue there.
`services.metrics.store.terms` describes how results stay on the old terms until a build is finished.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

import asyncpg
import structlog

from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.polling import poll
from services.metrics.store import builds as store
from services.metrics.store import rebuilds
from services.metrics.store.builds import Build
from services.metrics.store.progress import note_rebuilt
from services.metrics.store.subjects import lock_following
from services.metrics.store.writer import Writer
from services.metrics.store.writer_versions import OutdatedVersion, refuse_outdated
from shared.kafka import Undelivered

log = structlog.get_logger()

EVERY_SECONDS = 2.0
SUBJECTS_AT_ONCE = 500
SEALS_AT_ONCE = 500
PAUSE_RATIO = 1.0
"""Seconds of pause for each second of work, so that a build gets at most half of a connection's time."""
UPGRADE_GRACE = timedelta(minutes=10)
"""How long a process runs before it starts builds for an upgrade: until then servers of the version before may be writing."""
SMALL = 10_000
"""Subjects of a tenant whose contributions are counted fast enough without seals."""
SEAL_PATIENCE = timedelta(minutes=5)
"""How long to wait for the seals of a larger tenant, before its new contributions are served without them."""
COMPARING = timedelta(minutes=10)
"""How long both generations of a rebuild are compared at most. Measures that take longer are left out of the comparison."""


@dataclass(slots=True)
class Builder:
    """`run` is the worker. Its pool needs two connections: one to write a piece, and one to insert new names."""

    pool: asyncpg.Pool
    grace: timedelta = UPGRADE_GRACE
    small: int = SMALL
    seal_patience: timedelta = SEAL_PATIENCE
    comparing: timedelta = COMPARING
    at_once: int = SUBJECTS_AT_ONCE
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    announce: Callable[[str], Awaitable[None]] | None = None
    """Called with the tenant whose new contributions are served from now on. May raise Undelivered."""

    async def run(self) -> None:
        """Work until cancelled; wait out an outage of the database."""
        writer, started = Writer(self.pool), self.clock()

        async def step() -> bool:
            try:
                return await self.step(writer, upgrade=self.clock() - started >= self.grace)
            except OutdatedVersion:
                return False  # a newer process builds meanwhile; `services.metrics.version_watch` logs it

        await poll(step, EVERY_SECONDS, "builder.interrupted")

    async def step(self, writer: Writer, *, upgrade: bool = True) -> bool:
        """Work on one build for a while. `upgrade`: if there is none, start one for a tenant whose contributions an earlier
        version made. Returns whether there was something to do. Raises OutdatedVersion."""
        async with self.pool.acquire() as connection:
            await refuse_outdated(connection, CONTRIBUTIONS_VERSION)
            build = await store.claim_build(connection)
            if build is None:
                return upgrade and await store.start_upgrade(connection) is not None
        if build.retiring:
            await self._retire(build)
            return True
        if not build.walked:
            await self._walk(writer, build)
            return True
        return await self._exchange(build)

    async def _walk(self, writer: Writer, build: Build) -> None:
        """Derive subjects until the last is done or another build takes this one's place."""
        while not build.walked:
            began = monotonic()
            following = await writer.build(build, self.at_once)
            if following is None:
                return
            build = following
            await asyncio.sleep((monotonic() - began) * PAUSE_RATIO)
        async with self.pool.acquire() as connection:
            await store.release(connection, build)

    async def _exchange(self, build: Build) -> bool:
        """Serve the new contributions, once their spans are sealed; of a rebuild, after comparing them with the old ones."""
        async with self.pool.acquire() as connection:
            if not await store.seals_ready(connection, build, self.small, self.seal_patience):
                await store.release(connection, build, timedelta(seconds=EVERY_SECONDS))
                return False
            comparison = None
            if await rebuilds.is_requested(connection, build.tenant):
                await store.release(connection, build, self.comparing + store.LEASE)  # nobody else compares meanwhile
                comparison = await rebuilds.compare(connection, build, self.comparing.total_seconds())
            async with connection.transaction():
                if exchanged := await store.exchange(connection, build):
                    await note_rebuilt(connection, [build.tenant])
                    if comparison:
                        await rebuilds.finish(connection, build.tenant, comparison)
            slug = await connection.fetchval("SELECT slug FROM tenants WHERE id = $1", build.tenant)
        if exchanged and self.announce:
            try:
                await self.announce(slug)
            except Undelivered as error:
                log.warning("builder.unannounced", tenant=slug, reason=error.reason)
        log.info("builder.exchanged", tenant=build.tenant, revision=build.revision, exchanged=exchanged)
        return True

    async def _retire(self, build: Build) -> None:
        """Delete what is left of the old contributions, and their seals."""
        async with self.pool.acquire() as connection:
            measures = await store.retired_measures(connection, build.tenant)
        while True:
            began = monotonic()
            async with self.pool.acquire() as connection, connection.transaction():
                subjects = await lock_following(connection, build.tenant, build.place, self.at_once)
                if not subjects:
                    break
                await store.delete_contributions(connection, [subject.id for subject in subjects], measures)
                following = await store.advance(connection, build, subjects[-1].name, len(subjects))
            if following is None:
                return
            build = following
            await asyncio.sleep((monotonic() - began) * PAUSE_RATIO)
        async with self.pool.acquire() as connection:
            deleted = True
            while deleted:
                deleted = await store.delete_seals(connection, build.tenant, measures, SEALS_AT_ONCE) > 0
            await store.finish_retiring(connection, build, measures)
        log.info("builder.retired", tenant=build.tenant, measures=len(measures))
