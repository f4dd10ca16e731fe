"""Models beside one another: which have scored what, what a candidate would change, and the one switch."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.metrics.store import shadow as shadow_store
from services.metrics.store.promotions import asker_of, store_promotion
from services.metrics.store.query import histograms, snapshot
from services.metrics.store.selection import Selection, resolve
from shared.events import Event, KpiChange, Override, Score, ScoreEvent, decode_change, text_hash
from shared.kafka import Message, Undelivered
from shared.topics import Topic
from tests.service.metrics.database import MetricsDatabase, erasure, score_of, serving, statement, survey_response
from tests.service.metrics.test_verify import SCORES
from tests.service.metrics.verification import Inbox, failed, verified
from tests.unit.metrics.build import MODEL, words

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
NEW = "linear-1"
SENTIMENT = {
    "sentiment",
    "net_sentiment",
    "sentiment_share",
    "sentiment_coverage",
    "theme_volume",
    "theme_sentiment",
    "urgent_comments",
}


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def subject(number: int) -> str:
    return f"c1/response/{number}"


def judged(number: int, text: str, value: float, model: str = MODEL, **fields: Any) -> ScoreEvent:
    return score_of(subject(number), text, value, model, **fields)


def silent(number: int, text: str, model: str = MODEL) -> ScoreEvent:
    """The score of a text that says nothing."""
    score = Score(label=None, score=None, confidence=1.0, flags=("non_answer",), text_hash=text_hash(text))
    return ScoreEvent(tenant="acme", subject=subject(number), model=model, received_at=NOW, score=score)


@dataclass
class Heard:
    """A producer that remembers what was announced, or can't reach its broker."""

    changes: list[KpiChange] = field(default_factory=list)
    away: bool = False

    async def send_all(self, topic: Topic, messages: list[Message]) -> None:
        if self.away:
            raise Undelivered("the broker is away")
        self.changes += [decode_change(message.value) for message in messages]


async def models(http: httpx.AsyncClient) -> dict[str, tuple[int, float | None, bool]]:
    told = (await http.get("/v1/models")).json()["models"]
    return {model["name"]: (model["scores"], model["coverage"], model["promoted"]) for model in told}


async def value(http: httpx.AsyncClient, kpi: str, **params: str) -> float | None:
    (row,) = (await http.get(f"/v1/kpis/{kpi}", params={"window": "30d", **params})).json()["rows"]
    found: float | None = row["value"]
    return found


async def shadow(http: httpx.AsyncClient, **params: str) -> dict[str, Any]:
    answer = await http.get(f"/v1/models/{NEW}/shadow", params=params)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture
async def story(metrics_db: MetricsDatabase) -> MetricsDatabase:
    """Four comments that VADER scored, one of them a non-answer; the new model has scored two."""
    texts = {1: "great", 2: "awful", 3: "it broke", 4: "n/a"}
    await metrics_db.apply(
        *(survey_response(n, words(text), at=ago(n)) for n, text in texts.items()),
        judged(1, "great", 0.8),
        judged(2, "awful", -0.6),
        judged(3, "it broke", 0.0),
        silent(4, "n/a"),
        judged(1, "great", 0.9, NEW),
        judged(3, "it broke", -0.7, NEW),
    )
    return metrics_db


async def another_tenant(story: MetricsDatabase, model: str) -> None:
    """The tenant `other`: a comment on a subject of the same name, and its score of `model`."""
    await story.tenant("other")
    theirs = statement("c1/response/1", survey_response(1, words("ok"), at=ago(1)).body, at=ago(1), tenant="other")
    await story.apply(theirs, judged(1, "ok", 0.1, model, tenant="other"))


REST = (judged(2, "awful", -0.9, NEW), silent(4, "n/a", NEW))
"""What the new model has yet to score."""


# --- which there are
async def test_models_are_listed_with_their_coverage_and_a_non_answer_counts_as_scored(story: MetricsDatabase) -> None:
    async with serving(story.url, NOW) as http:
        assert await models(http) == {MODEL: (4, 100.0, True), NEW: (2, 50.0, False)}
        assert (await http.get("/v1/models")).json()["comments"] == 4


async def test_a_tenant_without_scores_has_the_default_alone(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW) as http:
        assert await models(http) == {MODEL: (0, None, True)}


