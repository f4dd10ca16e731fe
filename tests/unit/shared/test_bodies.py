"""Bodies are read within bounds, and large ones share a bounded memory."""

import gzip
import os
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from shared.bodies import DRAINED_BYTES, KIB, MIB, SMALL_BODY_BYTES, BodyMemory, Reservation, read_body, read_content
from shared.problems import BadRequest, Problem, TooLarge, TooManyRequests, Unavailable, UnsupportedMedia

Receive = Callable[[], Awaitable[dict[str, Any]]]
MEMORY = 1000 * KIB


def receive_chunks(chunks: Iterable[bytes]) -> Receive:
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b""})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return receive


def test_large_bodies_in_progress_are_limited_per_tenant_and_in_all() -> None:
    memory = BodyMemory(10 * MEMORY, 6 * MEMORY, TooManyRequests)
    with memory.reserve("a") as one, memory.reserve("a") as two, memory.reserve("b") as other:
        one.grow_to(4 * MEMORY)
        with pytest.raises(TooManyRequests) as refused:
            two.grow_to(3 * MEMORY)
        assert refused.value.headers["Retry-After"]
        two.grow_to(2 * MEMORY)
        with pytest.raises(Unavailable):
            other.grow_to(5 * MEMORY)
        other.grow_to(4 * MEMORY)
    with memory.reserve("b") as again:
        again.grow_to(6 * MEMORY)


def test_large_bodies_of_one_connection_leave_room_for_others_of_its_tenant() -> None:
    memory = BodyMemory(10 * MEMORY, 6 * MEMORY, TooManyRequests, per_connection=3 * MEMORY)
    with memory.reserve("a", "noisy") as one, memory.reserve("a", "noisy") as two, memory.reserve("a", "quiet") as other:
        one.grow_to(2 * MEMORY)
        with pytest.raises(Unavailable):
            two.grow_to(2 * MEMORY)
        other.grow_to(3 * MEMORY)
    with memory.reserve("a", "noisy") as again:
        again.grow_to(3 * MEMORY)


async def test_a_body_beyond_the_memory_is_drained_before_it_is_refused() -> None:
    memory = BodyMemory(10 * MEMORY, MEMORY, TooManyRequests)
    chunk = b"x" * (SMALL_BODY_BYTES + 1)
    receive = receive_chunks([chunk] * 30)
    with memory.reserve("a") as reservation:
        with pytest.raises(TooManyRequests):
            await read_body({}, receive, reservation, 50 * MEMORY)
        with pytest.raises(IndexError):
            await receive()
    with memory.reserve("a") as reservation:
        assert await read_body({}, receive_chunks([chunk] * 2), reservation, 50 * MEMORY) == chunk * 2


LIMIT = 10
LARGE = SMALL_BODY_BYTES * 2


class Client:
    """Sends `pieces`, of which `left` were not read. Disconnects instead of ending the body if `disconnects`."""

    def __init__(self, *pieces: bytes, disconnects: bool = False) -> None:
        last = {"type": "http.disconnect"} if disconnects else {"type": "http.request", "body": pieces[-1]}
        complete = pieces if disconnects else pieces[:-1]
        self.left: list[dict[str, Any]] = [*({"type": "http.request", "body": x, "more_body": True} for x in complete), last]

    async def receive(self) -> dict[str, Any]:
        return self.left.pop(0)


def unlimited() -> Reservation:
    """A reservation that no body exceeds."""
    return Reservation(BodyMemory(10**9, 10**9), "acme")


@pytest.mark.parametrize("pieces", [[b"x" * LIMIT], [b"xxx", b"xxx", b"xxxx"], [b"x" * LIMIT, b""], [b""]])
async def test_a_body_within_its_limit_is_read_whole(pieces: list[bytes]) -> None:
    assert await read_body({}, Client(*pieces).receive, unlimited(), LIMIT) == b"".join(pieces)


@pytest.mark.parametrize("pieces", [[b"x" * (LIMIT + 1)], [b"x" * LIMIT, b"x"], [b"x" * LIMIT, b"x", b""], [b"x"] * 50])
async def test_a_body_beyond_its_limit_is_drained_and_refused(pieces: list[bytes]) -> None:
    client = Client(*pieces)
    with pytest.raises(TooLarge):
        await read_body({}, client.receive, unlimited(), LIMIT)
    assert client.left == []


