"""`python -m deploy.k8s.topics`: write components/strimzi/topics.yaml, a KafkaTopic for each topic and each DLQ."""

from pathlib import Path
from typing import Any

import yaml

from shared.kafka.clients import MAX_MESSAGE_BYTES
from shared.topics import DLQ_RETENTION_MS, DLQ_SEGMENT_MS, TOPICS, Topic

PAGE = Path(__file__).parent / "components" / "strimzi" / "topics.yaml"
HEADER = "# Written by `python -m deploy.k8s.topics` from shared/topics.py; a test compares them. Don't edit.\n"
REPLICAS = 3


def manifests() -> list[dict[str, Any]]:
    """A KafkaTopic for every row of TOPICS and its DLQ, replicated for production (the overlay `dev` removes the replicas)."""
    return [_topic(row.name, row, row.retention_ms, row.segment_ms) for row in TOPICS] + [
        _topic(row.dlq, row, DLQ_RETENTION_MS, DLQ_SEGMENT_MS) for row in TOPICS
    ]


def page() -> str:
    """The content of the file."""
    return HEADER + yaml.safe_dump_all(manifests(), sort_keys=False)


def _topic(name: str, row: Topic, retention_ms: int, segment_ms: int) -> dict[str, Any]:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaTopic",
        "metadata": {"name": name, "labels": {"strimzi.io/cluster": "earshot"}},
        "spec": {
            "partitions": row.partitions,
            "replicas": REPLICAS,
            "config": {
                "cleanup.policy": "delete",
                "retention.ms": retention_ms,
                "segment.ms": segment_ms,
                "max.message.bytes": MAX_MESSAGE_BYTES,
                "min.insync.replicas": REPLICAS - 1,
            },
        },
    }


if __name__ == "__main__":
    PAGE.write_text(page())
