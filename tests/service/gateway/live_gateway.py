"""A gateway on a real port, because a live stream must be read while it is open."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from deploy.local.ports import free_port
from shared.http import Server
from tests.service.gateway.gateway_client import GatewayClient

TIMEOUT = 5.0


@dataclass
class Metrics:
    """Plays metrics with one number for each KPI of each tenant."""

    n: Counter[tuple[str, str]]

    def respond(self, request: httpx.Request) -> httpx.Response:
        kpi, tenant = request.url.path.split("/")[3], request.headers["x-earshot-tenant"]
        if request.url.path == "/v1/sla/upcoming":
            tickets = [{"subject": f"c1/ticket/{number}"} for number in range(self.n[tenant, "sla_breached_open"])]
            return httpx.Response(200, json={"rows": tickets, "query": str(request.url.query, "ascii")})
        if kpi not in {"nps", "csat"}:
            detail = f'there is no KPI "{kpi}"; did you mean "nps"?'
            return httpx.Response(404, json={"title": "Unknown KPI", "status": 404, "detail": detail})
        if "slow" in request.url.params:
            return httpx.Response(503, json={"title": "Too slow", "status": 503, "detail": "no result within 20 s"})
        if "colour" in request.url.params:
            return httpx.Response(400, json={"invalid_params": [{"name": "colour", "reason": "unknown parameter"}]})
        return httpx.Response(
            200, json={"kpi": kpi, "rows": [{"n": self.n[tenant, kpi]}], "query": str(request.url.query, "ascii")}
        )


class EventReader:
    """Reads server-sent events. A comment is `("", None, None)`."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, Any, str | None]:
        """The next event's name, data and id; raises StopAsyncIteration when the stream ends."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(TIMEOUT):
            while (line := await anext(self._lines)) or not fields:
                name, _, value = line.partition(":")
                if line:
                    fields[name] = value.removeprefix(" ")
        return fields.get("event", ""), json.loads(fields["data"]) if "data" in fields else None, fields.get("id")

    async def ended(self) -> bool:
        """Read the stream to its end."""
        async with asyncio.timeout(TIMEOUT):
            async for _ in self._lines:
                pass
        return True


@dataclass
class LiveGateway:
    """A gateway on a port. The test plays metrics and `kpi.changes`."""

    client: GatewayClient
    server: Server
    http: httpx.AsyncClient
    metrics: Metrics

    @asynccontextmanager
    async def stream(
        self, key: str, query: str = "kpis=nps&window=24h", last_id: str | None = None
    ) -> AsyncIterator[EventReader]:
        headers = {"authorization": f"Bearer {key}"} | ({"last-event-id": last_id} if last_id else {})
        async with self.http.stream("GET", f"/v1/live?{query}", headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            yield EventReader(response)

    def change(self, tenant: str, kpi: str) -> int:
        self.metrics.n[tenant, kpi] += 1
        return self.client.changes.announce(tenant, kpi)


@asynccontextmanager
async def serve(opening: AbstractAsyncContextManager[GatewayClient]) -> AsyncIterator[LiveGateway]:
    """Serve the gateway that `opening` opens on a port."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(opening)
        metrics = Metrics(Counter())
        client.upstreams.respond = metrics.respond
        config = uvicorn.Config(
            client.app, port=(port := free_port()), lifespan="off", log_config=None, timeout_graceful_shutdown=5
        )
        server = Server(config, client.app, pause=0)
        serving = asyncio.create_task(server.serve())
        for _ in range(500):
            if not server.started:
                await asyncio.sleep(0.01)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=TIMEOUT))
        yield LiveGateway(client, server, http, metrics)
        server.should_exit = True
        await serving