async def test_an_endless_body_is_drained_only_for_a_while() -> None:
    client = Client(*[b"x" * (DRAINED_BYTES // 4)] * 20)
    with pytest.raises(TooLarge):
        await read_body({}, client.receive, unlimited(), LIMIT)
    assert len(client.left) == 15


@pytest.mark.parametrize(
    ("length", "drained"), [(LIMIT + DRAINED_BYTES + 1, False), (LIMIT + DRAINED_BYTES, True), ("1" * 18, False), ("-1", True)]
)
async def test_a_body_of_far_too_large_a_declared_length_is_not_read(length: object, drained: bool) -> None:
    client = Client(b"x" * (LIMIT + 1))
    with pytest.raises(TooLarge):
        await read_body({"content-length": str(length)}, client.receive, unlimited(), LIMIT)
    assert (client.left == []) is drained


async def test_a_client_that_disconnects_has_sent_no_body() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body({}, Client(b"xx", disconnects=True).receive, unlimited(), LIMIT)


@pytest.mark.parametrize("headers", [{"content-length": str(LARGE)}, {}])
async def test_bodies_are_counted_by_their_declared_length_or_as_they_are_read(headers: dict[str, str]) -> None:
    memory = BodyMemory(total=3 * LARGE, per_tenant=2 * LARGE)

    async def read(tenant: str) -> Reservation:
        reservation = Reservation(memory, tenant)
        await read_body(headers, Client(b"x" * SMALL_BODY_BYTES, b"x" * SMALL_BODY_BYTES).receive, reservation, LARGE)
        return reservation

    first, _ = await read("acme"), await read("acme")
    with pytest.raises(Unavailable) as refusal:
        await read("acme")
    assert refusal.value.headers == {"Retry-After": "2"}
    await read("other")
    with pytest.raises(Unavailable):
        await read("third")
    first.release()
    await read("third")


async def test_a_declared_length_beyond_the_memory_is_refused_before_the_body_is_read() -> None:
    client = Client(b"x" * LARGE)
    with BodyMemory(MEMORY, SMALL_BODY_BYTES).reserve("a") as reservation, pytest.raises(Unavailable):
        await read_body({"content-length": str(LARGE)}, client.receive, reservation, LARGE)
    assert len(client.left) == 1


async def test_small_bodies_need_no_memory() -> None:
    none = Reservation(BodyMemory(0, 0), "acme")
    body = b"x" * SMALL_BODY_BYTES
    assert await read_body({}, Client(body).receive, none, SMALL_BODY_BYTES) == body


async def test_memory_is_released_however_reading_ends() -> None:
    memory = BodyMemory(total=LARGE, per_tenant=LARGE)
    for client in (Client(b"x" * LARGE, disconnects=True), Client(b"x" * LARGE, b"x"), Client(b"x" * LARGE)):
        with suppress(ClientDisconnect, TooLarge), memory.reserve("acme") as reservation:
            await read_body({}, client.receive, reservation, LARGE)
    with memory.reserve("acme") as reservation:
        reservation.grow_to(LARGE)


async def read_packed(packed: bytes, limit: int, reservation: Reservation | None = None, encoding: str = "gzip") -> bytes:
    return await read_content({"content-encoding": encoding}, Client(packed).receive, reservation or unlimited(), limit)


@pytest.mark.parametrize("content", [b"", b"x", b"x" * LARGE, os.urandom(LARGE + 1)])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
async def test_a_gzip_body_is_decompressed(content: bytes, encoding: str) -> None:
    assert await read_packed(gzip.compress(content), MIB, encoding=encoding) == content


@pytest.mark.parametrize("encoding", ["identity", ""])
async def test_a_body_without_an_encoding_is_read_as_it_is(encoding: str) -> None:
    assert await read_packed(b"{}", LIMIT, encoding=encoding) == b"{}"


async def test_the_limit_holds_for_the_decompressed_body() -> None:
    assert len(await read_packed(gzip.compress(b"x" * LARGE), LARGE)) == LARGE
    with pytest.raises(TooLarge):
        await read_packed(gzip.compress(b"x" * (LARGE + 1)), LARGE)


async def test_a_bomb_never_expands_far_beyond_the_limit() -> None:
    bomb = gzip.compress(bytes(500 * MIB))
    assert len(bomb) < MIB
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            await read_packed(bomb, MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MIB


async def test_decompressed_bytes_are_counted_in_the_memory_of_bodies() -> None:
    memory = BodyMemory(total=4 * LARGE, per_tenant=LARGE)
    with memory.reserve("acme") as reservation, pytest.raises(Unavailable):
        await read_packed(gzip.compress(b"x" * 2 * LARGE), MIB, reservation)


COMPLETE = gzip.compress(b"x" * 1000, mtime=0)


@pytest.mark.parametrize(
    ("encoding", "body", "problem"),
    [
        ("gzip", b"{}", BadRequest),
        ("gzip", COMPLETE[:-1], BadRequest),
        ("gzip", COMPLETE[:12], BadRequest),
        ("gzip", COMPLETE + b"x", BadRequest),
        ("gzip", COMPLETE * 2, BadRequest),
        ("gzip", COMPLETE[:-8] + bytes(8), BadRequest),
        ("deflate", b"", UnsupportedMedia),
        ("br", b"{}", UnsupportedMedia),
        ("gzip, gzip", gzip.compress(COMPLETE, mtime=0), UnsupportedMedia),
    ],
)
async def test_other_encodings_and_broken_gzip_are_refused(encoding: str, body: bytes, problem: type[Problem]) -> None:
    with pytest.raises(problem) as refusal:
        await read_packed(body, MIB, encoding=encoding)
    assert problem is BadRequest or refusal.value.headers == {"Accept-Encoding": "gzip"}
