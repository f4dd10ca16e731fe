"""Read request bodies within bounds: of one body, of all bodies of a tenant, and of all bodies in the process."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from shared.problems import BadRequest, Problem, TooLarge, TooManyRequests, Unavailable, UnsupportedMedia
from shared.slices import Slices

KIB = 1024
MIB = 1024 * KIB

DRAINED_BYTES = 8 * MIB
"""Bytes over the limit that are read and dropped, so that the client reads the response instead of a connection reset."""

SMALL_BODY_BYTES = 64 * KIB
"""Bodies up to this size are not counted by BodyMemory; the server's limit of open requests bounds them."""

RETRY_AFTER_SECONDS = 2

ENCODINGS = {"": "identity", "identity": "identity", "gzip": "gzip", "x-gzip": "gzip"}
"""Values of Content-Encoding that are accepted (RFC 9110, 8.4.1)."""
GZIP = 16 + zlib.MAX_WBITS
"""The format of zlib's input."""
PART_BYTES = 64 * KIB
"""Bytes that are decompressed at once."""

NOT_JSON = (
    "multipart/",
    "application/x-www-form-urlencoded",
    "application/xml",
    "text/xml",
    "application/octet-stream",
    "image/",
)

T = TypeVar("T")


class BodyMemory:
    """The memory of large request bodies in this process: `total` bytes, of which one tenant may use `per_tenant`, and one
    connection of a tenant `per_connection` (None: as much as the tenant).

    A body that exceeds the tenant's share raises `tenant_problem`: TooManyRequests for API clients, Unavailable for tools that
    give up on a 4xx. A body that exceeds the share of a connection or the total raises Unavailable.
    """

    def __init__(
        self,
        total: int,
        per_tenant: int,
        tenant_problem: type[TooManyRequests] | type[Unavailable] = Unavailable,
        *,
        per_connection: int | None = None,
    ) -> None:
        self._total = total
        self._per_tenant = per_tenant
        self._per_connection = per_tenant if per_connection is None else per_connection
        self._tenant_problem = tenant_problem
        self._used: Counter[str] = Counter()
        self._used_by_connection: Counter[str] = Counter()

    def reserve(self, tenant: str, connection: str | None = None) -> "Reservation":
        """A reservation for one body of `tenant`, which came over `connection`, released at the end of its context."""
        return Reservation(self, tenant, connection)

    def add(self, tenant: str, connection: str | None, size: int) -> None:
        """Count `size` more bytes; raises if they exceed a limit."""
        if connection is not None and self._used_by_connection[connection] + size > self._per_connection:
            detail = f"the large bodies of this connection's requests in progress exceed {self._per_connection} bytes"
            raise retry_later(Unavailable, detail)
        if self._used[tenant] + size > self._per_tenant:
            detail = f"the large bodies of this tenant's requests in progress exceed {self._per_tenant} bytes"
            raise retry_later(self._tenant_problem, detail)
        if self._used.total() + size > self._total:
            raise retry_later(Unavailable, "too many large requests are in progress")
        self._used[tenant] += size
        if connection is not None:
            self._used_by_connection[connection] += size

    def subtract(self, tenant: str, connection: str | None, size: int) -> None:
        """Count `size` fewer bytes."""
        self._used[tenant] -= size
        if not self._used[tenant]:
            del self._used[tenant]
        if connection is not None:
            self._used_by_connection[connection] -= size
            if not self._used_by_connection[connection]:
                del self._used_by_connection[connection]


