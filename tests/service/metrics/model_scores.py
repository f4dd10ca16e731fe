"""Helpers of the tests of models: scores of two models, and calls of the routes of models."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from shared.events import KpiChange, Score, ScoreEvent, decode_change, text_hash
from shared.kafka import OutgoingRecord, Undelivered
from shared.topics import Topic
from tests.service.metrics.database import MetricsDatabase, score_of, statement, survey_response
from tests.unit.metrics.build import MODEL, words

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
NEW = "linear-1"
SENTIMENT = {
    "sentiment",
    "net_sentiment",
    "sentiment_share",
    "sentiment_coverage",
    "theme_volume",
    "theme_impact",
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
class RecordingProducer:
    """A producer that records announcements, or raises Undelivered."""

    changes: list[KpiChange] = field(default_factory=list)
    unreachable: bool = False

    async def send_all(self, topic: Topic, messages: list[OutgoingRecord]) -> None:
        if self.unreachable:
            raise Undelivered("the broker is away")
        self.changes += [decode_change(message.value) for message in messages]


async def models(http: httpx.AsyncClient) -> dict[str, tuple[int, float | None, bool]]:
    entries = (await http.get("/v1/models")).json()["models"]
    return {model["name"]: (model["scores"], model["coverage"], model["promoted"]) for model in entries}


async def value(http: httpx.AsyncClient, kpi: str, **params: str) -> float | None:
    (row,) = (await http.get(f"/v1/kpis/{kpi}", params={"window": "30d", **params})).json()["rows"]
    result: float | None = row["value"]
    return result


async def shadow(http: httpx.AsyncClient, **params: str) -> dict[str, Any]:
    answer = await http.get(f"/v1/models/{NEW}/shadow", params=params)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def another_tenant(two_models: MetricsDatabase, model: str) -> None:
    """The tenant `other`: a comment on a subject of the same name, and its score of `model`."""
    await two_models.tenant("other")
    theirs = statement("c1/response/1", survey_response(1, words("ok"), at=ago(1)).body, at=ago(1), tenant="other")
    await two_models.apply(theirs, judged(1, "ok", 0.1, model, tenant="other"))


REST = (judged(2, "awful", -0.9, NEW), silent(4, "n/a", NEW))
"""The scores that the new model lacks in `two_models`."""
