"""Bodies at rest: each is encrypted under a key of its own, and unreadable without that key."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from services.ingest.domain.delivery import Delivery, StoredBody
from services.ingest.store import body_keys as module
from services.ingest.store.body_keys import BLOCK
from services.ingest.store.cipher import Cipher
from services.ingest.store.vault import LOW, TAG_BYTES, Vault
from shared.problems import Unavailable
from tests.unit.ingest.making import NOW

FIRST, SECOND = (SecretStr(urlsafe_b64encode(bytes([byte]) * 32).decode()) for byte in (1, 2))
BODY = b'{"comment": "Lovely"}'


@dataclass
class KeyTable:
    """The statements of the vault on a table in memory."""

    keys: dict[int, bytes] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(1))

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["KeyTable"]:
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield

    async def fetchval(self, statement: str) -> int:
        await asyncio.sleep(0)
        return 0

    async def fetch(self, statement: str, argument: Any) -> list[tuple[Any, ...]]:
        await asyncio.sleep(0)
        if statement == module.NUMBERS:
            return [(next(self.numbers),) for _ in range(argument)]
        return [(number, self.keys[number]) for number in argument if number in self.keys]

    async def execute(self, statement: str, numbers: Any, encrypted: list[bytes] | None = None, *_: Any) -> None:
        await asyncio.sleep(0)
        if statement == module.ADD:
            self.keys |= zip(numbers, encrypted or (), strict=True)
        elif statement == module.DELETE:
            for number in numbers:
                self.keys.pop(number, None)


@pytest.fixture
def table() -> KeyTable:
    return KeyTable()


def vault_of(table: Any, key: SecretStr = FIRST, *, encrypts: bool = True) -> Vault:
    return Vault(table, Cipher(key), encrypts=encrypts)


def delivery(id: str | None = "msg_1", raw: bytes = BODY) -> Delivery:
    return Delivery("acme", "con_1", id, NOW, 1, raw)


async def stored(vault: Vault, *deliveries: Delivery) -> list[StoredBody]:
    return [StoredBody(d.connection, d.id, *body) for d, body in zip(deliveries, await vault.encrypt(deliveries), strict=True)]


async def contents(vault: Vault, *bodies: StoredBody) -> list[bytes | None]:
    return [body.raw for body in await vault.decrypt(bodies)]


async def test_a_stored_body_is_unreadable_and_opens_to_what_was_received(table: KeyTable) -> None:
    vault = vault_of(table)
    [body] = await stored(vault, delivery())
    assert b"Lovely" not in body.raw
    assert len(body.raw) == len(BODY) + TAG_BYTES
    assert await contents(vault_of(table), body) == [BODY], "another replica"


async def test_each_body_has_a_key_of_its_own(table: KeyTable) -> None:
    bodies = await stored(vault_of(table), *[delivery(id=str(number)) for number in range(BLOCK + 1)])
    assert len({body.key for body in bodies}) == BLOCK + 1
    assert len({body.raw for body in bodies}) == BLOCK + 1, "equal bodies have different ciphertexts"


async def test_concurrent_batches_never_share_a_key(table: KeyTable) -> None:
    vault = vault_of(table)
    deliveries = [delivery(id=str(number)) for number in range(BLOCK - 1)]
    batches = await asyncio.gather(*[stored(vault, *deliveries) for _ in range(5)])
    keys = [body.key for batch in batches for body in batch]
    assert len({*keys}) == len(keys)


async def test_a_body_without_its_key_is_lost_and_others_are_decrypted(table: KeyTable) -> None:
    vault = vault_of(table)
    first, second = await stored(vault, delivery("1"), delivery("2"))
    assert first.key
    await vault.delete_keys([first.key])
    assert await contents(vault, first, second) == [None, BODY]


@pytest.mark.parametrize("change", [{"delivery": "msg_2"}, {"delivery": None}, {"connection": "con_2"}, {"raw": b"x" * 40}])
async def test_a_ciphertext_opens_in_its_own_row_only(table: KeyTable, change: dict[str, Any]) -> None:
    vault = vault_of(table)
    [body] = await stored(vault, delivery())
    with capture_logs() as logs:
        assert await contents(vault, replace(body, **change), body) == [None, BODY]
    assert [(line["event"], line["key"]) for line in logs] == [("vault.body_damaged", body.key)]


async def test_bodies_are_plain_unless_they_are_to_be_encrypted_and_both_are_read(table: KeyTable) -> None:
    [encrypted] = await stored(vault_of(table), delivery("1"))
    plain_vault = vault_of(table, encrypts=False)
    [plain] = await stored(plain_vault, delivery("2"))
    assert (plain.raw, plain.key) == (BODY, None)
    assert await contents(plain_vault, plain, encrypted) == [BODY, BODY]


async def test_an_empty_body_takes_no_key(table: KeyTable) -> None:
    vault = vault_of(table)
    [body] = await stored(vault, delivery(raw=b""))
    assert (body.raw, body.key) == (b"", None)
    assert await contents(vault, body) == [b""]
    assert table.keys == {}


async def test_headers_are_encrypted_with_their_body_and_open_with_it(table: KeyTable) -> None:
    vault = vault_of(table)
    [body] = await stored(vault, msgspec.structs.replace(delivery(), headers={"x-topic": "anna@example.org"}))
    assert "anna" not in body.headers
    assert [one.headers for one in await vault.decrypt([body])] == [{"x-topic": "anna@example.org"}]
    plain = replace(body, headers='{"x-topic": "as an earlier version stored it"}')
    assert [one.headers for one in await vault.decrypt([plain])] == [{"x-topic": "as an earlier version stored it"}]


async def test_a_body_under_the_key_of_another_one_is_unreadable_and_logged(table: KeyTable) -> None:
    vault = vault_of(table)
    first, second = await stored(vault, delivery("1"), delivery("2"))
    with capture_logs() as logs:
        [decrypted] = await vault.decrypt([replace(first, key=second.key)])
    assert (decrypted.raw, decrypted.is_unreadable) == (None, True)
    assert [line["event"] for line in logs] == ["vault.body_damaged"]


async def test_a_body_whose_key_is_lost_is_logged(table: KeyTable) -> None:
    vault = vault_of(table)
    [body] = await stored(vault, delivery("1"))
    await vault.delete_keys([body.key or 0])
    with capture_logs() as logs:
        await vault.decrypt([body])
    assert [(line["event"], line["keys"]) for line in logs] == [("vault.keys_lost", 1)]


async def test_without_the_secret_key_a_body_is_unavailable_and_not_deleted(table: KeyTable) -> None:
    [body] = await stored(vault_of(table), delivery())
    with pytest.raises(Unavailable):
        await vault_of(table, SECOND).decrypt([body])
    assert await contents(Vault(table, Cipher(SECOND, [FIRST]), encrypts=True), body) == [BODY]


async def test_keys_are_created_ahead_and_unused_ones_are_deleted_at_the_end(table: KeyTable) -> None:
    vault = vault_of(table)
    await vault.refill()
    assert len(table.keys) >= LOW
    [used] = await stored(vault, delivery())
    await vault.close()
    assert table.keys.keys() == {used.key}


async def test_the_key_of_a_body_that_was_not_stored_is_deleted(table: KeyTable) -> None:
    vault = vault_of(table)
    encrypted = await vault.encrypt([delivery("1"), delivery("2"), delivery("3", raw=b"")])
    vault.discard(encrypted[1:])
    await vault.refill()
    assert encrypted[0][1] in table.keys
    assert encrypted[1][1] not in table.keys


async def test_a_vault_that_encrypts_nothing_creates_no_keys(table: KeyTable) -> None:
    vault = vault_of(table, encrypts=False)
    await vault.refill()
    await stored(vault, delivery())
    assert table.keys == {}


async def test_the_worker_is_woken_when_few_keys_are_left(table: KeyTable) -> None:
    vault = vault_of(table)
    await vault.refill()
    waiting = asyncio.create_task(vault.wait_until_low(60))
    await asyncio.sleep(0)
    assert not waiting.done()
    await stored(vault, *[delivery(str(number)) for number in range(len(table.keys) - LOW + 1)])
    await asyncio.wait_for(waiting, 5)
