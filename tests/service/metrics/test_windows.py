"""Windows over HTTP: lengths, dates in the tenant's zone, and the suggestions of refusals."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import NewDatabase
from tests.service.metrics.database import open_metrics_db, serving, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
MIDNIGHT_IN_BERLIN = datetime(2026, 10, 31, 23, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.fixture(scope="module")
async def http(database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """The service over answers of 0, 1, 2 and 3 points around the first days of November in Berlin."""
    url = await database("metrics")
    times = (MIDNIGHT_IN_BERLIN - MOMENT, MIDNIGHT_IN_BERLIN, MIDNIGHT_IN_BERLIN + timedelta(days=1), NOW - timedelta(hours=2))
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant(zone="Europe/Berlin")
        for points, at in enumerate(times):
            await metrics_db.apply(survey_response(points, nps(points), at=at))
    async with serving(url, NOW) as http:
        yield http


async def counted(http: httpx.AsyncClient, path: str = "/v1/kpis/nps", **params: str) -> tuple[set[str], Any]:
    """The points of the counted answers, and the window of the result."""
    response = await http.get(path, params={name.rstrip("_"): value for name, value in params.items()})
    assert response.status_code == 200, response.text
    content = response.json()
    if "records" in content:
        return {f"{record['value']:g}" for record in content["records"]}, content["window"]
    return set(content["rows"][0]["distribution"] or ()), content["window"]


@pytest.mark.parametrize("path", ["/v1/kpis/nps", "/v1/kpis/nps/records"])
async def test_dates_begin_at_midnight_in_the_tenants_zone_and_the_last_is_excluded(http: httpx.AsyncClient, path: str) -> None:
    points, window = await counted(http, path, from_="2026-11-01", to="2026-11-02")
    assert points == {"1"}
    assert window == {"from": "2026-11-01T00:00:00+01:00", "to": "2026-11-02T00:00:00+01:00", "tz": "Europe/Berlin"}


async def test_dates_follow_the_zone_of_the_query(http: httpx.AsyncClient) -> None:
    points, window = await counted(http, from_="2026-10-31", to="2026-11-01", tz="UTC")
    assert points == {"0", "1"}
    assert window["from"] == "2026-10-31T00:00:00+00:00"


async def test_a_comparison_may_have_dates(http: httpx.AsyncClient) -> None:
    params = {"from": "2026-11-01", "to": "2026-11-02", "compare": "2026-10-31/2026-11-01"}
    (row,) = (await http.get("/v1/kpis/nps", params=params)).json()["rows"]
    assert (row["n"], row["compare"][0]["n"]) == (1, 1)


async def test_a_value_at_a_date_is_that_of_its_midnight(http: httpx.AsyncClient) -> None:
    (row,) = (await http.get("/v1/kpis/backlog", params={"at": "2026-11-01"})).json()["rows"]
    assert row["to"] == "2026-11-01T00:00:00+01:00"


@pytest.mark.parametrize(
    ("window", "points"), [("150m", {"3"}), ("1h", set()), ("36h", {"2", "3"}), ("2d", {"0", "1", "2", "3"})]
)
async def test_a_window_may_have_any_length(http: httpx.AsyncClient, window: str, points: set[str]) -> None:
    assert (await counted(http, window=window))[0] == points
    assert (await counted(http, "/v1/kpis/nps/records", window=window))[0] == points


async def test_the_shadow_report_takes_the_same_windows(http: httpx.AsyncClient) -> None:
    promoted = (await http.get("/v1/models")).json()["models"][0]["name"]
    report = (await http.get(f"/v1/models/{promoted}/shadow", params={"from": "2026-11-01", "to": "2026-11-02"})).json()
    assert report["window"]["from"] == "2026-11-01T00:00:00+01:00"
    assert (await http.get(f"/v1/models/{promoted}/shadow", params={"window": "36h"})).status_code == 200


@pytest.mark.parametrize(
    ("query", "name", "reason"),
    [
        ("filter=team:billing", "filter", "is written filter[<dimension>]=<value>; did you mean filter[team]=billing?"),
        ("windw=24h", "windw", 'unknown parameter; did you mean "window"? Allowed: window, from, to'),
        ("group_by=taem", "group_by", 'unknown dimension; did you mean "team"? Allowed: source, connection'),
        ("filter[chanel]=email", "filter[chanel]", 'unknown dimension; did you mean "channel"? Allowed: source, connection'),
        ("from=2026-11-02T09:00:00Z&to=2026-11-02", "from", "is not before to"),
    ],
)
async def test_a_refusal_suggests_what_was_probably_meant(http: httpx.AsyncClient, query: str, name: str, reason: str) -> None:
    for path in ("nps", "nps/records"):
        response = await http.get(f"/v1/kpis/{path}?{query}")
        assert response.status_code == 400
        (param,) = response.json()["invalid_params"]
        assert param["name"] == name
        assert param["reason"].startswith(reason)


async def test_an_unknown_kpi_is_404_with_the_closest_id(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/kpis/npss")
    assert response.status_code == 404
    assert response.json()["detail"] == 'there is no KPI "npss"; did you mean "nps"? GET /v1/kpis lists them all'
