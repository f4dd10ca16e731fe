"""Ingest over HTTP: the whole application on a real database, with a fake broker."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
from fastapi import FastAPI

from services.ingest.app import create_app
from services.ingest.settings import Settings
from shared.events import Event, decode_event
from tests.contract.inbox import Broker
from tests.signing import SIGN

TOKEN = "an-internal-token"
SECRET_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
NO_METRICS = "http://127.0.0.1:9"
TENANTS = count(1)


@dataclass
class IngestClient:
    """Calls ingest for `tenant` as the gateway does, and as tools do. `clock`: the time that ingest sees, if it is set."""

    app: FastAPI
    http: httpx.AsyncClient
    broker: Broker
    tenant: str = "acme"
    clock: list[datetime] = field(default_factory=list)

    @property
    def internal_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {TOKEN}", "x-earshot-tenant": self.tenant}

    async def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **request: Any) -> httpx.Response:
        return await self.http.request(method, path, headers={**self.internal_headers, **(headers or {})}, **request)

    async def connect(self, provider: str = "standard", **body: Any) -> dict[str, Any]:
        answer = await self.call("POST", "/v1/connections", json={"provider": provider, "name": "a tool", **body})
        assert answer.status_code == 201, answer.text
        connection: dict[str, Any] = answer.json()
        return connection

    async def deliver(self, connection: dict[str, Any], body: bytes, **signing: Any) -> httpx.Response:
        headers = SIGN[connection["provider"]](connection["secret"], body, **signing)
        return await self.http.post(f"/v1/hooks/{connection['id']}", content=body, headers=headers)

    async def deliver_record(self, connection: dict[str, Any], record: Any, **signing: Any) -> str:
        """Post a record as a Standard Webhook. Returns the status."""
        answer = await self.deliver(connection, json.dumps({"data": record}).encode(), **signing)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["status"])

    async def events(self, **query: Any) -> list[Event]:
        answer = await self.call("GET", "/internal/events", params={"tenant": self.tenant, **query})
        assert answer.status_code == 200, answer.text
        return [decode_event(line) for line in answer.content.splitlines()]

    def set_clock(self, now: datetime) -> None:
        self.clock[:] = [now]


@asynccontextmanager
async def running_ingest(url: str, **settings: Any) -> AsyncIterator[IngestClient]:
    broker = Broker()
    clock: list[datetime] = []
    required = {"database_url": url, "secret_key": SECRET_KEY, "internal_token": TOKEN, "metrics_url": NO_METRICS}
    values = Settings(**required | settings)
    app = create_app(values, producer=broker, now=lambda: clock[0] if clock else datetime.now(UTC))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest.test") as http:
            yield IngestClient(app, http, broker, clock=clock)
