"""How the inbox stores and loads bodies: plain, or encrypted by a vault (services/ingest/store/vault.py)."""

import json
from collections.abc import Sequence
from typing import Protocol

import asyncpg

from services.ingest.domain.delivery import DecryptedBody, Delivery, Outcome, StorableBody, StoredBody, StoredDelivery

NOT_STORED = ("duplicate", "ignored")
"""Outcomes of deliveries whose bodies are not stored."""

COLUMNS = "seq, connection, delivery, received_at, headers, raw, reason, revision, body_key"
"""The columns that `load_deliveries` needs."""


def next_bodies_sql(columns: str, selected: str, limit: str, limit_bytes: str, condition: str) -> str:
    """The SQL for the next bodies of the inbox by sequence number: at most `limit`, and none that begins after `limit_bytes`.

    `selected` is the FROM and the WHERE of the bodies to choose from; `condition` must hold for a row when it is read, since
    another transaction may have changed it meanwhile. `limit` and `limit_bytes` are parameters such as "$3".
    """
    return f"""
SELECT {columns} FROM inbox JOIN (
    SELECT seq, sum(length) OVER (ORDER BY seq) - length AS before FROM (
        SELECT inbox.seq, coalesce(octet_length(inbox.raw), 0) AS length {selected} ORDER BY inbox.seq LIMIT {limit}
    ) AS next
) AS measured USING (seq) WHERE before < {limit_bytes} AND {condition} ORDER BY seq
"""  # noqa: S608


class BodyCipher(Protocol):
    """Encrypts and decrypts bodies and their headers."""

    async def encrypt(self, deliveries: Sequence[Delivery]) -> list[StorableBody]:
        """The body of each delivery as it is to be stored, once."""

    def discard(self, bodies: Sequence[StorableBody]) -> None:
        """Forget the keys of encrypted bodies that were not stored."""

    async def decrypt(self, bodies: Sequence[StoredBody]) -> list[DecryptedBody]:
        """The content of each body; unreadable if its key is lost. Raises Unavailable if a key can't be decrypted."""


class NoBodyCipher:
    """Stores bodies as they are, and reads no encrypted ones."""

    async def encrypt(self, deliveries: Sequence[Delivery]) -> list[StorableBody]:
        """The bodies as they are."""
        return [StorableBody.plain(delivery) for delivery in deliveries]

    def discard(self, bodies: Sequence[StorableBody]) -> None:
        """Do nothing."""

    async def decrypt(self, bodies: Sequence[StoredBody]) -> list[DecryptedBody]:
        """The bodies as they are. Raises ValueError for an encrypted one."""
        if any(body.key is not None for body in bodies):
            raise ValueError("an encrypted body needs a vault")
        return [DecryptedBody(body.raw, json.loads(body.headers)) for body in bodies]


PLAIN: BodyCipher = NoBodyCipher()


def discard_unstored(cipher: BodyCipher, bodies: Sequence[StorableBody], outcomes: Sequence[Outcome]) -> None:
    """Forget the keys of the encrypted bodies of deliveries that were not stored, by the outcome of each."""
    cipher.discard([body for body, outcome in zip(bodies, outcomes, strict=True) if outcome in NOT_STORED])


async def load_deliveries(cipher: BodyCipher, rows: Sequence[asyncpg.Record]) -> list[StoredDelivery]:
    """The deliveries in rows of COLUMNS, with their bodies decrypted."""
    decrypted = await cipher.decrypt([StoredBody(row[1], row[2], row[5] or b"", row[8], row[4]) for row in rows])
    return [
        StoredDelivery(row[0], row[1], row[2], row[3], body.headers, body.raw or b"", row[6] or "", row[7], body.is_unreadable)
        for row, body in zip(rows, decrypted, strict=True)
    ]
