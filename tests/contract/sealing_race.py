"""A race of writers, sealers and readers over one database of metrics, with or without one step of the sealing protocol.

A reader asks the same query three times in one snapshot: from sealed histograms where they fit, with the sums of a
cache, and from contributions alone. The answers must be equal. Each step is followed by a short random sleep, so that
the other parties come between more often.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import asyncpg

from services.metrics.domain.cuboids import CUBOIDS_VERSION
from services.metrics.domain.query import Filter
from services.metrics.sealer import Protocol, Sealer
from services.metrics.store import counting, counting_cuboids
from services.metrics.store.counting import SpanToSeal
from services.metrics.store.query import histograms, snapshot
from services.metrics.store.run_cache import RunCache
from services.metrics.store.seals import Level, invalidate
from services.metrics.store.selection import Selection, resolve
from services.metrics.store.unsealed import Claim
from services.metrics.store.writer import DecodedBatch, Invalidate, Writer
from shared.database import open_pool
from tests.service.metrics.database import MetricsDatabase, survey_response
from tests.unit.metrics.build import csat, nps

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
DAYS = 3
GROUPS_AND_FILTERS: list[tuple[tuple[str, ...], tuple[Filter, ...]]] = [
    ((), ()),
    (("region",), ()),
    ((), (Filter("region", ("DE", None)),)),
    (("region",), (Filter("region", (), ("FR",)),)),
    (("channel", "team"), ()),
    (("channel",), (Filter("team", ("billing", None)),)),
]
LONGEST_SLEEP = 0.03
"""Seconds."""


async def sleep_briefly() -> None:
    await asyncio.sleep(random.random() * LONGEST_SLEEP)


async def invalidate_and_sleep(connection: asyncpg.Connection, touches: Iterable[tuple[int, int, datetime]]) -> None:
    await invalidate(connection, touches)
    await sleep_briefly()


async def skip_invalidation(connection: asyncpg.Connection, touches: Iterable[tuple[int, int, datetime]]) -> None:
    await sleep_briefly()


async def count_and_sleep(connection: asyncpg.Connection, level: Level, seals: Sequence[int]) -> dict[int, int]:
    counted = await counting.count(connection, level, seals)
    await sleep_briefly()
    return counted


async def no_wait(connection: asyncpg.Connection, patience: float) -> None:
    """Leaves out step 2."""


async def confirm_blindly(connection: asyncpg.Connection, counted: Mapping[int, int]) -> list[int]:
    """Leaves out the condition of step 4."""
    statement = "UPDATE seals SET state = 'sealed', held_by = id, held = -1, cuboids = $2 WHERE id = ANY($1::bigint[])"
    await connection.execute(statement, list(counted), CUBOIDS_VERSION)
    return list(counted)


class Unannounced(Sealer):
    """Leaves out step 1: the announcement commits together with the count, so no writer sees it in time."""

    async def seal(self, connection: asyncpg.Connection, claim: Claim, level: Level, spans: Sequence[SpanToSeal]) -> int:
        async with connection.transaction():
            return await super().seal(connection, claim, level, spans)


SOUND = Protocol(count=count_and_sleep)

FAULTS: dict[str, tuple[Protocol, Invalidate, type[Sealer]]] = {
    "without the announcement": (SOUND, invalidate_and_sleep, Unannounced),
    "without the wait": (replace(SOUND, wait=no_wait), invalidate_and_sleep, Sealer),
    "without the confirmation": (replace(SOUND, confirm=confirm_blindly), invalidate_and_sleep, Sealer),
    "without the invalidation": (SOUND, skip_invalidation, Sealer),
}


@dataclass
class Race:
    """Two writers that change answers, two sealers, one reader that compares. `wrong` lists the queries that differed."""

    url: str
    protocol: Protocol
    invalidate: Invalidate
    sealer: type[Sealer] = Sealer
    wrong: list[str] = field(default_factory=list)
    compared: int = 0
    sealed: int = 0

    async def run(self, seconds: float) -> None:
        """Race until two answers differ, for at most `seconds`. Spans with 5 contributions hold all cuboids, others the total."""
        with patch.object(counting_cuboids, "FEWEST", 5), patch.object(counting_cuboids, "MOST_BINS", 1000.0):
            await self._run(seconds)

    async def _run(self, seconds: float) -> None:
        async with open_pool(self.url, 12) as pool:
            tasks = [
                *(asyncio.create_task(self._write(pool, seed)) for seed in range(2)),
                *(asyncio.create_task(self._seal(pool)) for _ in range(2)),
                asyncio.create_task(self._compare(pool)),
            ]
            done, running = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for task in done:
                task.result()

    async def _write(self, pool: asyncpg.Pool, seed: int) -> None:
        """State answers again and again, each time with another value, time and region."""
        chance, writer, revision = random.Random(seed), Writer(pool, invalidate=self.invalidate), 1
        while True:
            revision += 1
            events = [
                survey_response(
                    chance.randrange(seed, 40, 2),
                    nps(chance.randint(0, 10)),
                    csat(chance.randint(1, 5)),
                    at=NOW - timedelta(hours=chance.random() * 24 * DAYS),
                    revision=revision,
                    dimensions={
                        "region": chance.choice(["DE", "FR", None]),
                        "team": chance.choice(["billing", "sales", None]),
                        "channel": chance.choice(["email", "chat"]),
                    },
                )
                for _ in range(chance.randint(1, 4))
            ]
            await writer.apply(DecodedBatch(list({event.subject: event for event in events}.values())))
            await sleep_briefly()

    async def _seal(self, pool: asyncpg.Pool) -> None:
        sealer = self.sealer(pool, timedelta(0), 0.001, self.protocol, clock=lambda: NOW)
        await sealer.run()

    async def _compare(self, pool: asyncpg.Pool) -> None:
        """Compare random queries until two answers differ."""
        chance, cache = random.Random(11), RunCache()
        while not self.wrong:
            selection = Selection(chance.choice([("nps",), ("csat:",), ("nps", "csat:")]), *chance.choice(GROUPS_AND_FILTERS))
            start = NOW - timedelta(hours=chance.random() * 24 * DAYS)
            steps = chance.choice([1, 1, 2, 6])
            edges = [start + (NOW - start) * step / steps for step in range(steps + 1)]
            async with snapshot(pool) as connection:
                scope = await resolve(connection, "acme", selection)
                if scope is None:
                    continue
                from_seals = await histograms(connection, scope, edges)
                from_cache = await histograms(connection, scope, edges, cache=cache)
                from_contributions = await histograms(connection, scope, edges, use_seals=False)
                self.sealed += await connection.fetchval("SELECT count(*) FROM seals WHERE state = 'sealed'")
            self.compared += 1
            if not from_seals == from_cache == from_contributions:
                self.wrong.append(f"{selection} from {start}")
            await asyncio.sleep(0)


async def prepare(metrics: MetricsDatabase) -> None:
    """Fill an empty database with a tenant's answers of some days, and seal them."""
    await metrics.tenant()
    await metrics.apply(*(survey_response(n, nps(9), csat(5), at=NOW - timedelta(hours=n * 1.7)) for n in range(40)))
    if not await metrics.seal(NOW):
        raise RuntimeError("nothing was sealed")
