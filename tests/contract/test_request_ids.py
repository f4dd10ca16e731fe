"""One request through all services: its id is in the log of each, and its trace leads from one to the next. Their log lines."""

import asyncio
import json
import platform
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.servers import Kafka, free_port_base
from services.gateway.admin import issue_key, open_admin
from services.gateway.settings import Settings
from shared.version import VERSION
from tests.conftest import NewDatabase
from tests.contract.kafka_topic import until
from tests.contract.service_processes import SECRET_KEY, SERVICES, TOKEN, Collector, ServiceProcesses, running_services

REQUEST_ID = "order-4711"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
RESPONSE = {
    "type": "response",
    "id": "r-1",
    "at": datetime(2026, 11, 20, tzinfo=UTC).isoformat(),
    "answers": [{"question": "q1", "kind": "comment", "text": "Setup took five minutes. Lovely.", "language": "en"}],
}


@pytest.fixture(scope="module")
async def collector() -> Collector:
    return Collector()


@pytest.fixture(scope="module")
async def empty_kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A broker without records of other tests, so that no batch holds records of several requests."""
    port = free_port_base(2)
    broker = Kafka(tmp_path_factory.mktemp("kafka"), port, port + 1)
    await broker.start()
    yield broker.bootstrap
    await broker.stop()


@pytest.fixture(scope="module")
async def services(
    database: NewDatabase, empty_kafka: str, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServiceProcesses]:
    folder: Path = tmp_path_factory.mktemp("services")
    url = await database("gateway")
    async with collector.listening() as endpoint:
        settings = {
            "LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "GATEWAY_DATABASE_URL": url,
        }
        async with running_services(database, empty_kafka, folder, **settings) as services:
            await post_feedback(services, url)
            yield services


async def post_feedback(services: ServiceProcesses, gateway_database: str) -> None:
    """Create a tenant and post one response with a comment to the gateway."""
    settings = Settings.model_validate(
        {"database_url": gateway_database, "internal_token": TOKEN}
        | {f"{service}_url": services.url(service) for service in ("ingest", "sentiment", "metrics")}
    )
    async with open_admin(settings) as admin:
        await admin.create_tenant("acme", "Europe/Berlin", None)
        _, key = await issue_key(admin.keys, "acme", ["ingest:write"])
    headers = {"authorization": f"Bearer {key}", "x-request-id": REQUEST_ID, "traceparent": f"00-{TRACE}-{CALLER}-01"}
    response = await services.http.post(f"{services.url('gateway')}/v1/feedback", json=RESPONSE, headers=headers)
    assert response.status_code == 202, response.text
    assert response.headers["x-request-id"] == REQUEST_ID


@pytest.mark.parametrize(
    ("service", "event", "topics"),
    [
        ("gateway", "response", set()),
        ("ingest", "inbox.committed", set()),
        ("sentiment", "kafka.handled", {"feedback.events"}),
        ("metrics", "kafka.handled", {"feedback.events", "feedback.scores"}),
    ],
)
async def test_the_log_of_every_service_has_the_request_id(
    services: ServiceProcesses, service: str, event: str, topics: set[str]
) -> None:
    def lines() -> list[dict[str, Any]]:
        return [e for e in services.events(service, event) if REQUEST_ID in [e.get("request_id"), *e.get("request_ids", [])]]

    def handled() -> set[str]:
        """An event and its score may be in one batch."""
        return {topic for line in lines() for topic in line.get("topics", "").split(",") if topic}

    await until(lambda: bool(lines()) and handled() >= topics)
    assert handled() == topics
    assert {line["level"] for line in lines()} == {"info" if service == "gateway" else "debug"}


async def test_a_trace_leads_from_the_request_to_the_score(services: ServiceProcesses, collector: Collector) -> None:
    def spans(service: str, name: str) -> list[str]:
        """The parents of the spans of this name. A span of a batch may name several topics."""
        verb, _, topic = name.partition(" ")
        return [
            span.parent
            for span in collector.spans
            if (span.service, span.trace) == (f"earshot-{service}", TRACE)
            and span.name.partition(" ")[0] == verb
            and topic in span.name.partition(" ")[2].split(",")
        ]

    steps = (
        ("ingest", "commit deliveries"),
        ("ingest", "send feedback.events"),
        ("sentiment", "process feedback.events"),
        ("metrics", "process feedback.events"),
        ("metrics", "process feedback.scores"),
    )
    await until(lambda: all(spans(*step) for step in (*steps, ("sentiment", "send feedback.scores"))))
    [at_gateway] = collector.of("gateway", "POST /v1/feedback", TRACE)
    [call] = collector.of("gateway", "POST", TRACE)
    [at_ingest] = collector.of("ingest", "POST /v1/feedback", TRACE)
    assert (at_gateway.parent, call.parent, at_ingest.parent) == (CALLER, at_gateway.id, call.id)
    for service, name in steps:
        assert spans(service, name) == [at_ingest.id], (service, name)
    [process] = collector.of("sentiment", "process feedback.events", TRACE)
    assert spans("sentiment", "send feedback.scores") == [process.id]


async def test_spans_name_no_path_and_no_query(services: ServiceProcesses, collector: Collector) -> None:
    await services.http.get(f"{services.url('metrics')}/v1/kpis/nps?filter[agent]=jane")
    await until(lambda: any(span.name == "GET /v1/kpis/{kpi}" for span in collector.spans))
    targets = {value for span in collector.spans for name, value in span.attributes.items() if name in ("url.path", "url.query")}
    assert targets == {"REDACTED"}


async def test_every_line_of_a_service_is_json_from_its_start_to_its_stop(services: ServiceProcesses) -> None:
    await services.http.get(f"{services.url('ingest')}/internal/head", headers={"authorization": "Bearer wrong"})
    reader, writer = await asyncio.open_connection("127.0.0.1", services.ports["gateway"])
    writer.write(b"NONSENSE\r\n\r\n")
    await reader.read()
    writer.close()
    await services.stop()
    for service in SERVICES:
        lines = [json.loads(line) for line in services.lines(service)]
        assert {line["service"] for line in lines} == {service}
        [start] = [line for line in lines if line["event"] == "service.started"]
        events = [line["event"] for line in lines if line["event"].startswith("service.")]
        assert events == ["service.started", "service.stopping", "service.stopped"]
        assert lines[-1]["event"] == "service.stopped"
        stop = lines[-1]
        assert (start["version"], start["port"]) == (VERSION, services.ports[service])
        assert start["python"] == platform.python_version()
        assert start["settings"][f"{service.upper()}_PORT"] == services.ports[service]
        assert (stop["reason"], stop["seconds"] >= 0) == ("SIGTERM", True)
        text = "\n".join(services.lines(service))
        assert not [secret for secret in (TOKEN, SECRET_KEY, "Lovely") if secret in text]
