"""The sealer on hours of busy days: whose come first, and that they stay while their day is counted again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.metrics import sealer as sealer_module
from services.metrics.sealer import Protocol, Sealer
from services.metrics.store.counting import count
from services.metrics.store.due import request_full_look
from services.metrics.store.query import snapshot
from services.metrics.store.seals import Level
from services.metrics.store.selection import Selection, resolve
from services.metrics.store.spans import read_spans
from tests.service.metrics.database import MetricsDatabase, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
DAYS = [NOW - timedelta(days=ago) for ago in (40, 30, 20)]
HOURS = 24


@pytest.fixture
async def metrics(empty_metrics_db: MetricsDatabase, monkeypatch: pytest.MonkeyPatch) -> MetricsDatabase:
    """A tenant with three busy days, sealed with their hours."""
    for module in ("due", "unsealed"):
        monkeypatch.setattr(f"services.metrics.store.{module}.BUSY", 10)
    await empty_metrics_db.tenant()
    await empty_metrics_db.apply(
        *(survey_response(10 * place + n, nps(n), at=day) for place, day in enumerate(DAYS) for n in range(10))
    )
    await empty_metrics_db.seal(NOW)
    assert await sealed_hours(empty_metrics_db) == HOURS * len(DAYS)
    return empty_metrics_db


async def sealed_hours(metrics: MetricsDatabase) -> int:
    """How many old hours of answers are sealed."""
    query = "SELECT count(*) FROM seals s JOIN measures m ON m.id = s.measure WHERE m.name = 'nps' AND level = $1 AND starts < $2"
    return int(await metrics.pool.fetchval(f"{query} AND state = 'sealed'", Level.HOUR, NOW - timedelta(days=9)))


async def open_seals(metrics: MetricsDatabase, level: Level, at: datetime, since: str = "yesterday") -> None:
    """Open the seals of answers that end after `at` and begin before it, as of a change at the time `since`."""
    of_answers = "measure IN (SELECT id FROM measures WHERE name = 'nps')"
    await metrics.pool.execute(
        f"UPDATE seals SET state = 'open', since = '{since}' WHERE {of_answers} AND level = $1 AND starts <= $2 AND ends > $2",
        level,
        at,
    )
    await request_full_look(metrics.pool)


class Counted:
    """The spans of answers in the order in which a sealer counts them."""

    def __init__(self) -> None:
        self.spans: list[tuple[Level, datetime]] = []

    async def count(self, connection: asyncpg.Connection, level: Level, seals: Sequence[int]) -> dict[int, int]:
        of_answers = "FROM seals s JOIN measures m ON m.id = s.measure WHERE m.name = 'nps' AND s.id = ANY($1::bigint[])"
        rows = await connection.fetch(f"SELECT starts {of_answers} ORDER BY starts", list(seals))
        self.spans += [(level, row["starts"]) for row in rows]
        return await count(connection, level, seals)

    def hours_of(self, day: datetime) -> list[int]:
        """The places of the hours of a day in that order."""
        return [place for place, (level, starts) in enumerate(self.spans) if level is Level.HOUR and starts.date() == day.date()]


async def test_hours_of_open_days_are_sealed_first_then_the_latest_ones_and_both_before_the_days(
    metrics: MetricsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    await metrics.pool.execute("DELETE FROM seals WHERE level = $1 AND starts < $2", Level.HOUR, NOW - timedelta(days=9))
    monkeypatch.setattr(sealer_module, "MOST_AT_ONCE", HOURS)
    await open_seals(metrics, Level.DAY, DAYS[1])
    counted = Counted()
    sealer = Sealer(metrics.pool, timedelta(0), 1.0, Protocol(count=counted.count), clock=lambda: NOW)
    while await sealer.round():
        pass
    assert await sealed_hours(metrics) == HOURS * len(DAYS)
    oldest, opened, latest = map(counted.hours_of, DAYS)
    [day] = [place for place, (level, _) in enumerate(counted.spans) if level is Level.DAY]
    assert max(opened) < day
    assert max(opened) < min(latest) < max(latest) < min(oldest)


async def test_hours_stay_sealed_while_their_day_is_open_or_lacks_its_counts(metrics: MetricsDatabase) -> None:
    await open_seals(metrics, Level.DAY, DAYS[0], "now")
    await metrics.pool.execute(
        "DELETE FROM histograms h USING seals s WHERE s.id = h.seal_id AND s.level = $1 AND s.state = 'open'", Level.DAY
    )
    await Sealer(metrics.pool, timedelta(hours=1), 1.0, clock=lambda: NOW).round()
    assert await sealed_hours(metrics) == HOURS * len(DAYS)


async def test_an_open_hour_of_a_busy_day_is_sealed_again(metrics: MetricsDatabase) -> None:
    await open_seals(metrics, Level.HOUR, DAYS[2])
    assert await sealed_hours(metrics) == HOURS * len(DAYS) - 1
    assert await metrics.seal(NOW) == 1
    assert await sealed_hours(metrics) == HOURS * len(DAYS)


async def test_a_long_window_reads_only_the_changed_hour_of_a_busy_day_from_contributions(metrics: MetricsDatabase) -> None:
    start = NOW - timedelta(days=60)
    changed = DAYS[1].replace(minute=0)
    await metrics.apply(survey_response(15, nps(0), at=DAYS[1], revision=2))
    async with snapshot(metrics.pool) as connection:
        scope = await resolve(connection, "acme", Selection(("nps",)))
        assert scope
        assert scope.selection.cuboid
        gaps = (await read_spans(connection, scope, scope.selection.cuboid, [start, NOW])).gaps
    assert [(gap.low, gap.high) for gap in gaps if DAYS[0] < gap.low < DAYS[2]] == [(changed, changed + timedelta(hours=1))]
