"""The table of the keys of bodies: keys are created in blocks ahead of their use, and unused ones are deleted.

A process renews its blocks as long as it may use keys of them. A block that nobody has renewed for a day is swept: keys that no
body uses are deleted. They are left by a process that was killed, or by a transaction whose end was not known.

The keys may be in a database of their own. If that one is restored from an older backup, its sequence is behind the bodies: it is
raised above every number that a body uses, so that no key of another body gets the number, and is deleted with that body.
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import asyncpg
import structlog
from cryptography.exceptions import InvalidTag

from services.ingest.store.cipher import Cipher
from shared.problems import Unavailable

log = structlog.get_logger()

KEY_BYTES = 32
BLOCK = 500
"""Keys that are created in one transaction."""
SPENT_BATCH = 1_000
SWEEP_KEYS = 1_000
"""Keys that one step of a sweep looks at."""
SWEPT_AFTER = 86_400
"""Seconds since a block was renewed after which it is swept."""
NUMBERING = 0x6B6579
"""The advisory lock of the transaction that takes numbers: those of a block follow one another."""

HIGHEST_USED = "SELECT greatest((SELECT max(body_key) FROM inbox), (SELECT max(id) FROM spent_body_keys))"
LAST_NUMBER = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM body_key_seq"
RAISE = "SELECT setval('body_key_seq', $1)"
NUMBERS = "SELECT nextval('body_key_seq') FROM generate_series(1, $1)"
ADD = """
WITH block AS (INSERT INTO body_key_blocks (first, last) VALUES ($3, $4))
INSERT INTO body_keys (id, sealed) SELECT * FROM unnest($1::bigint[], $2::bytea[])
"""
LOAD = "SELECT id, sealed FROM body_keys WHERE id = ANY($1::bigint[])"
DELETE = "DELETE FROM body_keys WHERE id = ANY($1::bigint[])"
SPENT = "SELECT id FROM spent_body_keys ORDER BY id LIMIT $1"
FORGET_SPENT = "DELETE FROM spent_body_keys WHERE id = ANY($1::bigint[])"

RENEW = "UPDATE body_key_blocks SET renewed_at = now() WHERE first = ANY($1::bigint[]) RETURNING first"
STALE = """
SELECT first, last FROM body_key_blocks WHERE renewed_at < now() - make_interval(secs => $1) ORDER BY renewed_at, first LIMIT 1
"""
KEYS_OF_BLOCK = "SELECT id FROM body_keys WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3"
USED = "SELECT body_key FROM inbox WHERE body_key = ANY($1::bigint[])"
SHRINK = "UPDATE body_key_blocks SET first = $2 WHERE first = $1"
END_BLOCK = "DELETE FROM body_key_blocks WHERE first = $1"


@dataclass(frozen=True, slots=True)
class Block:
    """Keys with consecutive numbers that one process has created."""

    first: int
    last: int


def key_owner(key: int | str) -> str:
    """The owner of the ciphertext of the key with this id."""
    return f"body:{key}"


class BodyKeys:
    """`pool` is that of the database that holds the keys, `inbox` that of the inbox; None: the same database as `pool`."""

    def __init__(self, pool: asyncpg.Pool, cipher: Cipher, inbox: asyncpg.Pool | None = None) -> None:
        self._pool = pool
        self._cipher = cipher
        self._inbox = inbox or pool

    async def create(self) -> tuple[Block, list[tuple[int, bytes]]]:
        """A new block of keys: (number, key). They are on disk, so they may be used."""
        highest = await self._inbox.fetchval(HIGHEST_USED) or 0
        async with self._pool.acquire() as db, db.transaction():
            await db.execute("SELECT pg_advisory_xact_lock($1)", NUMBERING)
            numbers = await self._numbers(db, highest)
            random = os.urandom(KEY_BYTES * BLOCK)
            keys = [random[at : at + KEY_BYTES] for at in range(0, len(random), KEY_BYTES)]
            encrypted = self._cipher.encrypt_all(keys, [key_owner(number) for number in numbers])
            await db.execute(ADD, numbers, encrypted, numbers[0], numbers[-1])
        return Block(numbers[0], numbers[-1]), list(zip(numbers, keys, strict=True))

    async def _numbers(self, db: asyncpg.pool.PoolConnectionProxy, highest: int) -> list[int]:
        """Consecutive numbers above `highest`. A version that does not take the lock may take some between them: again, then."""
        if (last := await db.fetchval(LAST_NUMBER)) < highest:
            log.critical("vault.keys_restored", last_number=last, highest_used=highest)
            await db.execute(RAISE, highest)
        while True:
            numbers: list[int] = [row[0] for row in await db.fetch(NUMBERS, BLOCK)]
            if numbers[-1] - numbers[0] == BLOCK - 1:
                return numbers

    async def load(self, numbers: Collection[int]) -> dict[int, bytes]:
        """Keys by number. Deleted ones are left out. Raises Unavailable if INGEST_SECRET_KEY does not decrypt one."""
        rows = await self._pool.fetch(LOAD, list(numbers))
        try:
            return {number: self._cipher.decrypt(key, key_owner(number)) for number, key in rows}
        except InvalidTag:
            log.critical("vault.key_missing", keys=len(rows))
            raise Unavailable("a stored body can't be decrypted: INGEST_SECRET_KEY is not the key that it needs") from None

    async def delete(self, numbers: Sequence[int]) -> None:
        """Delete keys, and so the content of their bodies."""
        await self._pool.execute(DELETE, numbers)

    async def renew(self, blocks: Sequence[Block]) -> set[int]:
        """Say that a process still uses these blocks. Returns the first number of those that were not swept."""
        return {row[0] for row in await self._pool.fetch(RENEW, [block.first for block in blocks])}

    async def sweep_next(self) -> int | None:
        """Delete unused keys of a stale block, at most SWEEP_KEYS. Returns their number; None: no block is stale."""
        row = await self._pool.fetchrow(STALE, SWEPT_AFTER)
        if row is None:
            return None
        first, last = row
        numbers = [row[0] for row in await self._pool.fetch(KEYS_OF_BLOCK, first, last, SWEEP_KEYS)]
        used = {row[0] for row in await self._inbox.fetch(USED, numbers)}
        unused = [number for number in numbers if number not in used]
        await self.delete(unused)
        if len(numbers) < SWEEP_KEYS:
            await self._pool.execute(END_BLOCK, first)
        else:
            await self._pool.execute(SHRINK, first, numbers[-1] + 1)
        return len(unused)


async def spent_keys(pool: asyncpg.Pool) -> list[int]:
    """Keys whose bodies were deleted or replaced, at most SPENT_BATCH. `pool` is that of the inbox."""
    return [row[0] for row in await pool.fetch(SPENT, SPENT_BATCH)]


async def forget_spent_keys(pool: asyncpg.Pool, numbers: Sequence[int]) -> None:
    """Remove keys from the list of spent ones, after they were deleted."""
    await pool.execute(FORGET_SPENT, numbers)