def retry_later(kind: type[TooManyRequests] | type[Unavailable], detail: str) -> Problem:
    """A problem of `kind` with a `Retry-After` header."""
    if issubclass(kind, Unavailable):
        return kind(detail, retry_after=RETRY_AFTER_SECONDS)
    return kind(detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


class Reservation:
    """The part of BodyMemory that one body uses, until the end of the context."""

    __slots__ = ("_connection", "_memory", "_size", "_tenant")

    def __init__(self, memory: BodyMemory, tenant: str, connection: str | None = None) -> None:
        self._memory = memory
        self._tenant = tenant
        self._connection = connection
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def grow_to(self, size: int) -> None:
        """Reserve `size` bytes in total; a small body reserves none. Raises the Problem of BodyMemory if they exceed a limit."""
        if size > SMALL_BODY_BYTES and size > self._size:
            self._memory.add(self._tenant, self._connection, size - self._size)
            self._size = size

    def release(self) -> None:
        """Return all reserved bytes to the memory."""
        if self._size:
            self._memory.subtract(self._tenant, self._connection, self._size)
            self._size = 0


class Parsing(Protocol):
    """Runs `work`, which parses a body of `size` bytes for `tenant`, and returns its result."""

    async def __call__(self, tenant: str, size: int, work: Callable[[], T]) -> T: ...


async def parse_on_event_loop(tenant: str, size: int, work: Callable[[], T]) -> T:
    """Run `work` at once; for services whose bodies are small."""
    return work()


@dataclass(frozen=True, slots=True)
class Bodies:
    """How a service reads the bodies of its typed routes; the app keeps it in `app.state.bodies`."""

    memory: BodyMemory
    parsing: Parsing = parse_on_event_loop


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers of a request; names are in lower case."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def content_encoding(headers: Mapping[str, str]) -> str:
    """`identity` or `gzip`. Raises UnsupportedMedia for any other encoding of the body."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ENCODINGS:
        raise UnsupportedMedia("the Content-Encoding must be gzip, or absent", headers={"Accept-Encoding": "gzip"})
    return ENCODINGS[encoding]


def refuse_compressed(encoding: str) -> None:
    """Raise UnsupportedMedia if `encoding`, the Content-Encoding of a body, is not empty or `identity`."""
    if encoding and encoding.strip().lower() != "identity":
        raise UnsupportedMedia("compressed bodies are not accepted here", headers={"Accept-Encoding": "identity"})


def require_json(headers: Mapping[str, str]) -> None:
    """Raise UnsupportedMedia for a media type that is never JSON, and for an encoding other than gzip."""
    content_encoding(headers)
    if headers.get("content-type", "").lower().startswith(NOT_JSON):
        raise UnsupportedMedia("JSON is expected")


async def read_content(headers: Mapping[str, str], receive: Receive, reservation: Reservation, limit: int = MIB) -> bytes:
    """Read a body of at most `limit` bytes, and decompress it if it is gzip; then `limit` holds for the result too.

    Raises UnsupportedMedia for another encoding, BadRequest for data that is not gzip, and the problems of `read_body`.
    """
    encoding = content_encoding(headers)
    body = await read_body(headers, receive, reservation, limit)
    return body if encoding == "identity" or not body else await decompress(body, reservation, limit)


async def decompress(packed: bytes, reservation: Reservation, limit: int) -> bytes:
    """Decompress gzip in slices. At most `limit` bytes and one part are ever decompressed, whatever `packed` holds.

    Raises TooLarge beyond `limit` bytes, BadRequest if `packed` is not one member of gzip, and the problems of BodyMemory.
    """
    slices, parts, size = Slices(), [], 0
    try:
        for part in decompressed_parts(packed):
            size += len(part)
            if size > limit:
                raise TooLarge(f"more than {limit} bytes when decompressed")
            reservation.grow_to(len(packed) + size)
            parts.append(part)
            await slices.pause()
    except zlib.error:
        raise BadRequest("the body is not gzip, or is not complete") from None
    return b"".join(parts)


def decompressed_parts(packed: bytes) -> Iterator[bytes]:
    """The content of a gzip member in parts of at most PART_BYTES. Raises zlib.error if `packed` is not exactly one member."""
    decompressor = zlib.decompressobj(GZIP)
    for start in range(0, len(packed), PART_BYTES):
        rest = packed[start : start + PART_BYTES]
        while rest and not decompressor.eof:
            yield decompressor.decompress(rest, PART_BYTES)
            rest = decompressor.unconsumed_tail
        if rest or decompressor.unused_data:
            raise zlib.error("data after the end")
    while part := decompressor.decompress(b"", PART_BYTES):
        yield part
    if not decompressor.eof:
        raise zlib.error("incomplete")


async def read_body(headers: Mapping[str, str], receive: Receive, reservation: Reservation, limit: int = MIB) -> bytes:
    """Read a body of at most `limit` bytes; drain an oversized one so that the client sees the response.

    Raises TooLarge, the Problem of `reservation`, or ClientDisconnect. A body whose declared length exceeds the free memory
    is refused at once, so that a slow upload does not delay the refusal.
    """
    declared = declared_length(headers)
    if declared > limit + DRAINED_BYTES:
        raise too_large(limit)
    reservation.grow_to(declared if declared <= limit else 0)
    problem: Problem | None = too_large(limit) if declared > limit else None
    message = await receive()
    if problem is None and message["type"] == "http.request" and not message.get("more_body"):
        return within(message.get("body", b""), limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        problem = problem or refusal_of(reservation, size, limit)
        if problem:
            chunks.clear()
        else:
            chunks.append(chunk)
        if not message.get("more_body") or size > limit + DRAINED_BYTES:
            if problem:
                raise problem
            return b"".join(chunks)
        message = await receive()


def refusal_of(reservation: Reservation, size: int, limit: int) -> Problem | None:
    """The reason to refuse a body of `size` bytes, if there is one."""
    if size > limit:
        return too_large(limit)
    try:
        reservation.grow_to(size)
    except Problem as problem:
        return problem
    return None


def within(body: bytes, limit: int) -> bytes:
    """Return `body`. Raises TooLarge if it exceeds `limit` bytes."""
    if len(body) > limit:
        raise too_large(limit)
    return body


def declared_length(headers: Mapping[str, str]) -> int:
    """The Content-Length in bytes; 0 if it is absent or not a number."""
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0


def too_large(limit: int) -> TooLarge:
    """The problem of a body over `limit` bytes; it closes the connection, since the rest is not read."""
    return TooLarge(f"more than {limit} bytes", headers={"Connection": "close"})
