"""A server that stops: from the signal on, each response has `Connection: close`, so that clients leave before it closes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI

from deploy.local.servers import free_port
from shared.heads import limited
from shared.http import Server, add_health
from shared.http_limits import HttpLimits

PAUSE = 0.5


async def nothing_missing() -> list[str]:
    return []


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    """A server whose pause is PAUSE, and a client with one connection to it."""
    app = FastAPI()
    add_health(app, alive=list, ready=nothing_missing, metrics=())
    port = free_port()
    config = uvicorn.Config(app, port=port, http=limited(HttpLimits()), ws="none", lifespan="off", log_config=None)
    server = Server(config, app, PAUSE)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=httpx.Limits(max_connections=1)) as client:
        yield server, client
    server.should_exit = True
    await task


async def test_responses_of_a_stopping_server_close_their_connection() -> None:
    async with serving() as (server, client):
        before = await client.get("/livez")
        assert (before.status_code, before.headers.get("connection")) == (200, None)
        server.should_exit = True
        async with asyncio.timeout(5):
            while (stopping := await client.get("/readyz")).status_code == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert stopping.json()["missing"] == ["stopping"]
        assert stopping.headers.get_list("connection") == ["close"]
        again = await client.get("/livez")  # on a new connection: the server accepts until its pause is over
        assert (again.status_code, again.headers["connection"]) == (200, "close")
