"""Calendars of business hours over HTTP: adding versions, durations in business hours, and refused bodies."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.metrics.builder import Builder
from services.metrics.store.terms import MOST_VERSIONS
from shared.events import Assigned, Event, Message, Opened, StatusSet, Ticket
from tests.service.metrics.database import MetricsDatabase, serving, statement

OFFICE = [["09:00", "12:00"], ["13:00", "17:00"]]
WEEKLY = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE)
CALENDAR: dict[str, Any] = {"name": "Office", "zone": "Europe/Berlin", "weekly": WEEKLY, "from": "2026-01-01"}
NIGHT = CALENDAR | {"name": "Night", "weekly": {"fri": [["16:00", "24:00"]], "sat": [["00:00", "06:00"]]}, "teams": ["night"]}
OPENED = datetime(2026, 3, 27, 15, 30, tzinfo=UTC)
"""A Friday at 16:30 in Berlin, whose clocks go forward on the Sunday."""
REPLIED = datetime(2026, 3, 30, 7, 20, tzinfo=UTC)
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
WINDOW = "window=30d"


def answered_ticket(number: int, team: str | None = None) -> Event:
    """A ticket that a team had from its opening on, and that was solved with its first reply."""
    assigned = [Assigned(at=OPENED, team=team)] if team else []
    reply = Message(at=REPLIED, by="agent", public=True, id="m1")
    solved = StatusSet(at=REPLIED, status="solved")
    return statement(f"c1/ticket/{number}", Ticket(facts=(Opened(at=OPENED), *assigned, reply, solved)), at=REPLIED, seq=number)


@pytest.fixture
async def metrics(metrics_db: MetricsDatabase) -> MetricsDatabase:
    """A ticket of the team `night`, and one of none."""
    await metrics_db.tenant()
    await metrics_db.apply(answered_ticket(1), answered_ticket(2, "night"))
    return metrics_db


async def put(http: httpx.AsyncClient, identifier: str, body: Any, status: int = 200) -> Any:
    response = await http.put(f"/v1/calendars/{identifier}", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def build(metrics: MetricsDatabase) -> None:
    builder = Builder(metrics.pool)
    while await builder.step(metrics.writer):
        pass


async def row(http: httpx.AsyncClient, kpi: str, parameters: str = "hours=business&agg=mean") -> dict[str, Any]:
    response = await http.get(f"/v1/kpis/{kpi}?{WINDOW}&{parameters}")
    assert response.status_code == 200, response.text
    (only,) = response.json()["rows"]
    return dict(only)


KPIS = ("first_reply_time", "first_resolution_time", "full_resolution_time")


@pytest.mark.parametrize("kpi", KPIS)
async def test_a_duration_has_the_open_seconds_of_the_calendar_once_it_is_built(metrics: MetricsDatabase, kpi: str) -> None:
    async with serving(metrics.url, NOW) as http:
        before = await row(http, kpi)
        assert (before["value"], before["n"], before["flags"]) == (None, 0, ["no_calendar"])
        assert (await put(http, "main", CALENDAR))["building"] == {"revision": 2, "done": 0, "total": 2}
        assert await row(http, kpi) == before
        await build(metrics)
        after = await row(http, kpi)
        assert (after["value"], after["n"], after["flags"]) == (3000, 2, ["low_n"])
        assert (await row(http, kpi, "agg=mean"))["value"] == 229_800
        records = (await http.get(f"/v1/kpis/{kpi}/records?{WINDOW}&hours=business")).json()["records"]
        assert [record["value"] for record in records] == [3000, 3000]


async def test_each_team_has_its_own_calendar_and_a_reply_may_take_no_business_time(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        await put(http, "main", CALENDAR)
        await put(http, "night", NIGHT)
        await build(metrics)
        assert (await row(http, KPIS[0], "hours=business&agg=mean&filter[team]=night"))["value"] == (7 * 60 + 30 + 6 * 60) * 60
        assert (await row(http, KPIS[0], "hours=business&agg=mean&filter[team]=null"))["value"] == 3000
        await put(http, "main", CALENDAR | {"weekly": {}})
        await build(metrics)
        shut = await row(http, KPIS[0], "hours=business&agg=mean&filter[team]=null")
        assert (shut["value"], shut["n"]) == (0, 1)


async def test_without_a_calendar_for_its_team_a_ticket_has_no_business_time(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        await put(http, "night", NIGHT)
        await build(metrics)
        assert (await row(http, KPIS[0]))["n"] == 1
        missing = await row(http, KPIS[0], "hours=business&filter[team]=null")
        assert (missing["value"], missing["n"], missing["flags"]) == (None, 0, [])


async def test_tickets_that_arrive_later_have_business_time_too(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        await put(http, "main", CALENDAR)
        await metrics.apply(answered_ticket(3))
        await build(metrics)
        await metrics.apply(answered_ticket(4))
        assert (await row(http, KPIS[0]))["n"] == 4


async def test_the_history_has_every_version_and_an_equal_one_adds_none(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        assert (await http.get("/v1/calendars")).json() == {"calendars": []}
        full = NIGHT | {"holidays": {"country": "DE", "subdivision": "BE", "extra": ["2026-12-24"], "without": ["2026-12-26"]}}
        for body in (full, full, NIGHT):
            await put(http, "night", body)
        listed = (await http.get("/v1/calendars")).json()["calendars"]
    every_day = {day: NIGHT["weekly"].get(day, []) for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    added = {"id": "night", "weekly": every_day, "added_at": NOW.isoformat().replace("+00:00", "Z")}
    no_holidays: dict[str, Any] = {"country": None, "subdivision": None, "extra": [], "without": []}
    assert listed == [full | added, NIGHT | {"holidays": no_holidays} | added]


async def test_another_zone_of_the_tenant_and_other_dimensions_keep_the_calendars(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        await put(http, "main", CALENDAR)
        await http.put("/internal/tenants/acme", json={"name": "Acme", "zone": "Asia/Tokyo"})
        assert (await http.put("/v1/dimensions", json=[{"name": "plan"}])).status_code == 200
        await build(metrics)
        await http.put("/internal/tenants/acme", json={"name": "Acme", "zone": "Asia/Seoul"})
        await metrics.apply(answered_ticket(3))
        assert (await row(http, KPIS[0]))["n"] == 3


async def test_two_calendars_of_one_team_are_a_conflict_and_change_nothing(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        await put(http, "main", CALENDAR)
        problem = await put(http, "other", CALENDAR, 409)
        assert problem["title"] == "Overlapping calendars"
        assert "'main' and 'other' both are the default from 2026-01-01 on" in problem["detail"]
        assert len((await http.get("/v1/calendars")).json()["calendars"]) == 1


async def test_a_tenant_has_a_bounded_number_of_versions(metrics: MetricsDatabase) -> None:
    await metrics.pool.execute(
        "INSERT INTO calendars (tenant, number, body, made_at)"
        " SELECT t.id, n, $1, now() FROM tenants t, generate_series(1, $2::int) n WHERE t.slug = 'acme'",
        b'{"id":"main","name":"x","zone":"UTC","first_day":"2026-01-01","weekly":[]}',
        MOST_VERSIONS,
    )
    async with serving(metrics.url, NOW) as http:
        assert (await put(http, "main", CALENDAR, 409))["title"] == "Too many calendars"


async def test_a_refusal_names_the_field_and_the_reason(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        problem = await put(http, "main", CALENDAR | {"zone": "Berlin"}, 422)
        assert [(param["name"], "not an IANA zone" in param["reason"]) for param in problem["invalid_params"]] == [("zone", True)]
        for identifier in ("Main", "a b", "x" * 41, "-x"):
            assert (await http.put(f"/v1/calendars/{identifier}", json=CALENDAR)).status_code == 422


async def test_an_unknown_tenant_has_no_calendars_and_can_not_add_one(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW, tenant="unknown") as http:
        assert (await http.get("/v1/calendars")).json() == {"calendars": []}
        await put(http, "main", CALENDAR, 404)
