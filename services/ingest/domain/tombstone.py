"""Tombstones: an erased subject has a tombstone among its events. All tombstones have the same fingerprint."""

from datetime import datetime
from hashlib import blake2b

from services.ingest.domain.delivery import Statement
from shared.events import Event, Tombstone

FINGERPRINT = blake2b(b"tombstone", digest_size=16).digest()

SQL_FINGERPRINT = rf"'\x{FINGERPRINT.hex()}'::bytea"
"""As a literal: only then does PostgreSQL use the partial index `events_tombstones`."""

SUBJECT_ERASED = "the subject was erased"
"""The reason of an ignored delivery about an erased subject."""

CUSTOMER_ERASED = "it named a customer who was erased"
"""The reason of a delivery whose verdict is `erased`."""


def tombstone_of(event: Event, position: int, at: datetime) -> Statement:
    """The tombstone of the subject of `event`, erased at `at`. It contains nothing else of the event."""
    tombstone = Event(
        tenant=event.tenant,
        subject=event.subject,
        statement="",
        seq=0,
        position=position,
        at=at,
        received_at=at,
        connection=event.connection,
        source=event.source,
        body=Tombstone(),
    )
    return Statement(tombstone, FINGERPRINT)


def is_tombstone(statement: Statement) -> bool:
    """Whether the statement erases its subject."""
    return statement.fingerprint == FINGERPRINT
