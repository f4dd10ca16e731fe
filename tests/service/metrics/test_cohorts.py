"""KPIs whose values depend on the time of the query: the age of the backlog, and cohorts that are still maturing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.events import Assigned, Opened, Response, StatusSet, Ticket
from tests.service.metrics.database import MetricsDatabase, serving, statement, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
HOUR = 3600


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


@pytest.fixture
async def metrics(metrics_db: MetricsDatabase) -> MetricsDatabase:
    """Tickets opened on each of the last sixty days, the odd ones solved 12 hours later; two invitations, one answered."""
    events = []
    for day in range(1, 61):
        facts = (Opened(at=ago(24 * day)), Assigned(at=ago(24 * day), team="a" if day % 4 else "b"))
        solved = (StatusSet(at=ago(24 * day - 12), status="solved"),) if day % 2 else ()
        events.append(statement(f"c1/ticket/{day}", Ticket(facts=(*facts, *solved)), at=ago(24 * day), seq=day))
    sent = Response(at=ago(50), sent_at=ago(50))
    events += [statement(f"c1/response/{n}", sent, at=ago(50), seq=n, dimensions={"region": "DE"}) for n in (101, 102)]
    later = survey_response(101, nps(9), at=ago(20), statement="d2", dimensions={"region": "FR"})
    await metrics_db.apply(*events, later)
    return metrics_db


@pytest.fixture
async def http(metrics: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(metrics.url, NOW) as http:
        yield http


async def rows(http: httpx.AsyncClient, kpi: str, parameters: str) -> list[dict[str, Any]]:
    response = await http.get(f"/v1/kpis/{kpi}?{parameters}")
    assert response.status_code == 200, response.text
    return list(response.json()["rows"])


AGES = (
    "window=30d",
    "agg=p90",
    "at=2026-03-20T12:00:00Z",
    "window=60d&grain=P1D&tz=UTC",
    "window=7d&grain=PT1H&tz=UTC",
    "group_by=team&window=60d&grain=P1W",
    "filter[team]=b",
)


async def test_the_age_of_the_backlog_is_the_same_from_contributions_and_from_seals(
    metrics: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    scanned = [await rows(http, "backlog_age", parameters) for parameters in AGES]
    assert await metrics.seal(NOW) > 0
    assert [await rows(http, "backlog_age", parameters) for parameters in AGES] == scanned
    (age,), (high,), (past,), series, *_ = scanned
    assert (age["n"], age["value"]) == (30, pytest.approx(31 * 24 * HOUR, abs=451))
    assert high["value"] == pytest.approx(54.2 * 24 * HOUR, abs=451)
    assert (past["n"], past["value"]) == (25, pytest.approx(25 * 24 * HOUR, abs=451))
    assert [row["n"] for row in series] == [row["n"] for row in await rows(http, "backlog", AGES[3])]
    assert len((await http.get("/v1/kpis/backlog_age/records?limit=100")).json()["records"]) == 30


async def test_a_cohort_has_the_flag_maturing_until_thirty_days_after_its_end(http: httpx.AsyncClient) -> None:
    weeks = await rows(http, "resolution_rate_cohort", "window=60d&grain=P1W&tz=UTC")
    assert [datetime.fromisoformat(row["to"]) + timedelta(days=30) > NOW for row in weeks] == [
        "maturing" in row["flags"] for row in weeks
    ]
    assert {"maturing" in row["flags"] for row in weeks} == {True, False}
    (total,) = await rows(http, "resolution_rate_cohort", "window=90d")
    assert (total["numerator"], total["denominator"], total["interval"]["method"]) == (30, 60, "wilson")
    assert "maturing" not in (await rows(http, "resolution_rate", "window=7d"))[0]["flags"]


@pytest.mark.parametrize(
    ("query", "moves"),
    [
        ("resolution_rate_cohort?from=2026-03-01&to=2026-03-02&tz=UTC", True),
        ("resolution_rate_cohort?from=2026-02-27&to=2026-03-02&grain=P1D&tz=UTC", True),
        ("resolution_rate_cohort?from=2026-02-27&to=2026-03-01&tz=UTC", False),
        ("resolution_rate?from=2026-03-01&to=2026-03-02&tz=UTC", False),
    ],
)
async def test_a_response_with_a_maturing_value_says_that_it_changes_with_the_clock(
    http: httpx.AsyncClient, query: str, moves: bool
) -> None:
    assert ("x-earshot-moves" in (await http.get(f"/v1/kpis/{query}")).headers) is moves


async def test_the_response_rate_is_of_the_invitations_by_the_dimensions_of_their_sending(http: httpx.AsyncClient) -> None:
    (total,) = await rows(http, "response_rate", "window=7d")
    assert (total["numerator"], total["denominator"]) == (1, 2)
    assert [(row["dims"], row["n"]) for row in await rows(http, "response_rate", "window=7d&group_by=region")] == [
        ({"region": "DE"}, 2)
    ]
