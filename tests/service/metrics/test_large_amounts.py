"""Amounts whose squares are no bigint, as money in cents may be, are summed exactly: sealed, scanned and per respondent."""

from datetime import UTC, datetime, timedelta

import pytest

from services.metrics.domain.histogram import Histogram
from services.metrics.store.query import histograms, snapshot
from services.metrics.store.selection import Selection, resolve
from shared.events import Event, Opened, StatusSet, Ticket
from tests.service.metrics.database import MetricsDatabase, statement, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
AMOUNTS = (3_037_000_500, -5_000_000_000, 2**62)
SUMS = (len(AMOUNTS), sum(AMOUNTS), sum(amount * amount for amount in AMOUNTS))
"""2**62 squared three times over is beyond a bigint by far."""


async def put_amounts(metrics: MetricsDatabase, family: str, events: list[Event]) -> None:
    """Apply an event for each of AMOUNTS, with the amount in place of that of its contribution to the family."""
    for event, amount in zip(events, AMOUNTS, strict=True):
        await metrics.apply(event)
        await metrics.pool.execute(
            "UPDATE contributions SET amount = $1 WHERE measure = (SELECT id FROM measures WHERE name = $2)"
            " AND subject_id = (SELECT id FROM subjects WHERE subject = $3)",
            amount,
            family,
            event.subject,
        )


def solved_ticket(number: int) -> Event:
    at = NOW - timedelta(days=2, hours=number)
    facts = (Opened(at=at), StatusSet(at=at + timedelta(minutes=30), status="solved"))
    return statement(f"c1/ticket/{number}", Ticket(facts=facts), at=at, seq=number)


@pytest.mark.parametrize("use_seals", [True, False])
async def test_squares_of_large_amounts_are_summed_exactly(metrics_db: MetricsDatabase, use_seals: bool) -> None:
    await put_amounts(metrics_db, "first_resolution", [solved_ticket(number) for number in (1, 2, 3)])
    if use_seals:
        assert await metrics_db.seal(NOW) > 0
    assert await sums(metrics_db, Selection(("first_resolution",)), use_seals=use_seals) == SUMS


async def test_squares_of_large_amounts_are_summed_exactly_per_respondent(metrics_db: MetricsDatabase) -> None:
    at = NOW - timedelta(days=2)
    await put_amounts(metrics_db, "nps", [survey_response(n, nps(9), at=at, customer=f"p{n}") for n in (1, 2, 3)])
    assert await sums(metrics_db, Selection(("nps",), per_respondent=True)) == SUMS


async def sums(metrics: MetricsDatabase, selection: Selection, *, use_seals: bool = True) -> tuple[int, int, int]:
    """The number of contributions that are selected in the last week, the sum of their amounts, and that of their squares."""
    async with snapshot(metrics.pool) as connection:
        scope = await resolve(connection, "acme", selection)
        assert scope
        counted = await histograms(connection, scope, [NOW - timedelta(days=7), NOW], use_seals=use_seals)
    histogram: Histogram = counted[0, ()][selection.measures[0]]
    return histogram.n, histogram.total, histogram.squares
