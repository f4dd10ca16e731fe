"""Kafka: the only package that knows the client. One way to send, one loop to consume, one way to follow a topic live."""

from shared.kafka.admin import ensure_topics, reachable
from shared.kafka.batch import Handler
from shared.kafka.clients import Broken
from shared.kafka.committed import CommittedOffsets
from shared.kafka.consumer import Consumer
from shared.kafka.follow import follow
from shared.kafka.job import Timing
from shared.kafka.parking import TooMuchPoison
from shared.kafka.producer import Producer
from shared.kafka.records import Message, Poison, Position, Record, Retry, Undelivered, Unsendable, received_at, received_header

__all__ = [
    "Broken", "CommittedOffsets", "Consumer", "Handler", "Message", "Poison", "Position", "Producer", "Record", "Retry", "Timing",
    "TooMuchPoison", "Undelivered", "Unsendable", "ensure_topics", "follow", "reachable", "received_at", "received_header",
]  # fmt: skip
