"""Work for a client ends when the client leaves, unless it stores something; and bodies are bounded."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect

from services.gateway.api.passing import PASSAGES
from services.gateway.api.requests import body, while_connected
from services.gateway.api.rooms import Rooms
from shared.problems import NotFound, TooLarge, TooManyRequests

Receive = Callable[[], Awaitable[dict[str, Any]]]


def request_with(receive: Receive) -> Request:
    return Request({"type": "http", "method": "GET", "headers": []}, receive)


async def stays() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError("not reached")


async def test_work_is_cancelled_when_the_client_leaves() -> None:
    left, began, cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    answering = asyncio.create_task(while_connected(request_with(receive), work()))
    await began.wait()
    left.set()
    with pytest.raises(ClientDisconnect):
        await answering
    assert cancelled.is_set()


async def test_work_for_a_client_that_stays_is_returned_or_raised() -> None:
    async def works() -> int:
        await asyncio.sleep(0)
        return 7

    async def fails() -> int:
        raise NotFound

    assert await while_connected(request_with(stays), works()) == 7
    with pytest.raises(NotFound):
        await while_connected(request_with(stays), fails())


def test_what_stores_something_outlives_its_client_and_scoring_does_not() -> None:
    kept = {(passage.method, passage.path) for passage in PASSAGES if passage.stores}
    assert ("POST", "/v1/feedback:batch") in kept
    assert ("POST", "/v1/score") not in kept
    assert not [method for method, _ in kept if method == "GET"]


def sending(parts: Iterable[bytes]) -> Receive:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    left = iter([*messages, {"type": "http.request", "body": b""}])

    async def receive() -> dict[str, Any]:
        return next(left)

    return receive


async def test_a_body_without_room_is_refused_once_it_was_sent_and_takes_none() -> None:
    rooms = Rooms(total=100, per_tenant=10)
    with rooms.room("a") as room:
        with pytest.raises(TooManyRequests):
            await body(request_with(sending([b"x" * 6] * 5)), 50, room)
        assert room.taken == 6
        with pytest.raises(TooLarge):
            await body(request_with(sending([b"x" * 60])), 50, room)
    with rooms.room("a") as room:
        assert await body(request_with(sending([b"x" * 5] * 2)), 50, room) == b"x" * 10
