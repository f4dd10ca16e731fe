"""The verifier: compares every tenant's numbers with the events behind them on a schedule, in the background.

Any number of processes may run it over one database. A verification is done in pieces, and each is recorded, so that any process
continues after a crash; those of several tenants take turns.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import asyncpg
import httpx
import structlog

from services.metrics.clients.ingest import Ingest
from services.metrics.polling import poll
from services.metrics.store import verifications as store
from services.metrics.store.verifications import ComparedPiece, VerificationRun
from services.metrics.verify.pieces import OtherDefinitions, compare_next_events, compare_next_subjects
from services.metrics.verify.seals import compare_next_seals

log = structlog.get_logger()

LOOK_SECONDS = 30.0
"""Between two looks for a verification that is due."""
PAUSE_RATIO = 4.0
"""Seconds of pause for each second of work, so that verifying takes at most a fifth of a connection's time."""
TRIES, RETRY_AFTER = 10, timedelta(seconds=60)
"""An event may be on its way: statements count as different only if they still are after this many tries, all of them made while
ingest had nothing to publish and the consumers had read everything from before the verification."""
OUTDATED_RETRY = timedelta(minutes=5)
"""How long to wait for the build of contributions that another version made."""


@dataclass(slots=True)
class Verifier:
    """`run` is the worker. `every`: the time from one verification of a tenant to the next; None: only those asked for."""

    pool: asyncpg.Pool
    ingest: Ingest
    every: timedelta | None
    pause_ratio: float = PAUSE_RATIO
    retry_after: timedelta = RETRY_AFTER

    async def run(self) -> None:
        """Verify until cancelled; wait out an outage of the database or of ingest."""
        await poll(self.step, LOOK_SECONDS, "verifier.interrupted", httpx.HTTPError)

    async def step(self) -> bool:
        """Compare one piece of one verification, after starting one that is due. Returns False if there was nothing to do."""
        began = monotonic()
        async with self.pool.acquire() as connection:
            run = await store.claim(connection)
            if run is None:
                return self.every is not None and await store.start_due(connection, self.every)
        try:
            piece = await self._compare(run)
        except OtherDefinitions:
            async with self.pool.acquire() as connection:
                await store.postpone(connection, run, OUTDATED_RETRY, tried=False)
            return True
        await self._record(run, piece)
        await asyncio.sleep((monotonic() - began) * self.pause_ratio)
        return True

    async def _compare(self, run: VerificationRun) -> ComparedPiece:
        if run.part == "subjects":
            return await compare_next_subjects(self.pool, run)
        if run.part == "seals":
            return await compare_next_seals(self.pool, run)
        return await compare_next_events(self.pool, self.ingest, run)

    async def _record(self, run: VerificationRun, piece: ComparedPiece) -> None:
        async with self.pool.acquire() as connection:
            if run.part == "events" and piece.differences and run.tries < TRIES:
                tried = await store.is_caught_up(connection, run) and (await self.ingest.head()).unpublished == 0
                await store.postpone(connection, run, self.retry_after, tried=tried)
                return
            for difference in piece.differences:
                log.error("verifier.difference", tenant=run.slug, verification=run.id, part=run.part, difference=difference)
            if await store.advance(connection, run, piece):
                done = await store.find(connection, run.id)
                log.info(
                    "verifier.finished",
                    tenant=run.slug,
                    verification=run.id,
                    subjects=done.subjects,
                    contributions=done.contributions,
                    seals=done.seals,
                    events=done.events,
                    differences=done.differences,
                )
