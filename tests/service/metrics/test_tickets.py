"""`GET /v1/tickets`: one row for each ticket, from which the KPIs can be computed again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any

import httpx
import pytest

from services.metrics.domain.ticket_columns import COLUMNS, NAME_COLUMNS
from shared.events import Assigned, Event, Fact, Merged, Message, Opened, StatusSet, Ticket
from tests.conftest import NewDatabase
from tests.service.metrics.database import open_metrics_db, serving, statement, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def ticket(number: int, opened: float, *facts: Fact, **dimensions: str) -> Event:
    body = Ticket(facts=(Opened(at=ago(opened)), *facts))
    return statement(f"c2/ticket/{number}", body, at=ago(opened), seq=number, dimensions=dimensions)


def reply(hours: float) -> Message:
    return Message(at=ago(hours), by="agent", id="m1")


def solved(hours: float) -> StatusSet:
    return StatusSet(at=ago(hours), status="solved")


FEEDBACK = (
    ticket(1, 50, reply(48), solved(40), team="7"),
    ticket(2, 30, reply(29), solved(20), team="8"),
    ticket(3, 30, Assigned(at=ago(30), team="7"), Assigned(at=ago(10), team="8")),
    ticket(4, 20, Merged(at=ago(10))),
    ticket(5, 1000, solved(5)),
    survey_response(6, nps(9), at=ago(3)),
)


@pytest.fixture(scope="module")
async def http(database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    url = await database("metrics")
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        await metrics_db.apply(*FEEDBACK)
    async with serving(url, NOW) as http:
        await http.put("/v1/names", json={"team": {"8": "Billing"}})
        yield http


async def exported(http: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    """All tickets, by following the cursor."""
    tickets: list[dict[str, Any]] = []
    while True:
        response = await http.get("/v1/tickets", params=params)
        assert response.status_code == 200, response.text
        page = response.json()
        assert [column["name"] for column in page["columns"]] == [*(column.name for column in COLUMNS), *NAME_COLUMNS.values()]
        assert all(list(row) == [column["name"] for column in page["columns"]] for row in page["tickets"])
        tickets += page["tickets"]
        if page["next"] is None:
            return tickets
        params["cursor"] = page["next"]


@pytest.mark.parametrize("limit", [1, 2, 2000])
async def test_each_ticket_is_a_row_the_latest_first(http: httpx.AsyncClient, limit: int) -> None:
    opened = await exported(http, window="90d", limit=limit)
    assert [row["source_id"] for row in opened] == ["3", "2", "1", "5"]
    by_solve = await exported(http, window="90d", filed_by="solved", limit=limit)
    assert [row["source_id"] for row in by_solve] == ["5", "2", "1"]
    assert [row["source_id"] for row in await exported(http, window="36h")] == ["3", "2"]


async def test_filters_select_by_the_dimensions_at_the_event_and_rows_have_the_latest(http: httpx.AsyncClient) -> None:
    at_opening = await exported(http, window="90d", **{"filter[team]": "7"})
    assert {row["source_id"]: (row["team"], row["team_name"]) for row in at_opening} == {"1": ("7", None), "3": ("8", "Billing")}
    assert [row["source_id"] for row in await exported(http, window="90d", **{"filter[team]": "Billing"})] == ["2"]


@pytest.mark.parametrize(
    ("column", "kpi", "params"),
    [
        ("full_resolution_seconds", "full_resolution_time", {"filed_by": "solved"}),
        ("first_reply_seconds", "first_reply_time", {"filed_by": "opened"}),
    ],
)
async def test_the_mean_of_a_column_is_the_mean_of_the_kpi(
    http: httpx.AsyncClient, column: str, kpi: str, params: dict[str, str]
) -> None:
    values = [row[column] for row in await exported(http, window="90d", **params) if row[column] is not None]
    filed = {"filed_by": "created"} if kpi == "first_reply_time" else {}
    (row,) = (await http.get(f"/v1/kpis/{kpi}", params={"window": "90d", "agg": "mean", **filed})).json()["rows"]
    assert (mean(values), len(values)) == (row["value"], row["n"])


async def test_times_have_the_offset_of_the_zone(http: httpx.AsyncClient) -> None:
    (row,) = await exported(http, window="24h", filed_by="solved", tz="Asia/Kolkata", limit=1, **{"filter[team]": "8"})
    assert row["solved"] == "2026-11-01T21:30:00+05:30"


@pytest.mark.parametrize(
    "query",
    ["limit=2001", "limit=0", "filed_by=created", "cursor=x", "grain=P1D", "filter[theme]=a", "filter[plan]=a", "window=9y"],
)
async def test_an_invalid_parameter_is_refused_by_its_name(http: httpx.AsyncClient, query: str) -> None:
    response = await http.get(f"/v1/tickets?{query}")
    assert response.status_code == 400
    assert [one["name"] for one in response.json()["invalid_params"]] == [query.partition("=")[0]]


async def test_a_tenant_without_tickets_has_an_empty_page(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/tickets", headers={"X-Earshot-Tenant": "nobody"})
    assert (response.json()["tickets"], response.json()["next"]) == ([], None)
