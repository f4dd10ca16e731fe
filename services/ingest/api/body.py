"""Reading a request's body: bounded, and with what is too long heard out, so that the client reads our answer."""

from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from shared.problems import TooLarge, UnsupportedMedia

MIB = 1024 * 1024
MOST_HEARD = 8 * MIB
"""How much of a body that is too large is read and dropped before we answer."""

NOT_JSON = (
    "multipart/",
    "application/x-www-form-urlencoded",
    "application/xml",
    "text/xml",
    "application/octet-stream",
    "image/",
)


def headers_of(scope: Scope) -> dict[str, str]:
    """Header names in lower case, as ASGI has them."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def expect_json(headers: Mapping[str, str]) -> None:
    """UnsupportedMedia: the body is compressed, or says that it is something that JSON never is."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("compressed bodies are not taken", headers={"Accept-Encoding": "identity"})
    if headers.get("content-type", "").lower().startswith(NOT_JSON):
        raise UnsupportedMedia("JSON is expected")


async def read_body(headers: Mapping[str, str], receive: Receive, limit: int = MIB) -> bytes:
    """The body as sent. TooLarge: it is longer than `limit`, which is told once the client has finished, or sent too much."""
    if _declared(headers) > MOST_HEARD:
        raise _too_large(limit)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return _bounded([message.get("body", b"")], limit)
    chunks: list[bytes] = []
    heard = 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        heard += len(chunk)
        if heard > MOST_HEARD:
            raise _too_large(limit)
        if heard <= limit:
            chunks.append(chunk)
        if not message.get("more_body"):
            if heard > limit:
                raise _too_large(limit)
            return b"".join(chunks)
        message = await receive()


def _bounded(chunks: list[bytes], limit: int) -> bytes:
    body = b"".join(chunks)
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _declared(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"more than {limit} bytes", headers={"Connection": "close"})
