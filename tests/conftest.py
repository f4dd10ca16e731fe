"""The two real servers, started once for all tests that ask for them, on free ports and in a folder of their own; the logs."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest
import structlog

from deploy.local.servers import Kafka, Postgres, free_port, free_port_base
from shared.migrations import upgrade
from shared.telemetry import places_of

SERVICES = Path(__file__).parents[1] / "services"
NewDatabase = Callable[[str], Awaitable[str]]


@pytest.fixture(scope="session", autouse=True)
def short_tracebacks() -> None:
    """Log errors as services do. structlog's default renders every local variable of every frame, which takes seconds."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(places_of),
            structlog.dev.ConsoleRenderer(colors=False),
        ]
    )


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[Postgres]:
    """A running PostgreSQL; a test that stops it starts its own instead."""
    with tempfile.TemporaryDirectory(prefix="earshot-pg-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "postgres", free_port())
        await server.start()
        yield server
        await server.stop()


@pytest.fixture(scope="session")
async def database(postgres: Postgres) -> NewDatabase:
    """`await database("metrics")`: the URL of a fresh, migrated database of that service, for SQLAlchemy with asyncpg."""
    numbers = count(1)
    templates: dict[str, asyncio.Future[str]] = {}

    async def migrated(service: str) -> str:
        url = await postgres.create_database(f"template_{service}")
        await asyncio.to_thread(upgrade, url, SERVICES / service / "migrations")
        return f"template_{service}"

    async def fresh(service: str) -> str:
        if service not in templates:
            templates[service] = asyncio.ensure_future(migrated(service))
        return await postgres.create_database(f"{service}_{next(numbers)}", template=await templates[service])

    return fresh


@pytest.fixture(scope="session")
async def kafka() -> AsyncIterator[str]:
    """The bootstrap address of a running Kafka; make topics of your own, with names that nobody else has."""
    with tempfile.TemporaryDirectory(prefix="earshot-kafka-") as folder:
        base = free_port_base(2)
        server = Kafka(Path(folder) / "kafka", base, base + 1)
        await server.start()
        yield server.bootstrap
        await server.stop()
