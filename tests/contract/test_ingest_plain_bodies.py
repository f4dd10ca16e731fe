"""Bodies that were stored before encryption was switched on are encrypted in the background, on a real PostgreSQL."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from services.ingest import body_encrypter as module
from services.ingest.body_encrypter import BodyEncrypter
from services.ingest.gauges import body_gauges
from services.ingest.inbox.body_cipher import COLUMNS, load_deliveries
from services.ingest.instruments import PLAIN_BODIES
from services.ingest.store.cipher import Cipher
from services.ingest.store.vault import Vault
from tests.contract.inbox import Inbox, erasure_delivery, nps_delivery
from tests.contract.test_ingest_body_keys import SECRET_KEY

HEADERS = {"x-topic": "conversation.created"}


async def plain_bodies(inbox: Inbox) -> int:
    await body_gauges(inbox.pool)()
    [family] = PLAIN_BODIES.collect()
    return int(family.samples[0].value)


def vault_of(inbox: Inbox) -> Vault:
    return Vault(inbox.pool, Cipher(SECRET_KEY), encrypts=True)


async def test_plain_bodies_and_headers_are_encrypted_and_read_as_before(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_BODIES", 4)
    deliveries = [replace(nps_delivery(9, id=f"{n}", subject=f"r-{n}"), headers=HEADERS, raw=b"raw-%d" % n) for n in range(10)]
    await inbox.deliver(*deliveries)
    await inbox.deliver(erasure_delivery({"id": "anna"}, "e"))
    assert await plain_bodies(inbox) == 10
    vault = vault_of(inbox)
    assert await BodyEncrypter(inbox.pool, vault).step()
    assert await plain_bodies(inbox) == 6, "another process goes on after a crash"
    other = BodyEncrypter(inbox.pool, vault)
    while await other.step():
        pass
    assert await plain_bodies(inbox) == 0
    rows = await inbox.pool.fetch(f"SELECT {COLUMNS} FROM inbox ORDER BY delivery")
    assert all(b"raw" not in row["raw"] and row["body_key"] for row in rows[:-1])
    assert "conversation" not in str([row["headers"] for row in rows])
    assert [(one.raw, one.headers) for one in (await load_deliveries(vault, rows))[:-1]] == [
        (delivery.raw, HEADERS) for delivery in deliveries
    ]
    assert "receipt" in json.loads(rows[-1]["headers"]), "an erasure has no body, and its receipt stays readable"


async def test_headers_that_an_earlier_version_left_plain_are_encrypted_with_their_body(inbox: Inbox) -> None:
    delivery = replace(nps_delivery(9, id="1"), headers=HEADERS)
    await inbox.deliver(delivery)
    vault = vault_of(inbox)
    await BodyEncrypter(inbox.pool, vault).step()
    former = await inbox.pool.fetchval("SELECT body_key FROM inbox")
    await inbox.pool.execute("UPDATE inbox SET headers = $1", json.dumps(HEADERS))
    assert await plain_bodies(inbox) == 1
    await BodyEncrypter(inbox.pool, vault).step()
    [stored] = await load_deliveries(vault, await inbox.pool.fetch(f"SELECT {COLUMNS} FROM inbox"))
    assert (stored.raw, stored.headers, await plain_bodies(inbox)) == (delivery.raw, HEADERS, 0)
    assert await inbox.pool.fetchval("SELECT id FROM spent_body_keys") == former


async def test_a_body_whose_key_is_lost_stops_no_other(inbox: Inbox) -> None:
    await inbox.deliver(*[replace(nps_delivery(9, id=str(n), subject=f"r-{n}"), headers=HEADERS) for n in range(3)])
    await inbox.pool.execute("UPDATE inbox SET body_key = 987654321 WHERE delivery = '0'")
    encrypter = BodyEncrypter(inbox.pool, vault_of(inbox))
    while await encrypter.step():
        pass
    assert await plain_bodies(inbox) == 1
    assert await inbox.pool.fetchval("SELECT headers FROM inbox WHERE delivery = '0'") == json.dumps(
        HEADERS, separators=(",", ":")
    )


class LostResponses:
    """A pool whose connection breaks after the transaction was committed, before its response has arrived."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool

    @asynccontextmanager
    async def acquire(self, **options: Any) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        async with self.pool.acquire(**options) as db:
            yield db
        raise ConnectionResetError


async def test_a_body_stays_readable_if_the_connection_breaks_at_the_commit(inbox: Inbox) -> None:
    delivery = replace(nps_delivery(9, id="1"), headers=HEADERS)
    await inbox.deliver(delivery)
    vault = vault_of(inbox)
    with pytest.raises(ConnectionResetError):
        await BodyEncrypter(LostResponses(inbox.pool), vault).step()
    await vault.close()
    assert await plain_bodies(inbox) == 0
    [stored] = await load_deliveries(vault_of(inbox), await inbox.pool.fetch(f"SELECT {COLUMNS} FROM inbox"))
    assert (stored.raw, stored.headers) == (delivery.raw, HEADERS)


async def test_a_body_that_is_erased_meanwhile_stays_erased(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", customer={"id": "anna"}))
    vault = vault_of(inbox)
    async with inbox.pool.acquire() as db, db.transaction():
        await db.execute("UPDATE inbox SET raw = NULL")
        assert not await BodyEncrypter(inbox.pool, vault).step(), "a row that another transaction changes is left alone"
    assert not await BodyEncrypter(inbox.pool, vault).step()
    assert await inbox.pool.fetchval("SELECT raw FROM inbox") is None
