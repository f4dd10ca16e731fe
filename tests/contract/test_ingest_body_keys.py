"""The keys of encrypted bodies on a real PostgreSQL: they are deleted with their bodies, by whatever statement."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from services.ingest.eraser import Eraser
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.verdicts import oldest_held, replace_verdicts
from services.ingest.key_keeper import KeyKeeper
from services.ingest.store.cipher import Cipher
from services.ingest.store.vault import Vault
from shared.workers import Workers
from tests.contract.inbox import Inbox, erasure_delivery, nps_delivery
from tests.contract.test_ingest_eraser import AllConnections, finish, unread
from tests.unit.ingest.making import nps, response

SECRET_KEY = SecretStr("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")

KEY_OF = "SELECT body_key FROM inbox WHERE delivery = $1"
KEYS = "SELECT id FROM body_keys"


@asynccontextmanager
async def encrypting(inbox: Inbox) -> AsyncIterator[tuple[Inbox, Vault]]:
    """An inbox that encrypts bodies, and its vault. The keys that it did not use are deleted at the end."""
    await inbox.pool.execute("TRUNCATE body_keys, spent_body_keys")
    vault = Vault(inbox.pool, Cipher(SECRET_KEY), encrypts=True)
    async with Workers() as workers:
        published: list[Any] = []
        committer = Committer(inbox.pool, published.extend, 1000, vault)
        workers.start("committer", committer.run)
        yield Inbox(inbox.pool, committer, published), vault
        assert workers.dead == []


async def remaining_keys(inbox: Inbox, vault: Vault) -> set[int]:
    """The keys of stored bodies, after those of deleted ones and unused ones are deleted."""
    keeper = KeyKeeper(inbox.pool, vault)
    while await keeper.delete_spent_keys():
        pass
    await vault.close()
    return {row[0] for row in await inbox.pool.fetch(KEYS)}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inbox SET raw = NULL WHERE delivery = '1'",
        "UPDATE inbox SET raw = '', headers = '{}' WHERE delivery = '1'",
        "UPDATE inbox SET raw = 'plain', body_key = NULL WHERE delivery = '1'",
        "UPDATE inbox SET raw = 'other', body_key = 987654321 WHERE delivery = '1'",
        "DELETE FROM inbox WHERE delivery = '1'",
    ],
)
async def test_a_body_that_is_deleted_or_replaced_takes_its_key_along(inbox: Inbox, statement: str) -> None:
    async with encrypting(inbox) as (encrypted, vault):
        assert await encrypted.deliver(nps_delivery(9, id="1"), nps_delivery(8, id="2")) == ["accepted", "accepted"]
        expected = await inbox.pool.fetchval(KEY_OF, "2")
        await inbox.pool.execute(statement)
        assert await remaining_keys(inbox, vault) == {expected}


async def test_a_change_that_keeps_the_body_keeps_its_key(inbox: Inbox) -> None:
    async with encrypting(inbox) as (encrypted, vault):
        await encrypted.deliver(nps_delivery(9, id="1"))
        await inbox.pool.execute("UPDATE inbox SET verdict = 'quarantined', raw = raw, headers = '{}'")
        assert await remaining_keys(inbox, vault) == {await inbox.pool.fetchval(KEY_OF, "1")}


async def test_a_repeated_delivery_leaves_no_key(inbox: Inbox) -> None:
    async with encrypting(inbox) as (encrypted, vault):
        delivery = nps_delivery(9, id="1")
        assert sorted(await encrypted.deliver(delivery, delivery)) == ["accepted", "duplicate"]
        assert await encrypted.deliver(delivery) == ["duplicate"]
        assert await remaining_keys(inbox, vault) == {await inbox.pool.fetchval(KEY_OF, "1")}


async def test_a_body_whose_key_is_missing_stays_when_it_is_read_again(inbox: Inbox) -> None:
    async with encrypting(inbox) as (encrypted, vault):
        held = replace(nps_delivery(9, id="1"), verdict="held", statements=())
        assert await encrypted.deliver(held) == ["held"]
        await inbox.pool.execute("DELETE FROM body_keys")
        [stored] = await oldest_held(inbox.pool, held.connection, 1, 1000, vault)
        read = replace(held, raw=stored.raw, verdict="quarantined", reason="no JSON")
        async with inbox.pool.acquire() as db, db.transaction():
            await replace_verdicts(db, "held", {stored.seq: read})
        row = await inbox.pool.fetchrow("SELECT verdict, octet_length(raw) > 0, body_key FROM inbox")
        assert tuple(row)[:2] == ("quarantined", True)
        assert await inbox.pool.fetchval("SELECT count(*) FROM spent_body_keys") == 0


async def test_an_erasure_destroys_the_key_of_each_body_that_names_the_customer(inbox: Inbox) -> None:
    async with encrypting(inbox) as (encrypted, vault):
        await encrypted.deliver(
            nps_delivery(9, id="read", subject="r-1", customer={"id": "anna"}),
            nps_delivery(9, id="other", subject="r-2", customer={"id": "ben"}),
            unread("unread", response(nps(), customer={"id": "anna"})),
        )
        expected = await inbox.pool.fetchval(KEY_OF, "other")
        await encrypted.deliver(erasure_delivery({"id": "anna"}, "e"))
        await finish(Eraser(inbox.pool, AllConnections(), vault))
        verdicts = {row[0]: row[1] for row in await inbox.pool.fetch("SELECT delivery, verdict FROM inbox")}
        assert verdicts == {"read": "accepted", "other": "accepted", "unread": "erased", "e": "accepted"}
        assert await remaining_keys(inbox, vault) == {expected}
