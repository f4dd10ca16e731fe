"""OpenTelemetry traces, off unless OTEL_EXPORTER_OTLP_ENDPOINT is set. While they are off, a span costs one call and no import of
the SDK.

FastAPI itself makes the spans of HTTP servers, from the global provider. See docs/decisions/0015-opentelemetry-by-setting.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from fastapi.telemetry import TelemetryConfig
from msgspec.structs import replace
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags, TracerProvider

from shared.request_context import RequestContext, current_context
from shared.version import VERSION

FASTAPI_TELEMETRY: TelemetryConfig = {"metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}
"""`FastAPI(telemetry=…)`: spans of requests only. Metrics are those of `/metrics`; FastAPI's log records quote values."""

MAX_LINKS = 64
"""Links of one span; a batch may hold records of more traces."""

EXPORT_SECONDS = 5
"""Time limit of one export, and of the last one when a service stops."""

HIDDEN = "REDACTED"

NO_SPAN: AbstractContextManager[trace.Span] = nullcontext(trace.INVALID_SPAN)

_tracer: trace.Tracer | None = None


def start_tracing(service: str, endpoint: str) -> None:
    """Send the spans of this process to the OpenTelemetry collector at `endpoint`, by OTLP over HTTP.

    The SDK reads its other settings from the environment: OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS and others.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"earshot-{service}", "service.version": VERSION})
    provider = SdkTracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    use_provider(provider)


def use_provider(provider: TracerProvider | None) -> None:
    """Make spans with `provider`; None: make none."""
    global _tracer
    _tracer = provider.get_tracer("earshot", VERSION) if provider else None


def is_on() -> bool:
    """Whether spans are made."""
    return _tracer is not None


def stop_tracing() -> None:
    """Send the spans that wait, within EXPORT_SECONDS. Blocks, so call it in a thread."""
    if _tracer is None:
        return
    shutdown = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shutdown is not None:
        shutdown()


def span(
    name: str,
    kind: SpanKind,
    contexts: Iterable[RequestContext | None] = (),
    attributes: Mapping[str, str | int] | None = None,
) -> AbstractContextManager[trace.Span]:
    """A span around a `with` block; an error ends it with the status ERROR, without the error's message, which may quote values.

    Its parent is the current span. Without one, it is the trace of `contexts` if they have just one, else the span links to the
    traces of `contexts`.
    """
    return NO_SPAN if _tracer is None else _recorded(_tracer, name, kind, contexts, attributes)


@contextmanager
def _recorded(
    tracer: trace.Tracer,
    name: str,
    kind: SpanKind,
    contexts: Iterable[RequestContext | None],
    attributes: Mapping[str, str | int] | None,
) -> Iterator[trace.Span]:
    parent: Context | None = None
    links: list[Link] = []
    if not trace.get_current_span().get_span_context().is_valid:
        remote = list(dict.fromkeys(context.traceparent for context in contexts if context and context.traceparent))
        if len(remote) == 1:
            parent = trace.set_span_in_context(NonRecordingSpan(_span_context(remote[0])))
        else:
            links = [Link(_span_context(traceparent)) for traceparent in remote[:MAX_LINKS]]
    with tracer.start_as_current_span(
        name, parent, kind, attributes, links, record_exception=False, set_status_on_exception=False
    ) as running:
        try:
            yield running
        except BaseException as error:
            running.set_attribute("error.type", type(error).__qualname__)
            running.set_status(StatusCode.ERROR)
            raise


def messaging(operation: str, topic: str, messages: int) -> dict[str, str | int]:
    """The attributes of a span about `messages` records of `topic`."""
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.destination.name": topic,
        "messaging.batch.message_count": messages,
    }


def server_context(context: RequestContext) -> RequestContext:
    """The context of a request whose span FastAPI has started: `context`, and while traces are on, with that span as its trace.

    Hides the path and the query in the span: they may name tenants and customers. The span has the route's template.
    """
    if _tracer is None:
        return context
    trace.get_current_span().set_attributes({"url.path": HIDDEN, "url.query": HIDDEN})
    return _with_current_span(context)


def name_server_span(method: str, route: str) -> None:
    """Name the span of the current request by its route's template, as FastAPI does for routes of its router."""
    if _tracer is not None:
        running = trace.get_current_span()
        running.update_name(f"{method} {route}")
        running.set_attribute("http.route", route)


def outgoing_context() -> RequestContext | None:
    """The context to pass on with a call: that of the request, with the current span as its trace."""
    context = current_context()
    return context if context is None or _tracer is None else _with_current_span(context)


def _with_current_span(context: RequestContext) -> RequestContext:
    current = trace.get_current_span().get_span_context()
    return replace(context, traceparent=_traceparent(current)) if current.is_valid else context


def _span_context(traceparent: str) -> SpanContext:
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


def _traceparent(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
