"""The shadow report: what a candidate model would change."""

import random
from collections import Counter

import pytest

from services.metrics.store import shadow as shadow_store
from shared.events import Event, Override, ScoreEvent, text_hash
from tests.service.metrics.database import MetricsDatabase, serving, statement, survey_response
from tests.service.metrics.model_scores import NEW, NOW, REST, ago, judged, shadow, subject
from tests.unit.metrics.build import MODEL, words


async def test_the_report_tells_what_would_change(two_models: MetricsDatabase) -> None:
    await two_models.apply(REST[1])
    async with serving(two_models.url, NOW) as http:
        report = await shadow(http, window="24h")
    assert (report["model"], report["promoted"], report["comments"], report["missing"]) == (NEW, MODEL, 4, 1)
    assert (report["n"], report["agreement"], report["changed"]) == (2, 50.0, 1)
    nothing = {"negative": 0, "neutral": 0, "positive": 0}
    assert report["confusion"] == {
        "negative": nothing,
        "neutral": nothing | {"negative": 1},
        "positive": nothing | {"positive": 1},
    }
    assert report["examples"] == [
        {
            "subject": subject(3),
            "at": "2026-11-02T10:00:00+01:00",
            "text_hash": text_hash("it broke"),
            "text": "it broke",
            "promoted": {"label": "neutral", "score": 0.0},
            "candidate": {"label": "negative", "score": -0.7},
        }
    ]
    by_kpi = {(kpi["kpi"], kpi["agg"]): (kpi["promoted"]["value"], kpi["candidate"]["value"]) for kpi in report["kpis"]}
    assert by_kpi["sentiment", None] == pytest.approx((0.2 / 3, 0.1))
    assert by_kpi["net_sentiment", None] == (0, 0)
    assert by_kpi["sentiment_share", "negative"] == pytest.approx((100 / 3, 50))
    assert report["kpis"][0]["delta"] == pytest.approx(0.1 - 0.2 / 3)


async def test_the_kpis_of_the_report_are_those_that_are_served_before_and_after(two_models: MetricsDatabase) -> None:
    await two_models.apply(*REST)
    assert await two_models.seal(NOW)
    ends = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T09:30:00Z"}
    async with serving(two_models.url, NOW) as http:
        report = await shadow(http, **ends)
        for side, model in (("promoted", MODEL), ("candidate", NEW)):
            await http.post(f"/v1/models/{model}:promote")
            for kpi in report["kpis"]:
                params = ends | ({"agg": kpi["agg"]} if kpi["agg"] else {})
                (row,) = (await http.get(f"/v1/kpis/{kpi['kpi']}", params=params)).json()["rows"]
                assert {name: row[name] for name in kpi[side]} == kpi[side]


async def test_a_human_beats_both_models_so_nothing_changes(two_models: MetricsDatabase) -> None:
    await two_models.apply(statement(subject(3), Override(comment=text_hash("it broke"), label="negative"), at=ago(1), seq=9))
    async with serving(two_models.url, NOW) as http:
        report = await shadow(http)
    assert (report["n"], report["changed"], report["examples"]) == (2, 0, [])


def some_comments(chance: random.Random) -> tuple[list[Event | ScoreEvent], Counter[tuple[str, str]]]:
    """Subjects with up to three comments at one instant, some edited, scored by both models or one; and how the labels pair."""
    records: list[Event | ScoreEvent] = []
    pairs: Counter[tuple[str, str]] = Counter()
    for number in range(60):
        texts = [f"text {number} {k}" for k in range(chance.randint(1, 3))]
        at = ago(chance.randint(1, 40))
        records.append(survey_response(number, *(words(f"old {t}", f"q{k}") for k, t in enumerate(texts)), at=at))
        records.append(survey_response(number, *(words(t, f"q{k}") for k, t in enumerate(texts)), at=at, revision=2))
        for text in texts:
            scores = {model: judged(number, text, chance.choice([-0.5, 0.0, 0.5]), model) for model in (MODEL, NEW)}
            records += [judged(number, f"old {text}", 1.0, MODEL), judged(number, f"old {text}", -1.0, NEW)]
            records += [*scores.values()][: chance.choice([1, 2, 2, 2])]
            if records[-1] is scores[NEW] and at >= ago(24):
                pairs[str(scores[MODEL].score.label), str(scores[NEW].score.label)] += 1
    return records, pairs


@pytest.mark.parametrize(("seed", "at_once"), [(0, 500), (1, 7), (2, 1)])
async def test_comments_are_paired_by_their_texts_however_many_share_an_instant(
    metrics_db: MetricsDatabase, seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow_store, "SUBJECTS_AT_ONCE", at_once)
    records, pairs = some_comments(random.Random(seed))
    await metrics_db.apply(*records)
    async with serving(metrics_db.url, NOW) as http:
        report = await shadow(http, window="24h")
    confusion = {(before, after): n for before, row in report["confusion"].items() for after, n in row.items() if n}
    assert confusion == dict(pairs)
    changed = sum(n for (before, after), n in pairs.items() if before != after)
    assert (report["n"], report["changed"]) == (pairs.total(), changed)
    assert len(report["examples"]) == min(50, changed)
    assert all(e["promoted"]["label"] != e["candidate"]["label"] and e["text"].startswith("text") for e in report["examples"])
    assert [e["at"] for e in report["examples"]] == sorted((e["at"] for e in report["examples"]), reverse=True)


async def test_a_window_without_comments_and_one_that_lies_ahead_tell_nothing(two_models: MetricsDatabase) -> None:
    async with serving(two_models.url, NOW) as http:
        for start, end in (("2026-01-01", "2026-01-02"), ("2027-01-01", "2027-01-02")):
            report = await shadow(http, **{"from": f"{start}T00:00:00Z", "to": f"{end}T00:00:00Z"})
            assert (report["n"], report["comments"], report["agreement"], report["examples"]) == (0, 0, None, [])
            assert {kpi["delta"] for kpi in report["kpis"]} == {None}


@pytest.mark.parametrize(
    ("query", "name"),
    [("group_by=team", "group_by"), ("grain=P1D", "grain"), ("filter[team]=a", "filter[team]"), ("window=2y", "window"),
     ("x=1", "x"), ("from=2026-11-01T00:00:00Z", "to"), ("tz=Mars", "tz")],
)  # fmt: skip
async def test_an_invalid_parameter_is_refused_by_its_name(two_models: MetricsDatabase, query: str, name: str) -> None:
    async with serving(two_models.url, NOW) as http:
        answer = await http.get(f"/v1/models/{NEW}/shadow?{query}")
        assert (await http.get(f"/v1/models?{query}")).status_code == 400
    assert answer.status_code == 400
    assert [param["name"] for param in answer.json()["invalid_params"]] == [name]
