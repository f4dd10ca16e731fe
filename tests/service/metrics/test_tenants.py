"""Tenants never meet: two that speak of subjects and customers of the same names are rows_of what each would be rows_of alone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.events import Assigned, Event, Opened, ScoreEvent, StatusSet, Ticket
from tests.conftest import NewDatabase
from tests.service.metrics.database import open_metrics_db, score_of, serving, statement, survey_response
from tests.unit.metrics.build import nps, words

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
TENANTS = ("acme", "other")


def feedback(tenant: str) -> list[Event | ScoreEvent]:
    """Answers with comments, and tickets; the other tenant's have the same names and other values."""
    shift = TENANTS.index(tenant) * 4
    events: list[Event | ScoreEvent] = []
    for n in range(1, 20 + shift):
        at, text = NOW - timedelta(hours=n * 4.3), f"comment {n}"
        dims = {"region": ["DE", "FR"][(n + shift // 4) % 2], "channel": ["email", "chat"][n % 2]}
        events += [
            survey_response(n, nps((n + shift) % 11), words(text), at=at, customer=f"p{n % 5}", dimensions=dims, tenant=tenant),
            score_of(f"c1/response/{n}", text, (n - 10 + shift) / 20, tenant=tenant),
        ]
        team = Assigned(at=at, team=["billing", "tech"][(n + shift // 4) % 2])
        solved = [StatusSet(at=at + timedelta(hours=2), status="solved")] if n % (3 + shift) else []
        ticket = Ticket(facts=(Opened(at=at), team, *solved))
        events.append(statement(f"c2/ticket/{n}", ticket, at=at, seq=100 + n, tenant=tenant))
    return events


async def filled(url: str, *tenants: str) -> str:
    """A database with the stories of these tenants, rows_of in one batch and sealed as far as it goes."""
    async with open_metrics_db(url) as metrics_db:
        for tenant in tenants:
            await metrics_db.tenant(tenant)
        await metrics_db.apply(*(one for tenant in tenants for one in feedback(tenant)))
        assert await metrics_db.seal(NOW) > 20
    return url


@pytest.fixture(scope="module")
async def together(database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(await filled(await database("metrics"), *TENANTS), NOW) as http:
        yield http


@pytest.fixture(scope="module", params=TENANTS)
async def alone(request: pytest.FixtureRequest, database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """The service of a database in which there is but the one tenant, asked in its name."""
    async with serving(await filled(await database("metrics"), request.param), NOW, tenant=request.param) as http:
        yield http


QUERIES = (
    "nps?window=7d",
    "nps?window=7d&grain=P1D",
    "nps?window=7d&group_by=region",
    "nps?window=7d&filter[region]=DE",
    "nps?window=7d&group_by=region,channel",
    "nps?window=7d&per=respondent",
    "nps?window=7d&compare=previous",
    "sentiment?window=7d&group_by=channel",
    "backlog?window=7d&grain=P1D&group_by=team",
    "first_resolution_time?window=7d",
    "nps/records?window=7d&limit=100",
    "nps/records?window=7d&limit=100&per=respondent",
    "sentiment/records?window=7d&limit=100&filter[region]=FR",
    "backlog/records?limit=100",
)


@pytest.mark.parametrize("query", QUERIES)
async def test_a_tenant_gets_the_results_that_it_would_get_alone(
    together: httpx.AsyncClient, alone: httpx.AsyncClient, query: str
) -> None:
    tenant = alone.headers["x-earshot-tenant"]
    apart = rows_of(await alone.get(f"/v1/kpis/{query}"))
    assert rows_of(await together.get(f"/v1/kpis/{query}", headers={"x-earshot-tenant": tenant})) == apart
    assert apart


def rows_of(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    content = answer.json()
    return content.get("rows") or content["records"]
