"""Bodies are read within bounds, and large ones share a bounded memory."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from shared.bodies import KIB, SMALL_BODY_BYTES, BodyMemory, read_body
from shared.problems import TooLarge, TooManyRequests, Unavailable

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


async def test_a_body_beyond_its_limit_is_refused() -> None:
    with BodyMemory(MEMORY, MEMORY).reserve("a") as reservation, pytest.raises(TooLarge):
        await read_body({}, receive_chunks([b"x" * 60]), reservation, 50)
