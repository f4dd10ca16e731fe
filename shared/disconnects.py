"""Cancel the work of a request whose client disconnects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect


@asynccontextmanager
async def cancelled_on_disconnect(request: Request) -> AsyncIterator[None]:
    """Cancel the body of this context if the client disconnects, and raise ClientDisconnect.

    For requests whose body was read: further messages are dropped.
    """
    task = asyncio.current_task()
    assert task is not None
    disconnected = False

    async def watch() -> None:
        nonlocal disconnected
        while (await request.receive())["type"] != "http.disconnect":
            pass
        disconnected = True
        task.cancel()

    watcher = asyncio.create_task(watch(), name="disconnect watcher")
    cancelling = task.cancelling()
    try:
        yield
        watcher.cancel()
        await asyncio.sleep(0)  # a pending cancellation by the watcher is raised here
    except asyncio.CancelledError:
        if disconnected and task.uncancel() <= cancelling:
            raise ClientDisconnect from None
        raise
    finally:
        watcher.cancel()
