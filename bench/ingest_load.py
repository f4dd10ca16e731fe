"""Cheap load: requests are built and signed in advance, and each connection sends its next one after the response."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import uvloop

from tests.signing import standard

WORDS = (
    "The answer came quickly and it was friendly, thank you. Two things could be better, though: the invoice of November "
    "is still missing, and the app asks me to log in every morning."
)


@dataclass(frozen=True)
class Run:
    """Results of a load: accepted and refused deliveries, seconds in all, milliseconds per response (median, 99th percentile)."""

    accepted: int
    refused: int
    seconds: float
    p50: float
    p99: float

    @property
    def per_second(self) -> float:
        return self.accepted / self.seconds


def requests(path: str, secret: str, count: int, name: str) -> list[bytes]:
    """`count` signed webhooks of about 800 bytes, each about another subject."""
    return list(_requests(path, secret, count, name))


def _requests(path: str, secret: str, count: int, name: str) -> Iterator[bytes]:
    at = datetime.now(UTC).isoformat()
    for number in range(count):
        record = {
            "type": "response",
            "id": f"{name}-{number}",
            "at": at,
            "survey": {"id": "after-support", "name": "After support"},
            "channel": "email",
            "customer": {"id": f"customer-{number % 1000}", "email": f"customer-{number % 1000}@example.org"},
            "answers": [
                {"question": "recommend", "kind": "nps", "value": number % 11},
                {"question": "happy", "kind": "csat", "scale": [1, 5], "value": number % 5 + 1},
                {"question": "why", "kind": "comment", "text": WORDS, "language": "en"},
            ],
            "dimensions": {"product": "app", "region": "DE", "team": "billing", "segment": "pro"},
        }
        body = json.dumps({"type": "feedback", "timestamp": at, "data": record}).encode()
        headers = standard(secret, body, delivery=f"{name}-{number}") | {"host": "127.0.0.1", "content-length": str(len(body))}
        head = "".join(f"{field}: {value}\r\n" for field, value in headers.items())
        yield f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


class Client(asyncio.Protocol):
    """A connection that sends its share of the requests."""

    def __init__(self, share: list[bytes], done: asyncio.Future[None]) -> None:
        self._left = iter(share)
        self._done = done
        self._sent_at = 0.0
        self._received = b""
        self.waits: list[float] = []
        self.accepted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].split(b"\r", 1)[0]):
            return
        self.waits.append(time.perf_counter() - self._sent_at)
        self.accepted += head.startswith(b"HTTP/1.1 202") and b"accepted" in body
        self._received = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        request = next(self._left, None)
        if request is None:
            self._done.set_result(None)
            self._transport.close()
        else:
            self._sent_at = time.perf_counter()
            self._transport.write(request)


async def _post(port: int, prepared: list[bytes], connections: int) -> Run:
    loop = asyncio.get_running_loop()
    done = [loop.create_future() for _ in range(connections)]
    begin = time.perf_counter()
    opened = [
        await loop.create_connection(lambda i=i: Client(prepared[i::connections], done[i]), "127.0.0.1", port)  # type: ignore[misc]
        for i in range(connections)
    ]
    await asyncio.gather(*done)
    seconds = time.perf_counter() - begin
    clients = [client for _, client in opened]
    waits = sorted(1000 * wait for client in clients for wait in client.waits)
    accepted = sum(client.accepted for client in clients)
    return Run(accepted, len(prepared) - accepted, seconds, waits[len(waits) // 2], waits[len(waits) * 99 // 100])


def post(port: int, prepared: list[bytes], connections: int) -> Run:
    """Send all requests to 127.0.0.1 over `connections` connections."""
    return uvloop.run(_post(port, prepared, connections))
