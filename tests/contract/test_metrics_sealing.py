"""Sealers and writers race: whatever is sealed, a query gives what a scan of the contributions gives.

The same race with one step of the protocol left out must find a wrong answer, or it would prove nothing. To make that quick, the
steps are followed by a short rest in which the others can come between; the sound protocol has to stand it too.
"""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.metrics.sealer import Protocol, Sealer
from services.metrics.store import counting
from services.metrics.store.query import histograms, snapshot
from services.metrics.store.seals import Level, take_off
from services.metrics.store.selection import Filter, Selection, resolve
from services.metrics.store.writer import Batch, TakeOff, Writer
from shared.database import open_pool
from tests.conftest import NewDatabase
from tests.service.metrics.world import answered, opened
from tests.unit.metrics.build import csat, nps

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
DAYS = 3
REST = 0.03
SOUND_SECONDS = 4.0
FAULTY_SECONDS = 20.0


async def rest() -> None:
    await asyncio.sleep(random.random() * REST)


async def take_off_and_rest(connection: asyncpg.Connection, touches: Iterable[tuple[int, int, datetime]]) -> None:
    await take_off(connection, touches)
    await rest()


async def only_rest(connection: asyncpg.Connection, touches: Iterable[tuple[int, int, datetime]]) -> None:
    await rest()


async def count_and_rest(connection: asyncpg.Connection, level: Level, seals: Sequence[int]) -> list[int]:
    counted = await counting.count(connection, level, seals)
    await rest()
    return counted


async def no_wait(connection: asyncpg.Connection, patience: float) -> None:
    """Leaves out step 2."""


async def confirm_blindly(connection: asyncpg.Connection, seals: Sequence[int]) -> list[int]:
    """Leaves out the condition of step 4."""
    await connection.execute("UPDATE seals SET state = 'sealed' WHERE id = ANY($1::bigint[])", list(seals))
    return list(seals)


class Unannounced(Sealer):
    """Commits the announcement with all the rest, so that no writer sees it in time."""

    async def _seal(self, connection: asyncpg.Connection, *what: Any) -> int:
        async with connection.transaction():
            return await super()._seal(connection, *what)


SOUND = Protocol(count=count_and_rest)

FAULTS: dict[str, tuple[Protocol, TakeOff, type[Sealer]]] = {
    "without the announcement": (SOUND, take_off_and_rest, Unannounced),
    "without the wait": (replace(SOUND, wait=no_wait), take_off_and_rest, Sealer),
    "without the confirmation": (replace(SOUND, confirm=confirm_blindly), take_off_and_rest, Sealer),
    "without opening what was changed": (SOUND, only_rest, Sealer),
}


@dataclass
class Race:
    """Two writers that move answers about, two sealers that seal whatever they find, and one who compares."""

    url: str
    protocol: Protocol
    take_off: TakeOff
    sealer: type[Sealer] = Sealer
    wrong: list[str] = field(default_factory=list)
    compared: int = 0
    standing: int = 0

    async def run(self, seconds: float) -> None:
        """Race until something is wrong, or for so long."""
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
        """Each revision of an answer says something else, at another time, of another region."""
        chance, writer, revision = random.Random(seed), Writer(pool, take_off=self.take_off), 1
        while True:
            revision += 1
            events = [
                answered(
                    chance.randrange(seed, 40, 2),
                    nps(chance.randint(0, 10)),
                    csat(chance.randint(1, 5)),
                    at=NOW - timedelta(hours=chance.random() * 24 * DAYS),
                    revision=revision,
                    dimensions={"region": chance.choice(["DE", "FR", None])},
                )
                for _ in range(chance.randint(1, 4))
            ]
            await writer.apply(Batch(list({event.subject: event for event in events}.values())))
            await rest()

    async def _seal(self, pool: asyncpg.Pool) -> None:
        sealer = self.sealer(pool, timedelta(0), 0.001, self.protocol, clock=lambda: NOW)
        await sealer.run()

    async def _compare(self, pool: asyncpg.Pool) -> None:
        """Ends at the first wrong answer."""
        chance = random.Random(11)
        while not self.wrong:
            selection = Selection(
                chance.choice([("nps",), ("csat:",), ("nps", "csat:")]),
                chance.choice([(), (), ("region",)]),
                chance.choice([(), (), (Filter("region", ("DE", None)),), (Filter("region", (), ("FR",)),)]),
            )
            start = NOW - timedelta(hours=chance.random() * 24 * DAYS)
            steps = chance.choice([1, 1, 2, 6])
            edges = [start + (NOW - start) * step / steps for step in range(steps + 1)]
            async with snapshot(pool) as connection:
                scope = await resolve(connection, "acme", selection)
                if scope is None:
                    continue
                sealed = await histograms(connection, scope, edges)
                scanned = await histograms(connection, scope, edges, use_seals=False)
                self.standing += await connection.fetchval("SELECT count(*) FROM seals WHERE state = 'sealed'")
            self.compared += 1
            if sealed != scanned:
                self.wrong.append(f"{selection} from {start}")
            await asyncio.sleep(0)


@pytest.fixture
async def url(database: NewDatabase) -> str:
    """A database with a tenant in which answers of some days are sealed."""
    url = await database("metrics")
    async with opened(url) as world:
        await world.tenant()
        await world.take(*(answered(n, nps(9), csat(5), at=NOW - timedelta(hours=n * 1.7)) for n in range(40)))
        assert await world.seal(NOW)
    return url


async def test_any_query_over_seals_equals_the_scan_while_writers_and_sealers_race(url: str) -> None:
    async with open_pool(url, 1) as pool:
        announced = await pool.fetchval("SELECT max(id) FROM seals")
        race = Race(url, SOUND, take_off_and_rest)
        await race.run(SOUND_SECONDS)
        announced_anew = await pool.fetchval("SELECT max(id) FROM seals") - announced
    assert race.wrong == []
    assert race.compared > 50
    assert race.standing > race.compared
    assert announced_anew > 50


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_race_finds_a_wrong_answer(url: str, fault: str) -> None:
    race = Race(url, *FAULTS[fault])
    await race.run(FAULTY_SECONDS)
    assert race.wrong


async def test_seals_that_overlap_as_after_a_change_of_a_zones_rules_are_counted_once(url: str) -> None:
    """A day's seal that ends an hour later than the calendar has it now, counted for just that span, beside the next day's."""
    async with opened(url) as world, world.pool.acquire() as connection:
        await connection.execute("DELETE FROM seals WHERE level <> 2")
        stretched = await connection.fetch(
            "UPDATE seals SET ends = ends + interval '1 hour', state = 'counting'"
            " WHERE extract(day FROM starts) = 31 RETURNING id"
        )
        ids = [row["id"] for row in stretched]
        await connection.execute("DELETE FROM histograms WHERE seal_id = ANY($1)", ids)
        async with connection.transaction():
            await counting.confirm(connection, await counting.count(connection, Level.DAY, ids))
        scope = await resolve(connection, "acme", Selection(("nps", "csat:"), ("region",)))
        assert scope
        edges = [NOW - timedelta(days=DAYS), NOW]
        assert ids
        assert await histograms(connection, scope, edges) == await histograms(connection, scope, edges, use_seals=False)
