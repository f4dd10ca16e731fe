"""Names of teams and agents: beside their ids in results and records, and in filters."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import structlog

from services.metrics.store.names import MAX_NAMES
from shared.kafka import OutgoingRecord
from shared.topics import Topic
from tests.conftest import NewDatabase
from tests.service.metrics.database import MetricsDatabase, open_metrics_db, serving, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
NAMES = {"team": {"1": "Billing", "2": "Sales", "3": "Billing", "9": "Nobody's"}, "agent": {"1": "Ada"}, "survey": {}}
EMPTY: dict[str, Any] = {"team": {}, "agent": {}, "survey": {}}
TEAMS = ("1", "2", "3", "4", "Sales", None)


class Recorder:
    """A producer that keeps the messages."""

    def __init__(self) -> None:
        self.messages: list[OutgoingRecord] = []

    async def send_all(self, topic: Topic, messages: list[OutgoingRecord]) -> None:
        self.messages += messages


async def add_answers(metrics_db: MetricsDatabase) -> None:
    """One answer of each of TEAMS, with as many points as its place."""
    for number, team in enumerate(TEAMS):
        dimensions = {"team": team, "agent": "1"}
        await metrics_db.apply(survey_response(number, nps(number), at=NOW - timedelta(hours=number + 1), dimensions=dimensions))


@pytest.fixture
async def metrics(metrics_db: MetricsDatabase) -> MetricsDatabase:
    await add_answers(metrics_db)
    return metrics_db


@pytest.fixture
async def http(metrics: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(metrics.url, NOW) as client:
        yield client


@pytest.fixture(scope="module", params=["counted", "sealed"])
async def named(database: NewDatabase, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """The service with the answers and NAMES, sealed and not. No test changes it."""
    url = await database("metrics")
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        await add_answers(metrics_db)
        if request.param == "sealed":
            assert await metrics_db.seal(NOW)
    async with serving(url, NOW) as client:
        await put(client)
        yield client


async def get(http: httpx.AsyncClient, path: str, **params: str) -> Any:
    response = await http.get(path, params={"window": "24h", **params})
    assert response.status_code == 200, response.text
    return response.json()


async def put(http: httpx.AsyncClient, names: Any = NAMES) -> httpx.Response:
    return await http.put("/v1/names", json=names)


async def test_the_directory_is_returned_as_it_was_set(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/names")).json() == EMPTY
    response = await put(http)
    assert (response.status_code, response.json()) == (200, NAMES)
    assert (await http.get("/v1/names")).json() == NAMES
    await put(http, {"agent": {"2": "Bob"}})
    assert (await http.get("/v1/names")).json() == EMPTY | {"agent": {"2": "Bob"}}
    assert (await http.get("/v1/names", headers={"X-Earshot-Tenant": "nobody"})).json() == EMPTY


async def test_rows_and_records_have_names_beside_the_ids(http: httpx.AsyncClient) -> None:
    await put(http)
    rows = (await get(http, "/v1/kpis/nps", group_by="team,agent"))["rows"]
    assert [(row["dims"]["team"], row["names"]) for row in rows] == [
        ("1", {"team": "Billing", "agent": "Ada"}),
        ("2", {"team": "Sales", "agent": "Ada"}),
        ("3", {"team": "Billing", "agent": "Ada"}),
        ("4", {"agent": "Ada"}),
        ("Sales", {"agent": "Ada"}),
        (None, {"agent": "Ada"}),
    ]
    assert (await get(http, "/v1/kpis/nps"))["rows"][0]["names"] == {}
    records = (await get(http, "/v1/kpis/nps/records"))["records"]
    assert [record["names"].get("team") for record in records] == ["Billing", "Sales", "Billing", None, None, None]
    assert all(record["names"]["agent"] == "Ada" for record in records)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("Billing", {"0", "2"}),
        ("1", {"0"}),
        ("Sales", {"1", "4"}),
        ("Billing,4", {"0", "2", "3"}),
        ("!Billing", {"1", "3", "4", "5"}),
        ("!Billing,!null", {"1", "3", "4"}),
        ("Ada", set()),
    ],
)
async def test_a_filter_matches_the_id_or_the_name(named: httpx.AsyncClient, text: str, points: set[str]) -> None:
    params = {"filter[team]": text}
    (row,) = (await get(named, "/v1/kpis/nps", **params))["rows"]
    assert set(row["distribution"] or ()) == points
    records = (await get(named, "/v1/kpis/nps/records", **params))["records"]
    assert {f"{record['value']:g}" for record in records} == points


async def test_a_name_is_a_known_value_if_records_have_its_id(http: httpx.AsyncClient) -> None:
    await put(http)
    content = await get(http, "/v1/kpis/nps", **{"filter[team]": "Billing,Nobody's,Biling"})
    assert content["unknown_filter_values"] == {"team": ["Nobody's", "Biling"]}
    assert content["suggested_filter_values"]["team"]["Biling"] == ["Billing"]
    assert (await get(http, "/v1/kpis/nps", **{"filter[agent]": "Billing"}))["unknown_filter_values"] == {"agent": ["Billing"]}


async def test_only_a_change_of_names_changes_the_revision(http: httpx.AsyncClient) -> None:
    async def revision() -> str:
        return str((await http.get("/internal/revision?kpi=nps")).json()["revision"])

    before = await revision()
    await put(http)
    changed = await revision()
    assert changed != before
    await put(http)
    assert await revision() == changed
    await put(http, {})
    assert await revision() not in {before, changed}


async def test_names_reach_neither_topics_nor_logs(metrics: MetricsDatabase) -> None:
    recorder = Recorder()
    with structlog.testing.capture_logs() as logs:
        async with serving(metrics.url, NOW, sender=recorder) as http:
            await put(http)
            await put(http, {"agent": {"1": "Ada\n"}})
            await get(http, "/v1/kpis/nps", group_by="agent")
    assert "Ada" not in str(recorder.messages)
    assert "Ada" not in str(logs)


@pytest.mark.parametrize(
    ("names", "place"),
    [
        ({"region": {"1": "North"}}, "region"),
        ({"team": {"1": ""}}, "team.1"),
        ({"team": {"1": "a\nb"}}, "team.1"),
        ({"team": {"1": "x" * 201}}, "team.1"),
        ({"team": {"": "a"}}, "team..[key]"),
        ({"team": ["a"]}, "team"),
        ({"agent": {str(number): "a" for number in range(MAX_NAMES + 1)}}, ""),
    ],
)
async def test_invalid_names_are_refused_with_their_place(http: httpx.AsyncClient, names: Any, place: str) -> None:
    response = await put(http, names)
    assert response.status_code == 422
    (param,) = response.json()["invalid_params"]
    assert param["name"] == place


async def test_names_are_compared_in_unicode_nfc(http: httpx.AsyncClient) -> None:
    await put(http, {"team": {"1": "Cafe\u0301"}})
    (row,) = (await get(http, "/v1/kpis/nps", **{"filter[team]": "Caf\u00e9"}))["rows"]
    assert row["n"] == 1


async def test_a_tenant_that_metrics_does_not_know_yet_is_404(http: httpx.AsyncClient) -> None:
    assert (await http.put("/v1/names", json=NAMES, headers={"X-Earshot-Tenant": "nobody"})).status_code == 404
