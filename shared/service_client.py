"""HTTP clients that pass on the request id and the trace, and make a span of each call while traces are on."""

from typing import Any

import httpx
from opentelemetry.trace import SpanKind

from shared import tracing
from shared.request_context import REQUEST_ID_HEADER, TRACEPARENT_HEADER

KEEPALIVE_SECONDS = 4.0
"""An idle connection is not used again after this time. It is shorter than the 5 seconds after which our servers close one, and
than SHUTDOWN_PAUSE in production: so no request is sent on a connection that its server is about to close."""


class ServiceClient(httpx.AsyncClient):
    """A client for calls to another service."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send `request` with the headers of the current request."""
        with tracing.span(request.method, SpanKind.CLIENT, attributes=attributes_of(request)) as span:
            add_headers(request)
            response = await super().send(request, **options)
            span.set_attribute("http.response.status_code", response.status_code)
            return response


class ThreadedServiceClient(httpx.Client):
    """The same for code that runs in threads."""

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send `request` with the headers of the current request."""
        with tracing.span(request.method, SpanKind.CLIENT, attributes=attributes_of(request)) as span:
            add_headers(request)
            response = super().send(request, **options)
            span.set_attribute("http.response.status_code", response.status_code)
            return response


def attributes_of(request: httpx.Request) -> dict[str, str | int]:
    """The attributes of a span: no path and no query, which name tenants and customers."""
    attributes: dict[str, str | int] = {"http.request.method": request.method, "server.address": request.url.host}
    return attributes | ({"server.port": request.url.port} if request.url.port else {})


def add_headers(request: httpx.Request) -> None:
    """Add the request id and the trace of the current context, if there is one."""
    context = tracing.outgoing_context()
    if context is None:
        return
    request.headers[REQUEST_ID_HEADER] = context.request_id
    if context.traceparent:
        request.headers[TRACEPARENT_HEADER] = context.traceparent
