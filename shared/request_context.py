"""The id and the trace of the request that is being served: for logs, calls to other services, and Kafka headers.

`X-Request-Id` is the caller's if it is valid, else a new one. `traceparent` is that of W3C Trace Context, level 1, section 3.2.
An invalid header is replaced or dropped; it never refuses a request.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from random import getrandbits

import structlog
from msgspec import Struct

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

REQUEST_ID_HEADER, TRACEPARENT_HEADER = "x-request-id", "traceparent"
REQUEST_ID_RECORD, TRACEPARENT_RECORD = "request_id", "traceparent"
"""The names of the request id and of the trace, in HTTP headers and in the headers of Kafka records."""

MAX_LOGGED = 100
"""Request ids in one log line, except for lines of the level debug."""

Headers = tuple[tuple[str, bytes], ...]
"""The headers of a Kafka record."""


class RequestContext(Struct, frozen=True):
    """`traceparent` is empty if the caller sent none and traces are off."""

    request_id: str
    traceparent: str = ""

    @property
    def trace_id(self) -> str:
        """The trace id, 32 hexadecimal digits; empty without a trace."""
        return self.traceparent[3:35]


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current_context() -> RequestContext | None:
    """The context of the request, or of the records, that the current task works on."""
    return _current.get()


def bind(context: RequestContext | None) -> Token[RequestContext | None]:
    """Make `context` the current one. Pass the result to `unbind`."""
    return _current.set(context)


def unbind(token: Token[RequestContext | None]) -> None:
    """Restore the context before `bind`."""
    _current.reset(token)


@contextmanager
def bound(context: RequestContext | None) -> Iterator[None]:
    """Make `context` the current one within a `with` block."""
    token = bind(context)
    try:
        yield
    finally:
        unbind(token)


def parse_http_headers(headers: Iterable[tuple[bytes, bytes]]) -> RequestContext:
    """The context of an HTTP request, from ASGI headers, whose names are in lower case."""
    request_id = traceparent = b""
    for name, value in headers:
        if name == b"x-request-id":
            request_id = value
        elif name == b"traceparent":
            traceparent = value
    return valid_context(request_id.decode("latin-1"), traceparent.decode("latin-1"))


def parse_record_headers(headers: Headers) -> RequestContext | None:
    """The context in the headers of a Kafka record; None if they hold none."""
    values = {name: value.decode("latin-1") for name, value in headers if name in (REQUEST_ID_RECORD, TRACEPARENT_RECORD)}
    return valid_context(values.get(REQUEST_ID_RECORD, ""), values.get(TRACEPARENT_RECORD, "")) if values else None


def record_headers(context: RequestContext | None) -> Headers:
    """The headers of a Kafka record for `context`."""
    if context is None:
        return ()
    request_id = (REQUEST_ID_RECORD, context.request_id.encode())
    return (request_id, (TRACEPARENT_RECORD, context.traceparent.encode())) if context.traceparent else (request_id,)


def common_context(contexts: Iterable[RequestContext | None]) -> RequestContext | None:
    """The context that all of `contexts` share; None if they differ."""
    distinct = set(contexts)
    return distinct.pop() if len(distinct) == 1 else None


def request_ids(contexts: Iterable[RequestContext | None], most: int | None = MAX_LOGGED) -> list[str]:
    """The first `most` distinct ids of `contexts`, for the log line of a batch; None: all."""
    return list(dict.fromkeys(context.request_id for context in contexts if context))[:most]


def new_request_id() -> str:
    """A random id: 32 hexadecimal digits. It is no secret, so it needs no random bytes of the system, each a system call."""
    return f"{getrandbits(128):032x}"


def valid_context(request_id: str, traceparent: str) -> RequestContext:
    """The context of these values; an invalid or empty id is replaced by a new one, an invalid trace is left out."""
    return RequestContext(
        request_id if REQUEST_ID.fullmatch(request_id) else new_request_id(),
        traceparent if traceparent and TRACEPARENT.fullmatch(traceparent) else "",
    )


def add_to_log(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Processor of structlog: add the request id, and the trace id if there is one, unless the event states its own."""
    context = _current.get()
    if context is not None:
        event.setdefault("request_id", context.request_id)
        if context.traceparent:
            event.setdefault("trace_id", context.trace_id)
    return event
