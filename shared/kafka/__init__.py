"""Kafka: send, consume in a group, follow a topic live. The only package that imports aiokafka."""

from shared.kafka.admin import CommittedOffsets, ensure_topics, reachable
from shared.kafka.clients import Broken
from shared.kafka.consumer import Consumer
from shared.kafka.dead_letters import watch_dead_letters
from shared.kafka.follow import follow
from shared.kafka.poison import Handler, TooMuchPoison
from shared.kafka.producer import Producer
from shared.kafka.records import (
    IncomingRecord,
    OutgoingRecord,
    Poison,
    Position,
    Retry,
    Undelivered,
    Unsendable,
    received_at,
    received_header,
)
from shared.kafka.state import Timing

__all__ = [
    "Broken", "CommittedOffsets", "Consumer", "Handler", "IncomingRecord", "OutgoingRecord", "Poison", "Position", "Producer",
    "Retry", "Timing", "TooMuchPoison", "Undelivered", "Unsendable", "ensure_topics", "follow", "reachable", "received_at",
    "received_header", "watch_dead_letters",
]  # fmt: skip
