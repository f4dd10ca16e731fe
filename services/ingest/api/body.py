"""Reading a request's body within bounds: of one body, of all bodies of a tenant, and of all bodies in the process."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from shared.problems import TooLarge, Unavailable, UnsupportedMedia

MIB = 1024 * 1024
MOST_HEARD = 8 * MIB
"""Bytes of a body over its limit that are read and dropped before the answer, so that the client reads the answer."""

SMALL_BODY = 64 * 1024
"""Bytes up to which a body is not counted in BodyRoom; the server's bound of open requests bounds these."""

NOT_JSON = (
    "multipart/",
    "application/x-www-form-urlencoded",
    "application/xml",
    "text/xml",
    "application/octet-stream",
    "image/",
)


class BodyRoom:
    """The memory for large bodies: `total` bytes in the process, `per_tenant` of them for one tenant."""

    def __init__(self, total: int, per_tenant: int) -> None:
        self._total = total
        self._per_tenant = per_tenant
        self._held: Counter[str] = Counter()

    @contextmanager
    def share(self, tenant: str) -> Iterator["Share"]:
        """Room for one body of `tenant`, given back at the end of this context."""
        share = Share(self, tenant)
        try:
            yield share
        finally:
            share.give_back()

    def take(self, tenant: str, size: int) -> None:
        """Unavailable: so many more bytes would be too many, of the tenant or in all."""
        if self._held[tenant] + size > self._per_tenant:
            raise Unavailable(f"large bodies of this tenant take {self._per_tenant} bytes already", retry_after=2)
        if self._held.total() + size > self._total:
            raise Unavailable("too many large bodies are under way", retry_after=2)
        self._held[tenant] += size

    def give_back(self, tenant: str, size: int) -> None:
        self._held[tenant] -= size
        if not self._held[tenant]:
            del self._held[tenant]


class Share:
    """What one body takes of a BodyRoom."""

    def __init__(self, room: BodyRoom, tenant: str) -> None:
        self._room = room
        self._tenant = tenant
        self._held = 0

    def hold(self, size: int) -> None:
        """Take room for `size` bytes in all, unless the body is small. Unavailable: there is none."""
        if size > SMALL_BODY and size > self._held:
            self._room.take(self._tenant, size - self._held)
            self._held = size

    def give_back(self) -> None:
        self._room.give_back(self._tenant, self._held)
        self._held = 0


def headers_of(scope: Scope) -> dict[str, str]:
    """Header names in lower case, as ASGI has them."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def expect_json(headers: Mapping[str, str]) -> None:
    """UnsupportedMedia: the body is compressed, or says that it is something that JSON never is."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("compressed bodies are not taken", headers={"Accept-Encoding": "identity"})
    if headers.get("content-type", "").lower().startswith(NOT_JSON):
        raise UnsupportedMedia("JSON is expected")


async def read_body(headers: Mapping[str, str], receive: Receive, share: Share, limit: int = MIB) -> bytes:
    """The body as sent. TooLarge: it is longer than `limit`, which is answered once the client has finished, or sent too much.
    Unavailable: there is no room for it in `share`."""
    declared = _declared(headers)
    if declared > MOST_HEARD:
        raise _too_large(limit)
    share.hold(declared if declared <= limit else 0)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return _bounded(message.get("body", b""), limit)
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
            share.hold(heard)
            chunks.append(chunk)
        else:
            chunks.clear()
        if not message.get("more_body"):
            if heard > limit:
                raise _too_large(limit)
            return b"".join(chunks)
        message = await receive()


def _bounded(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _declared(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"more than {limit} bytes", headers={"Connection": "close"})
