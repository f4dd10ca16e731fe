"""The keys of encrypted bodies on a real PostgreSQL: they are deleted with their bodies, by whatever statement."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import SecretStr
from structlog.testing import capture_logs

from services.ingest.domain.receive import receive_again
from services.ingest.eraser import Eraser
from services.ingest.inbox.body_cipher import COLUMNS, load_deliveries
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.verdicts import oldest_held, replace_verdicts
from services.ingest.key_keeper import KeyKeeper
from services.ingest.store import vault as vaults
from services.ingest.store.cipher import Cipher
from services.ingest.store.vault import Vault
from shared.workers import Workers
from tests.contract.inbox import Inbox, erasure_delivery, nps_delivery
from tests.contract.test_ingest_eraser import AllConnections, finish, unread
from tests.unit.ingest.making import NOW, connection, nps, response

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


async def test_a_database_of_keys_that_was_restored_from_an_older_backup_reuses_no_number(inbox: Inbox) -> None:
    async with encrypting(inbox) as (encrypted, vault):
        await encrypted.deliver(nps_delivery(9, id="1"))
        used = await inbox.pool.fetchval(KEY_OF, "1")
        await vault.close()
        await inbox.pool.execute("TRUNCATE body_keys, body_key_blocks")
        await inbox.pool.execute("SELECT setval('body_key_seq', 1)")
        await inbox.pool.execute("INSERT INTO spent_body_keys (id) VALUES ($1)", used + 5)
        restored = Vault(inbox.pool, Cipher(SECRET_KEY), encrypts=True)
        with capture_logs() as logs:
            await restored.refill()
        assert ("vault.keys_restored", "critical") in {(line["event"], line["log_level"]) for line in logs}
        assert await inbox.pool.fetchval("SELECT min(id) FROM body_keys") == used + 6
        await restored.close()


async def test_a_body_whose_key_is_that_of_another_one_stays_in_quarantine_with_the_reason(inbox: Inbox) -> None:
    async with encrypting(inbox) as (encrypted, vault):
        await encrypted.deliver(unread("1", response(nps())), unread("2", response(nps(), id="r-2")))
        await inbox.pool.execute(
            "UPDATE inbox SET body_key = (SELECT body_key FROM inbox WHERE delivery = '2') WHERE delivery = '1'"
        )
        [stored] = await load_deliveries(vault, await inbox.pool.fetch(f"SELECT {COLUMNS} FROM inbox WHERE delivery = '1'"))
        assert stored.is_unreadable
        delivery = receive_again(connection(), stored, NOW)
        assert await encrypted.committer.commit_again(stored.seq, delivery) == "quarantined"
        row = await inbox.pool.fetchrow("SELECT reason, octet_length(raw) > 0 FROM inbox WHERE delivery = '1'")
        assert tuple(row) == ("the stored body can't be decrypted: its key is lost", True)


async def test_unused_keys_of_a_killed_process_are_swept_and_those_of_bodies_and_of_others_stay(inbox: Inbox) -> None:
    async with encrypting(inbox) as (encrypted, _):
        await inbox.pool.execute("TRUNCATE body_key_blocks")
        await encrypted.deliver(nps_delivery(9, id="1"))
        used = await inbox.pool.fetchval(KEY_OF, "1")
        await inbox.pool.execute("UPDATE body_key_blocks SET renewed_at = now() - interval '25 hours'")
        living = Vault(inbox.pool, Cipher(SECRET_KEY), encrypts=True)
        await living.refill()
        deleted = await living.sweep()
        assert deleted > 0
        rows = await inbox.pool.fetch("SELECT first, last FROM body_key_blocks")
        living_keys = {number for first, last in rows for number in range(first, last + 1)}
        assert len(living_keys) >= vaults.LOW
        assert {row[0] for row in await inbox.pool.fetch(KEYS)} == living_keys | {used}
        await living.close()


async def test_a_process_whose_block_was_swept_uses_no_key_of_it(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vaults, "RENEW_SECONDS", 0.0)
    async with encrypting(inbox) as (_, vault):
        await vault.refill()
        await inbox.pool.execute("TRUNCATE body_keys, body_key_blocks")
        await vault.renew()
        [encrypted] = await vault.encrypt([nps_delivery(9, id="1")])
        assert await inbox.pool.fetchval("SELECT count(*) FROM body_keys WHERE id = $1", encrypted.key) == 1
