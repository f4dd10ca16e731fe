"""The terms of a tenant over HTTP: their revision, dimensions of its own, and answers of one revision throughout."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.metrics.builder import Builder
from tests.service.metrics.database import MetricsDatabase, serving, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
PLAN = [{"name": "plan"}]


@pytest.fixture
async def metrics(metrics_db: MetricsDatabase) -> MetricsDatabase:
    """Three answers of a person on the plan `pro`."""
    await metrics_db.apply(
        *(survey_response(n, nps(9), at=NOW - timedelta(hours=n + 1), dimensions={"plan": "pro"}) for n in range(3))
    )
    return metrics_db


async def terms_of(http: httpx.AsyncClient) -> dict[str, Any]:
    response = await http.get("/v1/terms")
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_a_tenant_begins_with_the_first_revision(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        assert await terms_of(http) == {"revision": 1, "building": None}
        for path in ("/v1/kpis/nps?window=24h", "/v1/kpis/nps/records?window=24h"):
            assert (await http.get(path)).json()["terms"] == {"revision": 1}
    async with serving(metrics.url, NOW, tenant="unknown") as http:
        assert await terms_of(http) == {"revision": 1, "building": None}


async def test_a_change_of_dimensions_shows_its_progress_and_then_its_revision_in_results(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        before = await http.get("/v1/kpis/nps?window=24h")
        response = await http.put("/v1/dimensions", json=PLAN)
        assert (response.status_code, response.json()) == (
            200,
            {"revision": 1, "building": {"revision": 2, "done": 0, "total": 3}},
        )
        during = await http.get("/v1/kpis/nps?window=24h")
        assert (during.content, during.headers["x-earshot-revision"]) == (before.content, before.headers["x-earshot-revision"])
        builder = Builder(metrics.pool)
        while await builder.step(metrics.writer):
            pass
        assert await terms_of(http) == {"revision": 2, "building": None}
        after = await http.get("/v1/kpis/nps?window=24h")
        assert after.json() == before.json() | {"terms": {"revision": 2}}
        assert after.headers["x-earshot-revision"] != before.headers["x-earshot-revision"]
        assert (await http.put("/v1/dimensions", json=PLAN)).json() == {"revision": 2, "building": None}


async def test_another_zone_shows_in_results_at_once(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        before = (await http.get("/v1/kpis/nps?window=24h")).headers["x-earshot-revision"]
        response = await http.put("/internal/tenants/acme", json={"name": "Acme", "zone": "Asia/Tokyo"})
        assert response.status_code == 204
        assert await terms_of(http) == {"revision": 2, "building": None}
        after = await http.get("/v1/kpis/nps?window=24h")
        assert after.json()["terms"] == {"revision": 2}
        assert after.headers["x-earshot-revision"] != before


@pytest.mark.parametrize(
    "body",
    [
        [{"name": "region"}],
        [{"name": "Plan"}],
        PLAN * 2,
        [{"name": f"d{n}"} for n in range(11)],
        [{"name": "plan", "x": 1}],
        {},
        [1],
    ],
)
async def test_dimensions_that_cannot_be_ones_own_are_refused(metrics: MetricsDatabase, body: Any) -> None:
    async with serving(metrics.url, NOW) as http:
        response = await http.put("/v1/dimensions", json=body)
        assert response.status_code == 422
        assert response.json()["invalid_params"]
        assert await terms_of(http) == {"revision": 1, "building": None}


async def test_dimensions_of_a_tenant_that_metrics_does_not_know_are_a_404(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW, tenant="unknown") as http:
        assert (await http.put("/v1/dimensions", json=PLAN)).status_code == 404
