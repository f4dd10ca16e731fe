"""Stopping the work of a request whose client has left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect


@asynccontextmanager
async def cancelled_on_disconnect(request: Request) -> AsyncIterator[None]:
    """Cancel the body of this context when the client leaves; raises ClientDisconnect then.

    For requests whose body was read, or that have none: whatever else arrives is dropped.
    """
    task = asyncio.current_task()
    assert task is not None
    left = False

    async def watch() -> None:
        nonlocal left
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left = True
        task.cancel()

    watcher = asyncio.create_task(watch(), name="disconnect watcher")
    cancelling = task.cancelling()
    try:
        yield
        watcher.cancel()
        await asyncio.sleep(0)  # a cancellation by the watcher that is still to be delivered is delivered here
    except asyncio.CancelledError:
        if left and task.uncancel() <= cancelling:
            raise ClientDisconnect from None
        raise
    finally:
        watcher.cancel()
