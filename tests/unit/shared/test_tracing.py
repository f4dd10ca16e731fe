"""Spans: off without a setting, else a child of the one trace that their records have, or linked to several."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from shared import tracing
from shared.request_context import RequestContext, bound
from shared.service_client import ServiceClient

FIRST = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECOND = "00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use_provider(provider)
    yield exporter
    tracing.use_provider(None)


def contexts(*traceparents: str) -> list[RequestContext | None]:
    return [None, *(RequestContext("r", traceparent) for traceparent in traceparents)]


def test_without_the_setting_no_service_imports_the_sdk() -> None:
    apps = ", ".join(f"services.{service}.app" for service in ("ingest", "sentiment", "metrics", "gateway"))
    code = f"import sys, {apps}; sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_setting_a_span_does_nothing() -> None:
    assert tracing.span("a", SpanKind.CLIENT) is tracing.span("b", SpanKind.CLIENT)
    context = RequestContext("r", FIRST)
    with bound(context), tracing.span("a", SpanKind.CLIENT):
        assert tracing.outgoing_context() == context


def test_a_span_continues_the_only_trace_of_its_records(exporter: InMemorySpanExporter) -> None:
    with tracing.span("process", SpanKind.CONSUMER, contexts(FIRST, FIRST)):
        pass
    [span] = exporter.get_finished_spans()
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (FIRST[3:35], FIRST[36:52])
    assert span.links == ()


def test_a_span_of_records_of_several_traces_links_to_them(exporter: InMemorySpanExporter) -> None:
    with tracing.span("process", SpanKind.CONSUMER, contexts(FIRST, SECOND, FIRST)):
        pass
    [span] = exporter.get_finished_spans()
    assert span.parent is None
    assert [f"{link.context.trace_id:032x}" for link in span.links] == [FIRST[3:35], SECOND[3:35]]


def test_a_span_within_another_is_its_child(exporter: InMemorySpanExporter) -> None:
    with tracing.span("process", SpanKind.CONSUMER), tracing.span("send", SpanKind.PRODUCER, contexts(FIRST)):
        pass
    inner, outer = exporter.get_finished_spans()
    assert inner.parent == outer.context


def test_an_error_ends_a_span_without_its_message(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="jane"), tracing.span("send", SpanKind.PRODUCER):
        raise ValueError("jane@example.com")
    [span] = exporter.get_finished_spans()
    assert span.status.status_code == StatusCode.ERROR
    assert span.attributes == {"error.type": "ValueError"}
    assert (span.status.description, span.events) == (None, ())


async def test_a_call_passes_its_span_on(exporter: InMemorySpanExporter) -> None:
    sent: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["traceparent"])
        return httpx.Response(204)

    with bound(RequestContext("r", FIRST)), tracing.span("request", SpanKind.SERVER, contexts(FIRST)):
        async with ServiceClient(transport=httpx.MockTransport(respond)) as client:
            await client.get("http://metrics:8000/v1/kpis/nps?tenant=acme")
    call, request = exporter.get_finished_spans()
    assert call.context is not None
    assert call.parent == request.context
    assert sent == [f"00-{FIRST[3:35]}-{call.context.span_id:016x}-01"]
    assert call.attributes == {
        "http.request.method": "GET",
        "server.address": "metrics",
        "server.port": 8000,
        "http.response.status_code": 204,
    }
