"""Encrypts bodies in place that were stored before encryption was switched on, and headers that an earlier version left plain."""

from dataclasses import dataclass

import asyncpg

from services.ingest.domain.delivery import SQL_IS_PLAIN, Delivery, StorableBody, StoredBody
from services.ingest.inbox.body_cipher import BodyCipher, next_bodies_sql
from services.ingest.inbox.transactions import Connection
from shared.database import OUTAGE

BODIES = next_bodies_sql(
    "seq, connection, delivery, received_at, headers, raw, body_key",
    f"FROM inbox WHERE {SQL_IS_PLAIN} AND seq > $1",
    limit="$2",
    limit_bytes="$3",
    condition=SQL_IS_PLAIN,
)
NEXT = f"{BODIES} FOR UPDATE OF inbox SKIP LOCKED"
"""Skips rows that another transaction has locked."""
STORE = """
UPDATE inbox SET raw = new.raw, body_key = new.body_key, headers = new.headers
FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::text[]) AS new (seq, raw, body_key, headers)
WHERE inbox.seq = new.seq
"""


@dataclass(frozen=True, slots=True)
class EncryptedBatch:
    """The result of a step: the last sequence number that it looked at, and how many bodies it encrypted."""

    last: int
    encrypted: int


async def encrypt_next(pool: asyncpg.Pool, cipher: BodyCipher, after: int, limit: int, limit_bytes: int) -> EncryptedBatch | None:
    """Encrypt the next plain bodies with sequence numbers above `after`, and their headers. None if there are none.

    A body whose key is lost stays as it is.
    """
    encrypted: list[StorableBody] = []
    try:
        async with pool.acquire(timeout=5) as db, db.transaction():
            rows = await db.fetch(NEXT, after, limit, limit_bytes)
            if not rows:
                return None
            readable = await _decrypt(cipher, rows)
            encrypted = await cipher.encrypt(list(readable.values()))
            await _store(db, list(readable), encrypted)
    except OUTAGE:
        raise  # the transaction may have been committed: if it was not, the vault sweeps the keys
    except asyncpg.PostgresError:
        cipher.discard(encrypted)
        raise
    return EncryptedBatch(rows[-1][0], len(encrypted))


async def _decrypt(cipher: BodyCipher, rows: list[asyncpg.Record]) -> dict[int, Delivery]:
    """The readable deliveries by sequence number, with their bodies and headers decrypted."""
    decrypted = await cipher.decrypt([StoredBody(row[1], row[2], row[5], row[6], row[4]) for row in rows])
    return {
        row[0]: Delivery("", row[1], row[2], row[3], 0, body.raw, body.headers)
        for row, body in zip(rows, decrypted, strict=True)
        if body.raw is not None
    }


async def _store(db: Connection, seqs: list[int], encrypted: list[StorableBody]) -> None:
    columns = ([body.raw for body in encrypted], [body.key for body in encrypted], [body.headers for body in encrypted])
    await db.execute(STORE, seqs, *columns)
