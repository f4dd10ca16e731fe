"""Encrypts stored bodies, each under a key of its own, which INGEST_SECRET_KEY encrypts in turn.

Deleting a key erases its body wherever a copy of it is left: in free space of the database, in its log, in its backups, unless
they hold the key as well (docs/decisions/0017-a-key-for-each-body.md).

Keys are created ahead of their use, in blocks, so a delivery waits for none.
"""

import asyncio
import os
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

import asyncpg
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.ingest.domain.delivery import Delivery, StoredBody
from services.ingest.store.cipher import NONCE_BYTES, Cipher
from shared.database import OUTAGE
from shared.problems import Unavailable

log = structlog.get_logger()

KEY_BYTES = 32
BLOCK = 500
"""Keys that are created in one transaction."""
LOW = 1_000
"""Unused keys of a process below which it creates more."""
TAG_BYTES = 16
"""The bytes by which a ciphertext is longer than its content."""
NONCE = bytes(NONCE_BYTES)
"""The same for all bodies: a key encrypts one body only."""

SPENT_BATCH = 1_000

NUMBERS = "SELECT nextval('body_key_seq') FROM generate_series(1, $1)"
ADD = "INSERT INTO body_keys (id, sealed) SELECT * FROM unnest($1::bigint[], $2::bytea[])"
LOAD = "SELECT id, sealed FROM body_keys WHERE id = ANY($1::bigint[])"
DELETE = "DELETE FROM body_keys WHERE id = ANY($1::bigint[])"
SPENT = "SELECT id FROM spent_body_keys ORDER BY id LIMIT $1"
FORGET_SPENT = "DELETE FROM spent_body_keys WHERE id = ANY($1::bigint[])"


def key_owner(key: int | str) -> str:
    """The owner of the ciphertext of the key with this id."""
    return f"body:{key}"


class Vault:
    """Encrypts bodies if `encrypts`, and decrypts encrypted ones in any case. `pool` is that of the database that holds the
    keys."""

    def __init__(self, pool: asyncpg.Pool, cipher: Cipher, *, encrypts: bool) -> None:
        self._pool = pool
        self._cipher = cipher
        self._encrypts = encrypts
        self._unused: deque[tuple[int, bytes]] = deque()
        self._discarded: list[int] = []
        self._creating = asyncio.Lock()
        self._low = asyncio.Event()

    async def seal(self, deliveries: Sequence[Delivery]) -> list[tuple[bytes, int | None]]:
        """(ciphertext, id of its key) of the body of each delivery; (body, None) if it is empty or bodies aren't encrypted."""
        if not self._encrypts:
            return [(delivery.raw, None) for delivery in deliveries]
        needed = sum(1 for delivery in deliveries if delivery.raw)
        while len(self._unused) < needed:
            await self._create(needed)
        sealed = [self._seal(delivery) for delivery in deliveries]
        if len(self._unused) < LOW:
            self._low.set()
        return sealed

    def _seal(self, delivery: Delivery) -> tuple[bytes, int | None]:
        if not delivery.raw:
            return delivery.raw, None
        number, key = self._unused.popleft()
        return AESGCM(key).encrypt(NONCE, delivery.raw, row_of(delivery.connection, delivery.id)), number

    def discard(self, sealed: Sequence[tuple[bytes, int | None]]) -> None:
        """Delete the keys of sealed bodies that were not stored. The worker does it."""
        self._discarded += [key for _, key in sealed if key is not None]

    async def open(self, bodies: Sequence[StoredBody]) -> list[bytes | None]:
        """The content of each body. None if its key is deleted or the body is damaged.

        Raises Unavailable if INGEST_SECRET_KEY does not decrypt a key.
        """
        keys = await self._load({body.key for body in bodies if body.raw and body.key is not None})
        return [_open(body, keys) for body in bodies]

    async def _load(self, numbers: Collection[int]) -> dict[int, bytes]:
        if not numbers:
            return {}
        rows = await self._pool.fetch(LOAD, list(numbers))
        try:
            return {number: self._cipher.decrypt(sealed, key_owner(number)) for number, sealed in rows}
        except InvalidTag:
            log.critical("vault.key_missing", keys=len(rows))
            raise Unavailable("a stored body can't be decrypted: INGEST_SECRET_KEY is not the key that it needs") from None

    async def wait_until_low(self, seconds: float) -> None:
        """Wait until keys must be created, at most for `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._low.wait()
        except TimeoutError:
            return

    async def refill(self) -> None:
        """Create keys until enough are unused, and delete the discarded ones."""
        self._low.clear()
        if self._encrypts:
            while len(self._unused) < LOW:
                await self._create(LOW)
        if discarded := self._discarded:
            self._discarded = []
            await self._pool.execute(DELETE, discarded)

    async def _create(self, enough: int) -> None:
        """Create a block of keys, unless another task has made it unnecessary. They are on disk before they are used."""
        async with self._creating:
            if len(self._unused) >= enough:
                return
            numbers = [row[0] for row in await self._pool.fetch(NUMBERS, BLOCK)]
            random = os.urandom(KEY_BYTES * BLOCK)
            keys = [random[at : at + KEY_BYTES] for at in range(0, len(random), KEY_BYTES)]
            sealed = self._cipher.encrypt_all(keys, [key_owner(number) for number in numbers])
            await self._pool.execute(ADD, numbers, sealed)
            self._unused.extend(zip(numbers, keys, strict=True))

    async def delete_keys(self, numbers: Sequence[int]) -> None:
        """Delete keys, and so the content of their bodies."""
        await self._pool.execute(DELETE, numbers)

    async def close(self) -> None:
        """Delete the keys that are not used, if the database answers."""
        numbers = [number for number, _ in self._unused] + self._discarded
        self._unused.clear()
        if numbers:
            with suppress(*OUTAGE):
                await self._pool.execute(DELETE, numbers)


def row_of(connection: str, delivery: str | None) -> bytes:
    """The row to which a ciphertext is bound."""
    return f"{connection}/{delivery or ''}".encode()


def _open(body: StoredBody, keys: Mapping[int, bytes]) -> bytes | None:
    if body.key is None or not body.raw:
        return body.raw
    if body.key not in keys:
        return None
    try:
        return AESGCM(keys[body.key]).decrypt(NONCE, body.raw, row_of(body.connection, body.delivery))
    except InvalidTag:
        log.error("vault.body_damaged", connection=body.connection, key=body.key)
        return None


async def spent_keys(pool: asyncpg.Pool) -> list[int]:
    """Keys whose bodies were deleted or replaced, at most SPENT_BATCH. `pool` is that of the inbox."""
    return [row[0] for row in await pool.fetch(SPENT, SPENT_BATCH)]


async def forget_spent_keys(pool: asyncpg.Pool, numbers: Sequence[int]) -> None:
    """Remove keys from the list of spent ones, after they were deleted."""
    await pool.execute(FORGET_SPENT, numbers)
