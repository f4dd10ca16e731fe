"""The parameter `fields` of values and records."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.metrics.api.schemas import CommentRecord, ResultRow
from shared.fields import KPI_FIELDS, RECORD_FIELDS
from tests.conftest import NewDatabase
from tests.service.metrics.database import open_metrics_db, score_of, serving, survey_response
from tests.unit.metrics.build import nps, words

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
async def http(database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    url = await database("metrics")
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        answer = survey_response(1, nps(9), words("fine"), at=NOW - timedelta(hours=1), dimensions={"team": "billing"})
        await metrics_db.apply(answer, score_of("c1/response/1", "fine", 0.5))
    async with serving(url, NOW) as http:
        yield http


def test_the_fields_are_those_of_the_documented_rows_and_records() -> None:
    def names(model: type[ResultRow | CommentRecord]) -> set[str]:
        return {field.alias or name for name, field in model.model_fields.items()}

    assert set(KPI_FIELDS) - {"kpi", "version", "unit"} == names(ResultRow)
    assert set(RECORD_FIELDS) == names(CommentRecord)


async def test_rows_have_the_selected_fields(http: httpx.AsyncClient) -> None:
    (row,) = (await http.get("/v1/kpis/nps?group_by=team&fields=n,dims,value")).json()["rows"]
    assert row == {"dims": {"team": "billing"}, "value": 100.0, "n": 1}
    content = (await http.get("/v1/kpis/nps?fields=!distribution,!interval")).json()
    assert content["kpi"] == "nps"
    left_out = {"kpi", "version", "unit", "distribution", "interval", "compare", "presets", "next_breach"}
    assert content["rows"][0].keys() == set(KPI_FIELDS) - left_out


async def test_records_have_the_selected_fields(http: httpx.AsyncClient) -> None:
    content = (await http.get("/v1/kpis/sentiment/records?fields=text,label")).json()
    assert content["records"] == [{"text": "fine", "label": "positive"}]
    (rating,) = (await http.get("/v1/kpis/nps/records?fields=!text,label,value")).json()["records"]
    assert rating == {"value": 9}


@pytest.mark.parametrize("path", ["nps?fields=distributon", "nps/records?fields=txt"])
async def test_an_unknown_field_is_400_with_the_list(http: httpx.AsyncClient, path: str) -> None:
    response = await http.get(f"/v1/kpis/{path}")
    assert response.status_code == 400
    (param,) = response.json()["invalid_params"]
    assert param["name"] == "fields"
    assert "did you mean" in param["reason"]
