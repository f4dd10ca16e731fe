"""The records behind a KPI: newest first, page by page, with the customer's words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.events import Assigned, Opened, Override, Score, ScoreEvent, StatusSet, ThemeScore, Ticket, text_hash
from tests.service.metrics.database import MetricsDatabase, score_of, serving, statement, survey_response
from tests.unit.metrics.build import MODEL, csat, nps, words

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


async def pages(http: httpx.AsyncClient, kpi: str, **params: Any) -> list[dict[str, Any]]:
    """All records, by following the cursor."""
    records: list[dict[str, Any]] = []
    while True:
        answer = (await http.get(f"/v1/kpis/{kpi}/records", params=params)).json()
        records += answer["records"]
        if answer["next"] is None:
            return records
        params["cursor"] = answer["next"]


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
async def test_pages_give_each_record_once_newest_first_even_where_many_share_an_instant(
    metrics_db: MetricsDatabase, limit: int
) -> None:
    events = [survey_response(n, nps(n % 11), csat(4), csat(5, question="q3"), at=ago(1 + n // 4)) for n in range(12)]
    await metrics_db.apply(*events)
    async with serving(metrics_db.url, NOW) as http:
        for kpi, each in (("nps", 1), ("csat", 2)):
            records = await pages(http, kpi, window="24h", limit=limit)
            assert sorted(record["subject"] for record in records) == sorted(
                event.subject for event in events for _ in range(each)
            )
            assert [record["at"] for record in records] == sorted((record["at"] for record in records), reverse=True)


async def test_a_record_of_a_comment_has_its_text_label_score_and_model(metrics_db: MetricsDatabase) -> None:
    subject = "c1/response/1"
    await metrics_db.apply(
        survey_response(1, words("great"), words("awful", "q5"), nps(9), at=ago(1), customer="p1", dimensions={"region": "DE"}),
        score_of(subject, "great", 0.9),
        score_of(subject, "awful", -0.8, urgency=("outage",)),
    )
    async with serving(metrics_db.url, NOW) as http:
        scores = await pages(http, "sentiment", window="24h")
        labels = await pages(http, "net_sentiment", window="24h")
    by_text = {record["text"]: record for record in scores}
    assert {text: (r["label"], r["score"], r["value"], r["model"]) for text, r in by_text.items()} == {
        "great": ("positive", 0.9, 0.9, "vader-3.3.2"),
        "awful": ("negative", -0.8, -0.8, "vader-3.3.2"),
    }
    assert {record["text"]: record["label"] for record in labels} == {"great": "positive", "awful": "negative"}
    assert (by_text["great"]["urgency"], by_text["awful"]["urgency"]) == ([], ["outage"])
    assert by_text["great"]["dims"]["region"] == "DE"
    assert "p1" not in str(scores)


async def test_a_humans_label_replaces_the_models(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(
        survey_response(1, words("sick!"), at=ago(2)),
        score_of("c1/response/1", "sick!", -0.5),
        statement("c1/response/1", Override(comment=text_hash("sick!"), label="positive"), at=ago(1), seq=5),
    )
    async with serving(metrics_db.url, NOW) as http:
        (record,) = await pages(http, "sentiment", window="24h")
    assert (record["label"], record["score"], record["judged_by"]) == ("positive", 1.0, "human")
    assert record["model_label"] == "negative"


async def test_a_comment_has_the_hash_that_an_override_needs_whichever_kpi_lists_it(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(
        survey_response(1, words("great"), words("n/a", "q5"), nps(9), at=ago(1)), score_of("c1/response/1", "great", 0.9)
    )
    async with serving(metrics_db.url, NOW) as http:
        for kpi in ("sentiment", "net_sentiment"):
            (record,) = await pages(http, kpi, window="24h")
            assert (record["text_hash"], record["judged_by"]) == (text_hash("great"), "model")
        (rated,) = await pages(http, "nps", window="24h")
    assert "text_hash" not in rated


async def test_a_humans_themes_replace_the_models(metrics_db: MetricsDatabase) -> None:
    subject, themes = "c1/response/1", (ThemeScore("delivery", -0.7), ThemeScore("price", 0.2))
    score = Score(label="negative", score=-0.5, confidence=0.9, themes=themes, text_hash=text_hash("late"))
    await metrics_db.apply(
        survey_response(1, words("late"), at=ago(2)),
        ScoreEvent(tenant="acme", received_at=NOW, subject=subject, model=MODEL, score=score),
    )
    async with serving(metrics_db.url, NOW) as http:
        (record,) = await pages(http, "sentiment", window="24h")
        assert record["themes"] == [{"theme": "delivery", "score": -0.7}, {"theme": "price", "score": 0.2}]
        override = Override(comment=text_hash("late"), themes=("waiting", "delivery"))
        await metrics_db.apply(statement(subject, override, at=ago(1), seq=5))
        (record,) = await pages(http, "sentiment", window="24h")
    assert record["themes"] == [{"theme": "waiting", "score": -0.5}, {"theme": "delivery", "score": -0.7}]
    assert (record["label"], record["judged_by"], record["themes_by"]) == ("negative", "model", "human")


async def test_a_record_of_a_rating_has_the_text_of_the_same_response(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(survey_response(1, nps(3), words("too slow"), at=ago(1)))
    async with serving(metrics_db.url, NOW) as http:
        (record,) = await pages(http, "nps", window="24h")
    assert (record["value"], record["text"], record["subject"]) == (3, "too slow", "c1/response/1")


async def test_records_of_the_backlog_are_the_tickets_that_are_open(metrics_db: MetricsDatabase) -> None:
    for number, facts in enumerate(
        [
            (Opened(at=ago(50)), Assigned(at=ago(50), team="tech"), Assigned(at=ago(40), team="billing")),
            (Opened(at=ago(30)), StatusSet(at=ago(20), status="solved")),
            (Opened(at=ago(10)),),
        ]
    ):
        await metrics_db.apply(statement(f"c2/ticket/{number}", Ticket(facts=facts), at=ago(60)))
    async with serving(metrics_db.url, NOW) as http:
        assert [record["subject"] for record in await pages(http, "backlog", limit=1)] == ["c2/ticket/2", "c2/ticket/0"]
        (record,) = await pages(http, "backlog", **{"filter[team]": "billing"})
        assert record["subject"] == "c2/ticket/0"
        assert await pages(http, "backlog", **{"filter[team]": "tech"}) == []
        earlier = await pages(http, "backlog", at=ago(25).isoformat().replace("+00:00", "Z"))
        assert {record["subject"] for record in earlier} == {"c2/ticket/0", "c2/ticket/1"}


async def test_records_follow_filters_and_per_respondent(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(
        survey_response(1, nps(3), at=ago(3), customer="p1", dimensions={"region": "DE"}),
        survey_response(2, nps(9), at=ago(2), customer="p1", dimensions={"region": "FR"}),
        survey_response(3, nps(10), at=ago(1), dimensions={"region": "DE"}),
        survey_response(4, nps(10), at=ago(1), dimensions={"region": "DE"}),
    )
    async with serving(metrics_db.url, NOW) as http:
        assert len(await pages(http, "nps", window="24h", **{"filter[region]": "DE"})) == 3
        latest = await pages(http, "nps", window="24h", per="respondent", limit=1)
    assert [record["value"] for record in latest] == [10, 10, 9]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("limit=000000500999", "limit"),
        ("cursor=WyIyMDI2LTExLTAyVDEyOjAwOjAwWiIsOTIyMzM3MjAzNjg1NDc3NTgwOCwxXQ", "cursor"),
        ("cursor=WyIyMDI2LTExLTAyVDEyOjAwOjAwIiwxLDFd", "cursor"),
        ("cursor=x", "cursor"),
        ("cursor=WzFd", "cursor"),
        ("page=2", "page"),
    ],
)
async def test_an_invalid_parameter_is_refused_by_its_name(metrics_db: MetricsDatabase, query: str, name: str) -> None:
    async with serving(metrics_db.url, NOW) as http:
        answer = await http.get(f"/v1/kpis/nps/records?{query}")
    assert answer.status_code == 400
    assert [param["name"] for param in answer.json()["invalid_params"]] == [name]


async def test_an_unknown_tenant_has_no_records(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW, "nobody") as http:
        assert (await http.get("/v1/kpis/nps/records")).json()["records"] == []


async def test_each_record_of_comments_made_at_one_time_shows_the_comment_that_it_counts(metrics_db: MetricsDatabase) -> None:
    """One response with three comments: two labelled alike under different themes, and one without a sentiment."""
    subject = "c1/response/1"

    def score(text: str, label: Any, theme: str | None = None, urgency: tuple[Any, ...] = ()) -> ScoreEvent:
        themes = (ThemeScore(theme, 0.0),) if theme else ()
        value = None if label is None else -0.5
        fields = Score(label=label, score=value, confidence=0.9, themes=themes, urgency=urgency, text_hash=text_hash(text))
        return ScoreEvent(tenant="acme", subject=subject, model=MODEL, received_at=NOW, score=fields)

    await metrics_db.apply(
        survey_response(1, words("late"), words("dear", "q5"), words("n/a", "q6"), at=ago(1)),
        score("late", "negative", "delivery"),
        score("dear", "negative", "price", ("outage",)),
        score("n/a", None),
    )
    async with serving(metrics_db.url, NOW) as http:
        texts = {
            (kpi, theme): {
                record["text"] for record in await pages(http, kpi, window="24h", **({"filter[theme]": theme} if theme else {}))
            }
            for kpi in ("theme_volume", "theme_sentiment", "urgent_comments")
            for theme in ("", "delivery", "price", "!price", "null")
        }
    assert texts["theme_volume", ""] == {"late", "dear", "n/a"}
    assert texts["theme_sentiment", ""] == {"late", "dear"}
    assert texts["theme_volume", "null"] == {"n/a"}
    assert texts["urgent_comments", ""] == texts["urgent_comments", "price"] == {"dear"}
    for kpi in ("theme_volume", "theme_sentiment"):
        assert texts[kpi, "delivery"] == {"late"}
        assert texts[kpi, "price"] == {"dear"}
    assert texts["theme_sentiment", "!price"] == {"late"}
