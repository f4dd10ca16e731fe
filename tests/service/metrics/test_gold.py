"""The export of humans' judgements: the current ones of the tenant, page by page."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.metrics.rebuild_in_place import rebuild_in_place
from shared.events import Event, Label, Override, ScoreEvent, text_hash
from tests.service.metrics.database import MetricsDatabase, erasure, expected, score_of, serving, statement, survey_response
from tests.unit.metrics.build import MODEL, words

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
LABELS: tuple[Label, ...] = ("negative", "neutral", "positive")


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def judged(n: int, text: str, label: Label | None, seq: int = 500, **more: Any) -> Event:
    override = Override(comment=text_hash(text), label=label, themes=more.pop("themes", ()))
    return statement(f"c1/response/{n}", override, at=ago(1), seq=seq, source="api", connection="api", **more)


async def exported(http: httpx.AsyncClient, limit: int = 50) -> list[dict[str, Any]]:
    """All rows, by following the cursor."""
    rows: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": limit}
    while True:
        answer = await http.get("/v1/gold", params=params)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["rows"]) <= limit
        rows += answer.json()["rows"]
        if answer.json()["next"] is None:
            return rows
        params["cursor"] = answer.json()["next"]


async def test_a_row_has_every_field(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(
        survey_response(1, words("late again"), at=ago(2), customer="p1"),
        score_of("c1/response/1", "late again", 0.1),
        judged(1, "late again", "negative", themes=("delivery",)),
    )
    async with serving(metrics_db.url, NOW) as http:
        assert await exported(http) == [
            {
                "subject": "c1/response/1",
                "comment": text_hash("late again"),
                "at": "2026-11-02T10:00:00+00:00",
                "text": "late again",
                "language": None,
                "label": "negative",
                "themes": ["delivery"],
                "model": MODEL,
                "model_label": "positive",
            }
        ]


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
async def test_pages_have_each_judgement_once_at_any_limit(metrics_db: MetricsDatabase, limit: int) -> None:
    events, expected = [], []
    for n in range(1, 8):
        texts = [f"comment {n}.{place}" for place in range(n % 4)]
        events.append(survey_response(n, *(words(text, text) for text in texts), at=ago(n)))
        events += [judged(n, text, LABELS[n % 3], seq=500 + place) for place, text in enumerate(texts)]
        expected += texts
    events.append(judged(2, "comment 2.0", None, seq=900))
    expected.remove("comment 2.0")
    await metrics_db.apply(*events)
    async with serving(metrics_db.url, NOW) as http:
        assert sorted(row["text"] for row in await exported(http, limit)) == sorted(expected)


async def test_erased_judgements_are_left_out_whichever_came_first(metrics_db: MetricsDatabase) -> None:
    for n in (1, 2):
        await metrics_db.apply(survey_response(n, words("so"), at=ago(2)), judged(n, "so", "negative"))
    await metrics_db.apply(erasure("c1/response/1", ago(0)))
    await metrics_db.apply(judged(1, "so", "positive", seq=1000))
    async with serving(metrics_db.url, NOW) as http:
        assert [row["subject"] for row in await exported(http)] == ["c1/response/2"]
    assert await metrics_db.pool.fetchval("SELECT count(*) FROM statements WHERE position('override'::bytea IN body) > 0") == 1


async def test_a_judgement_that_precedes_its_comment_waits_for_it(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(judged(1, "so", "negative"))
    async with serving(metrics_db.url, NOW) as http:
        assert await exported(http) == []
        await metrics_db.apply(survey_response(1, words("so"), at=ago(2)))
        assert [row["text"] for row in await exported(http)] == ["so"]


@pytest.mark.parametrize("repaired_by", ["what comes next", "a rebuild"])
async def test_a_mark_that_an_older_version_did_not_set_is_set_later(metrics_db: MetricsDatabase, repaired_by: str) -> None:
    await metrics_db.apply(survey_response(1, words("so"), at=ago(2)), judged(1, "so", "negative"))
    await metrics_db.pool.execute("UPDATE subjects SET judged = false")
    async with serving(metrics_db.url, NOW) as http:
        assert await exported(http) == []
        if repaired_by == "a rebuild":
            await rebuild_in_place(metrics_db.pool, metrics_db.writer)
        else:
            await metrics_db.apply(score_of("c1/response/1", "so", 0.5))
        assert [row["text"] for row in await exported(http)] == ["so"]


async def test_tenants_with_equal_subjects_and_texts_have_their_own_gold(metrics_db: MetricsDatabase) -> None:
    await metrics_db.tenant("other")
    event = survey_response(1, words("so"), at=ago(2))
    await metrics_db.apply(
        event, survey_response(1, words("so"), at=ago(2), tenant="other"), score_of("c1/response/1", "so", 0.5)
    )
    await metrics_db.apply(score_of("c1/response/1", "so", 0.5, tenant="other"), judged(1, "so", "negative", tenant="other"))
    async with serving(metrics_db.url, NOW) as http, serving(metrics_db.url, NOW, "other") as others:
        assert await exported(http) == []
        assert [row["label"] for row in await exported(others)] == ["negative"]
        assert (await http.get("/v1/kpis/sentiment?window=24h")).json()["rows"][0]["value"] == 0.5
        assert (await others.get("/v1/kpis/sentiment?window=24h")).json()["rows"][0]["value"] == -1.0
    async with serving(metrics_db.url, NOW, "nobody") as http:
        assert await exported(http) == []


async def test_judgements_in_any_order_give_the_recomputed_contributions(metrics_db: MetricsDatabase) -> None:
    events, scores = [], []
    for n in range(1, 30):
        events += [survey_response(n, words(f"comment {n}"), at=ago(n))]
        events += [judged(n, f"comment {n}", label, seq=500 + place) for place, label in enumerate((*LABELS, None)[: n % 5])]
        scores += [score_of(f"c1/response/{n}", f"comment {n}", n / 40)]
    deliveries: list[Event | ScoreEvent] = [*events, *scores, *events[::3]]
    random.Random(7).shuffle(deliveries)
    for start in range(0, len(deliveries), 9):
        await metrics_db.apply(*deliveries[start : start + 9])
    assert await metrics_db.contributions() == expected(events, scores)
    assert expected(events, scores) != expected([event for event in events if not isinstance(event.body, Override)], scores)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("limit=000000500999", "limit"),
        ("cursor=x", "cursor"),
        ("window=24h", "window"),
    ],
)
async def test_an_invalid_parameter_is_refused_by_its_name(metrics_db: MetricsDatabase, query: str, name: str) -> None:
    async with serving(metrics_db.url, NOW) as http:
        answer = await http.get(f"/v1/gold?{query}")
    assert answer.status_code == 400
    assert [param["name"] for param in answer.json()["invalid_params"]] == [name]


async def test_the_internal_token_is_required(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW) as http:
        http.headers["authorization"] = "Bearer guess"
        assert (await http.get("/v1/gold")).status_code == 401
