"""Ingest while its database hangs, restarts or has no room: each webhook is answered in time, and nothing acknowledged is lost.

Two replicas share the database. Senders behave like tools: they repeat each delivery until it is acknowledged, at any replica.
"""

import asyncio
import json
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.servers import Postgres, free_port
from shared.database import dsn
from shared.migrations import upgrade
from tests.conftest import SERVICES
from tests.contract.inbox import until
from tests.service.ingest.client import IngestClient, running_ingest
from tests.signing import standard
from tests.unit.ingest.making import nps, response

DEADLINE = 2.0
SLACK = 1.0
"""Seconds by which an answer may be late on a busy machine."""
UNAVAILABLE = 503

DISK_FULL = """
CREATE FUNCTION raise_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_full BEFORE INSERT ON inbox EXECUTE FUNCTION raise_disk_full();
"""


@dataclass
class Replicas:
    """Two ingest applications over one database, and a connection of a tool."""

    server: Postgres
    url: str
    clients: list[IngestClient]
    connection: dict[str, Any]
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    """The statuses that each delivery was acknowledged with, by its id."""

    async def post(self, delivery: str, replica: int = 0) -> httpx.Response:
        client = self.clients[replica]
        content = json.dumps({"data": response(nps(9), id=delivery)}).encode()
        headers = standard(self.connection["secret"], content, delivery=delivery)
        return await client.http.post(f"/v1/hooks/{self.connection['id']}", content=content, headers=headers)

    async def deliver(self, delivery: str, replica: int = 0) -> httpx.Response:
        """Post a delivery once. An acknowledgement is noted; any other answer must be a complete 503."""
        answer = await self.post(delivery, replica)
        if answer.status_code == 202:
            self.acknowledged.setdefault(delivery, []).append(answer.json()["status"])
        else:
            assert answer.status_code == UNAVAILABLE, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
        return answer

    async def deliver_until_acknowledged(self, delivery: str) -> None:
        """Repeat a delivery, at one replica after the other."""
        attempt = 0
        while (await self.deliver(delivery, attempt % len(self.clients))).status_code != 202:
            attempt += 1
            await asyncio.sleep(0.05)

    async def stored_ids(self) -> list[str]:
        connection = await asyncpg.connect(dsn(self.url), timeout=10)
        rows = await connection.fetch("SELECT delivery FROM inbox WHERE connection = $1", self.connection["id"])
        await connection.close()
        return sorted(row[0] for row in rows)

    async def published_ids(self) -> set[str]:
        """The ids of the deliveries whose statements were published; not of those that an earlier test left to the sweeper."""
        events = [event for client in self.clients for event in client.broker.events]
        return {event.statement.rpartition("#")[0] for event in events if event.connection == self.connection["id"]}

    async def check_nothing_lost(self) -> None:
        """Each acknowledged delivery is stored once, was accepted at most once, and its statement is published."""
        stored = await self.stored_ids()
        assert len(stored) == len(set(stored))
        assert set(self.acknowledged) <= set(stored)
        assert all(statuses.count("accepted") <= 1 for statuses in self.acknowledged.values())

        async def all_published() -> bool:
            return await self.published_ids() == set(stored)

        await until(all_published, 30)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[tuple[Postgres, str]]:
    """A PostgreSQL of these tests alone, and the URL of a database of ingest."""
    with tempfile.TemporaryDirectory(prefix="earshot-outages-") as folder:
        Path(folder).chmod(0o755)
        postgres = Postgres(Path(folder) / "postgres", free_port())
        await postgres.start()
        url = await postgres.create_database("ingest")
        await asyncio.to_thread(upgrade, url, SERVICES / "ingest" / "migrations")
        yield postgres, url
        await postgres.stop()


@pytest.fixture
async def replicas(server: tuple[Postgres, str]) -> AsyncIterator[Replicas]:
    postgres, url = server
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(running_ingest(url, hook_deadline=DEADLINE)) for _ in range(2)]
        await clients[0].call("PUT", "/internal/tenants/acme", json={"name": "Acme", "zone": "UTC"})
        yield Replicas(postgres, url, clients, await clients[0].connect())


