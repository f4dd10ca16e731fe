"""ASGI middleware: gzip for responses of the API, for clients that accept it.

Small bodies are sent as they are. Large ones are compressed in slices, between which the event loop runs other work. The live
stream is not compressed, since each event must leave at once. Keys are sent in a header that no other site can make a browser
send, so the length of a compressed response tells an attacker nothing (BREACH).
"""

import zlib
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.domain.etags import weak
from services.gateway.domain.media import accepts_gzip
from shared.slices import Slices

MIN_BYTES = 1_000
"""Smaller bodies fit in a packet anyway."""
SLICE_BYTES = 64 * 1024
LEVEL = 4
GZIP = 16 + zlib.MAX_WBITS
"""The format of zlib's output."""

PATHS = ("/v1/", "/openapi.json")
COMPRESSED = {"application/json", "application/problem+json", "application/x-ndjson", "text/csv"}
"""Media types of the API. `services.gateway.api.page` compresses the files of the page ahead."""


class Compression:
    """Compresses bodies of the types in COMPRESSED. `Vary` tells caches that a response depends on `Accept-Encoding`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PATHS):
            await self.app(scope, receive, send)
            return
        accepted = accepts_gzip(Headers(scope=scope).get("accept-encoding", "")) and scope["method"] != "HEAD"
        await self.app(scope, receive, CompressingSend(send, accepted))


class CompressingSend:
    """The `send` of one request. Holds the start of a response until the first part of its body shows the size."""

    def __init__(self, send: Send, accepted: bool) -> None:
        self._send = send
        self._accepted = accepted
        self._held_start: Message | None = None
        self._compress: Callable[[bytes, bool], Awaitable[bytes]] | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif start := self._held_start:
            self._held_start = None
            await self._send_first(start, message)
        elif self._compress:
            await self._send({**message, "body": await self._compress(message.get("body", b""), message.get("more_body", False))})
        else:
            await self._send(message)

    async def _begin(self, start: Message) -> None:
        headers = MutableHeaders(scope=start)
        compressible = is_compressible(headers)
        if compressible or start["status"] == 304:
            headers.add_vary_header("Accept-Encoding")
            if self._accepted and not compressible:
                weaken_etag(headers)
        if self._accepted and compressible:
            self._held_start = start
        else:
            await self._send(start)

    async def _send_first(self, start: Message, message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        if more or len(body) >= MIN_BYTES:
            self._compress = gzip_stream()
            body = await self._compress(body, more)
            headers = MutableHeaders(scope=start)
            headers["Content-Encoding"] = "gzip"
            weaken_etag(headers)
            if more:
                del headers["Content-Length"]
            else:
                headers["Content-Length"] = str(len(body))
        await self._send(start)
        await self._send({**message, "body": body})


def gzip_stream() -> Callable[[bytes, bool], Awaitable[bytes]]:
    """A function that compresses the parts of one body: `await compress(part, more)`. A client can decompress each at once."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)

    async def compress(part: bytes, more: bool) -> bytes:
        slices, packed = Slices(), []
        for start in range(0, len(part), SLICE_BYTES):
            packed.append(compressor.compress(part[start : start + SLICE_BYTES]))
            await slices.pause()
        packed.append(compressor.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH))
        return b"".join(packed)

    return compress


def is_compressible(headers: Headers) -> bool:
    """Whether a response with these headers is of a type in COMPRESSED and not compressed yet."""
    return headers.get("content-type", "").partition(";")[0] in COMPRESSED and "content-encoding" not in headers


def weaken_etag(headers: MutableHeaders) -> None:
    """Make a strong entity tag weak: the compressed bytes are another representation (RFC 9110, 8.8.3)."""
    etag = headers.get("etag", "")
    if etag.startswith('"'):
        headers["ETag"] = weak(etag)
