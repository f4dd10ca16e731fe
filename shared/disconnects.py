"""Cancel the work of a request whose client disconnects.

async def get_kpi(client: ClientMessages) -> Kpi:
    async with cancelled_on_disconnect(client): ...
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect
from starlette.types import Receive


async def client_messages(request: Request) -> Receive:
    """The function that receives the next message of the request's client."""
    return request.receive


ClientMessages = Annotated[Receive, Depends(client_messages)]
"""A parameter of a route, for `cancelled_on_disconnect`."""


@asynccontextmanager
async def cancelled_on_disconnect(client: Receive) -> AsyncIterator[None]:
    """Cancel the body of this context if the client disconnects, and raise ClientDisconnect.

    For requests whose body was read: further messages are dropped.
    """
    task = asyncio.current_task()
    assert task is not None
    disconnected = False

    async def watch() -> None:
        nonlocal disconnected
        while (await client())["type"] != "http.disconnect":
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
