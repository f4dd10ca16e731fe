"""KPIs over HTTP: values computed by hand, from contributions alone and from sealed histograms."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.metrics.api.schemas import KpiEntry
from shared.events import Assigned, Event, Message, Opened, StatusSet, Ticket
from tests.conftest import NewDatabase
from tests.service.metrics.database import open_metrics_db, score_of, serving, statement, survey_response
from tests.unit.metrics.build import csat, nps, words

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 27, 12, tzinfo=UTC)
"""Two days after Berlin's clocks went back."""


def berlin(day: int, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=BERLIN, fold=fold).astimezone(UTC)


def feedback() -> list[Event]:
    """Answers of 24 to 27 October, and three tickets: one solved, one reopened, one reassigned to another team."""
    ratings = [
        (1, 10, berlin(24, 23, 59), "DE", "p1"),
        (2, 9, berlin(25, 0, 0), "DE", "p2"),
        (3, 3, berlin(25, 2, 30), "FR", "p1"),
        (4, 9, berlin(25, 2, 30, fold=1), "FR", "p1"),
        (5, 7, berlin(25, 23, 59), None, None),
        (6, 0, berlin(26, 0, 0), "DE", None),
    ]
    events = [
        survey_response(number, nps(value), csat(value % 5 + 1), at=at, customer=customer, dimensions={"region": region})
        for number, value, at, region, customer in ratings
    ]
    events += [
        survey_response(11, words("well done"), at=berlin(26, 9)),
        survey_response(12, words("a mess"), at=berlin(26, 10)),
        ticket(1, Opened(at=berlin(24, 8)), assigned(24, 8, "billing"), reply(24, 10), status(25, 8, "solved")),
        ticket(2, Opened(at=berlin(25, 9)), assigned(25, 9, "tech"), status(25, 12, "solved"), status(26, 9, "open")),
        ticket(3, Opened(at=berlin(26, 9)), assigned(26, 9, "tech"), reply(26, 9, 30), assigned(27, 9, "billing")),
    ]
    return events


def ticket(number: int, *facts: Any) -> Event:
    return statement(f"c2/ticket/{number}", Ticket(facts=facts), at=facts[0].at, seq=100 + number, source="zendesk")


def assigned(day: int, hour: int, team: str) -> Assigned:
    return Assigned(at=berlin(day, hour), team=team)


def reply(day: int, hour: int, minute: int = 0) -> Message:
    return Message(at=berlin(day, hour, minute), by="agent")


def status(day: int, hour: int, to: Any) -> StatusSet:
    return StatusSet(at=berlin(day, hour), status=to)


@pytest.fixture(scope="module", params=["scanned", "sealed"])
async def http(request: pytest.FixtureRequest, database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """The service with the feedback; every test runs on contributions alone, and on sealed histograms."""
    url = await database("metrics")
    scores = score_of("c1/response/11", "well done", 0.8), score_of("c1/response/12", "a mess", -0.6)
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        await metrics_db.apply(*feedback(), *scores)
        if request.param == "sealed":
            assert await metrics_db.seal(NOW) > 20
    async with serving(url, NOW) as http:
        yield http


async def ask(http: httpx.AsyncClient, kpi: str, **params: Any) -> Any:
    named = {{"from_": "from"}.get(name, name): value for name, value in params.items()}
    answer = await http.get(f"/v1/kpis/{kpi}", params=named)
    assert answer.status_code == 200, answer.text
    return answer.json()


DAYS = {"from_": "2026-10-24T00:00:00+02:00", "to": "2026-10-27T00:00:00+01:00"}


async def test_a_value_has_the_documented_row_format(http: httpx.AsyncClient) -> None:
    answer = await ask(http, "nps", **DAYS)
    assert answer["window"] == {"from": "2026-10-24T00:00:00+02:00", "to": "2026-10-27T00:00:00+01:00", "tz": "Europe/Berlin"}
    assert (answer["kpi"], answer["version"], answer["unit"]) == ("nps", 1, "points")
    (row,) = answer["rows"]
    assert row["value"] == pytest.approx(100 * (3 - 2) / 6)
    assert (row["n"], row["numerator"], row["denominator"], row["dims"]) == (6, 1, 6, {})
    assert row["distribution"] == {"0": 1, "3": 1, "7": 1, "9": 2, "10": 1}
    assert row["interval"]["method"] == "adjusted_wald"
    assert row["interval"]["low"] < row["value"] < row["interval"]["high"]
    assert row["flags"] == ["low_n"]


async def test_a_day_on_which_the_clocks_go_back_has_25_hours(http: httpx.AsyncClient) -> None:
    rows = (await ask(http, "nps", **DAYS, grain="P1D"))["rows"]
    assert [(row["from"], row["to"]) for row in rows] == [
        ("2026-10-24T00:00:00+02:00", "2026-10-25T00:00:00+02:00"),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
        ("2026-10-26T00:00:00+01:00", "2026-10-27T00:00:00+01:00"),
    ]
    assert [row["n"] for row in rows] == [1, 4, 1]
    hours = (await ask(http, "nps", from_="2026-10-25T00:00:00+02:00", to="2026-10-26T00:00:00+01:00", grain="PT1H"))["rows"]
    assert len(hours) == 25
    assert [row["from"] for row in hours if row["n"] and "T02" in row["from"]] == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]


