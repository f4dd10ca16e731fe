"""Encrypts stored bodies and their headers, each body under a key of its own, which INGEST_SECRET_KEY encrypts in turn.

Deleting a key erases its body wherever a copy of it is left: in free space of the database, in its log, in its backups, unless
they hold the key as well (docs/decisions/0017-a-key-for-each-body.md).

Keys are created ahead of their use, in blocks, so a delivery waits for none.
"""

import asyncio
import json
import time
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

import asyncpg
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.ingest.domain.delivery import ENCRYPTED_HEADERS, DecryptedBody, Delivery, StorableBody, StoredBody
from services.ingest.store.body_keys import Block, BodyKeys
from services.ingest.store.cipher import NONCE_BYTES, Cipher
from shared.database import OUTAGE
from shared.events import encode

log = structlog.get_logger()

LOW = 1_000
"""Unused keys of a process below which it creates more."""
TAG_BYTES = 16
"""The bytes by which a ciphertext is longer than its content."""
NONCE = bytes(NONCE_BYTES)
HEADERS_NONCE = bytes(NONCE_BYTES - 1) + b"\1"
"""The same for all bodies and for all headers: a key encrypts one of either only."""

RENEW_SECONDS = 600.0
DROP_SECONDS = 12 * 3600.0
"""After this time without a renewal of their block, unused keys are not used any more: they may be swept soon."""


class Vault:
    """Encrypts bodies if `encrypts`, and decrypts encrypted ones in any case.

    `pool` is that of the database that holds the keys, `inbox` that of the inbox; None: the same database.
    """

    def __init__(self, pool: asyncpg.Pool, cipher: Cipher, *, encrypts: bool, inbox: asyncpg.Pool | None = None) -> None:
        self._keys = BodyKeys(pool, cipher, inbox)
        self._encrypts = encrypts
        self._unused: deque[tuple[int, bytes]] = deque()
        self._blocks: list[Block] = []
        self._renewed_at = time.monotonic()
        self._discarded: list[int] = []
        self._creating = asyncio.Lock()
        self._low = asyncio.Event()

    @property
    def encrypts(self) -> bool:
        """Whether bodies are encrypted."""
        return self._encrypts

    async def encrypt(self, deliveries: Sequence[Delivery]) -> list[StorableBody]:
        """The body and the headers of each delivery, encrypted. They stay plain if the body is empty or bodies aren't
        encrypted."""
        if not self._encrypts:
            return [StorableBody.plain(delivery) for delivery in deliveries]
        if self._unused and time.monotonic() - self._renewed_at > DROP_SECONDS:
            self._unused.clear()
        needed = sum(1 for delivery in deliveries if delivery.raw)
        while len(self._unused) < needed:
            await self._create(needed)
        bodies = [self._encrypt(delivery) for delivery in deliveries]
        if len(self._unused) < LOW:
            self._low.set()
        return bodies

    def _encrypt(self, delivery: Delivery) -> StorableBody:
        if not delivery.raw:
            return StorableBody.plain(delivery)
        number, key = self._unused.popleft()
        aead, row = AESGCM(key), row_of(delivery.connection, delivery.id)
        raw = aead.encrypt(NONCE, delivery.raw, row)
        if not delivery.headers:
            return StorableBody(raw, number, "{}")
        headers = b64encode(aead.encrypt(HEADERS_NONCE, encode(delivery.headers), row)).decode()
        return StorableBody(raw, number, f'{ENCRYPTED_HEADERS}{headers}"}}')

    def discard(self, bodies: Sequence[StorableBody]) -> None:
        """Delete the keys of encrypted bodies that were not stored. The worker does it."""
        self._discarded += [body.key for body in bodies if body.key is not None]

    async def decrypt(self, bodies: Sequence[StoredBody]) -> list[DecryptedBody]:
        """The content of each body. It is unreadable if its key is lost, or is that of another body.

        Raises Unavailable if INGEST_SECRET_KEY does not decrypt a key.
        """
        numbers = {body.key for body in bodies if body.raw and body.key is not None}
        keys = await self._keys.load(numbers) if numbers else {}
        if lost := numbers - keys.keys():
            log.error("vault.keys_lost", keys=len(lost))
        return [_decrypt(body, keys) for body in bodies]

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
            await self._keys.delete(discarded)

    async def _create(self, enough: int) -> None:
        """Create a block of keys, unless another task has made it unnecessary."""
        async with self._creating:
            if len(self._unused) >= enough:
                return
            block, keys = await self._keys.create()
            self._blocks.append(block)
            self._unused.extend(keys)

    async def renew(self) -> None:
        """Renew the blocks of the unused keys, if it is time. Keys of a block that was swept are not used."""
        now = time.monotonic()
        if now - self._renewed_at < RENEW_SECONDS:
            return
        async with self._creating:
            blocks = [block for block in self._blocks if any(block.first <= number <= block.last for number, _ in self._unused)]
            renewed = await self._keys.renew(blocks)
            self._blocks = [block for block in blocks if block.first in renewed]
            for block in blocks:
                if block.first not in renewed:
                    self._unused = deque(unused for unused in self._unused if not block.first <= unused[0] <= block.last)
            self._renewed_at = now

    async def sweep(self) -> int:
        """Delete keys that no process and no body uses. Returns their number."""
        count = 0
        while (deleted := await self._keys.sweep_next()) is not None:
            count += deleted
        return count

    async def delete_keys(self, numbers: Sequence[int]) -> None:
        """Delete keys, and so the content of their bodies."""
        await self._keys.delete(numbers)

    async def close(self) -> None:
        """Delete the keys that are not used, if the database answers."""
        numbers = [number for number, _ in self._unused] + self._discarded
        self._unused.clear()
        if numbers:
            with suppress(*OUTAGE):
                await self._keys.delete(numbers)


def row_of(connection: str, delivery: str | None) -> bytes:
    """The row to which a ciphertext is bound."""
    return f"{connection}/{delivery or ''}".encode()


def _decrypt(body: StoredBody, keys: Mapping[int, bytes]) -> DecryptedBody:
    if body.key is None or not body.raw:
        return DecryptedBody(body.raw, json.loads(body.headers))
    if body.key not in keys:
        return DecryptedBody(None, {})
    aead, row = AESGCM(keys[body.key]), row_of(body.connection, body.delivery)
    try:
        raw = aead.decrypt(NONCE, body.raw, row)
        headers = json.loads(body.headers)
        if body.headers.startswith(ENCRYPTED_HEADERS):
            headers = json.loads(aead.decrypt(HEADERS_NONCE, b64decode(headers["encrypted"]), row))
    except InvalidTag:
        log.error("vault.body_damaged", connection=body.connection, key=body.key)
        return DecryptedBody(None, {})
    return DecryptedBody(raw, headers)
