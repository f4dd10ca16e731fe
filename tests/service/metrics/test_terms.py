"""The terms of a tenant over HTTP: their revision, dimensions of its own, and answers of one revision throughout."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.metrics.builder import Builder
from services.metrics.store.terms import change_dimensions
from shared.events import DIMENSIONS, MULTI_VALUED_DIMENSIONS, NAMED_DIMENSIONS
from shared.fields import RESERVED_NAMES
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


async def dimensions_of(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    response = await http.get("/v1/dimensions")
    assert response.status_code == 200, response.text
    dimensions: list[dict[str, Any]] = response.json()["dimensions"]
    return dimensions


async def test_dimensions_are_those_of_every_tenant_and_its_own(metrics: MetricsDatabase) -> None:
    common = [*DIMENSIONS, *MULTI_VALUED_DIMENSIONS]
    async with serving(metrics.url, NOW) as http:
        before = {one["name"]: one for one in await dimensions_of(http)}
        assert list(before) == common
        team = {"title": "Team", "own": False, "multi_valued": False, "named": True, "available": True}
        assert before["team"].items() >= team.items()
        assert {name for name, one in before.items() if one["multi_valued"]} == set(MULTI_VALUED_DIMENSIONS)
        assert {name for name, one in before.items() if one["named"]} == set(NAMED_DIMENSIONS)
        await http.put("/v1/dimensions", json=[{"name": "plan_tier"}])
        *_, own = await dimensions_of(http)
        assert (own["name"], own["title"], own["own"], own["available"]) == ("plan_tier", "Plan tier", True, False)
        builder = Builder(metrics.pool)
        while await builder.step(metrics.writer):
            pass
        assert (await dimensions_of(http))[-1] == own | {"available": True}
        own_names = [one["name"] for one in await dimensions_of(http) if one["own"]]
        assert own_names == (await http.get("/v1/kpis")).json()["own_dimensions"]
    async with serving(metrics.url, NOW, tenant="unknown") as http:
        assert [one["name"] for one in await dimensions_of(http)] == common


async def test_names_of_fields_and_columns_are_refused_with_all_reserved_ones(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        response = await http.put("/v1/dimensions", json=[{"name": "plan"}, {"name": "value"}, {"name": "compare_1_delta"}])
        assert response.status_code == 422
        params = {one["name"]: one["reason"] for one in response.json()["invalid_params"]}
        assert params.keys() == {"1.name", "2.name"}
        assert all(f"{name}, " in params["1.name"] for name in RESERVED_NAMES)
        assert await terms_of(http) == {"revision": 1, "building": None}


async def test_a_reserved_name_that_was_declared_before_may_stay(metrics: MetricsDatabase) -> None:
    async with metrics.pool.acquire() as connection, connection.transaction():
        number = await connection.fetchval("SELECT id FROM tenants WHERE slug = 'acme'")
        await change_dimensions(connection, number, ["value"], NOW)
    async with serving(metrics.url, NOW) as http:
        assert (await http.put("/v1/dimensions", json=[{"name": "value"}, *PLAN])).status_code == 200
        assert (await http.put("/v1/dimensions", json=[{"name": "value"}, {"name": "text"}])).status_code == 422


async def test_dimensions_of_a_tenant_that_metrics_does_not_know_are_a_404(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW, tenant="unknown") as http:
        assert (await http.put("/v1/dimensions", json=PLAN)).status_code == 404
