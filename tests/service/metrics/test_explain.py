"""`GET /v1/kpis/{kpi}/explain`: the value, its formula with the numbers, and a recomputation that notices wrong stored data."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.metrics.domain.kpis import KPIS
from services.metrics.domain.query import Query
from services.metrics.evaluation import recomputation
from services.metrics.evaluation.explanation import explain
from services.metrics.evaluation.source import Source
from services.metrics.verify.battery import battery, impact_queries
from shared.events import Event, Merged, Message, Opened, ScoreEvent, StatusSet, Ticket
from tests.conftest import NewDatabase
from tests.service.metrics.database import MetricsDatabase, open_metrics_db, score_of, serving, statement, survey_response
from tests.unit.metrics.build import MODEL, csat, nps, words

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
WEEK = {"window": "7d"}


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def ticket(number: int, opened: float, *more: Any, **fields: Any) -> Event:
    facts = Ticket(facts=(Opened(at=ago(opened)), *more))
    return statement(f"c2/ticket/{number}", facts, at=ago(opened), seq=100 + number, **fields)


def reply(hours: float) -> Message:
    return Message(at=ago(hours), by="agent", id="m1")


def feedback() -> list[Event | ScoreEvent]:
    """Answers of two customers in two teams, comments with themes, and four tickets."""
    billing, tech = {"team": "billing"}, {"team": "tech"}
    return [
        survey_response(1, nps(9), csat(4), words("late"), at=ago(90), customer="p1", dimensions=billing),
        survey_response(2, nps(3), at=ago(50), customer="p1", dimensions=billing),
        survey_response(3, nps(10), at=ago(49), customer="p2", dimensions=tech),
        survey_response(4, nps(7), words("fine"), at=ago(3), dimensions=tech),
        survey_response(5, words("n/a"), at=ago(2)),
        score_of("c1/response/1", "late", -0.6, urgency=("outage",)),
        score_of("c1/response/4", "fine", 0.4),
        ticket(1, 100, reply(99), StatusSet(at=ago(80), status="solved"), dimensions=billing),
        ticket(2, 300, reply(60), dimensions=tech),
        ticket(3, 30, dimensions=tech),
        ticket(4, 20, StatusSet(at=ago(10), status="solved"), StatusSet(at=ago(5), status="open")),
    ]


async def filled(url: str) -> MetricsDatabase:
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        await metrics_db.apply(*feedback())
        await metrics_db.seal(NOW)
    return metrics_db


@pytest.fixture(scope="module")
async def http(database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """The service with the feedback, which no test changes."""
    url = await database("metrics")
    await filled(url)
    async with serving(url, NOW) as http:
        yield http


async def explained(http: httpx.AsyncClient, kpi: str, **params: Any) -> dict[str, Any]:
    response = await http.get(f"/v1/kpis/{kpi}/explain", params=params)
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json()
    return content


def by_reason(content: dict[str, Any]) -> dict[str, int]:
    return {one["reason"]: one["n"] for one in content["left_out"]}


async def test_a_value_is_explained(http: httpx.AsyncClient) -> None:
    content = await explained(http, "nps", **WEEK)
    assert (content["filled_in"], content["value"], content["recomputed"], content["equal"]) == (
        "100 · (2 − 1) / 4",
        25,
        25,
        True,
    )
    assert (content["n"], content["recomputed_n"], content["flags"], content["rows"]) == (4, 4, ["low_n"], [])
    assert (content["formula"], content["definition"]["version"]) == (KPIS["nps"].formula, 1)
    assert (content["terms"], content["model"], content["agg"], content["hours"]) == ({"revision": 1}, None, None, None)
    assert by_reason(content) == {"no_answer": 1}
    assert content["recomputed_from"] == 5
    assert content["outdated"] is False


@pytest.mark.parametrize(
    ("kpi", "params", "expected"),
    [
        ("first_reply_time", {}, ("calendar", "p50", "replied", None)),
        ("first_reply_time", {"hours": "business", "agg": "mean", "filed_by": "created"}, ("business", "mean", "created", None)),
        ("sentiment", {}, (None, None, "commented", MODEL)),
    ],
)
async def test_an_explanation_states_how_the_value_is_made(
    http: httpx.AsyncClient, kpi: str, params: dict[str, str], expected: tuple[Any, ...]
) -> None:
    content = await explained(http, kpi, **WEEK, **params)
    assert (content["hours"], content["agg"], content["filed_by"], content["model"]) == expected
    assert content["equal"]


async def test_the_parts_that_are_left_out_are_counted(http: httpx.AsyncClient) -> None:
    assert by_reason(await explained(http, "first_reply_time", **WEEK)) == {"no_reply": 2}
    assert by_reason(await explained(http, "full_resolution_time", **WEEK)) == {"unsolved": 2}
    assert by_reason(await explained(http, "sentiment", **WEEK)) == {"not_scored": 1}
    assert by_reason(await explained(http, "nps", **WEEK, per="respondent")) == {"no_answer": 1, "earlier_answer": 1}


async def test_every_bucket_and_group_has_its_own_explanation(http: httpx.AsyncClient) -> None:
    content = await explained(http, "nps", **WEEK, grain="P1D", group_by="team")
    assert content["filled_in"] == "100 · (2 − 1) / 4"
    assert content["equal"]
    assert len(content["rows"]) == 8 * 2
    assert all(row["equal"] for row in content["rows"])
    first = next(row for row in content["rows"] if row["n"])
    assert (first["dims"], first["filled_in"], first["recomputed_n"]) == ({"team": "billing"}, "100 · (1 − 0) / 1", 1)


@pytest.mark.parametrize(
    ("kpi", "params"),
    [
        ("nps", {"filter[team]": "billing"}),
        ("nps", {"per": "respondent"}),
        ("backlog", {}),
        ("backlog", {"filter[team]": "tech,null"}),
        ("first_reply_time", {"filed_by": "created"}),
        ("urgent_comments", {"filter[urgency]": "outage"}),
    ],
)
async def test_the_link_lists_the_records_of_the_value(http: httpx.AsyncClient, kpi: str, params: dict[str, str]) -> None:
    for more in ({}, {"group_by": "team"}):
        content = await explained(http, kpi, **WEEK, **params, **more)
        for value in (content, *content["rows"]):
            records = (await http.get(value["records"])).json()["records"]
            assert len(records) == value["n"] > 0


async def test_a_link_names_the_instant_of_a_level_and_the_ends_of_a_window(http: httpx.AsyncClient) -> None:
    link = urlsplit((await explained(http, "backlog", at="2026-11-01"))["records"])
    assert (link.path, parse_qs(link.query)) == (
        "/v1/kpis/backlog/records",
        {"tz": ["Europe/Berlin"], "at": ["2026-11-01T00:00:00+01:00"]},
    )
    themes = await explained(http, "theme_volume", **WEEK, **{"filter[theme]": "null", "group_by": "theme"})
    assert [row["records"] for row in themes["rows"]] == [None]


async def test_the_answers_of_all_kpis_equal_their_recomputations(http: httpx.AsyncClient, database: NewDatabase) -> None:
    """A seventh of the queries with which `make verify` compares the whole service."""
    url = await database("metrics")
    await filled(url)
    async with open_metrics_db(url) as metrics_db:
        source = Source(metrics_db.pool, MODEL)
        berlin = ZoneInfo("Europe/Berlin")
        queries: list[Query] = [*islice(battery(NOW, berlin, ()), 0, None, 7), *impact_queries(NOW, berlin)]
        assert {query.kpi.id for query in queries} == KPIS.keys()
        for query in queries:
            result = await explain(source, "acme", query, NOW)
            assert result.equal, query


async def test_tickets_that_nothing_happened_to_in_the_window_and_those_dropped_later_are_read_too(
    metrics_db: MetricsDatabase,
) -> None:
    await metrics_db.apply(ticket(1, 300), ticket(2, 100, reply(99), Merged(at=ago(3))))
    async with serving(metrics_db.url, NOW) as http:
        open_tickets = await explained(http, "backlog", window="24h")
        opened = await explained(http, "tickets_opened", **{"from": ago(120).isoformat(), "to": ago(50).isoformat()})
    assert (open_tickets["value"], open_tickets["recomputed"], open_tickets["recomputed_from"]) == (1, 1, 2)
    assert (opened["value"], opened["recomputed"], by_reason(opened)) == (0, 0, {"dropped": 1})


SABOTAGE = {
    "a changed amount": "UPDATE contributions SET amount = 10, bin = 10 WHERE measure = {nps} AND amount = 3",
    "a deleted contribution": "DELETE FROM contributions WHERE measure = {nps} AND amount = 3",
    "a repeated contribution": "INSERT INTO contributions SELECT * FROM contributions WHERE measure = {nps} AND amount = 3",
    "a changed dimension": "UPDATE contributions SET team = NULL WHERE measure = {nps} AND amount = 10",
    "a changed time": "UPDATE contributions SET at = at - interval '1 day' WHERE measure = {nps} AND amount = 7",
}


@pytest.mark.parametrize("statement", SABOTAGE.values(), ids=SABOTAGE.keys())
async def test_a_wrong_contribution_is_noticed(metrics_db: MetricsDatabase, statement: str) -> None:
    await metrics_db.apply(*feedback())
    number = await metrics_db.pool.fetchval("SELECT id FROM measures WHERE name = 'nps'")
    async with serving(metrics_db.url, NOW) as http:
        params = {**WEEK, "grain": "P1D", "group_by": "team"}
        assert (await explained(http, "nps", **params))["equal"]
        assert await metrics_db.pool.execute(statement.format(nps=number)) != "UPDATE 0"
        content = await explained(http, "nps", **params)
    assert not content["equal"]
    assert not all(row["equal"] for row in content["rows"])


async def test_a_wrong_sealed_histogram_and_a_wrong_backlog_are_noticed(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(*feedback())
    await metrics_db.seal(NOW)
    async with serving(metrics_db.url, NOW) as http:
        await metrics_db.pool.execute(
            "UPDATE histograms SET counts[1] = 5"
            " WHERE seal_id IN (SELECT s.id FROM seals s JOIN measures m ON m.id = s.measure WHERE m.name = 'nps')"
        )
        content = await explained(http, "nps", **WEEK)
        assert (content["value"] != content["recomputed"], content["equal"]) == (True, False)
        await metrics_db.pool.execute("DELETE FROM seals")
        assert (await explained(http, "nps", **WEEK))["equal"]
        await metrics_db.pool.execute(
            "DELETE FROM contributions c USING measures m WHERE m.id = c.measure AND m.name = 'backlog' AND c.amount = -1"
        )
        assert not (await explained(http, "backlog", **WEEK))["equal"]


@pytest.fixture
def few_subjects(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than three subjects are too many to recompute a value from all of them."""
    monkeypatch.setattr(recomputation, "MOST_SUBJECTS", 3)


