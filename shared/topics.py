"""The table of topics, from which code, manifests and documents are derived."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.events import Event, KpiChange, ScoreEvent

HOUR_MS = 3_600_000

CLEANUP = timedelta(minutes=10)
"""From the end of a segment's retention to its deletion: Kafka looks every 5 minutes, and deletes files a minute later."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic. `key` describes the key of its records; `writer` is the only service that writes to it.

    Kafka deletes whole segments. A record stays until its segment is full or `segment_ms` old, and then for `retention_ms`.
    """

    name: str
    model: type[Any]
    key: str
    partitions: int
    retention_ms: int
    writer: str
    segment_ms: int = HOUR_MS

    @property
    def forgotten_after(self) -> timedelta:
        """The longest time for which a record may be readable."""
        return timedelta(milliseconds=self.retention_ms + self.segment_ms) + CLEANUP

    @property
    def dlq(self) -> str:
        """The dead-letter topic for its poison records."""
        return f"{self.name}.dlq"


EVENTS = Topic("feedback.events", Event, "tenant/subject", 6, 24 * HOUR_MS, "ingest")
SCORES = Topic("feedback.scores", ScoreEvent, "tenant/subject", 6, 24 * HOUR_MS, "sentiment")
CHANGES = Topic("kpi.changes", KpiChange, "tenant", 3, 1 * HOUR_MS, "metrics")

TOPICS = (EVENTS, SCORES, CHANGES)
DLQ_RETENTION_MS = 14 * 24 * HOUR_MS
DLQ_SEGMENT_MS = 24 * HOUR_MS
DLQ_FORGOTTEN_AFTER = timedelta(milliseconds=DLQ_RETENTION_MS + DLQ_SEGMENT_MS) + CLEANUP
"""The longest time for which a record of a dead-letter topic may be readable."""

METRICS_GROUP = "metrics"
SENTIMENT_GROUP = "sentiment"
"""The consumer groups of `feedback.events`; ingest publishes no faster than they consume."""

COMMENTS_LATER = ("comments", b"later")
"""Header of an event whose comments are not scored yet: ingest publishes it again without the header."""


def subject_key(tenant: str, subject: str) -> bytes:
    """The key of all records about a subject, so that they are in one partition and in order."""
    return f"{tenant}/{subject}".encode()