async def test_scores_of_what_was_edited_or_erased_count_no_more(story: MetricsDatabase) -> None:
    await story.apply(survey_response(1, words("great now"), at=ago(1), revision=2), erasure(subject(3), ago(0.1)))
    async with serving(story.url, NOW) as http:
        assert await models(http) == {MODEL: (2, pytest.approx(200 / 3), True)}


# --- the switch
async def test_a_model_is_not_promoted_while_comments_lack_its_score(story: MetricsDatabase) -> None:
    async with serving(story.url, NOW) as http:
        refused = await http.post(f"/v1/models/{NEW}:promote")
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
        told = f"2 of 4 comments have no score of {NEW} yet, first of {subject(2)}, {subject(4)}"
        assert refused.json()["detail"] == told
        await story.apply(REST[0])
        assert (await http.post(f"/v1/models/{NEW}:promote")).json()["detail"].startswith("1 of 4")
        assert (await models(http))[MODEL][2]


async def test_the_default_is_promoted_from_the_first_and_needs_its_scores_once_another_was(story: MetricsDatabase) -> None:
    await story.apply(*REST)
    await story.apply(survey_response(5, words("late"), at=ago(1)), judged(5, "late", 0.5, NEW))
    async with serving(story.url, NOW) as http:
        assert (await http.post(f"/v1/models/{MODEL}:promote")).status_code == 200
        assert (await http.post(f"/v1/models/{NEW}:promote")).status_code == 200
        refused = await http.post(f"/v1/models/{MODEL}:promote")
        assert (refused.status_code, refused.json()["detail"].startswith("1 of 5")) == (409, True)
        await story.apply(judged(5, "late", 0.5))
        assert (await http.post(f"/v1/models/{MODEL}:promote")).status_code == 200


async def test_one_switch_moves_every_kpi_of_sentiment_and_back(story: MetricsDatabase) -> None:
    await story.apply(*REST)
    async with serving(story.url, NOW) as http:
        before = [await value(http, kpi) for kpi in ("sentiment", "net_sentiment")]
        told = (await http.post(f"/v1/models/{NEW}:promote")).json()
        assert told == {"model": NEW, "promoted_at": NOW.isoformat()}
        assert (await models(http))[NEW] == (4, 100.0, True)
        after = [await value(http, kpi) for kpi in ("sentiment", "net_sentiment")]
        (record, *_) = (await http.get("/v1/kpis/sentiment/records?window=30d")).json()["records"]
        assert (record["model"], record["score"], record["value"]) == (NEW, 0.9, 0.9)
        assert (await http.post(f"/v1/models/{MODEL}:promote")).status_code == 200
        assert [await value(http, kpi) for kpi in ("sentiment", "net_sentiment")] == before
    assert before == pytest.approx([0.2 / 3, 0])
    assert after == pytest.approx([-0.7 / 3, -100 / 3])


async def test_promoting_what_is_promoted_changes_nothing(story: MetricsDatabase) -> None:
    await story.apply(*REST)
    async with serving(story.url, NOW) as http:
        await http.post(f"/v1/models/{NEW}:promote")
    async with serving(story.url, NOW + timedelta(hours=1)) as http:
        assert (await http.post(f"/v1/models/{NEW}:promote")).json()["promoted_at"] == NOW.isoformat()
    assert await story.pool.fetch("SELECT model FROM promotions WHERE NOT initial") == [(NEW,)]


async def test_a_promotion_makes_a_new_revision_and_is_announced(story: MetricsDatabase) -> None:
    await story.apply(*REST)
    heard = Heard()
    async with serving(story.url, NOW, sender=heard) as http:
        before = (await http.get("/internal/revision?kpi=sentiment")).json()["revision"]
        await http.post(f"/v1/models/{NEW}:promote")
        after = (await http.get("/internal/revision?kpi=sentiment")).json()["revision"]
        assert after != before
        assert (await http.get("/v1/kpis/sentiment")).headers["x-earshot-revision"] == after
    (change,) = heard.changes
    assert (change.tenant, set(change.kpis)) == ("acme", SENTIMENT)


