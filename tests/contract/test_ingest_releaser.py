"""The releaser on a real PostgreSQL: crashes, outages, a second process, deliveries that can't be stored, and the upgrade."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from deploy.local.servers import Postgres, free_port
from services.ingest import releaser
from services.ingest.domain.connection import Connection, FieldMapping
from services.ingest.domain.receive import receive_again
from services.ingest.health import DeliveryObserver
from services.ingest.inbox import verdicts
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.outbox import OutboxEvent
from services.ingest.releaser import UNSTORABLE, Releaser
from services.ingest.store.cipher import Cipher
from services.ingest.store.connections import Connections
from services.ingest.store.health import HealthStore
from services.ingest.store.tenants import Tenants
from services.ingest.threads import FairThreads
from shared.database import open_engine, open_pool
from shared.migrations import upgrade
from shared.workers import Workers
from tests.conftest import SERVICES, NewDatabase
from tests.contract.inbox import until
from tests.unit.ingest.making import nps, receive_body, response

SECRET_KEY = SecretStr("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
MIGRATIONS = SERVICES / "ingest" / "migrations"


@dataclass
class PausedTool:
    """A connection `standard` in its own database, with a running committer. `published` are the events of its releasers."""

    pool: asyncpg.Pool
    connections: Connections
    committer: Committer
    connection: Connection
    published: list[OutboxEvent] = field(default_factory=list)

    async def hold(self, count: int) -> None:
        """Deliver `count` responses r-0, r-1, … while the connection is paused."""
        await self.set_state("paused")
        paused = replace(self.connection, state="paused")
        for number in range(count):
            raw = f'{{"data": {response(nps(9), id=f"r-{number}")}}}'.replace("'", '"').encode()
            delivery = receive_body(paused, {"webhook-id": f"msg_{number}"}, raw, datetime.now(UTC))
            assert await self.committer.commit(delivery) == "held"

    async def set_state(self, state: str) -> None:
        await self.connections.change("acme", self.connection.id, {"state": state})

    def new_releaser(self) -> Releaser:
        observer = DeliveryObserver(HealthStore(self.pool), now)
        return Releaser(self.pool, self.connections, self.committer, self.published.extend, FairThreads(), now, observer.stored)

    async def verdicts(self) -> list[str]:
        return [row[0] for row in await self.pool.fetch("SELECT verdict FROM inbox ORDER BY seq")]

    async def has_published(self, count: int) -> bool:
        """Whether `count` events were published; a releaser publishes after it has committed."""
        return len(self.published) >= count

    async def statements(self) -> list[str]:
        rows = await self.pool.fetch("SELECT event::json ->> 'statement' FROM events ORDER BY seq, position")
        return [row[0] for row in rows]


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def opened_tool(url: str) -> AsyncIterator[PausedTool]:
    engine, cipher = open_engine(url), Cipher(SECRET_KEY)
    async with open_pool(url, 8, command_timeout=4) as pool, Workers() as workers:
        await Tenants(engine, cipher).put("acme", "Acme", "Europe/Berlin")
        connections = Connections(engine, cipher)
        connection = await connections.add("acme", "standard", "a tool", "whsec_AAAA", FieldMapping(), {})
        assert connection is not None
        committer = Committer(pool, lambda events: None, 10_000)
        workers.start("committer", committer.run)
        yield PausedTool(pool, connections, committer, connection)
    await engine.dispose()


@pytest.fixture
async def tool(database: NewDatabase) -> AsyncIterator[PausedTool]:
    async with opened_tool(await database("ingest")) as tool:
        yield tool


async def test_after_a_crash_during_a_release_each_delivery_is_held_or_counted(
    tool: PausedTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releaser, "BATCH", 3)
    await tool.hold(8)
    await tool.set_state("active")
    assert await tool.new_releaser().release_batches() == 3
    inside = asyncio.Event()
    restate = verdicts.replace_verdicts

    async def hanging(*arguments: Any) -> Any:
        await restate(*arguments)
        inside.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(verdicts, "replace_verdicts", hanging)
        dying = asyncio.create_task(tool.new_releaser().release_batches())
        await inside.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    assert await tool.verdicts() == ["accepted"] * 3 + ["held"] * 5
    async with Workers() as workers:
        workers.start("releaser", tool.new_releaser().run)
        await until(lambda: tool.has_published(8))
    assert await tool.statements() == [f"msg_{n}#0" for n in range(8)]
    assert [one.event and one.event.statement for one in tool.published] == await tool.statements()
    assert await tool.pool.fetchval("SELECT count(*) FROM unpublished") == 8, "the sweeper has them if the process dies now"


async def no_longer_held(tool: PausedTool) -> bool:
    return "held" not in await tool.verdicts()


async def test_two_processes_release_each_delivery_once(tool: PausedTool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releaser, "BATCH", 7)
    await tool.hold(100)
    await tool.set_state("active")
    async with Workers() as workers:
        for number in range(3):
            workers.start(f"releaser-{number}", tool.new_releaser().run)
        await until(lambda: tool.has_published(100))
        assert workers.dead == []
    assert await tool.statements() == [f"msg_{n}#0" for n in range(100)]
    assert sorted(one.seq for one in tool.published) == sorted({one.seq for one in tool.published})


async def test_deliveries_read_by_two_processes_are_stored_by_one(tool: PausedTool) -> None:
    """The other process tries later with the same deliveries, as after a lost response to COMMIT."""
    await tool.hold(2)
    await tool.set_state("active")
    stored = await verdicts.oldest_held(tool.pool, tool.connection.id, 10, 10_000)
    deliveries = {one.seq: receive_again(tool.connection, one, datetime.now(UTC)) for one in stored}
    async with tool.pool.acquire() as db:
        assert len(await verdicts.release_held(db, tool.connection, deliveries) or []) == 2
        assert await verdicts.release_held(db, tool.connection, deliveries) == []
    assert await tool.statements() == ["msg_0#0", "msg_1#0"]


async def test_deliveries_read_before_a_new_pause_or_another_mapping_are_not_released(tool: PausedTool) -> None:
    await tool.hold(2)
    await tool.set_state("active")
    [ready] = await verdicts.ready_connections(tool.pool)
    assert (ready.id, ready.state) == (tool.connection.id, "active")
    read = await tool.connections.find(tool.connection.id)
    assert read is not None
    await tool.set_state("paused")
    assert await verdicts.ready_connections(tool.pool) == []
    async with tool.pool.acquire() as db:
        assert await verdicts.release_held(db, read, {}) is None
        await tool.connections.change("acme", read.id, {"state": "active", "dimensions": {"region": "AT"}})
        assert await verdicts.release_held(db, read, {}) is None
        assert await verdicts.release_held(db, replace(read, revision=read.revision + 1), {}) == []


async def test_a_delivery_that_the_database_refuses_is_quarantined_and_the_others_are_released(tool: PausedTool) -> None:
    await tool.hold(5)
    await tool.pool.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW
        WHEN (NEW.subject LIKE '%/r-2') EXECUTE FUNCTION refuse()""")
    await tool.set_state("active")
    assert await tool.new_releaser().release_batches() == 5
    assert await tool.verdicts() == ["accepted", "accepted", "quarantined", "accepted", "accepted"]
    assert await tool.pool.fetchval("SELECT reason FROM inbox WHERE verdict = 'quarantined'") == UNSTORABLE


