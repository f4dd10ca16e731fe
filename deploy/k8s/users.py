"""`python -m deploy.k8s.users`: write components/kafka-tls/users.yaml, a KafkaUser with its rights for each service and KEDA."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from services.sentiment.shadow import GROUP as SHADOW_GROUP
from shared.topics import CHANGES, EVENTS, METRICS_GROUP, SCORES, SENTIMENT_GROUP, TOPICS, Topic

PAGE = Path(__file__).parent / "components" / "kafka-tls" / "users.yaml"
HEADER = "# Written by `python -m deploy.k8s.users` from shared/topics.py; a test compares them. Don't edit.\n"

GROUPS: dict[str, dict[str, tuple[Topic, ...]]] = {
    "sentiment": {SENTIMENT_GROUP: (EVENTS,), SHADOW_GROUP: (EVENTS,)},
    "metrics": {METRICS_GROUP: (EVENTS, SCORES)},
}
"""Service → its consumer groups, and the topics that each consumes."""
FOLLOWERS: dict[str, tuple[Topic, ...]] = {"gateway": (CHANGES,)}
"""Service → the topics that it reads without a group."""
WATCHERS: dict[str, tuple[Topic, ...]] = {"ingest": (EVENTS,), "keda": (EVENTS, SCORES)}
"""User → the topics whose consumers' progress it reads."""
WATCHED_GROUPS = (METRICS_GROUP, SENTIMENT_GROUP)

Rights = dict[tuple[str, str], set[str]]
"""(kind of resource, name) → operations."""


class Grant(NamedTuple):
    """Operations that a user may carry out on a topic or a group."""

    user: str
    kind: str
    name: str
    operations: tuple[str, ...]


def grants() -> Iterator[Grant]:
    """Everything that the services need, and KEDA."""
    for topic in TOPICS:
        yield Grant(topic.writer, "topic", topic.name, ("Write", "Describe"))
    for user, topics in FOLLOWERS.items():
        yield from (Grant(user, "topic", topic.name, ("Read", "Describe")) for topic in topics)
    for user, groups in GROUPS.items():
        for group, topics in groups.items():
            yield Grant(user, "group", group, ("Read",))
            yield from (Grant(user, "topic", topic.name, ("Read", "Describe")) for topic in topics)
            yield from (Grant(user, "topic", topic.dlq, ("Write", "Describe")) for topic in topics)
    for user, topics in WATCHERS.items():
        yield from (Grant(user, "topic", topic.name, ("Describe",)) for topic in topics)
        yield from (Grant(user, "group", group, ("Describe",)) for group in WATCHED_GROUPS)


def rights() -> dict[str, Rights]:
    """The rights of each user."""
    users: dict[str, Rights] = {}
    for grant in grants():
        users.setdefault(grant.user, {}).setdefault((grant.kind, grant.name), set()).update(grant.operations)
    return users


def manifests() -> Iterator[dict[str, Any]]:
    """A KafkaUser for each user."""
    for user, allowed in rights().items():
        acls = [
            {"resource": {"type": kind, "name": name, "patternType": "literal"}, "operations": sorted(operations)}
            for (kind, name), operations in sorted(allowed.items())
        ]
        yield {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaUser",
            "metadata": {"name": user, "labels": {"strimzi.io/cluster": "earshot"}},
            "spec": {"authentication": {"type": "scram-sha-512"}, "authorization": {"type": "simple", "acls": acls}},
        }


def page() -> str:
    """The content of the file."""
    return HEADER + yaml.safe_dump_all(manifests(), sort_keys=False)


if __name__ == "__main__":
    PAGE.write_text(page())
