"""Grouping, filtering and listing records by the tenant's own dimensions."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.ingest.domain.normalise import normalise
from services.ingest.domain.record import Erasure, read_record
from services.metrics.builder import Builder
from shared.events import Event, decode_event, encode
from tests.service.metrics.database import MetricsDatabase, serving, survey_response
from tests.unit.ingest.making import connection, response
from tests.unit.ingest.making import nps as nps_answer
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
PLANS: tuple[str | None, ...] = ("pro", "pro", "free", "a,b!", None)
PLACES = {"group_by": "group_by=plan", "filter[plan]": "filter[plan]=pro"}


@pytest.fixture
async def metrics(metrics_db: MetricsDatabase) -> MetricsDatabase:
    """Five answers in two teams, of persons on the PLANS."""
    for number, plan in enumerate(PLANS):
        dimensions = {"plan": plan, "tier": "t1", "team": "even" if number % 2 == 0 else "odd"}
        answer = survey_response(
            number, nps(9), at=NOW - timedelta(hours=number + 1), customer=f"p{number % 2}", dimensions=dimensions
        )
        await metrics_db.apply(answer)
    return metrics_db


async def declare(http: httpx.AsyncClient, metrics: MetricsDatabase, *names: str) -> None:
    """Set the tenant's own dimensions and finish the build."""
    response = await http.put("/v1/dimensions", json=[{"name": name} for name in names])
    assert response.status_code == 200, response.text
    await finish_build(metrics)


async def finish_build(metrics: MetricsDatabase) -> None:
    builder = Builder(metrics.pool)
    while await builder.step(metrics.writer):
        pass


@pytest.fixture
async def http(metrics: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """Metrics, where `plan` and `tier` are declared after the answers came."""
    async with serving(metrics.url, NOW) as client:
        await declare(client, metrics, "tier", "plan")
        yield client


async def by_group(http: httpx.AsyncClient, query: str, kpi: str = "nps") -> dict[Any, int]:
    response = await http.get(f"/v1/kpis/{kpi}?window=24h&{query}")
    assert response.status_code == 200, response.text
    return {tuple(row["dims"].values()): row["n"] for row in response.json()["rows"]}


async def test_a_similar_value_of_a_dimension_of_the_tenants_own_is_suggested(http: httpx.AsyncClient) -> None:
    for dimension, suggested in (("plan", {"plan": {"fre": ["free"]}}), ("tier", {})):
        response = await http.get("/v1/kpis/nps", params={"window": "24h", f"filter[{dimension}]": "fre"})
        assert response.json()["suggested_filter_values"] == suggested


async def test_a_kpi_is_grouped_by_a_dimension_of_the_tenants_own(http: httpx.AsyncClient) -> None:
    assert await by_group(http, "group_by=plan") == {("a,b!",): 1, ("free",): 1, ("pro",): 2, (None,): 1}
    assert await by_group(http, "group_by=tier") == {("t1",): 5}
    assert await by_group(http, "group_by=team,plan&filter[plan]=pro,free") == {
        ("even", "free"): 1,
        ("even", "pro"): 1,
        ("odd", "pro"): 1,
    }
    assert await by_group(http, "group_by=plan&per=respondent") == {("pro",): 2}


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("pro", 2),
        ("pro,free", 3),
        ("!pro", 3),
        ("null", 1),
        ("!null", 4),
        (r"a\,b\!", 1),
        ("pro,null", 3),
        ("!pro,!null", 2),
        ("PRO", 0),
    ],
)
async def test_a_kpi_and_its_records_are_filtered_by_a_dimension_of_the_tenants_own(
    http: httpx.AsyncClient, text: str, n: int
) -> None:
    params = {"window": "24h", "filter[plan]": text}
    answer = (await http.get("/v1/kpis/nps", params=params)).json()
    assert answer["rows"][0]["n"] == n
    assert answer["unknown_filter_values"] == ({"plan": ["PRO"]} if text == "PRO" else {})
    records = (await http.get("/v1/kpis/nps/records", params=params)).json()["records"]
    assert len(records) == n


async def test_the_catalogue_lists_the_tenants_own_dimensions(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/kpis")).json()["own_dimensions"] == ["plan", "tier"]
    unknown = await http.get("/v1/kpis", headers={"X-Earshot-Tenant": "nobody"})
    assert unknown.json()["own_dimensions"] == []


async def test_records_have_the_values_of_the_tenants_own_dimensions(http: httpx.AsyncClient) -> None:
    records = (await http.get("/v1/kpis/nps/records?window=24h")).json()["records"]
    assert [(record["dims"]["plan"], record["dims"]["tier"]) for record in records] == [(plan, "t1") for plan in PLANS]
    empty = (await http.get("/v1/kpis/nps/records?window=1m")).json()
    assert (empty["records"], empty["dimensions"]) == ([], ["plan", "tier"])


async def test_records_from_before_and_after_the_declaration_are_grouped(metrics_db: MetricsDatabase) -> None:
    def posted(record_id: str, plan: str) -> Event:
        """The event that ingest publishes of this record."""
        record = response(nps_answer(9), id=record_id, at="2026-11-02T12:00:00Z", dimensions={"plan": plan})
        read = read_record(record, NOW)
        assert not isinstance(read, Erasure)
        return decode_event(encode(normalise(read, connection(), NOW).event))

    async with serving(metrics_db.url, NOW) as http:
        await metrics_db.apply(posted("r-1", "pro"))
        await declare(http, metrics_db, "plan")
        assert await by_group(http, "group_by=plan") == {("pro",): 1}
        await metrics_db.apply(posted("r-2", "free"))
        assert await by_group(http, "group_by=plan") == {("free",): 1, ("pro",): 1}
        assert await by_group(http, "filter[plan]=free") == {(): 1}


@pytest.mark.parametrize("place", PLACES)
async def test_a_name_that_is_not_declared_is_an_unknown_dimension(metrics: MetricsDatabase, place: str) -> None:
    async def status_of(http: httpx.AsyncClient) -> int:
        statuses = set()
        for path in ("nps", "nps/records"):
            response = await http.get(f"/v1/kpis/{path}?window=24h&{PLACES[place]}")
            statuses.add(response.status_code)
            if response.status_code == 400:
                assert [param["name"] for param in response.json()["invalid_params"]] == [place]
        (status,) = statuses
        return status

    async with serving(metrics.url, NOW, tenant="unknown") as http:
        assert await status_of(http) == 400
    async with serving(metrics.url, NOW) as http:
        assert await status_of(http) == 400
        await http.put("/v1/dimensions", json=[{"name": "plan"}])
        assert await status_of(http) == 400  # until the build is finished
        await finish_build(metrics)
        assert await status_of(http) == 200
        await declare(http, metrics, "tier")
        assert await status_of(http) == 400
