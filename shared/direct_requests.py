"""Answers small requests of one route without ASGI, whose layers would cost more than a tenth of a webhook's processor time.

A request is direct if it is a POST whose path begins with the route's prefix and whose stated length is at most DIRECT_BYTES. The
application serves all others, and those that come while an earlier request of their connection is in progress. The limits of
`shared/heads.py` hold for both.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from shared.heads import BoundedProtocol
from shared.http_limits import HttpLimits

DIRECT_BYTES = 64 * 1024
"""Larger bodies are counted while they arrive (`shared/bodies.py`), which an application does."""

Header = tuple[bytes, bytes]


class DirectResponse(NamedTuple):
    """The status, the headers and the body of a response. The server adds its own headers."""

    status: int
    headers: Sequence[Header]
    body: bytes


@dataclass(frozen=True, slots=True)
class DirectRoute:
    """POST requests whose paths begin with `prefix`. `answer(path, query, headers, body)` never raises an Exception; the names of
    headers are in lower case."""

    prefix: bytes
    answer: Callable[[str, bytes, list[Header], bytes], Awaitable[DirectResponse]]


class DirectCycle:
    """A direct request and its response: what uvicorn's protocol uses of its own RequestResponseCycle."""

    __slots__ = (
        "body",
        "disconnected",
        "headers",
        "keep_alive",
        "message_event",
        "more_body",
        "protocol",
        "response_complete",
        "response_started",
        "target",
    )

    def __init__(self, protocol: "DirectProtocol", message_event: asyncio.Event) -> None:
        """Nothing waits for `message_event`, which uvicorn sets when a part of the body arrives."""
        self.protocol = protocol
        self.message_event = message_event
        self.target: bytes = protocol.url
        self.headers: list[Header] = protocol.headers
        self.keep_alive: bool = protocol.parser.should_keep_alive()
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_started = False
        self.response_complete = False

    async def run(self, route: DirectRoute) -> None:
        """Answer the request, whose body is complete. If that fails or is cancelled, the connection is closed."""
        path, _, query = self.target.partition(b"?")
        try:
            answer = await route.answer(path.decode(), query, self.headers, bytes(self.body))
        except BaseException:
            self.protocol.transport.close()
            raise
        if not self.disconnected:
            self._write(answer)

    def _write(self, answer: DirectResponse) -> None:
        protocol = self.protocol
        head = [STATUS_LINE[answer.status]]
        closes = False
        for name, value in (*protocol.server_state.default_headers, *answer.headers):
            head.append(b"%b: %b\r\n" % (name, value))
            closes = closes or (name == b"connection" and b"close" in value)
        if not self.keep_alive and not closes:
            head.append(b"connection: close\r\n")
        self.response_started = self.response_complete = True
        protocol.transport.write(b"%b\r\n%b" % (b"".join(head), answer.body))
        if closes or not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


class DirectProtocol(BoundedProtocol):
    """BoundedProtocol that answers requests of `route` by itself."""

    route: DirectRoute
    _event = asyncio.Event()

    def on_headers_complete(self) -> None:
        """Begin the body of a direct request; leave any other to the application."""
        if self._is_direct():
            self._begin_body()
            self.cycle = DirectCycle(self, self._event)  # type: ignore[assignment]
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Answer a direct request."""
        super().on_message_complete()
        cycle = self.cycle
        if isinstance(cycle, DirectCycle) and not cycle.response_started:
            task = self.loop.create_task(cycle.run(self.route))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _is_direct(self) -> bool:
        url, cycle = self.url, self.cycle
        return (
            url.startswith(self.route.prefix)
            and self.parser.get_method() == b"POST"
            and (cycle is None or cycle.response_complete)
            and not self.expect_100_continue
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
            and not self.flow.write_paused
            and not self._busy()
            and url.isascii()
            and b"%" not in url
            and has_small_length(self.headers)
        )


def has_small_length(headers: Sequence[Header]) -> bool:
    """Whether a request states the length of its body, by which alone the body ends, and the length is at most DIRECT_BYTES."""
    length = b""
    for name, value in headers:
        if name == b"content-length":
            length = value
        elif name == b"transfer-encoding":
            return False
    return length.isdigit() and len(length) < 10 and int(length) <= DIRECT_BYTES


def direct(limits: HttpLimits, route: DirectRoute) -> type[DirectProtocol]:
    """The protocol class with these limits, for uvicorn's `http`."""
    return type("LimitedDirectProtocol", (DirectProtocol,), {"limits": limits, "route": route})