@pytest.mark.usefixtures("few_subjects")
async def test_of_many_subjects_a_sample_is_recomputed_and_all_contributions_are_counted(http: httpx.AsyncClient) -> None:
    content = await explained(http, "nps", **WEEK, grain="P1D", group_by="team")
    assert content["sample"] == {"subjects": 4, "differing": 0}
    assert (content["value"], content["recomputed"], content["recomputed_n"], content["equal"]) == (25, 25, 4, True)
    assert (content["recomputed_from"], content["left_out"]) == (4, [])
    assert all(row["equal"] and row["recomputed_n"] is not None for row in content["rows"])
    backlog = await explained(http, "backlog", **WEEK)
    assert (backlog["value"], backlog["recomputed"], backlog["sample"]["differing"], backlog["equal"]) == (3, 3, 0, True)
    few = await explained(http, "nps", window="7d", **{"filter[team]": "billing"})
    assert (few["n"], few["sample"]) == (2, None)


@pytest.mark.usefixtures("few_subjects")
async def test_more_contributions_than_a_scan_may_read_are_not_counted_again(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recomputation, "MOST_SCANNED", 3)
    content = await explained(http, "nps", **WEEK, group_by="team")
    assert (content["value"], content["recomputed"], content["recomputed_n"], content["equal"]) == (25, None, None, True)
    assert [row["recomputed"] for row in content["rows"]] == [None] * 2


