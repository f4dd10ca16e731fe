"""Limits on HTTP requests that uvicorn does not set itself: sizes of heads, deadlines for unfinished requests, overload."""

from asyncio import TimerHandle, Transport
from dataclasses import dataclass
from enum import Enum, auto
from typing import NoReturn

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.http_limits import HttpLimits
from shared.instruments import HTTP_REFUSED
from shared.problems import render
from shared.request_telemetry import RequestTelemetry

HEALTH = {b"/livez", b"/readyz", b"/metrics"}
"""Targets that are served at any load: a restart of a busy process would not help its clients."""

HEAD_TOO_LARGE = "Request header fields too large"

BUSY = RequestTelemetry(
    render(503, "Unavailable", "too many requests in progress", headers={"Retry-After": "2", "Connection": "close"})
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The response to an exceeded limit, and the name of the limit in the metrics."""

    limit: str
    status: int
    title: str
    detail: str


class Phase(Enum):
    """The part of a request that a connection is receiving."""

    HEAD = auto()
    BODY = auto()
    NOTHING = auto()
    """No request is being received: idle, or a response is in progress."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with `limits`. A client that exceeds one gets a problem document, unless a response has begun,
    and is disconnected."""

    limits = HttpLimits()

    _phase = Phase.HEAD
    _since = 0.0
    """Start of the phase, in the loop's time."""
    _head_bytes = 0
    _body_bytes = 0
    _unparsed = 0
    """Bytes received since the parser's last callback: it calls back for a header only at the end of the header."""
    _parts = 0
    """Parts of the body that were received."""
    _body_parts: list[bytes]
    """Parsed parts of the body that are not yet passed on to uvicorn."""
    _refusal: "Refusal | None" = None
    """The exceeded limit because of which a callback of the parser raised."""
    _timer: TimerHandle | None = None
    _reading_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start the timer of the first head, or disconnect if there are far too many connections."""
        super().connection_made(transport)
        self._body_parts = []
        if len(self.connections) > 2 * self.limits.connections:
            HTTP_REFUSED.labels("connections").inc()
            transport.abort()
            return
        self._enter(Phase.HEAD)
        self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        for timer in (self._timer, self._reading_timer):
            if timer:
                timer.cancel()
        self._timer = self._reading_timer = None
        self._phase = Phase.NOTHING
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data, then check the size of an unfinished head and set the timer."""
        if self.transport.is_closing():
            return
        if self._phase is Phase.NOTHING:
            self._enter(Phase.HEAD)
        self._unparsed += len(data)
        super().data_received(data)
        self._pass_on_body()
        if self.transport.is_closing():
            return
        if self._unparsed > self.limits.head_bytes:
            self._refuse(self._head_too_large())
        elif self._phase is not Phase.NOTHING:
            self._set_timer()
        elif self.cycle is not None and self.cycle.response_complete:
            self._set_keep_alive()

    # --- the parser's callbacks
    def on_message_begin(self) -> None:
        """Begin a head. Raises HttpParserError if too many requests are pipelined."""
        if len(self.pipeline) >= self.limits.pipelined:
            self._refusal = Refusal("pipelined", 400, "Bad request", f"at most {self.limits.pipelined} pipelined requests")
            raise HttpParserError(self._refusal.detail)
        self._head_bytes = 0
        if self._phase is not Phase.HEAD:
            self._enter(Phase.HEAD)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the bytes of the URL; refuse a head that is too large."""
        self._head_bytes += len(url)
        if self._head_bytes > self.limits.head_bytes:
            self._exceed_head()
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the bytes of the header; refuse a head that is too large or has too many headers."""
        self._unparsed = 0
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self.limits.head_bytes or len(self.headers) >= self.limits.headers:
            self._exceed_head()
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the body, and answer with 503 if the server is busy, except for health checks."""
        self._begin_body()
        app = self.app
        if self._busy() and self.url.partition(b"?")[0] not in HEALTH:
            HTTP_REFUSED.labels("busy").inc()
            self.app = BUSY
        super().on_headers_complete()
        self.app = app

    def on_body(self, body: bytes) -> None:
        """Collect a part of the body. Raises HttpParserError if too many parts are small."""
        self._unparsed = 0
        self._body_bytes += len(body)
        self._parts += 1
        if self._parts > self.limits.small_parts and self._body_bytes < self._parts * self.limits.part_bytes:
            detail = f"the body comes in too many parts of less than {self.limits.part_bytes} bytes"
            self._refusal = Refusal("small_parts", 400, "Bad request", detail)
            raise HttpParserError(detail)
        self._body_parts.append(body)

    def on_message_complete(self) -> None:
        """Pass the body on; the request is complete."""
        self._pass_on_body()
        self._unparsed = 0
        self._phase = Phase.NOTHING
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn when its parser or one of our callbacks raises."""
        self._refuse(self._refusal or Refusal("malformed", 400, "Bad request", msg))

    def _pass_on_body(self) -> None:
        """Pass all parts to uvicorn at once: it copies the whole body for each part, so 700,000 chunks took seconds."""
        if self._body_parts:
            body = b"".join(self._body_parts)
            self._body_parts = []
            super().on_body(body)

    def _begin_body(self) -> None:
        self._unparsed = 0
        self._enter(Phase.BODY)

    # --- limits
    def _exceed_head(self) -> NoReturn:
        if self._head_bytes > self.limits.head_bytes:
            self._refusal = self._head_too_large()
        else:
            self._refusal = Refusal("headers", 431, HEAD_TOO_LARGE, f"at most {self.limits.headers} headers")
        raise HttpParserError(self._refusal.detail)

    def _head_too_large(self) -> Refusal:
        return Refusal("head_bytes", 431, HEAD_TOO_LARGE, f"at most {self.limits.head_bytes} bytes")

    def _busy(self) -> bool:
        return len(self.tasks) >= self.limits.requests or len(self.connections) > self.limits.connections

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._since = self.loop.time()
        self._body_bytes = 0
        self._parts = 0

    def _due(self) -> float:
        """The loop's time at which the phase must end, given the bytes so far."""
        if self._phase is Phase.HEAD:
            return self._since + self.limits.head_seconds
        return self._since + self.limits.body_seconds + self._body_bytes / self.limits.body_bytes_per_second

    def _set_timer(self) -> None:
        """Check the phase when it is due. A timer that fires too early is harmless, so only a late one is replaced."""
        due = self._due()
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self.loop.call_at(due, self._check_phase)

    def _check_phase(self) -> None:
        self._timer = None
        if self._phase is Phase.NOTHING or self.transport.is_closing():
            return
        if self.flow.read_paused or (self._phase is Phase.HEAD and self._response_is_due()):
            self._since = self.loop.time()  # not the client's delay: we have not read its data yet, or not answered it
        if self.loop.time() < self._due():
            self._set_timer()
        elif self._phase is Phase.HEAD and not self._unparsed and not self._head_bytes:
            self.transport.close()  # nothing was sent, so there is nothing to answer
        else:
            part = "head" if self._phase is Phase.HEAD else "body"
            self._refuse(Refusal(f"{part}_seconds", 408, "Request timeout", f"the {part} of the request came too slowly"))

    def _refuse(self, refusal: Refusal) -> None:
        """Send a problem document, unless the response to this or an earlier request has begun, then disconnect."""
        HTTP_REFUSED.labels(refusal.limit).inc()
        response_begun = self._phase is Phase.BODY and self.cycle.response_started
        if not response_begun and not self.pipeline and not self._response_is_due():
            document = render(refusal.status, refusal.title, refusal.detail, headers={"Connection": "close"})
            head = [b"%s: %s\r\n" % header for header in document.raw_headers]
            self.transport.write(b"".join([STATUS_LINE[refusal.status], *head, b"\r\n", bytes(document.body)]))
        self._close()

    def _response_is_due(self) -> bool:
        """Whether a complete request has not got its complete response."""
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete

    def on_response_complete(self) -> None:
        """Watch whether the client reads the response before the connection closes."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_reading()

    # --- clients that do not read
    def pause_writing(self) -> None:
        """Stop writing, since the client does not read; watch how long."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """Write again, since the client reads."""
        super().resume_writing()
        if self._reading_timer and not self.transport.is_closing():
            self._reading_timer.cancel()
            self._reading_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for too long."""
        if not self.transport.is_closing():
            self._close()

    def _close(self) -> None:
        """Close when the client has read everything; `_watch_reading` limits the wait."""
        self.transport.close()
        self._watch_reading()

    def _watch_reading(self) -> None:
        left = self.transport.get_write_buffer_size()
        if left and self._reading_timer is None:
            self._reading_timer = self.loop.call_later(self.limits.unread_seconds, self._check_reading, left)

    def _check_reading(self, before: int) -> None:
        self._reading_timer = None
        left = self.transport.get_write_buffer_size()
        if left > max(0, before - self.limits.unread_bytes):
            HTTP_REFUSED.labels("unread").inc()
            self.transport.abort()
        else:
            self._watch_reading()

    def _set_keep_alive(self) -> None:
        """Set uvicorn's timer again: uvicorn drops it if more of a request's body arrives after the response."""
        if self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)


def limited(limits: HttpLimits) -> type[BoundedProtocol]:
    """The protocol class with these limits, for uvicorn's `http`."""
    return type("LimitedProtocol", (BoundedProtocol,), {"limits": limits})
