"""Names that tools state, beside those that the tenant sets: whose name counts, and changes of single names."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.metrics.store.names import MAX_NAMES
from tests.service.metrics.database import MetricsDatabase, serving, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
EMPTY: dict[str, Any] = {"team": {}, "agent": {}, "survey": {}}


@pytest.fixture
async def http(metrics_db: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """Metrics with one answer of team 1 to survey s1."""
    await metrics_db.apply(survey_response(1, nps(9), at=NOW - timedelta(hours=1), dimensions={"team": "1", "survey": "s1"}))
    async with serving(metrics_db.url, NOW) as client:
        yield client


async def state(http: httpx.AsyncClient, *names: tuple[str, str, str], day: int = 1, tenant: str = "acme") -> httpx.Response:
    """Add names that a tool stated on this day of November."""
    stated_at = f"2026-11-{day:02}T00:00:00Z"
    rows = [{"dimension": d, "value": v, "name": n, "stated_at": stated_at} for d, v, n in names]
    return await http.post(f"/internal/tenants/{tenant}/names", json={"names": rows})


async def change(http: httpx.AsyncClient, method: str, names: Any) -> Any:
    response = await http.request(method, "/v1/names", json=names)
    assert response.status_code == 200, response.text
    assert response.json() == (await http.get("/v1/names")).json()
    return response.json()


async def directory(http: httpx.AsyncClient) -> Any:
    return (await http.get("/v1/names")).json()


async def test_the_name_of_a_tool_is_beside_the_id_and_in_filters(http: httpx.AsyncClient) -> None:
    assert (await state(http, ("team", "1", "Billing"), ("survey", "s1", "After support"))).status_code == 204
    assert await directory(http) == EMPTY | {"team": {"1": "Billing"}, "survey": {"s1": "After support"}}
    params = {"window": "24h", "group_by": "team,survey", "filter[survey]": "After support"}
    (row,) = (await http.get("/v1/kpis/nps", params=params)).json()["rows"]
    assert (row["n"], row["names"]) == (1, {"team": "Billing", "survey": "After support"})


async def test_of_two_names_of_tools_the_later_one_counts(http: httpx.AsyncClient) -> None:
    for day, name, expected in ((5, "Sales", "Sales"), (3, "Old", "Sales"), (7, "Growth", "Growth")):
        await state(http, ("team", "1", name), day=day)
        assert (await directory(http))["team"] == {"1": expected}


async def test_a_name_that_the_tenant_set_wins_until_it_is_removed(http: httpx.AsyncClient) -> None:
    await change(http, "PUT", {"team": {"1": "Ours"}})
    await state(http, ("team", "1", "Theirs"), ("team", "2", "Two"))
    assert (await directory(http))["team"] == {"1": "Ours", "2": "Two"}
    await state(http, ("team", "1", "Renamed"), day=2)
    assert (await directory(http))["team"] == {"1": "Ours", "2": "Two"}
    assert (await change(http, "PATCH", {"team": {"1": None}}))["team"] == {"1": "Renamed", "2": "Two"}


async def test_put_replaces_all_names_that_were_set_and_none_of_a_tool(http: httpx.AsyncClient) -> None:
    await state(http, ("team", "1", "Theirs"))
    assert await change(http, "PUT", {"agent": {"7": "Ada"}, "team": {"1": "Ours"}}) == EMPTY | {
        "agent": {"7": "Ada"},
        "team": {"1": "Ours"},
    }
    assert await change(http, "PUT", {}) == EMPTY | {"team": {"1": "Theirs"}}


async def test_patch_changes_only_the_names_that_it_has(http: httpx.AsyncClient) -> None:
    await change(http, "PUT", {"team": {"1": "One", "2": "Two"}, "agent": {"7": "Ada"}})
    names = await change(http, "PATCH", {"team": {"2": None, "3": "Three", "4": None}})
    assert names == EMPTY | {"team": {"1": "One", "3": "Three"}, "agent": {"7": "Ada"}}


async def test_a_directory_that_is_read_and_set_again_still_follows_the_tools(http: httpx.AsyncClient) -> None:
    await state(http, ("team", "1", "Billing"))
    await change(http, "PUT", await directory(http) | {"agent": {"7": "Ada"}})
    await state(http, ("team", "1", "Payments"), day=2)
    assert await directory(http) == EMPTY | {"team": {"1": "Payments"}, "agent": {"7": "Ada"}}


async def test_only_a_change_of_the_directory_changes_the_revision(http: httpx.AsyncClient) -> None:
    async def revision() -> str:
        return str((await http.get("/internal/revision?kpi=nps")).json()["revision"])

    before = await revision()
    await state(http, ("team", "1", "Billing"))
    changed = await revision()
    assert changed != before
    await state(http, ("team", "1", "Billing"), day=2)
    await change(http, "PATCH", {})
    await change(http, "PUT", {"team": {"1": "Billing"}})
    assert await revision() == changed
    await state(http, ("team", "1", "Payments"), day=3)
    assert await revision() != changed


@pytest.mark.parametrize(
    ("names", "place"),
    [
        ({"region": {"1": "North"}}, "region"),
        ({"team": {"1": ""}}, "team.1"),
        ({"team": {"1": 5}}, "team.1"),
        ({"team": None}, "team"),
        ({"agent": {str(number): "a" for number in range(MAX_NAMES)}}, ""),
    ],
)
async def test_invalid_changes_are_refused_and_change_nothing(http: httpx.AsyncClient, names: Any, place: str) -> None:
    before = await change(http, "PUT", {"team": {"1": "One"}})
    response = await http.patch("/v1/names", json=names)
    assert response.status_code == 422
    (param,) = response.json()["invalid_params"]
    assert param["name"] == place
    assert await directory(http) == before


async def test_names_of_tools_are_added_by_services_only_and_to_known_tenants(http: httpx.AsyncClient) -> None:
    assert (await state(http, ("team", "1", "Billing"), tenant="nobody")).status_code == 404
    assert (await state(http, ("region", "1", "North"))).status_code == 422
    assert (await state(http)).status_code == 204
    refused = await http.post("/internal/tenants/acme/names", json={"names": []}, headers={"Authorization": "Bearer wrong"})
    assert refused.status_code == 401
