"""Sealed histograms answer every query as a scan of the contributions does, also while writers and sealers race.

The same race with one step of the protocol left out must find a wrong answer: else it would prove nothing.
"""

from datetime import timedelta

import pytest

from services.metrics.store import counting
from services.metrics.store.query import histograms
from services.metrics.store.seals import Level
from services.metrics.store.selection import Selection, resolve
from shared.database import open_pool
from tests.contract.sealing_race import DAYS, FAULTS, NOW, SOUND, Race, invalidate_and_sleep, prepare
from tests.service.metrics.database import MetricsDatabase, open_metrics_db

SOUND_SECONDS = 4.0
FAULTY_SECONDS = 60.0


@pytest.fixture
async def url(empty_metrics_db: MetricsDatabase) -> str:
    """A database with a tenant in which answers of some days are sealed."""
    await prepare(empty_metrics_db)
    return empty_metrics_db.url


async def test_any_query_over_seals_equals_the_scan_while_writers_and_sealers_race(url: str) -> None:
    async with open_pool(url, 1) as pool:
        announced = await pool.fetchval("SELECT max(id) FROM seals")
        race = Race(url, SOUND, invalidate_and_sleep)
        for _ in range(5):  # a loaded machine compares less in the same time
            await race.run(SOUND_SECONDS)
            if race.compared > 50:
                break
        announced_anew = await pool.fetchval("SELECT max(id) FROM seals") - announced
    assert race.wrong == []
    assert race.compared > 50
    assert race.sealed > race.compared
    assert announced_anew > 50


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_race_finds_a_wrong_answer(url: str, fault: str) -> None:
    race = Race(url, *FAULTS[fault])
    await race.run(FAULTY_SECONDS)
    assert race.wrong


async def test_seals_that_overlap_as_after_a_change_of_a_zones_rules_are_counted_once(url: str) -> None:
    """A day's seal that ends an hour later than the calendar has it now, counted for just that span, beside the next day's."""
    async with open_metrics_db(url) as metrics, metrics.pool.acquire() as connection:
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
