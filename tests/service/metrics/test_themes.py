"""KPIs by theme and urgency over HTTP: numbers worked out by hand, sealed or not, and the records behind them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.events import Event, Override, Score, ScoreEvent, ThemeScore, text_hash
from tests.conftest import NewDatabase
from tests.service.metrics.database import open_metrics_db, serving, statement, survey_response
from tests.unit.metrics.build import MODEL, words

NOW = datetime(2026, 10, 27, 12, tzinfo=UTC)
WEEK = "window=7d"


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def feedback() -> list[Event]:
    """Four responses. The second has two comments that differ in their themes alone."""
    return [
        survey_response(1, words("late and dear"), at=days_ago(6), customer="p1", dimensions={"team": "billing"}),
        survey_response(2, words("too late", "q1"), words("too dear", "q2"), at=days_ago(5), customer="p2"),
        survey_response(3, words("n/a, I will sue"), at=days_ago(4), customer="p1", dimensions={"team": "tech"}),
        survey_response(4, words("lovely"), at=days_ago(3)),
        statement("c1/response/4", Override(comment=text_hash("lovely"), themes=("service",)), at=days_ago(2), seq=9),
    ]


def score(number: int, text: str, value: float | None, themes: tuple[str, ...], *urgency: Any) -> ScoreEvent:
    label: Any = None if value is None else "negative" if value < 0 else "positive"
    spoken = tuple(ThemeScore(name, 0.0) for name in themes)
    scored = Score(label=label, score=value, confidence=0.9, text_hash=text_hash(text), themes=spoken, urgency=urgency)
    return ScoreEvent(tenant="acme", subject=f"c1/response/{number}", model=MODEL, received_at=NOW, score=scored)


def scores() -> list[ScoreEvent]:
    return [
        score(1, "late and dear", -0.8, ("delivery", "price")),
        score(2, "too late", -0.4, ("delivery",)),
        score(2, "too dear", -0.4, ("price",), "cancellation"),
        score(3, "n/a, I will sue", None, (), "legal_threat", "cancellation"),
        score(4, "lovely", 0.6, ("delivery",)),
    ]


@pytest.fixture(scope="module", params=["counted", "sealed"])
async def http(database: NewDatabase, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """The service with this feedback, sealed and not. No test changes it."""
    url = await database("metrics")
    async with open_metrics_db(url) as metrics:
        await metrics.tenant()
        await metrics.apply(*feedback())
        await metrics.apply(*scores())
        if request.param == "sealed":
            assert await metrics.seal(NOW) > 0
    async with serving(url, NOW) as http:
        yield http


async def values(http: httpx.AsyncClient, query: str) -> dict[Any, Any]:
    """The value of each group of a query; of one without groups under None."""
    answer = await http.get(f"/v1/kpis/{query}")
    assert answer.status_code == 200, answer.text
    return {"/".join(str(v) for v in row["dims"].values()) or None: row["value"] for row in answer.json()["rows"]}


async def test_a_comment_counts_once_under_each_theme_and_once_in_the_total(http: httpx.AsyncClient) -> None:
    assert await values(http, f"theme_volume?{WEEK}") == {None: 5}
    assert await values(http, f"theme_volume?{WEEK}&group_by=theme") == {"delivery": 2, "price": 2, "service": 1, "None": 1}
    assert await values(http, f"theme_sentiment?{WEEK}&group_by=theme") == pytest.approx(
        {"delivery": -0.6, "price": -0.6, "service": 0.6}
    )
    assert await values(http, f"urgent_comments?{WEEK}") == {None: 2}
    assert await values(http, f"urgent_comments?{WEEK}&group_by=urgency") == {"cancellation": 2, "legal_threat": 1}


@pytest.mark.parametrize(
    ("filters", "volume"),
    [
        ("filter[theme]=delivery", 2),
        ("filter[theme]=delivery,price", 3),
        ("filter[theme]=!delivery", 3),
        ("filter[theme]=null", 1),
        ("filter[theme]=!null", 4),
        ("filter[theme]=delivery,!price", 1),
        ("filter[theme]=delivery,null", 3),
        ("filter[theme]=unheard", 0),
        ("filter[urgency]=cancellation", 2),
        ("filter[urgency]=null", 3),
        ("filter[urgency]=cancellation,legal_threat", 2),
        ("filter[urgency]=cancellation&filter[theme]=price", 1),
        ("filter[theme]=delivery&filter[team]=billing", 1),
    ],
)
async def test_a_filter_selects_comments_once(http: httpx.AsyncClient, filters: str, volume: int) -> None:
    assert await values(http, f"theme_volume?{WEEK}&{filters}") == {None: volume}


async def test_groups_of_filtered_comments_are_all_of_their_themes(http: httpx.AsyncClient) -> None:
    assert await values(http, f"theme_volume?{WEEK}&group_by=theme&filter[theme]=price") == {"delivery": 1, "price": 2}
    by_both = await values(http, f"theme_volume?{WEEK}&group_by=theme,urgency")
    assert by_both == {
        "delivery/None": 2, "price/None": 1, "price/cancellation": 1, "service/None": 1,
        "None/cancellation": 1, "None/legal_threat": 1,
    }  # fmt: skip
    assert await values(http, f"sentiment?{WEEK}&group_by=team,theme") == pytest.approx(
        {"billing/delivery": -0.8, "billing/price": -0.8, "None/delivery": -0.4, "None/price": -0.4, "None/service": 0.6}
    )


async def test_series_comparisons_and_respondents_have_themes(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/v1/kpis/theme_volume?{WEEK}&grain=P1D&filter[theme]=delivery&compare=previous")
    assert sum(row["value"] for row in answer.json()["rows"]) == 2
    assert {comparison["value"] for row in answer.json()["rows"] for comparison in row["compare"]} == {0}
    latest = await values(http, f"net_sentiment?{WEEK}&group_by=theme&per=respondent&filter[team]=billing,tech")
    assert latest == {"delivery": -100, "price": -100}, "the later comment of p1 has no label, so the earlier one is the latest"


@pytest.mark.parametrize("kpi", ["nps", "comment_rate", "sentiment_coverage", "tickets_opened", "backlog"])
@pytest.mark.parametrize(("query", "parameter"), [("group_by=theme", "group_by"), ("filter[urgency]=null", "filter[urgency]")])
async def test_a_kpi_without_the_dimension_refuses_it(http: httpx.AsyncClient, kpi: str, query: str, parameter: str) -> None:
    answer = await http.get(f"/v1/kpis/{kpi}?{query}")
    assert answer.status_code == 400
    assert answer.json()["invalid_params"][0]["name"] == parameter
    catalogue = {entry["id"]: entry for entry in (await http.get("/v1/kpis")).json()["kpis"]}
    assert "theme" not in catalogue[kpi]["dimensions"]
    assert "theme" in catalogue["net_sentiment"]["dimensions"]


async def test_records_are_of_the_comments_that_the_filter_selects(http: httpx.AsyncClient) -> None:
    async def texts(query: str) -> list[str]:
        answer = await http.get(f"/v1/kpis/{query}")
        assert answer.status_code == 200, answer.text
        return [record["text"] for record in answer.json()["records"]]

    assert await texts(f"sentiment/records?{WEEK}&filter[theme]=price") == ["too dear", "late and dear"]
    assert await texts(f"net_sentiment/records?{WEEK}&filter[theme]=delivery") == ["too late", "late and dear"]
    assert await texts(f"urgent_comments/records?{WEEK}&filter[urgency]=cancellation") == ["n/a, I will sue", "too dear"]
    everything = ["lovely", "n/a, I will sue", "too dear", "too late", "late and dear"]
    assert sorted(await texts(f"theme_volume/records?{WEEK}")) == sorted(everything)
    pages = [await http.get(f"/v1/kpis/theme_volume/records?{WEEK}&limit=2")]
    while cursor := pages[-1].json()["next"]:
        pages.append(await http.get(f"/v1/kpis/theme_volume/records?{WEEK}&limit=2&cursor={cursor}"))
    assert sorted(record["text"] for page in pages for record in page.json()["records"]) == sorted(everything)


async def test_a_record_shows_the_themes_and_the_urgency_of_its_comment(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/v1/kpis/urgent_comments/records?{WEEK}&filter[urgency]=legal_threat")
    (record,) = answer.json()["records"]
    assert (record["text"], record["label"], record["urgency"]) == ("n/a, I will sue", None, ["legal_threat", "cancellation"])
    answer = await http.get(f"/v1/kpis/theme_sentiment/records?{WEEK}&filter[theme]=service")
    (record,) = answer.json()["records"]
    assert (record["themes"][0]["theme"], record["themes_by"]) == ("service", "human")
