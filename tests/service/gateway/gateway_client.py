"""A client of a running gateway with a real database. The test plays the services behind it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI

from services.gateway.admin import Admin, issue_key, open_admin
from services.gateway.app import create_app
from services.gateway.domain.tenants import Tenant
from services.gateway.settings import Settings
from shared.events import KpiChange, encode
from shared.kafka import IncomingRecord

TOKEN = "internal-token-of-the-tests"
Respond = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


@dataclass
class FakeUpstreams:
    """Plays ingest, metrics and sentiment: records each request and responds with `respond`."""

    respond: Respond = lambda request: httpx.Response(200, json={"ok": True})
    requests: list[httpx.Request] = field(default_factory=list)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if request.url.path.startswith("/internal/tenants/"):
            return httpx.Response(204)
        self.requests.append(request)
        response = self.respond(request)
        return response if isinstance(response, httpx.Response) else await response

    @property
    def last_request(self) -> httpx.Request:
        return self.requests[-1]

    def reset(self) -> None:
        self.requests.clear()
        self.respond = FakeUpstreams().respond


class FakeChanges:
    """Plays the topic `kpi.changes`."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[IncomingRecord] = asyncio.Queue()
        self._offset = 0

    def announce(self, tenant: str, *kpis: str) -> int:
        """Append a record; returns its offset."""
        self._offset += 1
        change = KpiChange(tenant=tenant, kpis=kpis, at=datetime.now(UTC))
        self._queue.put_nowait(IncomingRecord("kpi.changes", 0, self._offset, tenant.encode(), encode(change), (), 0))
        return self._offset

    async def follow(self) -> AsyncIterator[IncomingRecord]:
        while True:
            yield await self._queue.get()


@dataclass
class GatewayClient:
    """Calls the gateway, and creates API keys in its database."""

    app: FastAPI
    http: httpx.AsyncClient
    admin: Admin
    upstreams: FakeUpstreams
    changes: FakeChanges

    async def key(self, *scopes: str, tenant: str = "acme", expires_at: datetime | None = None) -> str:
        """The secret of a new key."""
        await self.admin.tenants.add(Tenant(tenant, tenant, "Europe/Berlin"))
        _, secret = await issue_key(self.admin.keys, tenant, scopes, expires_at=expires_at)
        return secret

    async def get(self, path: str, key: str, **options: Any) -> httpx.Response:
        return await self.call("GET", path, key, **options)

    async def call(self, method: str, path: str, key: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"} | options.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **options)


@asynccontextmanager
async def open_client(database_url: str, changes: FakeChanges | None, **settings: Any) -> AsyncIterator[GatewayClient]:
    """A gateway on this database that follows `changes` (None: Kafka), and a client of it."""
    upstreams = FakeUpstreams()
    transport = httpx.MockTransport(upstreams.handle)
    defaults = {"keys_per_tenant": 100_000, "guesses_burst": 100_000}
    settings_ = Settings(database_url=database_url, internal_token=TOKEN, **defaults | settings)
    app = create_app(settings_, transport=transport, changes=changes.follow() if changes else None)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        asgi = httpx.ASGITransport(app, raise_app_exceptions=False)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=asgi, base_url="http://gateway"))
        admin = await stack.enter_async_context(open_admin(settings_, transport))
        yield GatewayClient(app, http, admin, upstreams, changes or FakeChanges())


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem document of a response."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    return dict(json.loads(response.content))