@contextmanager
def stopped(postgres: Postgres) -> Iterator[None]:
    """Stop every process of the server with SIGSTOP: it keeps its connections and answers nothing."""
    assert postgres.pid
    children = Path(f"/proc/{postgres.pid}/task/{postgres.pid}/children").read_text().split()
    pids = [postgres.pid, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def load(replicas: Replicas, senders: int = 8) -> AsyncIterator[None]:
    """Deliver meanwhile. At the end everything that was sent is acknowledged."""
    stopping = False

    async def send(sender: int) -> None:
        number = 0
        while not stopping:
            await replicas.deliver_until_acknowledged(f"{sender}-{number}")
            number += 1

    sending = [asyncio.create_task(send(sender)) for sender in range(senders)]
    yield
    stopping = True
    async with asyncio.timeout(30):
        await asyncio.gather(*sending)


async def timed(answering: Awaitable[httpx.Response]) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    return await answering, time.monotonic() - began


async def test_while_the_database_hangs_every_answer_is_503_by_the_deadline(replicas: Replicas) -> None:
    """It has accepted the connections and may carry out the statements it got, so a refused delivery may be stored."""
    await replicas.deliver("before")
    ids = [f"hung-{number}" for number in range(20)]
    with stopped(replicas.server):
        answers = await asyncio.gather(*(timed(replicas.deliver(name, number % 2)) for number, name in enumerate(ids)))
        later = await asyncio.gather(*(timed(replicas.deliver(f"later-{number}", number % 2)) for number in range(4)))
    assert {answer.status_code for answer, _ in [*answers, *later]} == {UNAVAILABLE}
    assert max(seconds for _, seconds in [*answers, *later]) < DEADLINE + SLACK
    await asyncio.gather(*map(replicas.deliver_until_acknowledged, ids))
    await replicas.check_nothing_lost()


async def test_under_load_a_hang_loses_nothing_and_stores_nothing_twice(replicas: Replicas) -> None:
    async with load(replicas):
        await asyncio.sleep(0.5)
        with stopped(replicas.server):
            await asyncio.sleep(DEADLINE + 0.5)
        before = len(replicas.acknowledged)
        await until(acknowledges_more(replicas, before + 50), 30)
    await replicas.check_nothing_lost()


async def test_a_restart_under_load_loses_nothing_and_stores_nothing_twice(replicas: Replicas) -> None:
    async with load(replicas):
        for _ in range(2):
            await until(acknowledges_more(replicas, len(replicas.acknowledged) + 50), 30)
            await replicas.server.stop()
            await asyncio.sleep(0.3)
            await replicas.server.start()
        await until(acknowledges_more(replicas, len(replicas.acknowledged) + 50), 30)
    await replicas.check_nothing_lost()


def acknowledges_more(replicas: Replicas, than: int) -> Callable[[], Awaitable[bool]]:
    async def is_true() -> bool:
        return len(replicas.acknowledged) > than

    return is_true


async def test_without_room_on_the_disk_every_answer_is_503_and_the_same_deliveries_are_accepted_later(
    replicas: Replicas,
) -> None:
    """PostgreSQL reports a full disk as the error 53100. A trigger raises it, since tests may not fill disks."""
    await replicas.deliver("before")
    connection = await asyncpg.connect(dsn(replicas.url))
    await connection.execute(DISK_FULL)
    try:
        answers = await asyncio.gather(*(replicas.deliver(f"full-{number}", number % 2) for number in range(20)))
        assert {answer.status_code for answer in answers} == {UNAVAILABLE}
        assert (await replicas.clients[0].http.get("/livez")).status_code == 200
    finally:
        await connection.execute("DROP TRIGGER disk_full ON inbox; DROP FUNCTION raise_disk_full")
        await connection.close()
    await asyncio.gather(*(replicas.deliver_until_acknowledged(f"full-{number}") for number in range(20)))
    assert all(statuses == ["accepted"] for statuses in replicas.acknowledged.values())
    await replicas.check_nothing_lost()


async def test_a_request_of_the_api_is_503_while_the_database_hangs(replicas: Replicas) -> None:
    with stopped(replicas.server):
        post = replicas.clients[0].call("POST", "/v1/feedback", json=response(nps(9), id="api"))
        answer, seconds = await timed(post)
    assert (answer.status_code, answer.headers["content-type"]) == (UNAVAILABLE, "application/problem+json")
    assert answer.headers["retry-after"]
    assert seconds < 30
