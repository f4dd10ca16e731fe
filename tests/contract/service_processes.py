"""All four services as processes on a real PostgreSQL and a real Kafka, and a collector of their traces."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.types import Receive, Scope, Send

from deploy import new_secrets
from deploy.local.servers import free_port
from shared.kafka import ensure_topics
from tests.conftest import NewDatabase

ROOT = Path(__file__).parents[2]
SERVICES = ("ingest", "sentiment", "metrics", "gateway")
DATABASES = ("ingest", "metrics", "gateway")
TOKEN = new_secrets.internal_token()
START_SECONDS, STOP_SECONDS = 90.0, 60.0


@dataclass
class ServiceProcesses:
    """Running services. `http` calls them as the gateway does, for the tenant `acme`."""

    http: httpx.AsyncClient
    folder: Path
    ports: dict[str, int]
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def lines(self, service: str) -> list[str]:
        """The complete lines of its standard output and standard error."""
        return (self.folder / f"{service}.log").read_text().split("\n")[:-1]

    def events(self, service: str, name: str) -> list[dict[str, Any]]:
        """Its log events of this name."""
        return [event for event in map(json.loads, self.lines(service)) if event["event"] == name]

    async def stop(self) -> None:
        """Send SIGTERM to every service, as Kubernetes does, and wait for their ends."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            await asyncio.wait_for(process.wait(), STOP_SECONDS)


SECRET_KEY = new_secrets.secret_key()


async def service_environment(database: NewDatabase, kafka: str, ports: dict[str, int]) -> dict[str, str]:
    """The settings of all services."""
    urls = {
        f"{caller}_{service}_URL".upper(): f"http://127.0.0.1:{ports[service]}" for caller in SERVICES for service in SERVICES
    }
    return urls | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "INTERNAL_TOKEN": TOKEN,
        "INGEST_SECRET_KEY": SECRET_KEY,
        "SENTIMENT_SCORER": "vader",
        **{f"{service.upper()}_PORT": str(port) for service, port in ports.items()},
        **{f"{service.upper()}_DATABASE_URL": await database(service) for service in DATABASES},
    }


@asynccontextmanager
async def running_services(database: NewDatabase, kafka: str, folder: Path, **settings: str) -> AsyncIterator[ServiceProcesses]:
    """Start all services, wait until they are ready, and kill those that still run at the end."""
    await ensure_topics(kafka)
    ports = {service: free_port() for service in SERVICES}
    environment = os.environ | await service_environment(database, kafka, ports) | settings
    headers = {"authorization": f"Bearer {TOKEN}", "x-earshot-tenant": "acme"}
    async with httpx.AsyncClient(headers=headers, timeout=15) as http:
        running = ServiceProcesses(http, folder, ports)
        try:
            for service in SERVICES:
                with (folder / f"{service}.log").open("wb") as log:
                    running.processes[service] = await asyncio.create_subprocess_exec(
                        sys.executable, "-m", f"services.{service}", cwd=ROOT, env=environment, stdout=log, stderr=log
                    )
            async with asyncio.timeout(START_SECONDS):
                for service in SERVICES:
                    await _wait_until_ready(running, service)
            yield running
        finally:
            for process in running.processes.values():
                if process.returncode is None:
                    process.kill()
                await process.wait()


async def _wait_until_ready(running: ServiceProcesses, service: str) -> None:
    while True:
        assert running.processes[service].returncode is None, running.lines(service)[-5:]
        try:
            if (await running.http.get(f"{running.url(service)}/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)


@dataclass
class Span:
    """A span as a service exported it; ids are in hexadecimal."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]


class Collector:
    """An OpenTelemetry collector: receives spans by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["path"] == "/v1/traces"
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            [service] = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]
            self.spans += [span_of(service, span) for scope_spans in resource.scope_spans for span in scope_spans.spans]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def of(self, service: str, name: str, trace: str) -> list[Span]:
        """The spans of one trace with this name."""
        return [s for s in self.spans if (s.service, s.name, s.trace) == (f"earshot-{service}", name, trace)]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Serve; yields the base URL."""
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(self, port=port, lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve())
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        await serving


def span_of(service: str, span: Any) -> Span:
    attributes = {attribute.key: attribute.value.string_value for attribute in span.attributes}
    return Span(service, span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), attributes)
