"""A request whose response does not begin in time is cancelled and answered with 503."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from shared import problems
from shared.deadlines import RequestDeadline, TaskDeadlines

SECONDS = 0.2


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.add_middleware(RequestDeadline, seconds=SECONDS)
    problems.install(app)
    cancelled: list[str] = []

    @app.get("/slow")
    async def slow() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append("slow")
            raise

    @app.get("/cancelled")
    async def list_cancelled() -> list[str]:
        return cancelled

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(5):
                await asyncio.sleep(SECONDS / 3)
                yield b"x"

        return StreamingResponse(parts())

    @app.post("/upload")
    async def upload(request: Request) -> int:
        return len(await request.body())

    @app.get("/timeout")
    async def timeout() -> None:
        raise TimeoutError

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def test_a_late_response_is_503_and_its_work_is_cancelled(http: httpx.AsyncClient) -> None:
    answer = await http.get("/slow")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"]
    assert answer.json()["detail"] == "no answer within 0.2 s"
    assert (await http.get("/cancelled")).json() == ["slow"]


async def test_a_response_that_has_begun_may_take_longer(http: httpx.AsyncClient) -> None:
    assert (await http.get("/stream")).text == "xxxxx"


async def test_the_time_of_an_upload_does_not_count(http: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(5):
            await asyncio.sleep(SECONDS / 3)
            yield b"x"

    assert (await http.post("/upload", content=parts())).json() == 5


async def test_a_timeout_of_the_application_is_its_own_error(http: httpx.AsyncClient) -> None:
    assert (await http.get("/timeout")).json()["detail"] == "an unexpected error in Earshot"


async def test_work_of_a_task_that_takes_too_long_is_cancelled() -> None:
    deadlines = TaskDeadlines(SECONDS)

    async def work(seconds: float) -> str:
        try:
            with deadlines.limit():
                await asyncio.sleep(seconds)
        except TimeoutError:
            await asyncio.sleep(0)  # the task goes on
            return "late"
        return "in time"

    works = [asyncio.create_task(work(seconds)) for seconds in (10, 0, SECONDS / 4, 10)]
    assert await asyncio.gather(*works) == ["late", "in time", "in time", "late"]
    assert await asyncio.gather(work(0), work(10)) == ["in time", "late"]


async def test_a_cancellation_of_the_task_itself_is_no_deadline() -> None:
    deadlines = TaskDeadlines(10)

    async def work() -> None:
        with deadlines.limit():
            await asyncio.sleep(10)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    with pytest.raises(LookupError), TaskDeadlines(10).limit():
        raise LookupError