async def test_an_exception_while_reading_one_delivery_does_not_stop_the_others(
    tool: PausedTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(connection: Any, stored: Any, now: Any) -> Any:
        if stored.delivery == "msg_1":
            raise ZeroDivisionError
        return receive_again(connection, stored, now)

    monkeypatch.setattr(releaser, "receive_again", faulty)
    await tool.hold(3)
    await tool.set_state("active")
    assert await tool.new_releaser().release_batches() == 3
    assert await tool.verdicts() == ["accepted", "quarantined", "accepted"]


async def test_the_releaser_survives_an_outage_of_the_database() -> None:
    with tempfile.TemporaryDirectory(prefix="earshot-ingest-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "postgres", free_port())
        await server.start()
        url = await server.create_database("ingest")
        await asyncio.to_thread(upgrade, url, MIGRATIONS)
        async with opened_tool(url) as tool, Workers() as workers:
            await tool.hold(3)
            await tool.set_state("active")
            await server.stop()
            one = tool.new_releaser()
            workers.start("releaser", one.run)
            await asyncio.sleep(1)
            one.wake()
            await asyncio.sleep(1)
            assert workers.dead == []
            await server.start()
            await until(lambda: no_longer_held(tool))
            assert await tool.statements() == ["msg_0#0", "msg_1#0", "msg_2#0"]
        await server.stop()


async def test_the_upgrade_turns_deliveries_of_paused_connections_into_held_ones(postgres: Postgres) -> None:
    """Both stored ones and those that a replica of the previous version still inserts."""
    url = await postgres.create_database("ingest_before_held")
    await asyncio.to_thread(upgrade, url, MIGRATIONS, "0002")
    insert = (
        "INSERT INTO inbox (seq, tenant, connection, received_at, headers, verdict, reason, revision) "
        "VALUES ($1, 'acme', 'c', now(), '{}', 'quarantined', $2, 1)"
    )
    async with open_pool(url, 1) as pool:
        await pool.execute(insert, 1, "the connection was paused")
        await pool.execute(insert, 2, "not JSON")
        await asyncio.to_thread(upgrade, url, MIGRATIONS, "0003")
        await pool.execute(insert, 3, "the connection was paused")
        await pool.execute(insert, 4, "not JSON")
        rows = await pool.fetch("SELECT verdict FROM inbox ORDER BY seq")
    assert [row[0] for row in rows] == ["held", "quarantined", "held", "quarantined"]
