"""The gateway over a real database, with services behind it that the test plays itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.gateway.admin import Admin, new_key
from services.gateway.app import create_app
from services.gateway.clients.upstream import Upstream
from services.gateway.domain.tenants import Tenant
from services.gateway.settings import Settings
from services.gateway.store.keys import Keys
from services.gateway.store.tenants import Tenants
from shared.database import open_engine
from shared.events import KpiChange, encode
from shared.kafka import Record
from tests.conftest import NewDatabase

TOKEN = "internal-token-of-the-tests"
Answer = Callable[[httpx.Request], httpx.Response]


@dataclass
class Behind:
    """The services behind the door: hears every call, answers as `answer` says."""

    answer: Answer = lambda request: httpx.Response(200, json={"ok": True})
    heard: list[httpx.Request] = field(default_factory=list)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if request.url.path.startswith("/internal/tenants/"):
            return httpx.Response(204)
        self.heard.append(request)
        return self.answer(request)

    @property
    def last(self) -> httpx.Request:
        return self.heard[-1]


class Announcements:
    """Plays `kpi.changes`."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Record] = asyncio.Queue()
        self._offset = 0

    def announce(self, tenant: str, *kpis: str) -> int:
        """Put a record on the topic; returns its offset."""
        self._offset += 1
        change = KpiChange(tenant=tenant, kpis=kpis, at=datetime.now(UTC))
        self._queue.put_nowait(Record("kpi.changes", 0, self._offset, tenant.encode(), encode(change), (), 0))
        return self._offset

    async def follow(self) -> AsyncIterator[Record]:
        while True:
            yield await self._queue.get()


@dataclass
class Door:
    """The gateway's public side, and its database to make keys in."""

    app: FastAPI
    http: httpx.AsyncClient
    admin: Admin
    behind: Behind
    changes: Announcements

    async def key(self, *scopes: str, tenant: str = "acme", expires_at: datetime | None = None) -> str:
        await self.admin.tenants.add(Tenant(tenant, tenant, "Europe/Berlin"))
        _, secret = await new_key(self.admin.keys, tenant, scopes, expires_at=expires_at)
        return secret

    async def get(self, path: str, key: str, **options: Any) -> httpx.Response:
        return await self.call("GET", path, key, **options)

    async def call(self, method: str, path: str, key: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"} | options.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **options)


OpenDoor = Callable[..., Any]


@pytest.fixture(scope="session")
def open_door(database: NewDatabase) -> OpenDoor:
    """`async with open_door(**settings) as door`: a gateway of the test's own."""

    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncIterator[Door]:
        behind = Behind()
        transport = httpx.MockTransport(behind.handle)
        given = Settings(database_url=await database("gateway"), internal_token=TOKEN, **settings)
        changes = Announcements()
        app = create_app(given, transport=transport, changes=changes.follow())
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app.router.lifespan_context(app))
            inside = httpx.ASGITransport(app, raise_app_exceptions=False)
            http = await stack.enter_async_context(httpx.AsyncClient(transport=inside, base_url="http://door"))
            engine = open_engine(given.database_url)
            stack.push_async_callback(engine.dispose)
            played = httpx.AsyncClient(transport=transport)
            upstreams = [Upstream(name, played, given.ingest_url, given.internal_token) for name in ("ingest", "metrics")]
            yield Door(app, http, Admin(Tenants(engine), Keys(engine), *upstreams), behind, changes)
            await played.aclose()

    return opened


@pytest.fixture(scope="session")
async def door(open_door: OpenDoor) -> AsyncIterator[Door]:
    """One gateway for the tests that need nothing special."""
    async with open_door() as door:
        yield door


@pytest.fixture(autouse=True)
def behind_forgets(request: pytest.FixtureRequest) -> None:
    if "door" in request.fixturenames:
        behind = request.getfixturevalue("door").behind
        behind.heard.clear()
        behind.answer = Behind().answer


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer that must be one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return dict(json.loads(answer.content))