async def test_a_broker_that_is_away_undoes_no_promotion(story: MetricsDatabase) -> None:
    await story.apply(*REST)
    async with serving(story.url, NOW, sender=Heard(away=True)) as http:
        assert (await http.post(f"/v1/models/{NEW}:promote")).status_code == 200
        assert (await models(http))[NEW][2]


async def test_a_humans_label_needs_the_candidates_score_like_any_other(metrics_db: MetricsDatabase) -> None:
    """Which is left out of KPIs without one, whoever judged it."""
    await metrics_db.apply(
        survey_response(1, words("sick!"), at=ago(2)),
        statement(subject(1), Override(comment=text_hash("sick!"), label="positive"), at=ago(1), seq=5),
        judged(1, "sick!", -0.5),
        survey_response(2, words("fine"), at=ago(2)),
        judged(2, "fine", 0.5),
        judged(2, "fine", 0.5, NEW),
    )
    async with serving(metrics_db.url, NOW) as http:
        assert (await http.post(f"/v1/models/{NEW}:promote")).json()["detail"].startswith("1 of 2")
        await metrics_db.apply(judged(1, "sick!", -0.5, NEW))
        assert (await http.post(f"/v1/models/{NEW}:promote")).status_code == 200
        assert await value(http, "net_sentiment") == 100


async def test_a_comment_that_comes_after_the_switch_without_a_score_shows_in_the_coverage(story: MetricsDatabase) -> None:
    await story.apply(*REST)
    async with serving(story.url, NOW) as http:
        await http.post(f"/v1/models/{NEW}:promote")
        await story.apply(survey_response(5, words("late"), at=ago(1)), judged(5, "late", 0.5))
        assert (await models(http))[NEW] == (4, 80.0, True)
        assert await value(http, "net_sentiment") == pytest.approx(-100 / 3)


async def test_what_one_request_reads_is_one_models_though_another_is_promoted_meanwhile(story: MetricsDatabase) -> None:
    async with snapshot(story.pool) as connection:
        before = await asker_of(connection, "acme", MODEL)
        async with story.pool.acquire() as other:
            assert await store_promotion(other, "acme", NEW, NOW) == NOW
            assert (await asker_of(other, "acme", MODEL)).model == NEW
        assert await asker_of(connection, "acme", MODEL) == before


@pytest.mark.parametrize("path", [f"/v1/models/{NEW}:promote", "/v1/models/nothing-1:promote"])
async def test_tenants_have_models_of_their_own(story: MetricsDatabase, path: str) -> None:
    await story.apply(*REST)
    await another_tenant(story, MODEL)
    async with serving(story.url, NOW, "other") as http, serving(story.url, NOW) as ours:
        assert (await http.post(path)).status_code == 404
        assert (await http.get(path.replace(":promote", "/shadow"))).status_code == 404
        assert (await ours.post(f"/v1/models/{NEW}:promote")).status_code == 200
        assert await models(http) == {MODEL: (1, 100.0, True)}
        assert await value(http, "net_sentiment") == 100


async def test_a_model_that_another_tenant_promoted_has_yet_to_be_promoted_here(story: MetricsDatabase) -> None:
    await story.apply(*REST)
    await another_tenant(story, NEW)
    async with serving(story.url, NOW, "other") as http, serving(story.url, NOW) as ours:
        assert (await http.post(f"/v1/models/{NEW}:promote")).status_code == 200
        assert (await ours.post(f"/v1/models/{NEW}:promote")).status_code == 200
        assert (await models(ours))[NEW] == (4, 100.0, True)


async def test_a_tenant_that_metrics_never_heard_of_promotes_nothing(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW, "nobody") as http:
        assert (await http.post(f"/v1/models/{MODEL}:promote")).status_code == 404
        assert (await http.get(f"/v1/models/{NEW}/shadow")).status_code == 404


