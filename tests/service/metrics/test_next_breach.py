"""The next breach beside the number of open tickets past an SLA deadline."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from tests.conftest import NewDatabase
from tests.service.metrics.database import MetricsDatabase, open_metrics_db, serving
from tests.service.metrics.test_sla import NOW, POLICIES, TICKETS, build, put, row


@pytest.fixture(scope="module")
async def metrics(database: NewDatabase) -> AsyncIterator[MetricsDatabase]:
    """Tickets of a tenant under its policies."""
    url = await database("metrics")
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        await metrics_db.apply(*TICKETS)
        async with serving(url, NOW) as http:
            assert (await row(http, "sla_breached_open"))["next_breach"] is None
            await put(http, POLICIES)
        await build(metrics_db)
        yield metrics_db


@pytest.fixture
async def http(metrics: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(metrics.url, NOW) as http:
        yield http


async def test_the_number_of_breaches_states_the_next_one(metrics: MetricsDatabase, http: httpx.AsyncClient) -> None:
    assert (await row(http, "sla_breached_open"))["next_breach"] == "2026-03-31T14:20:00+02:00"
    assert (await row(http, "sla_breached_open", "filter[team]=shipping&tz=UTC"))["next_breach"] == "2026-03-31T13:00:00+00:00"
    assert (await row(http, "sla_breached_open", "filter[agent]=ada"))["next_breach"] is None
    assert (await row(http, "sla_breached_open", "at=2026-03-31T11:59:59Z"))["next_breach"] is None
    assert "next_breach" not in await row(http, "sla_breached_open", "fields=value")
    assert "next_breach" not in await row(http, "backlog")
    answer = (await http.get("/v1/kpis/sla_breached_open?group_by=team&window=2d&grain=P1D")).json()["rows"]
    assert [(one["dims"]["team"], one["next_breach"]) for one in answer] == [
        *(("billing", None), ("shipping", None)) * 2,
        ("billing", "2026-03-31T15:55:00+02:00"),
        ("shipping", "2026-03-31T15:00:00+02:00"),
    ]


async def test_a_deadline_at_the_present_is_the_next_breach_and_none_a_moment_later(metrics: MetricsDatabase) -> None:
    deadline = NOW + timedelta(minutes=20)
    for now, breached, following in (
        (deadline, 2, deadline),
        (deadline + timedelta(microseconds=1), 3, NOW + timedelta(hours=1)),
    ):
        async with serving(metrics.url, now) as http:
            answer = await row(http, "sla_breached_open", "tz=UTC")
            assert (answer["value"], answer["next_breach"]) == (breached, following.isoformat())
