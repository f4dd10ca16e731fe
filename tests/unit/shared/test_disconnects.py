"""Work is cancelled when its client disconnects, and only then."""

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from shared.disconnects import cancelled_on_disconnect
from shared.problems import NotFound


async def receive_nothing() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError("not reached")


async def test_work_is_cancelled_when_the_client_disconnects() -> None:
    disconnected, began, cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        await disconnected.wait()
        return {"type": "http.disconnect"}

    async def work() -> None:
        async with cancelled_on_disconnect(receive):
            began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

    working = asyncio.create_task(work())
    await began.wait()
    disconnected.set()
    with pytest.raises(ClientDisconnect):
        await working
    assert cancelled.is_set()


async def test_work_for_a_connected_client_ends_by_itself_or_by_its_error() -> None:
    async with cancelled_on_disconnect(receive_nothing):
        await asyncio.sleep(0)
    with pytest.raises(NotFound):
        async with cancelled_on_disconnect(receive_nothing):
            raise NotFound


async def test_a_cancellation_from_elsewhere_stays_a_cancellation() -> None:
    async def work() -> None:
        async with cancelled_on_disconnect(receive_nothing):
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
