"""Wait for the parts that a verification reads: one of them may just have been started again."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg
import httpx

from shared.database import OUTAGE

PAUSE = 0.5
"""Seconds between two attempts."""
UNREACHABLE = (*OUTAGE, httpx.TransportError)


async def wait_for_service(name: str, http: httpx.AsyncClient, patience: float, say: Callable[[str], None]) -> None:
    """Wait until a service answers its readiness probe, for `patience` seconds. Raises httpx.HTTPError if it does not."""

    async def probe() -> None:
        answer = await http.get("/readyz")
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise httpx.ConnectError(f"{name} is not ready")

    await wait_for(name, probe, patience, say)


async def wait_for_database(pool: asyncpg.Pool, patience: float, say: Callable[[str], None]) -> None:
    """Wait until the database answers, for `patience` seconds. Raises one of OUTAGE if it does not."""
    await wait_for("the database", lambda: pool.fetchval("SELECT 1"), patience, say)


async def wait_for(name: str, probe: Callable[[], Awaitable[object]], patience: float, say: Callable[[str], None]) -> None:
    """Repeat `probe` until it succeeds. After `patience` seconds its error is raised."""
    end = time.monotonic() + patience
    announced = False
    while True:
        try:
            await probe()
        except UNREACHABLE:
            if time.monotonic() >= end:
                raise
        else:
            return
        if not announced:
            say(f"  waiting for {name}")
        announced = True
        await asyncio.sleep(PAUSE)