async def test_days_are_those_of_the_requested_zone(http: httpx.AsyncClient) -> None:
    rows = (await ask(http, "nps", **DAYS, grain="P1D", tz="Asia/Tokyo"))["rows"]
    assert [row["n"] for row in rows] == [0, 4, 2, 0]
    assert [row["flags"] for row in rows] == [["partial"], ["low_n"], ["low_n"], ["partial"]]


async def test_a_breakdown_has_the_groups_with_a_sample_and_null_last(http: httpx.AsyncClient) -> None:
    rows = (await ask(http, "nps", **DAYS, group_by="region"))["rows"]
    assert [(row["dims"], row["n"]) for row in rows] == [({"region": "DE"}, 3), ({"region": "FR"}, 2), ({"region": None}, 1)]


async def test_a_series_of_groups_has_every_bucket_of_every_group(http: httpx.AsyncClient) -> None:
    rows = (await ask(http, "nps", **DAYS, group_by="region", grain="P1D"))["rows"]
    assert [row["n"] for row in rows if row["dims"]["region"] == "DE"] == [1, 1, 1]
    assert [row["value"] for row in rows if row["dims"]["region"] == "FR"] == [None, 0.0, None]


@pytest.mark.parametrize(
    ("filters", "n"),
    [
        ({"filter[region]": "DE"}, 3),
        ({"filter[region]": "DE,FR"}, 5),
        ({"filter[region]": "!DE"}, 3),
        ({"filter[region]": "null"}, 1),
        ({"filter[region]": "!null"}, 5),
        ({"filter[region]": "DE,null"}, 4),
        ({"filter[region]": "Atlantis"}, 0),
        ({"filter[region]": "DE", "filter[source]": "standard"}, 3),
        ({"filter[region]": "DE", "filter[source]": "!standard"}, 0),
    ],
)
async def test_filters_include_and_exclude(http: httpx.AsyncClient, filters: dict[str, str], n: int) -> None:
    assert (await ask(http, "nps", **DAYS, **filters))["rows"][0]["n"] == n
    grouped = (await ask(http, "nps", **DAYS, **filters, group_by="region"))["rows"]
    assert sum(row["n"] for row in grouped) == n


async def test_one_answer_per_respondent_is_the_latest_before_grouping(http: httpx.AsyncClient) -> None:
    (row,) = (await ask(http, "nps", **DAYS, per="respondent"))["rows"]
    assert row["distribution"] == {"0": 1, "7": 1, "9": 2}
    rows = (await ask(http, "nps", **DAYS, per="respondent", group_by="region"))["rows"]
    assert [(row["dims"]["region"], row["n"]) for row in rows] == [("DE", 2), ("FR", 1), (None, 1)]
    rows = (await ask(http, "nps", **DAYS, per="respondent", grain="P1D"))["rows"]
    assert [row["n"] for row in rows] == [1, 3, 1]


