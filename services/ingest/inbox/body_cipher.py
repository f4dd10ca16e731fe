"""How the inbox stores and loads bodies: plain, or encrypted by a vault (services/ingest/store/vault.py)."""

import json
from collections.abc import Sequence
from typing import Protocol

import asyncpg

from services.ingest.domain.delivery import Delivery, OpenedBody, Outcome, SealedBody, StoredBody, StoredDelivery

NOT_STORED = ("duplicate", "ignored")
"""Outcomes of deliveries whose bodies are not stored."""

COLUMNS = "seq, connection, delivery, received_at, headers, raw, reason, revision, body_key"
"""The columns that `load_deliveries` needs."""


class BodyCipher(Protocol):
    """Encrypts and decrypts bodies and their headers."""

    async def seal(self, deliveries: Sequence[Delivery]) -> list[SealedBody]:
        """The body of each delivery as it is to be stored, once."""

    def discard(self, sealed: Sequence[SealedBody]) -> None:
        """Forget the keys of sealed bodies that were not stored."""

    async def open(self, bodies: Sequence[StoredBody]) -> list[OpenedBody]:
        """The content of each body; unreadable if its key is lost. Raises Unavailable if a key can't be decrypted."""


class NoBodyCipher:
    """Stores bodies as they are, and reads no encrypted ones."""

    async def seal(self, deliveries: Sequence[Delivery]) -> list[SealedBody]:
        """The bodies as they are."""
        return [SealedBody.plain(delivery) for delivery in deliveries]

    def discard(self, sealed: Sequence[SealedBody]) -> None:
        """Do nothing."""

    async def open(self, bodies: Sequence[StoredBody]) -> list[OpenedBody]:
        """The bodies as they are. Raises ValueError for an encrypted one."""
        if any(body.key is not None for body in bodies):
            raise ValueError("an encrypted body needs a vault")
        return [OpenedBody(body.raw, json.loads(body.headers)) for body in bodies]


PLAIN: BodyCipher = NoBodyCipher()


def discard_unstored(cipher: BodyCipher, bodies: Sequence[SealedBody], outcomes: Sequence[Outcome]) -> None:
    """Forget the keys of the sealed bodies of deliveries that were not stored, by the outcome of each."""
    cipher.discard([body for body, outcome in zip(bodies, outcomes, strict=True) if outcome in NOT_STORED])


async def load_deliveries(cipher: BodyCipher, rows: Sequence[asyncpg.Record]) -> list[StoredDelivery]:
    """The deliveries in rows of COLUMNS, with their bodies decrypted."""
    opened = await cipher.open([StoredBody(row[1], row[2], row[5] or b"", row[8], row[4]) for row in rows])
    return [
        StoredDelivery(row[0], row[1], row[2], row[3], body.headers, body.raw or b"", row[6] or "", row[7], body.is_unreadable)
        for row, body in zip(rows, opened, strict=True)
    ]
