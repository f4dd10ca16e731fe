"""Responses of metrics match the models in its OpenAPI document."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from services.metrics.api import explain, history, internal, model_schemas, presets, schemas, sla, tickets, upcoming
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.measures import MEASURES
from shared.events import (
    Assigned,
    Event,
    Message,
    Opened,
    Override,
    Rating,
    Response,
    Review,
    ScoreEvent,
    StatusSet,
    Ticket,
    text_hash,
)
from tests.conftest import NewDatabase
from tests.service.metrics.database import open_metrics_db, score_of, serving, statement, survey_response
from tests.service.metrics.test_sla import build, put
from tests.service.metrics.test_sla_targets import POLICIES
from tests.unit.metrics.build import MODEL, csat, nps, words
from tests.unit.metrics.test_expressions import computed

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
CANDIDATE = "linear-1"
SHARED_SCHEMAS = {"ProblemDocument", "InvalidParam"}
KPI_PARAMETERS = {
    "kpi", "window", "from", "to", "tz", "grain", "week_start", "group_by", "agg", "hours", "filed_by", "preset", "compare",
    "compare_presets",
    "per", "at", "fields", "filter",
}  # fmt: skip


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def feedback() -> list[Event | ScoreEvent]:
    """Rows of every measure, with and without dimensions."""
    effort = words(None, "q9").__class__(question="q9", kind="ces", value=6)
    judged = Override(comment=text_hash("late again"), label="negative", themes=("delivery",))
    way = (
        Opened(at=ago(30), text="it broke"),
        Assigned(at=ago(29), team="billing", agent="Ada"),
        Message(at=ago(28), by="agent", text_digest="x"),
        Message(at=ago(27), by="customer", text="still broken"),
        Message(at=ago(26), by="agent", text_digest="y"),
        StatusSet(at=ago(20), status="solved"),
        Rating(kind="csat", at=ago(19), value=4, text="thanks"),
        StatusSet(at=ago(10), status="open"),
        StatusSet(at=ago(5), status="solved"),
    )
    return [
        survey_response(
            1, nps(9), csat(4), effort, words("late again"), at=ago(3), customer="p1", dimensions={"team": "billing"}
        ),
        survey_response(2, nps(3), words("n/a"), at=ago(2)),
        statement("c1/review/1", Review(at=ago(4), stars=4, title="fine", text="it works"), at=ago(4), seq=3),
        statement("c2/ticket/1", Ticket(facts=way), at=ago(5), seq=4),
        statement("c2/ticket/2", Ticket(facts=(Opened(at=ago(9)),)), at=ago(9), seq=5),
        statement("c1/response/1", judged, at=ago(1), seq=6),
        statement("c1/response/3", Response(at=ago(6), sent_at=ago(6)), at=ago(6), seq=7),
        *(
            score_of(subject, text, value, model, urgency=("outage",))
            for subject, text, value in (("c1/response/1", "late again", 0.4), ("c2/ticket/1", "it broke", -0.5))
            for model in (MODEL, CANDIDATE)
        ),
    ]


@pytest.fixture(scope="module")
async def http(database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    url = await database("metrics")
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        await metrics_db.apply(*feedback())
        async with serving(url, NOW) as http:
            await put(http, POLICIES)
        await build(metrics_db)
    async with serving(url, NOW) as http:
        yield http


async def fetch(http: httpx.AsyncClient, path: str, model: type[BaseModel], **params: Any) -> Any:
    """The answer, which has no other fields than `model` and all that it requires."""
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    content = answer.json()
    assert model.model_validate(content).model_dump(mode="json", by_alias=True, exclude_unset=True) == content
    return content


@pytest.mark.parametrize("kpi", KPIS)
async def test_the_value_a_breakdown_and_a_series_of_every_kpi_fit_their_model(http: httpx.AsyncClient, kpi: str) -> None:
    (row,) = (await fetch(http, f"/v1/kpis/{kpi}", schemas.KpiResult, window="7d"))["rows"]
    assert row["value"] is not None
    params = {"window": "7d", "grain": "P1D", "group_by": "team", "compare": "previous", "filter[region]": "null,unheard"}
    content = await fetch(http, f"/v1/kpis/{kpi}", schemas.KpiResult, **params)
    assert content["unknown_filter_values"] == {"region": ["unheard"]}
    assert all(row["compare"] for row in content["rows"])
    for agg in KPIS[kpi].aggregations:
        await fetch(http, f"/v1/kpis/{kpi}", schemas.KpiResult, window="7d", agg=agg)


@pytest.mark.parametrize("kpi", KPIS)
async def test_the_records_of_every_kpi_fit_their_model(http: httpx.AsyncClient, kpi: str) -> None:
    content = await fetch(http, f"/v1/kpis/{kpi}/records", schemas.RecordsPage, window="7d", limit=500)
    of_comments = {family for family, measure in MEASURES.items() if measure.record != "amount"}
    assert content["records"] or kpi == "tickets_dropped"
    for record in content["records"]:
        assert ("text_hash" in record) is (record["measure"].partition(":")[0] in of_comments)
    await fetch(http, f"/v1/kpis/{kpi}/records", schemas.RecordsPage, window="7d", limit=1)


@pytest.mark.parametrize("kpi", KPIS)
async def test_the_explanation_of_every_kpi_fits_its_model_and_equals_its_value(http: httpx.AsyncClient, kpi: str) -> None:
    for params in ({}, {"grain": "P1D", "group_by": "team"}, {"filter[team]": "billing"}):
        content = await fetch(http, f"/v1/kpis/{kpi}/explain", explain.KpiExplanation, window="7d", **params)
        assert content["equal"], (content["value"], content["recomputed"])
        assert (content["filled_in"] is None) is (content["value"] is None)
        if content["value"] is not None:
            assert computed(content["filled_in"]) == pytest.approx(content["value"])


async def test_all_other_answers_fit_their_models(http: httpx.AsyncClient) -> None:
    catalogue = await fetch(http, "/v1/kpis", schemas.Catalogue)
    assert [kpi["id"] for kpi in catalogue["kpis"]] == list(KPIS)
    assert (await fetch(http, "/v1/gold", schemas.GoldPage, limit=1))["rows"]
    assert len((await fetch(http, "/v1/models", model_schemas.Models))["models"]) == 2
    report = await fetch(http, f"/v1/models/{CANDIDATE}/shadow", model_schemas.ShadowReport, window="7d")
    assert report["n"] == 2
    assert (await fetch(http, "/v1/sla", sla.PoliciesHistory))["versions"]
    assert (await fetch(http, "/v1/sla/upcoming", upcoming.Upcoming))["rows"]
    assert (await fetch(http, "/v1/presets", presets.PresetList))["presets"]
    under = await fetch(http, "/v1/kpis/first_reply_time", schemas.KpiResult, window="7d", preset="dbt_zendesk")
    assert under["terms"]["preset"] == "dbt_zendesk"
    assert (await fetch(http, "/v1/tickets", tickets.Tickets, limit=1))["tickets"]
    assert (await fetch(http, "/v1/feedback/c2/ticket/1", history.FeedbackHistory))["statements"]
    await fetch(http, "/internal/revision", internal.Revision, kpi="nps")


# --- the document ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
async def document(http: httpx.AsyncClient) -> dict[str, Any]:
    content: dict[str, Any] = (await http.get("/openapi.json")).json()
    return content


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for item in document["paths"].values() for operation in item.values()]


async def test_every_operation_has_a_name_of_its_own_a_summary_and_described_parameters(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(document)]
    assert len(set(names)) == len(names) == 30
    for operation in operations(document):
        assert operation["summary"]
        assert all(parameter["description"] for parameter in operation.get("parameters", []))
        assert {"401", "503"} <= operation["responses"].keys()


async def test_every_schema_and_every_field_has_a_description(document: dict[str, Any]) -> None:
    schemas = {name: schema for name, schema in document["components"]["schemas"].items() if name not in SHARED_SCHEMAS}
    assert all(schema["description"] for schema in schemas.values())
    fields = {(name, field): of_field for name, schema in schemas.items() for field, of_field in schema["properties"].items()}
    assert [place for place, of_field in fields.items() if not of_field.get("description")] == []


async def test_the_parameters_of_a_kpi_query_are_declared(document: dict[str, Any]) -> None:
    value, records = (document["paths"][f"/v1/kpis/{{kpi}}{end}"]["get"]["parameters"] for end in ("", "/records"))
    assert {parameter["name"] for parameter in value} == KPI_PARAMETERS
    assert {parameter["name"] for parameter in records} == KPI_PARAMETERS | {"limit", "cursor"}
    (filters,) = (parameter for parameter in value if parameter["name"] == "filter")
    assert filters["style"] == "deepObject"