async def test_backlog_satisfies_its_identity_on_each_day(http: httpx.AsyncClient) -> None:
    series = {
        kpi: [row["value"] for row in (await ask(http, kpi, **DAYS, grain="P1D"))["rows"]]
        for kpi in ("backlog", "tickets_opened", "tickets_solved", "tickets_reopened")
    }
    assert series == {
        "backlog": [1, 0, 2],
        "tickets_opened": [1, 1, 1],
        "tickets_solved": [0, 2, 0],
        "tickets_reopened": [0, 0, 1],
    }


async def test_backlog_follows_a_ticket_from_team_to_team(http: httpx.AsyncClient) -> None:
    def teams(answer: Any) -> dict[str, int]:
        return {row["dims"]["team"]: row["value"] for row in answer["rows"]}

    assert teams(await ask(http, "backlog", at="2026-10-27T09:00:00+01:00", group_by="team")) == {"tech": 2}
    assert teams(await ask(http, "backlog", at="2026-10-27T09:00:01+01:00", group_by="team")) == {"tech": 1, "billing": 1}
    assert (await ask(http, "backlog", at="2026-10-24T08:00:00+02:00"))["rows"][0]["value"] == 0


async def test_durations_have_a_median_a_p90_and_a_mean_in_seconds(http: httpx.AsyncClient) -> None:
    for agg, seconds in (("p50", 4500), ("p90", 6660), ("mean", 4500)):
        (row,) = (await ask(http, "first_reply_time", **DAYS, agg=agg))["rows"]
        assert row["value"] == pytest.approx(seconds, rel=0.011)
        assert row["n"] == 2
    by_creation = (await ask(http, "first_reply_time", **DAYS, filed_by="created", grain="P1D"))["rows"]
    assert [row["n"] for row in by_creation] == [1, 0, 1]


async def test_business_hours_without_a_calendar_are_null_never_0(http: httpx.AsyncClient) -> None:
    (row,) = (await ask(http, "first_reply_time", **DAYS, hours="business"))["rows"]
    assert row["value"] is None
    assert "no_calendar" in row["flags"]


async def test_sentiment_reads_the_promoted_models_scores(http: httpx.AsyncClient) -> None:
    (row,) = (await ask(http, "sentiment", **DAYS))["rows"]
    assert row["value"] == pytest.approx(0.1)
    (row,) = (await ask(http, "net_sentiment", **DAYS))["rows"]
    assert (row["value"], row["n"]) == (0, 2)


async def test_a_comparison_has_the_other_value_and_whether_the_difference_is_significant(http: httpx.AsyncClient) -> None:
    params: list[tuple[str, str | int | float | bool | None]] = [
        ("from", "2026-10-25T00:00:00+02:00"),
        ("to", "2026-10-26T00:00:00+01:00"),
        ("compare", "previous"),
    ]
    params += [("compare", "2026-10-20T00:00:00Z/2026-10-21T00:00:00Z")]
    (row,) = (await http.get("/v1/kpis/nps", params=params)).json()["rows"]
    before, nothing = row["compare"]
    assert (before["to"], before["value"], before["significant"]) == ("previous", 100.0, False)
    assert before["delta"] == pytest.approx(row["value"] - 100)
    assert (nothing["value"], nothing["delta"], nothing["significant"]) == (None, None, None)


async def test_the_future_is_not_counted_and_its_buckets_are_partial(http: httpx.AsyncClient) -> None:
    answer = await ask(http, "tickets_opened", from_="2026-10-27T00:00:00Z", to="2026-10-29T00:00:00Z", grain="P1D", tz="UTC")
    assert [(row["value"], row["flags"]) for row in answer["rows"]] == [(0, ["partial"]), (0, ["partial"])]


