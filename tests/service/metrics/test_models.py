"""The list of models, and the promotion of one."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from services.metrics.store.promotions import current_tenant, store_promotion
from services.metrics.store.query import histograms, snapshot
from services.metrics.store.selection import Selection, resolve
from shared.events import Override, text_hash
from tests.service.metrics.database import MetricsDatabase, erasure, serving, statement, survey_response
from tests.service.metrics.model_scores import (
    NEW,
    NOW,
    REST,
    SENTIMENT,
    RecordingProducer,
    ago,
    another_tenant,
    judged,
    models,
    subject,
    value,
)
from tests.service.metrics.test_verify import SCORES
from tests.service.metrics.verification import Inbox, failed, verified
from tests.unit.metrics.build import MODEL, words


async def test_models_are_listed_with_their_coverage_and_a_non_answer_counts_as_scored(two_models: MetricsDatabase) -> None:
    async with serving(two_models.url, NOW) as http:
        assert await models(http) == {MODEL: (4, 100.0, True), NEW: (2, 50.0, False)}
        assert (await http.get("/v1/models")).json()["comments"] == 4


async def test_a_tenant_without_scores_has_the_default_alone(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW) as http:
        assert await models(http) == {MODEL: (0, None, True)}


async def test_scores_of_what_was_edited_or_erased_count_no_more(two_models: MetricsDatabase) -> None:
    await two_models.apply(survey_response(1, words("great now"), at=ago(1), revision=2), erasure(subject(3), ago(0.1)))
    async with serving(two_models.url, NOW) as http:
        assert await models(http) == {MODEL: (2, pytest.approx(200 / 3), True)}


# --- the switch
async def test_a_model_is_not_promoted_while_comments_lack_its_score(two_models: MetricsDatabase) -> None:
    async with serving(two_models.url, NOW) as http:
        refused = await http.post(f"/v1/models/{NEW}:promote")
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
        detail = f"2 of 4 comments have no score of {NEW} yet, first of {subject(2)}, {subject(4)}"
        assert refused.json()["detail"] == detail
        await two_models.apply(REST[0])
        assert (await http.post(f"/v1/models/{NEW}:promote")).json()["detail"].startswith("1 of 4")
        assert (await models(http))[MODEL][2]


async def test_the_default_is_promoted_from_the_first_and_needs_its_scores_once_another_was(two_models: MetricsDatabase) -> None:
    await two_models.apply(*REST)
    await two_models.apply(survey_response(5, words("late"), at=ago(1)), judged(5, "late", 0.5, NEW))
    async with serving(two_models.url, NOW) as http:
        assert (await http.post(f"/v1/models/{MODEL}:promote")).status_code == 200
        assert (await http.post(f"/v1/models/{NEW}:promote")).status_code == 200
        refused = await http.post(f"/v1/models/{MODEL}:promote")
        assert (refused.status_code, refused.json()["detail"].startswith("1 of 5")) == (409, True)
        await two_models.apply(judged(5, "late", 0.5))
        assert (await http.post(f"/v1/models/{MODEL}:promote")).status_code == 200


async def test_one_switch_moves_every_kpi_of_sentiment_and_back(two_models: MetricsDatabase) -> None:
    await two_models.apply(*REST)
    async with serving(two_models.url, NOW) as http:
        before = [await value(http, kpi) for kpi in ("sentiment", "net_sentiment")]
        promotion = (await http.post(f"/v1/models/{NEW}:promote")).json()
        assert promotion == {"model": NEW, "promoted_at": NOW.isoformat()}
        assert (await models(http))[NEW] == (4, 100.0, True)
        after = [await value(http, kpi) for kpi in ("sentiment", "net_sentiment")]
        (record, *_) = (await http.get("/v1/kpis/sentiment/records?window=30d")).json()["records"]
        assert (record["model"], record["score"], record["value"]) == (NEW, 0.9, 0.9)
        assert (await http.post(f"/v1/models/{MODEL}:promote")).status_code == 200
        assert [await value(http, kpi) for kpi in ("sentiment", "net_sentiment")] == before
    assert before == pytest.approx([0.2 / 3, 0])
    assert after == pytest.approx([-0.7 / 3, -100 / 3])


async def test_promoting_what_is_promoted_changes_nothing(two_models: MetricsDatabase) -> None:
    await two_models.apply(*REST)
    async with serving(two_models.url, NOW) as http:
        await http.post(f"/v1/models/{NEW}:promote")
    async with serving(two_models.url, NOW + timedelta(hours=1)) as http:
        assert (await http.post(f"/v1/models/{NEW}:promote")).json()["promoted_at"] == NOW.isoformat()
    assert await two_models.pool.fetch("SELECT model FROM promotions WHERE NOT initial") == [(NEW,)]


async def test_a_promotion_makes_a_new_revision_and_is_announced(two_models: MetricsDatabase) -> None:
    await two_models.apply(*REST)
    producer = RecordingProducer()
    async with serving(two_models.url, NOW, sender=producer) as http:
        before = (await http.get("/internal/revision?kpi=sentiment")).json()["revision"]
        await http.post(f"/v1/models/{NEW}:promote")
        after = (await http.get("/internal/revision?kpi=sentiment")).json()["revision"]
        assert after != before
        assert (await http.get("/v1/kpis/sentiment")).headers["x-earshot-revision"] == after
    (change,) = producer.changes
    assert (change.tenant, set(change.kpis)) == ("acme", SENTIMENT)


async def test_a_broker_that_is_away_undoes_no_promotion(two_models: MetricsDatabase) -> None:
    await two_models.apply(*REST)
    async with serving(two_models.url, NOW, sender=RecordingProducer(unreachable=True)) as http:
        assert (await http.post(f"/v1/models/{NEW}:promote")).status_code == 200
        assert (await models(http))[NEW][2]


async def test_a_humans_label_needs_the_candidates_score_like_any_other(metrics_db: MetricsDatabase) -> None:
    """Without that score the comment is left out of KPIs, even if a human judged it."""
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


async def test_a_comment_that_comes_after_the_switch_without_a_score_shows_in_the_coverage(two_models: MetricsDatabase) -> None:
    await two_models.apply(*REST)
    async with serving(two_models.url, NOW) as http:
        await http.post(f"/v1/models/{NEW}:promote")
        await two_models.apply(survey_response(5, words("late"), at=ago(1)), judged(5, "late", 0.5))
        assert (await models(http))[NEW] == (4, 80.0, True)
        assert await value(http, "net_sentiment") == pytest.approx(-100 / 3)


async def test_a_request_reads_one_model_even_if_another_is_promoted_meanwhile(two_models: MetricsDatabase) -> None:
    async with snapshot(two_models.pool) as connection:
        before = await current_tenant(connection, "acme", MODEL)
        async with two_models.pool.acquire() as other:
            assert await store_promotion(other, "acme", NEW, NOW) == NOW
            assert (await current_tenant(other, "acme", MODEL)).model == NEW
        assert await current_tenant(connection, "acme", MODEL) == before


@pytest.mark.parametrize("path", [f"/v1/models/{NEW}:promote", "/v1/models/nothing-1:promote"])
async def test_tenants_have_models_of_their_own(two_models: MetricsDatabase, path: str) -> None:
    await two_models.apply(*REST)
    await another_tenant(two_models, MODEL)
    async with serving(two_models.url, NOW, "other") as http, serving(two_models.url, NOW) as ours:
        assert (await http.post(path)).status_code == 404
        assert (await http.get(path.replace(":promote", "/shadow"))).status_code == 404
        assert (await ours.post(f"/v1/models/{NEW}:promote")).status_code == 200
        assert await models(http) == {MODEL: (1, 100.0, True)}
        assert await value(http, "net_sentiment") == 100


async def test_a_model_that_another_tenant_promoted_has_yet_to_be_promoted_here(two_models: MetricsDatabase) -> None:
    await two_models.apply(*REST)
    await another_tenant(two_models, NEW)
    async with serving(two_models.url, NOW, "other") as http, serving(two_models.url, NOW) as ours:
        assert (await http.post(f"/v1/models/{NEW}:promote")).status_code == 200
        assert (await ours.post(f"/v1/models/{NEW}:promote")).status_code == 200
        assert (await models(ours))[NEW] == (4, 100.0, True)


async def test_a_tenant_unknown_to_metrics_gets_404(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW, "nobody") as http:
        assert (await http.post(f"/v1/models/{MODEL}:promote")).status_code == 404
        assert (await http.get(f"/v1/models/{NEW}/shadow")).status_code == 404


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
        model = (await current_tenant(connection, "acme", MODEL)).model
        sealed = set(await connection.fetch("SELECT m.name FROM seals s JOIN measures m ON m.id = s.measure"))
        for measure in (f"label:{model}", f"sentiment:{model}", f"label:{MODEL}"):
            assert (measure,) in sealed
            for group_by in ((), ("region",)):
                scope = await resolve(connection, "acme", Selection((measure,), group_by))
                assert scope
                sealed_rows = await histograms(connection, scope, edges)
                assert sealed_rows
                assert sealed_rows == await histograms(connection, scope, edges, use_seals=False)
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
