"""Presets over HTTP: switching one on and off, and results under it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.events import Message
from tests.service.metrics.database import MetricsDatabase, serving
from tests.service.metrics.test_calendars import CALENDAR
from tests.service.metrics.test_sla import NOW, ago, build, opened_ticket

BOT = Message(at=ago(110), by="bot", id="b1")
REPLY = Message(at=ago(60), by="agent", id="m1")


@pytest.fixture
async def http(metrics_db: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """A tenant with a ticket that a bot answered after ten minutes and an agent after an hour."""
    await metrics_db.apply(opened_ticket(1, 120, BOT, REPLY))
    async with serving(metrics_db.url, NOW) as http:
        yield http


async def first_reply(http: httpx.AsyncClient, parameters: str = "preset=dbt_zendesk") -> dict[str, Any]:
    response = await http.get(f"/v1/kpis/first_reply_time?window=7d&agg=mean&{parameters}")
    assert response.status_code == 200, response.text
    (row,) = response.json()["rows"]
    return {"value": row["value"], "flags": row["flags"], "terms": response.json()["terms"]}


async def test_results_under_a_preset_are_there_once_it_is_built_and_gone_when_it_is_switched_off(
    metrics_db: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    nothing = {"value": None, "flags": ["no_preset"], "terms": {"revision": 1, "preset": "dbt_zendesk"}}
    assert await first_reply(http) == nothing
    started = await http.put("/v1/presets/dbt_zendesk", json={})
    assert (started.status_code, started.json()["building"]["revision"]) == (200, 2)
    assert await first_reply(http) == nothing
    await build(metrics_db)
    assert (await http.put("/v1/presets/dbt_zendesk", json={"enabled": True})).json() == {"revision": 2, "building": None}
    assert await first_reply(http) == {"value": 600, "flags": ["low_n"], "terms": {"revision": 2, "preset": "dbt_zendesk"}}
    assert await first_reply(http, "") == {"value": 3600, "flags": ["low_n"], "terms": {"revision": 2}}
    (entry,) = (await http.get("/v1/presets")).json()["presets"]
    assert (entry["id"], entry["enabled"], list(entry["differences"])) == ("dbt_zendesk", True, ["first_reply_time"])
    records = await http.get("/v1/kpis/first_reply_time/records?window=7d&preset=dbt_zendesk")
    assert [record["value"] for record in records.json()["records"]] == [600]
    await http.put("/v1/calendars/main", json=CALENDAR)
    await build(metrics_db)
    assert (await first_reply(http))["value"] == 600
    await http.put("/v1/presets/dbt_zendesk", json={"enabled": False})
    await build(metrics_db)
    assert (await first_reply(http))["flags"] == ["no_preset"]
    names = [row["name"] for row in await metrics_db.pool.fetch("SELECT name FROM measures")]
    assert not [name for name in names if "dbt_zendesk" in name]


@pytest.mark.parametrize(
    ("path", "name", "reason"),
    [
        ("first_reply_time?preset=dbt", "preset", "dbt_zendesk"),
        ("nps?preset=dbt_zendesk", "preset", "has no definition of nps; it has: first_reply_time"),
        ("first_reply_time?preset=dbt_zendesk&hours=business", "hours", "has no definition in business hours"),
    ],
)
async def test_a_query_that_a_preset_does_not_define_is_refused(
    http: httpx.AsyncClient, path: str, name: str, reason: str
) -> None:
    response = await http.get(f"/v1/kpis/{path}")
    assert response.status_code == 400
    (param,) = response.json()["invalid_params"]
    assert param["name"] == name
    assert reason in param["reason"]


async def test_an_unknown_preset_and_an_invalid_body_are_refused(http: httpx.AsyncClient) -> None:
    response = await http.put("/v1/presets/dbt_zendesc", json={})
    assert response.status_code == 404
    assert response.json()["title"] == "Unknown preset"
    assert 'did you mean "dbt_zendesk"?' in response.json()["detail"]
    assert (await http.put("/v1/presets/dbt_zendesk", json={"enabled": "yes"})).status_code == 422
