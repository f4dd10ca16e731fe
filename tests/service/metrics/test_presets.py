"""Presets over HTTP: switching them on and off, results under them, side by side, and presets of the tenant's own."""

from collections.abc import AsyncIterator
from itertools import cycle
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.metrics.domain.presets import PRESETS
from services.metrics.verify.battery import parameters_of, preset_queries
from shared.events import Message, Spam, StatusSet
from tests.service.metrics.database import MetricsDatabase, serving
from tests.service.metrics.test_calendars import CALENDAR
from tests.service.metrics.test_sla import NOW, POLICIES, ago, build, opened_ticket

BOT = Message(at=ago(110), by="bot", id="b1")
REPLY = Message(at=ago(60), by="agent", id="m1")
HUMAN = Message(at=ago(50), by="agent", id="m2")


@pytest.fixture
async def http(metrics_db: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """A tenant with a ticket that a bot answered after ten minutes and an agent after an hour."""
    await metrics_db.apply(opened_ticket(1, 120, BOT, REPLY))
    async with serving(metrics_db.url, NOW) as http:
        yield http


async def value_of(http: httpx.AsyncClient, parameters: str = "preset=dbt_zendesk") -> dict[str, Any]:
    """The mean first reply time."""
    response = await http.get(f"/v1/kpis/first_reply_time?window=7d&agg=mean&{parameters}")
    assert response.status_code == 200, response.text
    (row,) = response.json()["rows"]
    return {"value": row["value"], "flags": row["flags"], "terms": response.json()["terms"]}


async def put(http: httpx.AsyncClient, preset: str, status: int = 200, **body: Any) -> dict[str, Any]:
    response = await http.put(f"/v1/presets/{preset}", json=body)
    assert response.status_code == status, response.text
    content: dict[str, Any] = response.json()
    return content


async def test_results_under_a_preset_are_there_once_it_is_built_and_gone_when_it_is_switched_off(
    metrics_db: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    nothing = {"value": None, "flags": ["no_preset"], "terms": {"revision": 1, "preset": "dbt_zendesk"}}
    assert await value_of(http) == nothing
    assert (await put(http, "dbt_zendesk"))["building"]["revision"] == 2
    assert await value_of(http) == nothing
    await build(metrics_db)
    assert await put(http, "dbt_zendesk", enabled=True) == {"revision": 2, "building": None}
    assert await value_of(http) == {"value": 600, "flags": ["low_n"], "terms": {"revision": 2, "preset": "dbt_zendesk"}}
    assert await value_of(http, "") == {"value": 3600, "flags": ["low_n"], "terms": {"revision": 2}}
    entries = {entry["id"]: entry for entry in (await http.get("/v1/presets")).json()["presets"]}
    assert {name for name, entry in entries.items() if entry["enabled"]} == {"dbt_zendesk"}
    assert "bots are agents" in entries["dbt_zendesk"]["differences"]["first_reply_time"]
    records = await http.get("/v1/kpis/first_reply_time/records?window=7d&preset=dbt_zendesk")
    assert [record["value"] for record in records.json()["records"]] == [600]
    await http.put("/v1/calendars/main", json=CALENDAR)
    await build(metrics_db)
    assert (await value_of(http))["value"] == 600
    await put(http, "dbt_zendesk", enabled=False)
    await build(metrics_db)
    assert (await value_of(http))["flags"] == ["no_preset"]
    names = [row["name"] for row in await metrics_db.pool.fetch("SELECT name FROM measures")]
    assert not [name for name in names if "dbt_zendesk" in name]


async def test_a_count_under_a_preset_that_is_off_is_null(metrics_db: MetricsDatabase, http: httpx.AsyncClient) -> None:
    """Not 0, and no share of 0 where the preset has rows of its own for the numerator alone."""
    await put(http, "board", reopen={"grace_minutes": 5})
    await build(metrics_db)
    await put(http, "board", enabled=False)
    await build(metrics_db)
    for kpi, preset in (
        ("tickets_solved", "dbt_zendesk"),
        ("backlog", "dbt_zendesk"),
        ("backlog_age", "dbt_zendesk"),
        ("sla_breached_open", "dbt_zendesk"),
        ("resolution_rate", "board"),
    ):
        for path in (kpi, f"{kpi}/explain"):
            response = (await http.get(f"/v1/kpis/{path}?window=7d&preset={preset}")).json()
            row = response if path.endswith("explain") else response["rows"][0]
            assert (row["value"], row["n"]) == (None, 0), path
            assert "no_preset" in row["flags"], path
    explained = (await http.get("/v1/kpis/tickets_solved/explain?window=7d&preset=dbt_zendesk")).json()
    assert (explained["recomputed"], explained["filled_in"], explained["equal"]) == (None, None, True)
    (row,) = (await http.get("/v1/kpis/tickets_opened?window=7d&preset=board")).json()["rows"]
    assert (row["value"], row["flags"]) == (1, ["no_preset"])  # the preset doesn't change it
    (row,) = (await http.get("/v1/kpis/tickets_opened?window=7d&compare_presets=dbt_zendesk")).json()["rows"]
    assert (row["presets"][0]["value"], row["presets"][0]["delta"]) == (None, None)


async def test_a_preset_reads_our_measures_for_what_it_does_not_change(
    metrics_db: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    await put(http, "zendesk")
    await build(metrics_db)
    assert await value_of(http, "preset=zendesk") == {
        "value": 3600,
        "flags": ["low_n"],
        "terms": {"revision": 2, "preset": "zendesk"},
    }


async def test_a_tenant_defines_a_preset_and_defines_it_anew(metrics_db: MetricsDatabase, http: httpx.AsyncClient) -> None:
    await put(http, "board", name="Our board", first_reply={"counts_bots": True})
    await build(metrics_db)
    assert (await value_of(http, "preset=board"))["value"] == 600
    catalogue = {kpi["id"]: kpi for kpi in (await http.get("/v1/kpis")).json()["kpis"]}
    assert "board" in catalogue["first_reply_time"]["presets"]
    assert "board" not in catalogue["nps"]["presets"]
    await put(http, "board", **{"dropped.keep": True})
    assert (await value_of(http, "preset=board"))["value"] == 600  # until it is built
    await build(metrics_db)
    assert (await value_of(http, "preset=board"))["value"] == 3600
    listed = (await http.get("/v1/presets")).json()
    assert [(one["id"], one["name"]) for one in listed["history"]] == [("board", "Our board"), ("board", "Our board")]
    assert [one["switches"]["first_reply"]["counts_bots"] for one in listed["history"]] == [True, False]
    (board,) = (entry for entry in listed["presets"] if entry["own"])
    assert board["differences"]["tickets_opened"] == "merged, spam and deleted tickets count too"
    assert (await put(http, "board", dropped={"keep": True}))["building"] is None


async def test_a_definition_of_one_tenant_is_unknown_to_others(metrics_db: MetricsDatabase, http: httpx.AsyncClient) -> None:
    await metrics_db.apply(opened_ticket(1, 120, BOT, REPLY, tenant="other"))
    await put(http, "board", first_reply={"counts_bots": True})
    await build(metrics_db)
    async with serving(metrics_db.url, NOW, tenant="other") as other:
        response = await other.get("/v1/kpis/first_reply_time?preset=board")
        assert response.status_code == 400
        assert "unknown preset" in response.json()["invalid_params"][0]["reason"]
        assert not [entry for entry in (await other.get("/v1/presets")).json()["presets"] if entry["own"]]


async def test_presets_are_compared_side_by_side_with_the_tickets_that_differ(
    metrics_db: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    await metrics_db.apply(
        opened_ticket(2, 120, HUMAN),
        opened_ticket(3, 120, HUMAN, Spam(at=ago(10))),
        opened_ticket(4, 120, StatusSet(at=ago(100), status="solved")),
    )
    await put(http, "dbt_zendesk")
    await build(metrics_db)
    await put(http, "board", first_reply={"counts_bots": True})
    response = await http.get("/v1/kpis/first_reply_time?window=7d&agg=mean&compare_presets=dbt_zendesk,zendesk,chatwoot")
    assert response.status_code == 200, response.text
    ours = (3600 + 4200) / 2
    (row,) = response.json()["rows"]
    assert row["value"] == ours
    assert [(one["preset"], one["value"], one["n"], one["flags"]) for one in row["presets"]] == [
        ("dbt_zendesk", (600 + 4200 + 4200) / 3, 3, ["low_n"]),
        ("zendesk", ours, 2, ["low_n", "no_preset"]),
        ("chatwoot", None, 0, ["no_preset"]),
    ]
    assert row["presets"][0]["delta"] == row["presets"][0]["value"] - ours
    heads = {one["preset"]: one for one in response.json()["compare_presets"]}
    assert (heads["dbt_zendesk"]["tickets"], heads["dbt_zendesk"]["different_tickets"]) == (3, 2)
    assert (heads["zendesk"]["tickets"], heads["zendesk"]["difference"]) == (
        None,
        "in business hours by the calendar of one team for the whole ticket: the last one; next replies and targets by that of"
        " each team while it held the ticket",
    )
    grouped = await http.get("/v1/kpis/first_reply_time?window=7d&group_by=team&compare_presets=dbt_zendesk&fields=n,presets")
    assert [(row["n"], row["presets"][0]["n"]) for row in grouped.json()["rows"]] == [(2, 3)]
    await put(http, "zendesk")
    await build(metrics_db)
    same = (await http.get("/v1/kpis/first_reply_time?window=7d&compare_presets=zendesk")).json()["compare_presets"][0]
    assert (same["tickets"], same["different_tickets"]) == (2, 0)


async def test_tickets_are_exported_under_a_preset_with_times_that_run_until_now(
    metrics_db: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    await metrics_db.apply(opened_ticket(3, 120, HUMAN, Spam(at=ago(10))))
    refused = await http.get("/v1/tickets?window=7d&preset=dbt_zendesk")
    assert (refused.status_code, refused.json()["invalid_params"][0]["name"]) == (400, "preset")
    assert "not switched on" in refused.json()["invalid_params"][0]["reason"]
    await put(http, "dbt_zendesk")
    await build(metrics_db)
    page = (await http.get("/v1/tickets?window=7d&preset=dbt_zendesk")).json()
    assert page["terms"] == {"revision": 2, "preset": "dbt_zendesk"}
    by_id = {ticket["source_id"]: ticket for ticket in page["tickets"]}
    assert by_id.keys() == {"1", "3"}
    first = by_id["1"]
    assert (first["first_reply_seconds"], first["total_reply_seconds"], first["agent_replies"]) == (600, 600, 2)
    assert (first["handling_seconds"], first["reopens"], first["one_touch"]) == (7200, None, None)
    (ours,) = (await http.get("/v1/tickets?window=7d")).json()["tickets"]
    assert (ours["first_reply_seconds"], ours["handling_seconds"], ours["reopens"]) == (3600, None, 0)


async def test_a_value_under_a_preset_is_explained(metrics_db: MetricsDatabase, http: httpx.AsyncClient) -> None:
    await put(http, "dbt_zendesk")
    await put(http, "board", first_reply={"counts_bots": True})
    await build(metrics_db)
    for preset in ("dbt_zendesk", "board"):
        explained = (await http.get(f"/v1/kpis/first_reply_time/explain?window=7d&agg=mean&preset={preset}")).json()
        assert (explained["value"], explained["recomputed"], explained["equal"]) == (600, 600, True)
        assert f"Under {preset}" in explained["formula"]
        assert f"preset={preset}" in explained["records"]
        assert len((await http.get(explained["records"])).json()["records"]) == 1


async def test_values_of_every_kpi_under_every_preset_equal_their_recomputations(
    metrics_db: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    question = Message(at=ago(40), by="customer", text="And now?", id="m3")
    reopened = StatusSet(at=ago(30), status="solved"), StatusSet(at=ago(25), status="open"), StatusSet(at=ago(5), status="solved")
    await metrics_db.apply(
        opened_ticket(2, 90, REPLY, question, *reopened), opened_ticket(3, 60, HUMAN, Spam(at=ago(20))), opened_ticket(4, 50)
    )
    await http.put("/v1/calendars/main", json=CALENDAR)
    await http.put("/v1/sla", json=POLICIES)
    for preset in PRESETS:
        await put(http, preset)
    await build(metrics_db)
    await metrics_db.seal(NOW)
    values = 0
    shapes = cycle([{}, {"grain": "P1M"}, {"group_by": "", "filter[team]": "null"}])
    for query, shape in zip(preset_queries(PRESETS.values(), NOW, ZoneInfo("Europe/Berlin")), shapes, strict=False):
        parameters = {name: value for name, value in (parameters_of(query) | shape).items() if value}
        response = await http.get(f"/v1/kpis/{query.kpi.id}/explain", params=parameters)
        assert response.json()["equal"], (query.kpi.id, parameters, response.text)
        values += response.json()["n"] > 0
    assert values > 30


@pytest.mark.parametrize(
    ("path", "name", "reason"),
    [
        ("first_reply_time?preset=dbt", "preset", "unknown preset"),
        ("first_reply_time?preset=DBT", "preset", "unknown preset"),
        ("nps?preset=dbt_zendesk", "preset", "has no definition of nps"),
        ("nps?preset=board", "preset", "has no definition of nps"),
        ("first_reply_time?compare_presets=dbt", "compare_presets", "unknown preset"),
        ("first_reply_time?compare_presets=a,b,c,d", "compare_presets", "at most 3"),
        ("nps?compare_presets=zendesk", "compare_presets", "has no definition of nps"),
        ("first_reply_time/explain?preset=dbt", "preset", "unknown preset"),
        ("first_reply_time/records?preset=dbt", "preset", "unknown preset"),
    ],
)
async def test_a_query_that_a_preset_does_not_define_is_refused(
    http: httpx.AsyncClient, path: str, name: str, reason: str
) -> None:
    response = await http.get(f"/v1/kpis/{path}")
    assert response.status_code == 400, response.text
    (param,) = response.json()["invalid_params"]
    assert param["name"] == name
    assert reason in param["reason"]


async def test_unknown_presets_and_invalid_bodies_are_refused(http: httpx.AsyncClient) -> None:
    unknown = await put(http, "dbt_zendesc", 404)
    assert (unknown["title"], 'did you mean "dbt_zendesk"?' in unknown["detail"]) == ("Unknown preset", True)
    bodies: dict[str, dict[str, Any]] = {
        "dbt_zendesk": {"dropped": {"keep": True}},
        "Board": {"dropped": {"keep": True}},
        "board": {"dropped": {"kept": True}},
        "board2": {"reopen": {"grace_minutes": -1}},
        "board3": {"reopen.grace_minutes": "30"},
        "board4": {"first_reply": {"from": "assignment"}},
        "board5": {"enabled": "yes"},
        "board6": {"name": "Our\nboard", "dropped": {"keep": True}},
        "board7": {"dropped": {"keep": True}, "dropped.keep": False},
    }
    for preset, body in bodies.items():
        assert (await put(http, preset, 422, **body))["title"] == "Unprocessable", preset


async def test_presets_are_bounded(metrics_db: MetricsDatabase, http: httpx.AsyncClient) -> None:
    for number in range(10):
        await put(http, f"own{number}", enabled=False, one_touch={"max_replies": number})
    too_many = await put(http, "own10", 409, one_touch={"max_replies": 1})
    assert (too_many["title"], "at most 10" in too_many["detail"]) == ("Too many presets", True)
    await put(http, "own0", one_touch={"max_replies": 5})
    for preset in ("zendesk", "intercom", "chatwoot"):
        await put(http, preset)
    assert "at most 4 presets" in (await put(http, "dbt_zendesk", 409))["detail"]
    await put(http, "zendesk", enabled=False)
    await put(http, "dbt_zendesk")
