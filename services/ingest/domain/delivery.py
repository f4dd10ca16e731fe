"""One delivery as the inbox takes it: what came, what we made of it, and the statements that it makes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.events import Event

Verdict = Literal["accepted", "quarantined", "ignored", "held", "erased"]
"""`held`: the connection is paused, so the delivery is kept unread until it is active again. `erased`: it was quarantined or held
and named a customer who was erased; its body is gone and it is never read."""

Outcome = Literal["accepted", "duplicate", "quarantined", "ignored", "held", "erased"]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a delivery says of one subject. The inbox gives `event` its sequence and its statement id.

    `fingerprint` is equal for equal content: by it a delivery without an id is known as a duplicate. `email` is the pseudonym of
    an address that came with the record, even where the customer goes by an id.
    """

    event: Event
    fingerprint: bytes
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """`id` is the tool's own (a webhook's, an Idempotency-Key), equal for every retry; None: duplicates are known by content.

    `erases` holds the pseudonyms of a customer to erase. `raw` is kept as received, `headers` without secrets. `subjects`: of a
    delivery that is kept without statements, the subjects that it is about, as far as its body can be read.
    """

    tenant: str
    connection: str
    id: str | None
    received_at: datetime
    revision: int
    raw: bytes
    headers: dict[str, str] = field(default_factory=dict)
    verdict: Verdict = "accepted"
    reason: str | None = None
    statements: tuple[Statement, ...] = ()
    erases: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """A quarantined or held delivery of the inbox, which is to be read again. `delivery` is the tool's id of it, if any."""

    seq: int
    connection: str
    delivery: str | None
    received_at: datetime
    headers: dict[str, str]
    raw: bytes
    reason: str
    revision: int
