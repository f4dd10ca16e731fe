"""A fault that nobody foresaw: told as ours, in the form of every other, and nothing of what was at hand is told or logged."""

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from shared import problems
from shared.database import open_engine
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
        told = str(error)
    finally:
        await engine.dispose()
    assert "SELECT" in told
    assert "jane@example.com" not in told
