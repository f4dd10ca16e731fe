"""A rotation of INGEST_SECRET_KEY while tools deliver."""

import asyncio
from base64 import urlsafe_b64encode
from contextlib import AsyncExitStack

import httpx
from pydantic import SecretStr

from services.ingest import rotate
from services.ingest.settings import Settings
from services.ingest.store.body_keys import key_owner
from services.ingest.store.cipher import Cipher
from services.ingest.store.encrypted import BODY_KEYS
from shared.database import open_pool
from tests.conftest import NewDatabase
from tests.contract.inbox import until
from tests.service.ingest.client import NO_METRICS, SECRET_KEY, TOKEN, IngestClient, running_ingest
from tests.service.ingest.test_hooks import wrapped

NEW_KEY = urlsafe_b64encode(bytes(range(32))).decode()
CONNECTIONS = 7
ENCRYPTED_KEY = "SELECT sealed FROM body_keys WHERE id = $1"


def settings(url: str, key: str, further: str | None, **more: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": url,
            "secret_key": key,
            "further_secret_keys": further,
            "internal_token": TOKEN,
            "metrics_url": NO_METRICS,
            **more,
        }
    )


async def test_tools_deliver_without_a_refusal_while_each_value_is_encrypted_under_the_new_key(database: NewDatabase) -> None:
    url = await database("ingest")
    async with AsyncExitStack() as stack:
        old, new = [
            await stack.enter_async_context(
                running_ingest(url, connection_cache_seconds=0, secret_key=key, further_secret_keys=further)
            )
            for key, further in ((SECRET_KEY, NEW_KEY), (NEW_KEY, SECRET_KEY))
        ]
        await old.call("PUT", f"/internal/tenants/{old.tenant}", json={"name": "Acme", "zone": "Europe/Berlin"})
        connections = [await old.connect() for _ in range(CONNECTIONS)]
        answers: list[httpx.Response] = []

        async def deliver(replica: IngestClient, connection: dict[str, str]) -> None:
            answers.append(await replica.deliver(connection, wrapped(id=f"r-{len(answers)}")))

        async def keep_delivering() -> None:
            while True:
                await asyncio.gather(*[deliver(replica, one) for one in connections for replica in (old, new)])

        tool = asyncio.create_task(keep_delivering())
        before = await rotate.check(settings(url, NEW_KEY, SECRET_KEY))
        renewed = await rotate.rotate(settings(url, NEW_KEY, SECRET_KEY), batch=2)
        made_by_old = await old.connect()
        text, is_done = await rotate.run(settings(url, NEW_KEY, SECRET_KEY), dry=True)
        again = await rotate.rotate(settings(url, NEW_KEY, SECRET_KEY), batch=2)
        tool.cancel()
        await asyncio.gather(tool, return_exceptions=True)
    assert {answer.status_code for answer in answers} == {202}
    counts = {f"{column.table}.{column.column}": count.former for column, count in before.items()}
    stored = {name: count for name, count in counts.items() if count}
    assert stored == {"tenants.sealed_key": 1, "connections.sealed_secrets": CONNECTIONS + 1}
    assert sum(renewed.values()) == sum(counts.values())
    assert not is_done
    assert "1 under a former key" in text
    assert sum(again.values()) == 1
    async with running_ingest(url, connection_cache_seconds=0, secret_key=NEW_KEY) as only_new:
        for connection in (connections[0], made_by_old):
            assert (await only_new.deliver(connection, wrapped(id="last"))).status_code == 202
    text, is_done = await rotate.run(settings(url, NEW_KEY, None), dry=True)
    assert is_done, text


async def test_a_value_that_no_key_decrypts_is_reported_and_stays(database: NewDatabase) -> None:
    url = await database("ingest")
    async with running_ingest(url) as client:
        await client.call("PUT", f"/internal/tenants/{client.tenant}", json={"name": "Acme", "zone": "Europe/Berlin"})
    text, is_done = await rotate.run(settings(url, NEW_KEY, None), dry=False)
    assert not is_done
    assert "tenants.sealed_key: 1 values, 0 renewed, 0 under a former key, 1 that no key decrypts (first row: acme)" in text
    async with running_ingest(url) as client:
        assert (await client.call("GET", "/v1/connections")).status_code == 200


async def test_every_key_of_a_body_is_renewed_in_the_order_of_its_number_whatever_the_batch(database: NewDatabase) -> None:
    url = await database("ingest")
    former = Cipher(SecretStr(SECRET_KEY))
    async with open_pool(url, 1) as pool:
        await pool.executemany(
            "INSERT INTO body_keys (id, sealed) VALUES ($1, $2)", [(n, former.encrypt(b"k", key_owner(n))) for n in range(1, 26)]
        )
    renewed = await rotate.rotate(settings(url, NEW_KEY, SECRET_KEY), batch=3)
    assert renewed[BODY_KEYS] == 25
    counts = await rotate.check(settings(url, NEW_KEY, None), batch=3)
    assert (counts[BODY_KEYS].values, counts[BODY_KEYS].unreadable) == (25, [])


async def test_keys_of_bodies_in_a_database_of_their_own_are_renewed_and_deleted_there(database: NewDatabase) -> None:
    url, keys_url = await database("ingest"), await database("ingest")
    fields = {"encrypt_bodies": True, "keys_database_url": keys_url, "further_secret_keys": NEW_KEY}
    async with running_ingest(url, connection_cache_seconds=0, **fields) as client, open_pool(keys_url, 1) as keys:
        await client.call("PUT", f"/internal/tenants/{client.tenant}", json={"name": "Acme", "zone": "Europe/Berlin"})
        assert (await client.deliver(await client.connect(), b"{words")).json() == {"status": "quarantined"}
        key = await client.app.state.reads.fetchval("SELECT body_key FROM inbox")
        former = await keys.fetchval(ENCRYPTED_KEY, key)
        assert former
        assert await client.app.state.reads.fetchval("SELECT count(*) FROM body_keys") == 0
        await rotate.rotate(settings(url, NEW_KEY, SECRET_KEY, keys_database_url=keys_url))
        assert await keys.fetchval(ENCRYPTED_KEY, key) != former
        [item] = (await client.call("GET", "/v1/quarantine")).json()["items"]
        assert (await client.call("GET", f"/v1/quarantine/{item['id']}")).json()["body"] == "{words"
        await client.call("POST", f"/v1/quarantine/{item['id']}:discard")

        async def is_deleted() -> bool:
            return await keys.fetchval(ENCRYPTED_KEY, key) is None

        await until(is_deleted)