# --- the report
async def test_the_report_tells_what_would_change(story: MetricsDatabase) -> None:
    await story.apply(REST[1])
    async with serving(story.url, NOW) as http:
        told = await shadow(http, window="24h")
    assert (told["model"], told["promoted"], told["comments"], told["missing"]) == (NEW, MODEL, 4, 1)
    assert (told["n"], told["agreement"], told["changed"]) == (2, 50.0, 1)
    nothing = {"negative": 0, "neutral": 0, "positive": 0}
    assert told["confusion"] == {
        "negative": nothing,
        "neutral": nothing | {"negative": 1},
        "positive": nothing | {"positive": 1},
    }
    assert told["examples"] == [
        {
            "subject": subject(3),
            "at": "2026-11-02T10:00:00+01:00",
            "text_hash": text_hash("it broke"),
            "text": "it broke",
            "promoted": {"label": "neutral", "score": 0.0},
            "candidate": {"label": "negative", "score": -0.7},
        }
    ]
    by_kpi = {(kpi["kpi"], kpi["agg"]): (kpi["promoted"]["value"], kpi["candidate"]["value"]) for kpi in told["kpis"]}
    assert by_kpi["sentiment", None] == pytest.approx((0.2 / 3, 0.1))
    assert by_kpi["net_sentiment", None] == (0, 0)
    assert by_kpi["sentiment_share", "negative"] == pytest.approx((100 / 3, 50))
    assert told["kpis"][0]["delta"] == pytest.approx(0.1 - 0.2 / 3)


async def test_the_kpis_of_the_report_are_those_that_are_served_before_and_after(story: MetricsDatabase) -> None:
    await story.apply(*REST)
    assert await story.seal(NOW)
    ends = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T09:30:00Z"}
    async with serving(story.url, NOW) as http:
        told = await shadow(http, **ends)
        for side, model in (("promoted", MODEL), ("candidate", NEW)):
            await http.post(f"/v1/models/{model}:promote")
            for kpi in told["kpis"]:
                asked = ends | ({"agg": kpi["agg"]} if kpi["agg"] else {})
                (row,) = (await http.get(f"/v1/kpis/{kpi['kpi']}", params=asked)).json()["rows"]
                assert {name: row[name] for name in kpi[side]} == kpi[side]


async def test_a_human_beats_both_models_so_nothing_changes(story: MetricsDatabase) -> None:
    await story.apply(statement(subject(3), Override(comment=text_hash("it broke"), label="negative"), at=ago(1), seq=9))
    async with serving(story.url, NOW) as http:
        told = await shadow(http)
    assert (told["n"], told["changed"], told["examples"]) == (2, 0, [])


def some_comments(chance: random.Random) -> tuple[list[Event | ScoreEvent], Counter[tuple[str, str]]]:
    """Subjects with up to three comments at one instant, some edited, scored by both models or one; and how the labels pair."""
    said: list[Event | ScoreEvent] = []
    pairs: Counter[tuple[str, str]] = Counter()
    for number in range(60):
        texts = [f"text {number} {k}" for k in range(chance.randint(1, 3))]
        at = ago(chance.randint(1, 40))
        said.append(survey_response(number, *(words(f"old {t}", f"q{k}") for k, t in enumerate(texts)), at=at))
        said.append(survey_response(number, *(words(t, f"q{k}") for k, t in enumerate(texts)), at=at, revision=2))
        for text in texts:
            scores = {model: judged(number, text, chance.choice([-0.5, 0.0, 0.5]), model) for model in (MODEL, NEW)}
            said += [judged(number, f"old {text}", 1.0, MODEL), judged(number, f"old {text}", -1.0, NEW)]
            said += [*scores.values()][: chance.choice([1, 2, 2, 2])]
            if said[-1] is scores[NEW] and at >= ago(24):
                pairs[str(scores[MODEL].score.label), str(scores[NEW].score.label)] += 1
    return said, pairs


@pytest.mark.parametrize(("seed", "at_once"), [(0, 500), (1, 7), (2, 1)])
async def test_comments_are_paired_by_their_texts_however_many_share_an_instant(
    metrics_db: MetricsDatabase, seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow_store, "SUBJECTS_AT_ONCE", at_once)
    said, pairs = some_comments(random.Random(seed))
    await metrics_db.apply(*said)
    async with serving(metrics_db.url, NOW) as http:
        told = await shadow(http, window="24h")
    found = {(before, after): n for before, row in told["confusion"].items() for after, n in row.items() if n}
    assert found == dict(pairs)
    changed = sum(n for (before, after), n in pairs.items() if before != after)
    assert (told["n"], told["changed"]) == (pairs.total(), changed)
    assert len(told["examples"]) == min(50, changed)
    assert all(e["promoted"]["label"] != e["candidate"]["label"] and e["text"].startswith("text") for e in told["examples"])
    assert [e["at"] for e in told["examples"]] == sorted((e["at"] for e in told["examples"]), reverse=True)


