"""The impact of themes over HTTP: by theme, of any theme, in groups, explained, and with its records."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.events import Answer, ThemeScore
from tests.conftest import NewDatabase
from tests.service.metrics.database import MetricsDatabase, open_metrics_db, score_of, serving, survey_response

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATE = "the parcel was late"
THEMED = {1: "delivery", 2: "delivery", 3: "price"}
"""The themes of responses; the others have a comment without a theme."""
VALUES = {1: 0, 2: 8, 3: 10, 4: 10, 5: 9, 6: 3}


async def add_feedback(metrics_db: MetricsDatabase) -> None:
    """Six responses with NPS, CSAT and a comment."""
    for number, value in VALUES.items():
        text = f"{LATE} {number}"
        answers = (
            Answer(question="q1", kind="nps", value=value),
            Answer(question="q2", kind="csat", value=5 if value > 8 else 1, scale=(1, 5)),
            Answer(question="q3", kind="comment", text=text),
        )
        dimensions: Any = {"region": "DE" if number % 2 else "FR"}
        event = survey_response(number, *answers, at=NOW - timedelta(hours=number), dimensions=dimensions)
        themes = (ThemeScore(THEMED[number], 0.0),) if number in THEMED else ()
        await metrics_db.apply(event, score_of(f"c1/response/{number}", text, (value - 5) / 10, themes=themes))


@pytest.fixture(scope="module")
async def http(database: NewDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """The service with this feedback, which no test changes."""
    url = await database("metrics")
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        await add_feedback(metrics_db)
    async with serving(url, NOW) as http:
        yield http


async def rows(http: httpx.AsyncClient, parameters: str, path: str = "theme_impact") -> list[dict[str, Any]]:
    response = await http.get(f"/v1/kpis/{path}?window=7d&{parameters}")
    assert response.status_code == 200, response.text
    listed: list[dict[str, Any]] = response.json()["rows"]
    return listed


OF_ALL = 100 * (3 - 2) / 6


async def test_the_impact_of_each_theme_is_the_kpi_without_its_answers_below_that_of_all(http: httpx.AsyncClient) -> None:
    delivery, price = await rows(http, "group_by=theme")
    assert [row["dims"]["theme"] for row in (delivery, price)] == ["delivery", "price"]
    assert (delivery["value"], delivery["n"]) == (pytest.approx(OF_ALL - 100 * (3 - 1) / 4), 2)
    assert (price["value"], price["n"], price["flags"]) == (pytest.approx(OF_ALL - 100 * (2 - 2) / 5), 1, ["low_n"])
    assert (await rows(http, "group_by=theme"))[0]["interval"] == delivery["interval"]
    (any_theme,) = await rows(http, "")
    assert (any_theme["value"], any_theme["n"]) == (pytest.approx(OF_ALL - 100 * (2 - 1) / 3), 3)
    (filtered,) = await rows(http, "filter[theme]=delivery")
    assert filtered["value"] == delivery["value"]


async def test_impacts_on_csat_and_sentiment_and_in_groups(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/kpis/theme_impact?window=7d&agg=sentiment&group_by=theme")
    (delivery, _) = response.json()["rows"]
    scores = {number: (value - 5) / 10 for number, value in VALUES.items()}
    without = [score for number, score in scores.items() if number > 2]
    assert delivery["value"] == pytest.approx(sum(scores.values()) / 6 - sum(without) / 4)
    assert response.json()["unit"] == "score"
    (on_csat, _) = await rows(http, "agg=csat&group_by=theme")
    assert on_csat["value"] == pytest.approx(50 - 75)
    by_region = await rows(http, "group_by=theme,region")
    assert {(row["dims"]["theme"], row["dims"]["region"]): (row["value"], row["n"]) for row in by_region} == {
        ("delivery", "DE"): (pytest.approx(100 / 3 - 100), 1),
        ("delivery", "FR"): (pytest.approx(0.0), 1),
        ("price", "DE"): (pytest.approx(100 / 3 - 0), 1),
    }
    (in_germany,) = await rows(http, "group_by=theme&filter[region]=DE&filter[theme]=price")
    assert in_germany["value"] == pytest.approx(100 / 3)


@pytest.mark.parametrize("agg", ["nps", "csat", "sentiment"])
@pytest.mark.parametrize("parameters", ["", "group_by=theme", "group_by=theme,region&grain=P1D", "filter[theme]=delivery"])
async def test_impacts_are_explained_by_a_recomputation(http: httpx.AsyncClient, agg: str, parameters: str) -> None:
    response = await http.get(f"/v1/kpis/theme_impact/explain?window=7d&agg={agg}&{parameters}")
    assert response.status_code == 200, response.text
    explained = response.json()
    assert explained["equal"]
    assert explained["n"] == explained["recomputed_n"] > 0
    assert eval(explained["filled_in"].replace("−", "-")) == pytest.approx(explained["value"])
    assert len((await http.get(explained["records"])).json()["records"]) == explained["n"]


async def test_an_impact_changes_with_the_scores_of_the_promoted_model_and_is_sealed_like_other_kpis(
    metrics_db: MetricsDatabase,
) -> None:
    await add_feedback(metrics_db)
    async with serving(metrics_db.url, NOW) as http:
        before = await rows(http, "group_by=theme&grain=P1D")
        await metrics_db.seal(NOW + timedelta(days=3))
        assert await rows(http, "group_by=theme&grain=P1D") == before
        await metrics_db.apply(score_of("c1/response/6", f"{LATE} 6", -0.2, themes=(ThemeScore("price", 0.0),), taxonomy=1))
        _, price = await rows(http, "group_by=theme")
    assert (price["value"], price["n"]) == (pytest.approx(OF_ALL - 100 * (2 - 1) / 4), 2)


async def test_too_many_impacts_are_refused(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/kpis/theme_impact?window=30d&grain=PT1H&group_by=theme")
    assert response.status_code == 400
    assert "more than 500 impacts" in response.json()["invalid_params"][0]["reason"]
