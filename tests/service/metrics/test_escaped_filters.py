"""Filters over HTTP: values that need an escape, and values that the tenant doesn't have."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import NewDatabase
from tests.service.metrics.database import open_metrics_db, serving, survey_response
from tests.unit.metrics.build import nps
from tests.unit.metrics.test_queries import written

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
TEAMS = (None, "null", "Support, EU", "!important", "a\\b", "billing", "\\null", "Support")


@pytest.fixture(scope="module")
async def http(database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """The service over one answer of each team, the n-th with n points."""
    url = await database("metrics")
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        for points, team in enumerate(TEAMS):
            dimensions = {"team": team} if team else {}
            await metrics_db.apply(survey_response(points, nps(points), at=NOW - timedelta(hours=1), dimensions=dimensions))
    async with serving(url, NOW) as http:
        yield http


async def ask(http: httpx.AsyncClient, below: str = "", **filters: str) -> Any:
    params = {"window": "24h", **{f"filter[{dimension}]": value for dimension, value in filters.items()}}
    answer = await http.get(f"/v1/kpis/nps{below}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("team", TEAMS)
async def test_every_value_can_be_filtered_for_and_left_out(http: httpx.AsyncClient, team: str | None) -> None:
    points = TEAMS.index(team)
    (row,) = (await ask(http, team=written(team)))["rows"]
    assert row["distribution"] == {str(points): 1}
    (row,) = (await ask(http, team=f"!{written(team)}"))["rows"]
    assert row["distribution"].keys() == {str(n) for n in range(len(TEAMS))} - {str(points)}
    records = (await ask(http, "/records", team=written(team)))["records"]
    assert [record["dims"]["team"] for record in records] == [team]


async def test_several_values_are_each_escaped(http: httpx.AsyncClient) -> None:
    (row,) = (await ask(http, team=",".join(written(team) for team in ("Support, EU", "null", None))))["rows"]
    assert row["distribution"] == {"0": 1, "1": 1, "2": 1}


@pytest.mark.parametrize("below", ["", "/records"])
async def test_values_that_the_tenant_does_not_have_are_named(http: httpx.AsyncClient, below: str) -> None:
    content = await ask(http, below, team="billing,billling,!Support\\, UK,null", region="DE")
    assert content["unknown_filter_values"] == {"team": ["billling", "Support, UK"], "region": ["DE"]}
    assert (await ask(http, below, team="billing"))["unknown_filter_values"] == {}


@pytest.mark.parametrize("below", ["", "/records"])
async def test_similar_values_of_the_same_dimension_are_suggested_for_unknown_ones(http: httpx.AsyncClient, below: str) -> None:
    content = await ask(http, below, team="BILLLING,suport,xyzzy,billing", region="bill")
    assert content["unknown_filter_values"] == {"team": ["BILLLING", "suport", "xyzzy"], "region": ["bill"]}
    assert content["suggested_filter_values"] == {"team": {"BILLLING": ["billing"], "suport": ["Support", "Support, EU"]}}
    assert (await ask(http, below, team="billing"))["suggested_filter_values"] == {}


async def test_a_tenant_that_metrics_does_not_know_has_none_of_the_values(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/kpis/nps", params={"filter[team]": "billing"}, headers={"X-Earshot-Tenant": "nobody"})
    assert answer.json()["unknown_filter_values"] == {"team": ["billing"]}
    assert answer.json()["suggested_filter_values"] == {}
