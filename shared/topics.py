"""The topics: one row each, from which the code, the manifests and the documents are derived."""

from dataclasses import dataclass
from typing import Any

from shared.events import Event, KpiChange, ScoreEvent

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `key` says in words what a record's key is; `writer` is the only service that produces to it."""

    name: str
    model: type[Any]
    key: str
    partitions: int
    retention_ms: int
    writer: str

    @property
    def dlq(self) -> str:
        """The topic that takes its poison."""
        return f"{self.name}.dlq"


EVENTS = Topic("feedback.events", Event, "tenant/subject", 6, 24 * HOUR_MS, "ingest")
SCORES = Topic("feedback.scores", ScoreEvent, "tenant/subject", 6, 24 * HOUR_MS, "sentiment")
CHANGES = Topic("kpi.changes", KpiChange, "tenant", 3, 1 * HOUR_MS, "metrics")

TOPICS = (EVENTS, SCORES, CHANGES)
DLQ_RETENTION_MS = 14 * 24 * HOUR_MS

METRICS_GROUP = "metrics"
SENTIMENT_GROUP = "sentiment"
"""The consumer groups of `feedback.events` whose speed sets how fast ingest publishes."""

COMMENTS_LATER = ("comments", b"later")
"""Header of an event whose comments are not to be scored: the same event comes again, without the header, when they are."""


def subject_key(tenant: str, subject: str) -> bytes:
    """The key under which everything about one subject travels, so that it stays in one partition."""
    return f"{tenant}/{subject}".encode()
