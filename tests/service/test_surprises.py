"""Unforeseen errors are answered as our fault and reveal nothing; a client that leaves is no error at all."""

import asyncio
import gc
import logging

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from sqlalchemy import text
from structlog.processors import ExceptionRenderer
from structlog.testing import capture_logs

from deploy.local.ports import free_port
from shared import problems
from shared.database import open_engine
from shared.heads import BoundedProtocol
from shared.http import Server
from shared.instruments import HTTP, registry_of
from shared.telemetry import places_of
from tests.conftest import NewDatabase


async def test_a_fault_of_ours_is_503_and_says_that_its_connection_ends() -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    async def fails() -> None:
        raise ZeroDivisionError("hush")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["connection"]) == (503, "5", "close")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hush" not in answer.text


async def test_an_error_of_the_database_tells_no_values(database: NewDatabase) -> None:
    engine = open_engine(await database("gateway"))
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT CAST(:secret AS text) || (1 / 0)"), {"secret": "jane@example.com"})
    except Exception as error:
        logged = str(error)
    finally:
        await engine.dispose()
    assert "SELECT" in logged
    assert "jane@example.com" not in logged


async def test_a_client_that_leaves_during_an_upload_is_one_line_of_information(caplog: pytest.LogCaptureFixture) -> None:
    app, began = FastAPI(), asyncio.Event()
    problems.install(app)

    @app.post("/things/{id}")
    async def upload(request: Request) -> None:
        began.set()
        await request.body()

    config = uvicorn.Config(app, port=(port := free_port()), http=BoundedProtocol, lifespan="off", log_config=None)
    server = Server(config, app, pause=0)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    before = left()
    with capture_logs() as logged, caplog.at_level(logging.WARNING):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /things/7 HTTP/1.1\r\nContent-Length: 1000\r\n\r\nhalf of it")
        await asyncio.wait_for(began.wait(), 5)
        writer.close()
        async with asyncio.timeout(5):
            while server.server_state.tasks or left() == before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    server.should_exit = True
    await serving
    assert logged == [{"event": "client.left", "log_level": "info", "method": "POST", "route": "/things/{id}"}]
    assert caplog.records == []
    assert left() == before + 1


async def test_an_error_of_a_task_that_nothing_awaits_is_one_log_line_without_its_message() -> None:
    email = "jane@example.com"

    async def fail() -> None:
        raise ValueError(email)

    app = FastAPI()
    config = uvicorn.Config(app, port=free_port(), http=BoundedProtocol, lifespan="off", log_config=None)
    server = Server(config, app, pause=0)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    with capture_logs([ExceptionRenderer(places_of)]) as logged:
        asyncio.create_task(fail(), name="relay")  # noqa: RUF006
        await asyncio.sleep(0.01)
        gc.collect()
    server.should_exit = True
    await serving
    [line] = logged
    assert (line["event"], line["reason"], line["task"]) == ("asyncio.error", "Task exception was never retrieved", "relay")
    assert "in fail" in line["exception"]
    assert "jane" not in str(line)


def left() -> float:
    return registry_of(HTTP).get_sample_value("earshot_http_clients_left_total") or 0.0