async def test_windows_end_now_and_named_ones_follow_the_calendar(http: httpx.AsyncClient) -> None:
    assert (await ask(http, "nps", window="24h"))["window"]["to"] == "2026-10-27T13:00:00+01:00"
    assert (await ask(http, "nps", window="yesterday"))["rows"][0]["n"] == 1
    assert (await ask(http, "nps", window="last_week"))["rows"][0]["n"] == 5
    assert (await ask(http, "nps", window="last_week", week_start="sunday"))["rows"][0]["n"] == 1


async def test_an_empty_window_has_the_value_null_and_a_count_has_0(http: httpx.AsyncClient) -> None:
    old = {"from_": "2025-01-01T00:00:00Z", "to": "2025-02-01T00:00:00Z"}
    (row,) = (await ask(http, "nps", **old))["rows"]
    assert (row["value"], row["n"], row["interval"]) == (None, 0, None)
    (row,) = (await ask(http, "tickets_opened", **old))["rows"]
    assert (row["value"], row["n"]) == (0, 0)
    assert (await ask(http, "nps", **old, group_by="team"))["rows"] == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("colour=red", "colour"),
        ("window=99y", "window"),
        ("from=2026-10-24T00:00:00Z", "to"),
        ("from=2026-10-24T00:00:00Z&to=2026-10-24T00:00:00Z", "from"),
        ("window=24h&from=2026-10-24T00:00:00Z&to=2026-10-25T00:00:00Z", "window"),
        ("grain=PT1M", "grain"),
        ("window=365d&grain=PT15M", "grain"),
        ("tz=Mars/Olympus", "tz"),
        ("tz=../../etc/passwd", "tz"),
        ("group_by=mood", "group_by"),
        ("group_by=theme", "group_by"),
        ("group_by=team,agent,region", "group_by"),
        ("filter[mood]=good", "filter[mood]"),
        ("filter[team]=", "filter[team]"),
        ("filter[team]=a&filter[team]=b", "filter[team]"),
        ("agg=p50", "agg"),
        ("hours=business", "hours"),
        ("compare=yesteryear", "compare"),
        ("per=customer", "per"),
        ("at=2026-10-24T00:00:00Z", "at"),
        ("cursor=x", "cursor"),
    ],
)
async def test_an_invalid_parameter_is_refused_by_its_name(http: httpx.AsyncClient, query: str, name: str) -> None:
    answer = await http.get(f"/v1/kpis/nps?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [param["name"] for param in answer.json()["invalid_params"]] == [name]


@pytest.mark.parametrize(
    ("kpi", "query"),
    [("backlog", "at=2026-10-24T00:00:00Z&window=24h"), ("backlog", "per=respondent"), ("first_reply_time", "agg=p99")],
)
async def test_a_parameter_that_the_kpi_does_not_have_is_refused(http: httpx.AsyncClient, kpi: str, query: str) -> None:
    assert (await http.get(f"/v1/kpis/{kpi}?{query}")).status_code == 400


async def test_the_catalogue_lists_every_kpi_with_its_definition(http: httpx.AsyncClient) -> None:
    kpis = {kpi["id"]: kpi for kpi in (await http.get("/v1/kpis")).json()["kpis"]}
    assert {"nps", "csat", "ces", "sentiment", "net_sentiment", "backlog", "resolution_rate", "reopen_rate"} <= kpis.keys()
    assert all(kpi.keys() == KpiEntry.model_fields.keys() for kpi in kpis.values())


async def test_an_unknown_kpi_is_404_and_a_caller_without_the_token_401(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/kpis/happiness")).status_code == 404
    assert (await http.get("/v1/kpis/nps", headers={"Authorization": "Bearer wrong"})).status_code == 401
    assert (await http.get("/v1/kpis/nps", headers={"X-Earshot-Tenant": ""})).status_code == 401


async def test_another_tenant_has_no_data(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/kpis/nps", params={"window": "30d"}, headers={"X-Earshot-Tenant": "other"})
    assert answer.json()["rows"][0]["n"] == 0
    assert answer.json()["window"]["tz"] == "UTC"
