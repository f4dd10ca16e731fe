"""Every column that INGEST_SECRET_KEY encrypts, and their encryption under a new key, batch by batch while services run."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import asyncpg
from cryptography.exceptions import InvalidTag

from services.ingest.store.body_keys import key_owner
from services.ingest.store.cipher import Cipher
from services.ingest.store.connections import credentials_owner
from services.ingest.store.imports import part_owner

PAGE = """
SELECT {key}::text, {column} FROM {table} WHERE {column} IS NOT NULL AND ($1::text IS NULL OR {key} > $1::text::{kind})
ORDER BY {table}.{key} LIMIT $2
"""
"""The name of the table keeps the order from being that of the key as text, in which a page would pass over smaller numbers."""
RENEW = """
UPDATE {table} SET {column} = new.value FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS new (key, former, value)
WHERE {table}.{key} = new.key::{kind} AND {table}.{column} = new.former
"""
"""Leaves out a row whose value a service has changed meanwhile."""


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """An encrypted column of a table with the unique column `key`, of the SQL type `kind`.

    `owner` is the owner of a row's ciphertext, by its key as text. `most` is the number of rows in a batch.
    """

    table: str
    column: str
    owner: Callable[[str], str]
    key: str = "id"
    kind: str = "text"
    most: int = 10_000

    def statement(self, template: str) -> str:
        """The SQL of `template` for this column."""
        return template.format(table=self.table, column=self.column, key=self.key, kind=self.kind)


BODY_KEYS = EncryptedColumn("body_keys", "sealed", key_owner, kind="bigint")
COLUMNS = (
    EncryptedColumn("tenants", "sealed_key", str),
    EncryptedColumn("connections", "sealed_secrets", str),
    EncryptedColumn("connections", "sealed_credentials", credentials_owner),
    EncryptedColumn("import_parts", "content", part_owner, key="label", most=4),
    BODY_KEYS,
)


@dataclass(frozen=True, slots=True)
class RenewedBatch:
    """Rows of one column. `former`: those that were encrypted under a former key; `renewed`: those of them that are no longer.
    `unreadable` are the keys of rows that no key decrypts."""

    column: EncryptedColumn
    rows: int
    former: int
    renewed: int
    unreadable: list[str] = field(default_factory=list)


async def renew_column(
    pool: asyncpg.Pool, cipher: Cipher, column: EncryptedColumn, size: int, *, dry: bool = False
) -> AsyncIterator[RenewedBatch]:
    """Encrypt all rows of a column under the cipher's newest key. Each batch is a transaction of its own, so this may be stopped
    at any time and run again. `dry`: only count."""
    last: str | None = None
    while rows := await pool.fetch(column.statement(PAGE), last, min(size, column.most)):
        last = rows[-1][0]
        renewed, unreadable = _renew(cipher, column, rows)
        count = 0 if dry or not renewed else await _store(pool, column, renewed)
        yield RenewedBatch(column, len(rows), len(renewed), count, unreadable)


Renewed = tuple[str, bytes, bytes]
"""The key of a row, and its ciphertexts under the former and the newest key."""


def _renew(cipher: Cipher, column: EncryptedColumn, rows: Sequence[asyncpg.Record]) -> tuple[list[Renewed], list[str]]:
    """The rows that a former key encrypts, and the keys of those that can't be decrypted."""
    renewed: list[Renewed] = []
    unreadable: list[str] = []
    for key, former in rows:
        try:
            value = cipher.renew(former, column.owner(key))
        except InvalidTag:
            unreadable.append(key)
        else:
            if value is not None:
                renewed.append((key, former, value))
    return renewed, unreadable


async def _store(pool: asyncpg.Pool, column: EncryptedColumn, renewed: Sequence[Renewed]) -> int:
    status = await pool.execute(column.statement(RENEW), *map(list, zip(*renewed, strict=True)))
    return int(status.split()[-1])