@pytest.mark.usefixtures("few_subjects")
@pytest.mark.parametrize("statement", SABOTAGE.values(), ids=SABOTAGE.keys())
async def test_a_wrong_contribution_of_a_sampled_subject_is_noticed(metrics_db: MetricsDatabase, statement: str) -> None:
    await metrics_db.apply(*feedback())
    number = await metrics_db.pool.fetchval("SELECT id FROM measures WHERE name = 'nps'")
    await metrics_db.pool.execute(statement.format(nps=number))
    async with serving(metrics_db.url, NOW) as http:
        content = await explained(http, "nps", window="30d")
    missing = "DELETE" in statement  # a subject without any contribution of the KPI is not drawn
    assert (content["sample"]["differing"], content["equal"]) == (0 if missing else 1, missing)


@pytest.mark.parametrize("query", ["compare=previous", "fields=value", "limit=3", "filter[plan]=a", "grain=P9D"])
async def test_a_parameter_that_an_explanation_lacks_is_refused(http: httpx.AsyncClient, query: str) -> None:
    response = await http.get(f"/v1/kpis/nps/explain?{query}")
    assert response.status_code == 400
    assert [one["name"] for one in response.json()["invalid_params"]] == [query.partition("=")[0]]


async def test_a_tenant_without_data_has_an_explanation_too(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW, "nobody") as http:
        content = await explained(http, "nps")
    assert (content["value"], content["filled_in"], content["equal"], content["left_out"]) == (None, None, True, [])
    async with serving(metrics_db.url, NOW) as http:
        await metrics_db.pool.execute("UPDATE tenants SET contributions_version = 0")
        assert (await explained(http, "tickets_opened"))["outdated"]
