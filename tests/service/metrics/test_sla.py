"""SLA policies over HTTP: adding versions, the share of met targets, what is due next, and refused bodies."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.metrics.builder import Builder
from services.metrics.store.terms import MOST_POLICY_VERSIONS
from shared.events import Assigned, Event, Fact, Message, Opened, PrioritySet, StatusSet, Ticket
from tests.service.metrics.database import MetricsDatabase, serving, statement
from tests.service.metrics.test_calendars import CALENDAR

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
WINDOW = "window=30d"


def policy(name: str, seconds: int, hours: str = "calendar", **when: list[str]) -> dict[str, Any]:
    target = {"seconds": seconds, "hours": hours}
    return {"id": name, "name": name.title(), "when": when, "targets": {"first_reply": target}}


POLICIES: dict[str, Any] = {"from": "2026-01-01", "policies": [policy("urgent", 1800, priority=["high"]), policy("rest", 7200)]}


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def opened_ticket(number: int, minutes_ago: float, *more: Fact, **fields: Any) -> Event:
    facts = (Opened(at=ago(minutes_ago)), *more)
    return statement(f"c1/ticket/{number}", Ticket(facts=facts), at=ago(minutes_ago), seq=number, **fields)


def replied(minutes_ago: float) -> Message:
    return Message(at=ago(minutes_ago), by="agent", id="m1")


def high(minutes_ago: float) -> PrioritySet:
    return PrioritySet(at=ago(minutes_ago), priority="high")


def team(name: str, minutes_ago: float) -> Assigned:
    return Assigned(at=ago(minutes_ago), team=name)


TICKETS = (
    opened_ticket(1, 300, replied(290)),  # met
    opened_ticket(2, 300, replied(10)),  # breached, replied later
    opened_ticket(3, 300, team("billing", 300)),  # breached 180 minutes ago
    opened_ticket(4, 60, high(60), team("billing", 60), team("shipping", 40)),  # breached 30 minutes ago
    opened_ticket(5, 60, team("shipping", 60)),  # due in 60 minutes
    opened_ticket(6, 10, high(10)),  # due in 20 minutes
    opened_ticket(7, 60, StatusSet(at=ago(50), status="solved")),  # cancelled
    opened_ticket(8, 5, team("billing", 5)),  # due in 115 minutes
)


@pytest.fixture
async def metrics(metrics_db: MetricsDatabase) -> MetricsDatabase:
    """Tickets of a tenant with policies, to which they are not yet applied."""
    await metrics_db.apply(*TICKETS)
    return metrics_db


@pytest.fixture
async def http(metrics: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(metrics.url, NOW) as http:
        yield http


async def put(http: httpx.AsyncClient, body: Any, status: int = 200) -> Any:
    response = await http.put("/v1/sla", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def build(metrics: MetricsDatabase) -> None:
    builder = Builder(metrics.pool)
    while await builder.step(metrics.writer):
        pass


async def row(http: httpx.AsyncClient, kpi: str, parameters: str = WINDOW) -> dict[str, Any]:
    response = await http.get(f"/v1/kpis/{kpi}?{parameters}")
    assert response.status_code == 200, response.text
    (only,) = response.json()["rows"]
    return dict(only)


async def upcoming(http: httpx.AsyncClient, parameters: str = "", status: int = 200) -> Any:
    response = await http.get(f"/v1/sla/upcoming?{parameters}")
    assert response.status_code == status, response.text
    return response.json()


def numbers(page: dict[str, Any]) -> list[int]:
    """The numbers of the tickets on a page."""
    return [int(one["subject"].rsplit("/", 1)[1]) for one in page["rows"]]


# --- KPIs -----------------------------------------------------------------------------------------------------------------
async def test_the_share_of_met_targets_counts_once_the_policies_are_built(
    metrics: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    before = await row(http, "sla_first_reply")
    assert (before["value"], before["n"], before["flags"]) == (None, 0, ["no_policy"])
    assert (await put(http, POLICIES))["building"] == {"revision": 2, "done": 0, "total": 8}
    assert await row(http, "sla_first_reply") == before
    await build(metrics)
    after = await row(http, "sla_first_reply")
    assert (after["value"], after["numerator"], after["denominator"], after["flags"]) == (25, 1, 4, ["low_n"])
    assert after["interval"]["method"] == "wilson"
    records = (await http.get(f"/v1/kpis/sla_first_reply/records?{WINDOW}")).json()["records"]
    assert sorted(record["value"] for record in records) == [0, 0, 0, 1]


async def test_a_deadline_counts_as_a_breach_once_it_has_passed_also_where_spans_are_sealed(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        await put(http, POLICIES)
    await build(metrics)
    for hours, breached in ((0, 3), (1, 5), (2, 6), (60, 6)):
        later = NOW + timedelta(hours=hours, minutes=1)
        await metrics.seal(later)
        async with serving(metrics.url, later) as http:
            assert (await row(http, "sla_first_reply"))["denominator"] == 1 + breached
            assert (await row(http, "sla_breached_open", "at=2030-01-01"))["value"] == breached - 1


async def test_a_reply_after_sealing_takes_the_breach_back(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        await put(http, POLICIES)
    await build(metrics)
    later = NOW + timedelta(days=3)
    await metrics.seal(later)
    met = Ticket(facts=(Message(at=NOW, by="agent", id="m1"),))
    await metrics.apply(statement("c1/ticket/5", met, at=NOW, seq=50))
    async with serving(metrics.url, later) as http:
        answer = await row(http, "sla_first_reply")
        assert (answer["numerator"], answer["denominator"]) == (2, 7)
        assert (await row(http, "sla_breached_open"))["value"] == 4


async def test_open_tickets_past_their_deadline_are_counted_by_the_team_that_has_them(
    metrics: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    await put(http, POLICIES)
    await build(metrics)
    rows = (await http.get("/v1/kpis/sla_breached_open?group_by=team")).json()["rows"]
    assert {one["dims"]["team"]: one["value"] for one in rows if one["value"]} == {"billing": 1, "shipping": 1}


async def test_a_target_in_business_hours_needs_a_calendar(metrics: MetricsDatabase, http: httpx.AsyncClient) -> None:
    await put(http, {"from": "2026-01-01", "policies": [policy("office", 3600, "business")]})
    await build(metrics)
    assert (await row(http, "sla_first_reply"))["n"] == 0
    await http.put("/v1/calendars/main", json=CALENDAR)
    await build(metrics)
    assert (await row(http, "sla_first_reply"))["denominator"] == 3


# --- what is due ----------------------------------------------------------------------------------------------------------
async def test_open_tickets_are_listed_by_the_time_that_is_left(metrics: MetricsDatabase, http: httpx.AsyncClient) -> None:
    assert await upcoming(http) == {
        "now": "2026-03-31T14:00:00+02:00",
        "rows": [],
        "next": None,
        "unknown_filter_values": {},
        "suggested_filter_values": {},
        "terms": {"revision": 1, "preset": None},
    }
    await put(http, POLICIES)
    await build(metrics)
    page = await upcoming(http)
    assert numbers(page) == [3, 4, 6, 5, 8]
    assert [(one["policy"], one["seconds_left"] // 60, one["state"]) for one in page["rows"]] == [
        ("rest", -180, "breached"),
        ("urgent", -30, "breached"),
        ("urgent", 20, "running"),
        ("rest", 60, "running"),
        ("rest", 115, "running"),
    ]
    assert page["rows"][2]["deadline"] == "2026-03-31T14:20:00+02:00"
    assert page["rows"][1]["dims"]["team"] == "shipping"
    assert page["rows"][1]["dims"]["priority"] == "high"
    assert page["terms"] == {"revision": 2, "preset": None}


async def test_a_list_of_deadlines_is_filtered_and_bounded(metrics: MetricsDatabase, http: httpx.AsyncClient) -> None:
    await put(http, POLICIES)
    await build(metrics)
    assert numbers(await upcoming(http, "within=1h")) == [3, 4, 6, 5]
    assert numbers(await upcoming(http, "within=59m")) == [3, 4, 6]
    assert numbers(await upcoming(http, "state=running")) == [6, 5, 8]
    assert numbers(await upcoming(http, "state=breached&within=1h")) == [3, 4]
    assert numbers(await upcoming(http, "filter[team]=shipping")) == [4, 5]
    assert numbers(await upcoming(http, "filter[team]=!shipping")) == [3, 6, 8]
    unknown = await upcoming(http, "filter[team]=shiping")
    assert (unknown["rows"], unknown["unknown_filter_values"]) == ([], {"team": ["shiping"]})
    assert unknown["suggested_filter_values"] == {"team": {"shiping": ["shipping"]}}


async def test_pages_have_every_ticket_once_also_those_of_one_deadline(metrics: MetricsDatabase, http: httpx.AsyncClient) -> None:
    await metrics.apply(*(opened_ticket(number, 60) for number in range(20, 25)))
    await put(http, POLICIES)
    await build(metrics)
    listed, cursor = [], ""
    while cursor is not None:
        page = await upcoming(http, f"limit=2{cursor and f'&cursor={cursor}'}")
        assert len(page["rows"]) <= 2
        listed += numbers(page)
        cursor = page["next"]
    assert listed[:3] == [3, 4, 6]
    assert sorted(listed[3:-1]) == [5, 20, 21, 22, 23, 24]
    assert listed[-1] == 8


async def test_a_ticket_leaves_the_list_with_a_reply_or_a_solve(metrics: MetricsDatabase, http: httpx.AsyncClient) -> None:
    await put(http, POLICIES)
    await build(metrics)
    for number, fact in ((3, replied(1)), (4, StatusSet(at=ago(1), status="solved")), (6, replied(1))):
        await metrics.apply(statement(f"c1/ticket/{number}", Ticket(facts=(fact,)), at=ago(1), seq=90))
    assert numbers(await upcoming(http)) == [5, 8]


async def test_rows_have_the_names_of_teams(metrics: MetricsDatabase, http: httpx.AsyncClient) -> None:
    await put(http, POLICIES)
    await build(metrics)
    await http.put("/v1/names", json={"team": {"billing": "Billing"}})
    assert [one["names"] for one in (await upcoming(http, "filter[team]=Billing"))["rows"]] == [{"team": "Billing"}] * 2


async def test_a_refused_query_names_the_parameter(http: httpx.AsyncClient) -> None:
    for parameters, name, reason in (
        ("within=4w", "within", "such as 30m, 4h or 2d"),
        ("within=1h&within=2h", "within", "given more than once"),
        ("state=late", "state", "running"),
        ("metric=reply", "metric", "next_reply"),
        ("filter[colour]=x", "filter[colour]", "unknown dimension"),
        ("team=x", "team", "filter[team]=x"),
        ("cursor=x", "cursor", "is not a cursor of this list"),
        ("limit=501", "limit", ""),
    ):
        (param,) = (await upcoming(http, parameters, 400))["invalid_params"]
        assert param["name"] == name
        assert reason in param["reason"]


# --- versions -------------------------------------------------------------------------------------------------------------
async def test_the_history_has_every_version_and_an_equal_one_adds_none(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/sla")).json() == {"versions": []}
    later = {"from": "2026-02-01T00:00:00Z", "policies": []}
    for body in (POLICIES, POLICIES, later):
        await put(http, body)
    first, second = (await http.get("/v1/sla")).json()["versions"]
    added = NOW.isoformat().replace("+00:00", "Z")
    assert second == later | {"added_at": added}
    assert (first["from"], first["added_at"]) == ("2025-12-31T23:00:00Z", added)
    anything = dict.fromkeys(("priority", "team", "channel", "segment"))
    for returned, one in zip(first["policies"], POLICIES["policies"], strict=True):
        targets = {"next_reply": None, "resolution": None} | one["targets"]
        assert returned == one | {"when": anything | one["when"], "targets": targets, "pause": []}
    assert "building" in await put(http, {"from": first["from"], "policies": first["policies"]})


async def test_other_terms_keep_the_policies_and_a_new_version_keeps_the_calendars(
    metrics: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    await http.put("/v1/calendars/main", json=CALENDAR)
    await put(http, {"from": "2026-01-01", "policies": [policy("office", 3600, "business")]})
    await http.put("/internal/tenants/acme", json={"name": "Acme", "zone": "Asia/Tokyo"})
    assert (await http.put("/v1/dimensions", json=[{"name": "plan"}])).status_code == 200
    await build(metrics)
    await metrics.apply(opened_ticket(9, 299, replied(290)))
    assert (await row(http, "sla_first_reply"))["denominator"] == 4


async def test_a_tenant_has_a_bounded_number_of_versions(metrics: MetricsDatabase, http: httpx.AsyncClient) -> None:
    await metrics.pool.execute(
        "INSERT INTO sla_policies (tenant, number, body, made_at)"
        " SELECT t.id, n, $1, now() FROM tenants t, generate_series(1, $2::int) n WHERE t.slug = 'acme'",
        b'{"starts":"2026-01-01T00:00:00Z","policies":[]}',
        MOST_POLICY_VERSIONS,
    )
    assert (await put(http, POLICIES, 409))["title"] == "Too many SLA policies"


async def test_a_refused_body_names_the_place(http: httpx.AsyncClient) -> None:
    (param,) = (await put(http, POLICIES | {"policies": [policy("a", 60) | {"pause": ["solved"]}]}, 422))["invalid_params"]
    assert param["name"] == "policies.0.pause.0"
    assert (await http.get("/v1/sla")).json() == {"versions": []}


async def test_an_unknown_tenant_has_no_policies_and_can_not_add_any(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW, tenant="unknown") as http:
        assert (await http.get("/v1/sla")).json() == {"versions": []}
        assert (await upcoming(http))["rows"] == []
        await put(http, POLICIES, 404)
