"""How the inbox stores and loads bodies: plain, or encrypted by a vault (services/ingest/store/vault.py)."""

import json
from collections.abc import Sequence
from typing import Protocol, TypeAlias

import asyncpg

from services.ingest.domain.delivery import Delivery, Outcome, StoredBody, StoredDelivery

Sealed: TypeAlias = tuple[bytes, int | None]
"""The columns `raw` and `body_key`."""

NOT_STORED = ("duplicate", "ignored")
"""Outcomes of deliveries whose bodies are not stored."""

COLUMNS = "seq, connection, delivery, received_at, headers, raw, reason, revision, body_key"
"""The columns that `load_deliveries` needs."""


class BodyCipher(Protocol):
    """Encrypts and decrypts bodies."""

    async def seal(self, deliveries: Sequence[Delivery]) -> list[Sealed]:
        """The body of each delivery as it is to be stored, once."""

    def discard(self, sealed: Sequence[Sealed]) -> None:
        """Forget the keys of sealed bodies that were not stored."""

    async def open(self, bodies: Sequence[StoredBody]) -> list[bytes | None]:
        """The content of each body. None if its key is deleted. Raises Unavailable if a key can't be decrypted."""


class NoBodyCipher:
    """Stores bodies as they are, and reads no encrypted ones."""

    async def seal(self, deliveries: Sequence[Delivery]) -> list[Sealed]:
        """The bodies as they are."""
        return [(delivery.raw, None) for delivery in deliveries]

    def discard(self, sealed: Sequence[Sealed]) -> None:
        """Do nothing."""

    async def open(self, bodies: Sequence[StoredBody]) -> list[bytes | None]:
        """The bodies as they are. Raises ValueError for an encrypted one."""
        if any(body.key is not None for body in bodies):
            raise ValueError("an encrypted body needs a vault")
        return [body.raw for body in bodies]


PLAIN: BodyCipher = NoBodyCipher()


def discard_unstored(cipher: BodyCipher, bodies: Sequence[Sealed], outcomes: Sequence[Outcome]) -> None:
    """Forget the keys of the sealed bodies of deliveries that were not stored, by the outcome of each."""
    cipher.discard([body for body, outcome in zip(bodies, outcomes, strict=True) if outcome in NOT_STORED])


async def load_deliveries(cipher: BodyCipher, rows: Sequence[asyncpg.Record]) -> list[StoredDelivery]:
    """The deliveries in rows of COLUMNS, with their bodies decrypted."""
    opened = await cipher.open([StoredBody(row[1], row[2], row[5] or b"", row[8]) for row in rows])
    return [
        StoredDelivery(row[0], row[1], row[2], row[3], json.loads(row[4]), raw or b"", row[6] or "", row[7])
        for row, raw in zip(rows, opened, strict=True)
    ]
