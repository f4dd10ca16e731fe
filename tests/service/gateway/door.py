"""A gateway as tests see it: a real database, and services behind the door that the test plays itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI

from services.gateway.admin import Admin, new_key, open_admin
from services.gateway.app import create_app
from services.gateway.domain.tenants import Tenant
from services.gateway.settings import Settings
from shared.events import KpiChange, encode
from shared.kafka import Record

TOKEN = "internal-token-of-the-tests"
Answer = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


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
        answer = self.answer(request)
        return answer if isinstance(answer, httpx.Response) else await answer

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


@asynccontextmanager
async def opened(database_url: str, changes: Announcements | None, **settings: Any) -> AsyncIterator[Door]:
    """A running gateway on that database, hearing `changes`; without them it follows Kafka."""
    behind = Behind()
    transport = httpx.MockTransport(behind.handle)
    generous = {"keys_per_tenant": 100_000, "guesses_burst": 100_000}
    given = Settings(database_url=database_url, internal_token=TOKEN, **generous | settings)
    app = create_app(given, transport=transport, changes=changes.follow() if changes else None)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        inside = httpx.ASGITransport(app, raise_app_exceptions=False)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=inside, base_url="http://door"))
        admin = await stack.enter_async_context(open_admin(given, transport))
        yield Door(app, http, admin, behind, changes or Announcements())


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer that must be one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return dict(json.loads(answer.content))