async def test_a_window_without_comments_and_one_that_lies_ahead_tell_nothing(story: MetricsDatabase) -> None:
    async with serving(story.url, NOW) as http:
        for start, end in (("2026-01-01", "2026-01-02"), ("2027-01-01", "2027-01-02")):
            told = await shadow(http, **{"from": f"{start}T00:00:00Z", "to": f"{end}T00:00:00Z"})
            assert (told["n"], told["comments"], told["agreement"], told["examples"]) == (0, 0, None, [])
            assert {kpi["delta"] for kpi in told["kpis"]} == {None}


@pytest.mark.parametrize(
    ("query", "name"),
    [("group_by=team", "group_by"), ("grain=P1D", "grain"), ("filter[team]=a", "filter[team]"), ("window=2y", "window"),
     ("x=1", "x"), ("from=2026-11-01T00:00:00Z", "to"), ("tz=Mars", "tz")],
)  # fmt: skip
async def test_an_invalid_parameter_is_refused_by_its_name(story: MetricsDatabase, query: str, name: str) -> None:
    async with serving(story.url, NOW) as http:
        answer = await http.get(f"/v1/models/{NEW}/shadow?{query}")
        assert (await http.get(f"/v1/models?{query}")).status_code == 400
    assert answer.status_code == 400
    assert [param["name"] for param in answer.json()["invalid_params"]] == [name]


# --- sealed, verified
async def test_after_a_promotion_what_is_sealed_is_what_is_scanned(metrics_db: MetricsDatabase) -> None:
    chance = random.Random(7)
    texts = {n: f"comment {n}" for n in range(80)}
    await metrics_db.apply(
        *(
            survey_response(n, words(text), at=ago(n * 1.9), dimensions={"region": "DE" if n % 3 else "FR"})
            for n, text in texts.items()
        ),
        *(judged(n, text, chance.uniform(-1, 1), model) for n, text in texts.items() for model in (MODEL, NEW)),
    )
    assert await metrics_db.seal(NOW)
    await metrics_db.apply(judged(5, texts[5], -1.0, MODEL), judged(6, texts[6], -1.0, NEW))
    edges = [NOW - timedelta(days=10), NOW - timedelta(days=3, hours=2), NOW]
    async with serving(metrics_db.url, NOW) as http:
        assert (await http.post(f"/v1/models/{NEW}:promote")).status_code == 200
    async with snapshot(metrics_db.pool) as connection:
        model = (await asker_of(connection, "acme", MODEL)).model
        sealed = set(await connection.fetch("SELECT m.name FROM seals s JOIN measures m ON m.id = s.measure"))
        for measure in (f"label:{model}", f"sentiment:{model}", f"label:{MODEL}"):
            assert (measure,) in sealed
            for group_by in ((), ("region",)):
                scope = await resolve(connection, "acme", Selection((measure,), group_by))
                assert scope
                found = await histograms(connection, scope, edges)
                assert found
                assert found == await histograms(connection, scope, edges, use_seals=False)
    assert model == NEW


async def test_verify_holds_kpis_against_the_promoted_model(metrics_db: MetricsDatabase) -> None:
    now = datetime.now(UTC)
    events = [survey_response(n, words(f"comment {n}"), at=now - timedelta(hours=n)) for n in range(1, 9)]
    await metrics_db.apply(*events, *(judged(n, f"comment {n}", n / 9, model) for n in range(1, 9) for model in (MODEL, NEW)))
    assert await metrics_db.seal()
    async with serving(metrics_db.url) as http:
        assert (await http.post(f"/v1/models/{NEW}:promote")).status_code == 200
    assert failed(await verified(metrics_db, Inbox(events))) == []
    await metrics_db.pool.execute("DELETE FROM scores WHERE model = $1", MODEL)
    assert SCORES not in failed(await verified(metrics_db, Inbox(events)))
    await metrics_db.pool.execute("DELETE FROM scores WHERE text_hash = $1", text_hash("comment 3"))
    assert SCORES in failed(await verified(metrics_db, Inbox(events)))
