"""A change of the database user's password while tools deliver: two users with the rights of one take turns."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url

from deploy.local.servers import Postgres
from services.ingest.app import create_app
from services.ingest.settings import Settings
from shared.database import dsn
from shared.migrations import upgrade
from tests.conftest import SERVICES
from tests.contract.inbox import Broker, until
from tests.replicas import Balancer, replace, stop_all
from tests.service.ingest.client import NO_METRICS, SECRET_KEY, TOKEN
from tests.service.ingest.test_hooks import wrapped
from tests.signing import SIGN

OWNER, SECOND = "ingest_owner", "ingest_second"
CREATE_SECOND = (
    f"CREATE ROLE {SECOND} LOGIN PASSWORD 'second' IN ROLE {OWNER}",
    f"ALTER ROLE {SECOND} SET role = '{OWNER}'",
)
"""The statements of docs/deployment.md."""
HEADERS = {"authorization": f"Bearer {TOKEN}", "x-earshot-tenant": "acme"}


class Database:
    """A database of ingest that belongs to the user OWNER."""

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    async def create(cls, postgres: Postgres) -> "Database":
        database = cls(await postgres.create_database("users_of_ingest"))
        await database.execute(f"CREATE ROLE {OWNER} LOGIN PASSWORD 'owner'", f"ALTER DATABASE users_of_ingest OWNER TO {OWNER}")
        await asyncio.to_thread(upgrade, database.url_of(OWNER, "owner"), SERVICES / "ingest" / "migrations")
        return database

    def url_of(self, user: str, password: str) -> str:
        return make_url(self.url).set(username=user, password=password).render_as_string(hide_password=False)

    async def execute(self, *statements: str, user: str | None = None, password: str = "") -> None:
        """Run statements as the superuser, or as `user`."""
        connection = await asyncpg.connect(dsn(self.url_of(user, password) if user else self.url))
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    async def lock(self, user: str) -> None:
        """Give `user` an unknown password, and end its connections."""
        await self.execute(
            f"ALTER ROLE {user} PASSWORD 'unknown'",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'",
        )

    def settings(self, user: str, password: str, hooks: str) -> Settings:
        """The settings of a replica of ingest."""
        secrets = {"secret_key": SECRET_KEY, "internal_token": TOKEN, "database_url": self.url_of(user, password)}
        addresses = {"metrics_url": NO_METRICS, "public_url": hooks, "kafka_bootstrap_servers": "127.0.0.1:1"}
        return Settings.model_validate(secrets | addresses)


class Tool:
    """A tool that delivers webhooks, each on a new connection."""

    def __init__(self, http: httpx.AsyncClient, connection: dict[str, Any]) -> None:
        self.statuses: Counter[int] = Counter()
        self._http = http
        self._connection = connection
        self._numbers = count()

    async def deliver(self) -> httpx.Response:
        body = wrapped(id=f"r-{next(self._numbers)}")
        headers = SIGN["standard"](self._connection["secret"], body)
        response = await self._http.post(self._connection["hook_url"], content=body, headers=headers)
        self.statuses[response.status_code] += 1
        return response

    async def deliver_until(self, end: asyncio.Event) -> None:
        while not end.is_set():
            await self.deliver()
            await asyncio.sleep(0.02)

    async def wait(self, deliveries: int = 10) -> None:
        """Wait for further deliveries."""
        goal = self.statuses.total() + deliveries

        async def is_reached() -> bool:
            return self.statuses.total() >= goal

        await until(is_reached)


@pytest.fixture
async def ingest_database(postgres: Postgres) -> Database:
    return await Database.create(postgres)


async def test_no_delivery_fails_while_the_database_user_is_exchanged(ingest_database: Database) -> None:
    balancer = Balancer()

    async def roll_out(user: str, password: str) -> None:
        app = create_app(ingest_database.settings(user, password, balancer.url), producer=Broker())
        await replace({"ingest": balancer}, {"ingest": app})

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(balancer.listening())
        stack.push_async_callback(stop_all, {"ingest": balancer})
        limits = httpx.Limits(max_keepalive_connections=0)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=15, limits=limits))
        await roll_out(OWNER, "owner")
        await http.put(f"{balancer.url}/internal/tenants/acme", json={"name": "Acme", "zone": "Europe/Berlin"}, headers=HEADERS)
        body = {"provider": "standard", "name": "a tool"}
        created = await http.post(f"{balancer.url}/v1/connections", json=body, headers=HEADERS)
        tool, end = Tool(http, created.json()), asyncio.Event()
        delivering = asyncio.create_task(tool.deliver_until(end))

        await tool.wait()
        await ingest_database.execute(*CREATE_SECOND)
        await roll_out(SECOND, "second")
        await ingest_database.lock(OWNER)
        await tool.wait()
        end.set()
        await delivering
        assert tool.statuses.keys() == {202}

        await ingest_database.execute("CREATE TABLE of_a_migration (id int)", user=SECOND, password="second")
        await ingest_database.execute(f"ALTER ROLE {OWNER} PASSWORD 'next'")
        await ingest_database.execute("DROP TABLE of_a_migration", user=OWNER, password="next")

        await ingest_database.lock(SECOND)
        refused = await tool.deliver()
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        ready = await http.get(f"{balancer.url}/readyz")
        assert (ready.status_code, ready.json()["missing"]) == (503, ["database"])
        assert (await http.get(f"{balancer.url}/livez")).status_code == 200
