"""Amounts whose squares are no bigint, as money in cents may be, are summed exactly: sealed, scanned and per respondent."""

from datetime import UTC, datetime, timedelta

import pytest

from services.metrics.domain.histogram import Histogram
from services.metrics.store.query import histograms, snapshot
from services.metrics.store.selection import Selection, resolve
from tests.service.metrics.database import MetricsDatabase, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
AMOUNTS = (3_037_000_500, -5_000_000_000, 2**62)
EXACT = Histogram({9: 3}, sum(AMOUNTS), sum(amount * amount for amount in AMOUNTS))
"""2**62 squared three times over is beyond a bigint by far."""


@pytest.fixture
async def metrics(metrics_db: MetricsDatabase) -> MetricsDatabase:
    """Three answers of three people, with amounts put in place of their ratings."""
    for number, amount in enumerate(AMOUNTS):
        await metrics_db.apply(survey_response(number, nps(9), at=NOW - timedelta(days=2, hours=number), customer=f"p{number}"))
        await metrics_db.pool.execute("UPDATE contributions SET amount = $1 WHERE amount = 9", amount)
    return metrics_db


@pytest.mark.parametrize("use_seals", [True, False])
async def test_squares_of_large_amounts_are_summed_exactly(metrics: MetricsDatabase, use_seals: bool) -> None:
    if use_seals:
        assert await metrics.seal(NOW) > 0
    assert await count_nps(metrics, Selection(("nps",)), use_seals=use_seals) == EXACT


async def test_squares_of_large_amounts_are_summed_exactly_per_respondent(metrics: MetricsDatabase) -> None:
    assert await count_nps(metrics, Selection(("nps",), per_respondent=True)) == EXACT


async def count_nps(metrics: MetricsDatabase, selection: Selection, *, use_seals: bool = True) -> Histogram:
    async with snapshot(metrics.pool) as connection:
        scope = await resolve(connection, "acme", selection)
        assert scope
        counted = await histograms(connection, scope, [NOW - timedelta(days=7), NOW], use_seals=use_seals)
    return counted[0, ()]["nps"]
