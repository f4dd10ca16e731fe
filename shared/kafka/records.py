"""Records read from a topic, messages written to one, and the errors of handlers and senders.

Retry            rewind, wait, handle again     Poison      these records can't be processed: park them
└── Undelivered  a send was not acknowledged    Unsendable  a message is too large for any topic
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

Headers = tuple[tuple[str, bytes], ...]

RECEIVED_AT = "received_at"
"""Header with a receipt time (RFC 3339). All events received before that time were published before this record.

It is the receipt time of the record's own event, or an earlier one if ingest had older events to publish.
"""


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Position(NamedTuple):
    """Partition and offset of a message that was sent."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class IncomingRecord:
    """One record as read. `timestamp_ms`: when it was sent, by the producer's clock."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Headers
    timestamp_ms: int

    @property
    def place(self) -> Place:
        """Topic and partition of the record."""
        return Place(self.topic, self.partition)

    @property
    def tenant(self) -> str:
        """The tenant: every key begins with it, up to the first slash."""
        return (self.key or b"").partition(b"/")[0].decode(errors="replace")


class OutgoingRecord(Struct, frozen=True):
    """One record to send."""

    key: bytes
    value: bytes
    headers: Headers = ()


class Poison(Exception):
    """Raised by a handler before any effect: these records can't be processed. A reason must quote nothing of a record's body."""

    def __init__(self, reasons: Mapping[IncomingRecord, str]) -> None:
        super().__init__(f"{len(reasons)} records can't be processed")
        self.reasons = dict(reasons)


class Retry(Exception):
    """Raised by a handler whose records are sound: handle them again after `delay` seconds. Nothing is committed."""

    def __init__(self, delay: float, reason: str) -> None:
        super().__init__(reason)
        self.delay = delay
        self.reason = reason


class Undelivered(Retry):
    """Not every message was acknowledged in time. Some may have arrived nevertheless: send all of them again."""

    def __init__(self, reason: str) -> None:
        super().__init__(1.0, reason)


class Unsendable(Exception):
    """One message is larger than any topic accepts. Nothing of its batch was sent, and sending it again fails again."""

    def __init__(self, message: OutgoingRecord) -> None:
        super().__init__(f"a message of {len(message.value)} bytes is too large")
        self.message = message


def received_header(at: datetime) -> tuple[str, bytes]:
    """The RECEIVED_AT header for the receipt time `at`."""
    return RECEIVED_AT, at.isoformat().encode()


def received_at(headers: Headers) -> datetime | None:
    """The receipt time in `headers`; None if it is missing or malformed."""
    value = next((value for name, value in headers if name == RECEIVED_AT), b"")
    return parse_instant(value.decode(errors="replace"))


def parse_instant(text: str) -> datetime | None:
    """An RFC 3339 time with an offset, or None."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def by_place(records: Sequence[IncomingRecord]) -> dict[Place, list[IncomingRecord]]:
    """The records of each partition, in order."""
    places: dict[Place, list[IncomingRecord]] = {}
    for record in records:
        places.setdefault(record.place, []).append(record)
    return places
