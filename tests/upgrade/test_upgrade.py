"""An upgrade from an earlier release and a rollback of its code, under load: the two releases serve side by side on one schema.

Needs the history of Git: `make rehearse`.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from deploy.local.servers import Kafka, Postgres, free_port_base
from services.metrics.rebuild_in_place import rebuild_in_place
from services.metrics.store.writer import Writer
from shared.database import open_pool
from shared.kafka import ensure_topics
from shared.migrations import upgrade
from tests.conftest import SERVICES as FOLDER
from tests.e2e.stack import until
from tests.installation import MODEL, Installation
from tests.rehearsal import HEADERS, TOKEN, Rehearsal, ids
from tests.replicas import replace, roll_out
from tests.service.ingest.client import SECRET_KEY
from tests.upgrade.former_release import SERVICES, FormerRelease, unpack

ATTEMPTS = 11
"""Of a Job of the migrations: `backoffLimit` and the first."""


@pytest.fixture
async def kafka(tmp_path: Path) -> AsyncIterator[Kafka]:
    port = free_port_base(2)
    server = Kafka(tmp_path / "kafka", port, port + 1)
    await server.start()
    await ensure_topics(server.bootstrap)
    yield server
    await server.stop()


@pytest.fixture
async def installation(postgres: Postgres, kafka: Kafka) -> AsyncIterator[Installation]:
    """Empty databases, a broker, and addresses without services."""
    databases = {name: await postgres.create_database(f"upgraded_{name}") for name in ("ingest", "metrics")}
    installation = Installation(databases, {"internal_token": TOKEN}, kafka.bootstrap, SERVICES)
    async with AsyncExitStack() as stack:
        for name in SERVICES:
            await stack.enter_async_context(installation.balancers[name].listening())
        stack.push_async_callback(installation.stop)
        yield installation


@pytest.fixture
def former(installation: Installation, tmp_path: Path) -> FormerRelease:
    folder = tmp_path / "former"
    unpack(folder)
    urls = {f"{caller}_{name}_URL".upper(): installation.url(name) for caller in SERVICES for name in SERVICES}
    databases = {f"{name}_DATABASE_URL".upper(): url for name, url in installation.databases.items()}
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": str(installation.kafka),
        "INTERNAL_TOKEN": TOKEN,
        "INGEST_SECRET_KEY": SECRET_KEY,
        "SENTIMENT_SCORER": "vader",
        "METRICS_SENTIMENT_MODEL": MODEL,
        "SHUTDOWN_PAUSE": "0.5",
    }
    return FormerRelease(folder, dict(os.environ) | urls | databases | own)


class Load:
    """A client that posts one response after the other, and sends each again until it is accepted."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.refused: Counter[int | str] = Counter()
        self._rehearsal = rehearsal
        self._accepted = 0
        self._ends = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        yield
        self._ends = True
        await task

    async def repeat(self, responses: int = 20) -> None:
        """Wait until further responses are accepted."""
        goal = self._accepted + responses

        async def is_reached() -> bool:
            return self._accepted >= goal

        await until(is_reached)

    async def _run(self) -> None:
        while not self._ends:
            try:
                answer = await self._rehearsal.send(f"load-{self._accepted}")
            except httpx.TransportError as error:
                self.refused[repr(error)] += 1
            else:
                if answer.status_code == 202:
                    self._accepted += 1
                else:
                    self.refused[answer.status_code] += 1
            await asyncio.sleep(0.05)


async def migrate(installation: Installation) -> None:
    """Run the migrations beside the load. After a deadlock with a request they are run again, as the Job of Kubernetes does."""
    for name in installation.databases:
        for attempt in range(ATTEMPTS):
            try:
                await asyncio.to_thread(upgrade, installation.databases[name], FOLDER / name / "migrations")
                break
            except DBAPIError:
                if attempt == ATTEMPTS - 1:
                    raise


async def rebuild_all(installation: Installation) -> None:
    """Compute all contributions again, which the release does by itself ten minutes after its start."""
    async with open_pool(installation.databases["metrics"], 3) as pool:
        await rebuild_in_place(pool, Writer(pool))


async def test_two_releases_serve_side_by_side_and_a_rollback_loses_nothing(
    installation: Installation, former: FormerRelease
) -> None:
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(headers=HEADERS, timeout=15, limits=limits) as http:
        rehearsal = Rehearsal(installation, http)
        load = Load(rehearsal)
        await former.migrate()
        await roll_out(installation.balancers, former.processes())
        await rehearsal.create_tenant("ingest", "metrics")
        await rehearsal.post(*ids("of-the-former-release"))
        await rehearsal.wait_until_counted()

        async with load.running():
            await migrate(installation)
            assert load.refused.keys() <= {503}
            load.refused.clear()
            await load.repeat()  # the former release on the new schema
            await replace(installation.balancers, installation.apps(), load.repeat)
            await load.repeat()
            await roll_out(installation.balancers, former.processes(), load.repeat)
            await load.repeat()
            await replace(installation.balancers, installation.apps(), load.repeat)
            await load.repeat()
        await rehearsal.wait_until_counted()
        assert load.refused == {}
        await rebuild_all(installation)
        assert await rehearsal.differences() == []
