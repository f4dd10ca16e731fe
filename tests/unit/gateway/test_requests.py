"""Which proxied requests are cancelled when the client disconnects, and bounded bodies."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from fastapi import Request

from services.gateway.api.proxy import PROXIED_ROUTES
from services.gateway.api.requests import body
from services.gateway.api.rooms import Rooms
from shared.problems import TooLarge, TooManyRequests

Receive = Callable[[], Awaitable[dict[str, Any]]]


def request_with(receive: Receive) -> Request:
    return Request({"type": "http", "method": "GET", "headers": []}, receive)


def test_requests_that_store_data_outlive_their_client_and_scoring_does_not() -> None:
    stored = {(route.method, route.path) for route in PROXIED_ROUTES if route.stores}
    assert ("POST", "/v1/feedback:batch") in stored
    assert ("POST", "/v1/score") not in stored
    assert not [method for method, _ in stored if method == "GET"]


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
