"""Helpers of the tests of verify: a fake ingest that serves stored events, and a verification of a test database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI, Request, Response
from pydantic import AnyHttpUrl, SecretStr

from services.metrics.clients.ingest import Ingest
from services.metrics.domain.query import Query
from services.metrics.verify.battery import battery
from services.metrics.verify.report import VerifyStep
from services.metrics.verify.verification import StackVerification
from shared.events import Event, encode
from shared.ingest import ingest_client
from tests.service.metrics.database import (
    TOKEN,
    MetricsDatabase,
    serving,
)
from tests.unit.metrics.build import MODEL

NOW = datetime.now(UTC)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


@dataclass
class Inbox:
    """A fake of ingest's internal API. `on_head_request` runs at each request of its head."""

    events: list[Event] = field(default_factory=list)
    on_head_request: Callable[[], Awaitable[None]] | None = None

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/internal/head")
        async def head() -> dict[str, int]:
            if self.on_head_request:
                await self.on_head_request()
            return {"seq": max(event.seq for event in self.events), "unpublished": 0}

        @app.get("/internal/events")
        async def events(
            request: Request, upto: int, tenant: str | None = None, after: int = 0, limit: int = 1_000_000
        ) -> Response:
            assert request.headers["authorization"] == f"Bearer {TOKEN}"
            events = [event for event in self.events if after < event.seq <= upto and tenant in (None, event.tenant)]
            events.sort(key=lambda event: (event.seq, event.position))
            last = events[:limit][-1].seq if events else 0
            return Response(b"".join(encode(event) + b"\n" for event in events if event.seq <= last))

        return app


Battery = Callable[[datetime, ZoneInfo, Sequence[str]], Iterable[Query]]


def few(now: datetime, zone: ZoneInfo, own: Sequence[str]) -> Iterable[Query]:
    """One query in 27, for tests of other steps."""
    return islice(battery(now, zone, own), 0, None, 27)


@asynccontextmanager
async def verifying(
    metrics_db: MetricsDatabase, inbox: Inbox, patience: float, queries: Battery | None = None
) -> AsyncIterator[StackVerification]:
    transport = httpx.ASGITransport(inbox.app())
    async with (
        ingest_client(AnyHttpUrl("http://ingest"), SecretStr(TOKEN), transport=transport) as http,
        serving(metrics_db.url) as metrics,
    ):
        yield StackVerification(
            Ingest(http), metrics_db.pool, metrics, MODEL, patience, say=lambda line: None, battery=queries or few
        )


class AlteredResponses(httpx.AsyncBaseTransport):
    """Sends requests with `client`, and replaces the body of each KPI's response by `alter(body)`."""

    def __init__(self, client: httpx.AsyncClient, alter: Callable[[bytes], bytes]) -> None:
        self.client = client
        self.alter = alter

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.client.send(request)
        if not request.url.path.startswith("/v1/kpis/"):
            return response
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return httpx.Response(response.status_code, headers=headers, content=self.alter(response.content))


def with_altered_responses(verification: StackVerification, alter: Callable[[bytes], bytes]) -> StackVerification:
    """The verification, with responses of metrics that `alter` changes."""
    client = verification.metrics
    altered = httpx.AsyncClient(transport=AlteredResponses(client, alter), base_url=client.base_url, headers=client.headers)
    return replace(verification, metrics=altered)


async def verified(
    metrics_db: MetricsDatabase, inbox: Inbox, patience: float = 0.0, tenant: str | None = None
) -> list[VerifyStep]:
    async with verifying(metrics_db, inbox, patience) as verification:
        return await verification.run(tenant)


def failed(steps: list[VerifyStep]) -> list[str]:
    return [step.name for step in steps if step.differences]
