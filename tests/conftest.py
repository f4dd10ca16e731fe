"""Fixtures for all tests: PostgreSQL and Kafka, started once in each test process, and the configuration of logs.

`make test` runs two test processes (pytest-xdist). A file runs in one of them, and so does the whole end-to-end suite, which
has one stack.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from deploy.local import ports
from deploy.local.servers import Kafka, Postgres, free_port, free_port_base
from shared.migrations import upgrade
from shared.telemetry import processors

# Property tests are bounded in number, not in time: the machine may be busy.
settings.register_profile("tests", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

SERVICES = Path(__file__).parents[1] / "services"
NewDatabase = Callable[[str], Awaitable[str]]
ONE_PROCESS = "tests/e2e"
"""The folder whose files share a fixture that is too large to start twice."""


def pytest_configure(config: pytest.Config) -> None:
    """Give each test process free ports of its own, so that two of them never start servers on one port."""
    if worker := getattr(config, "workerinput", None):
        number, processes = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
        every = ports.BELOW_EPHEMERAL
        share = len(every) // processes
        ports.BELOW_EPHEMERAL = every[number * share : (number + 1) * share]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Run all tests of a file in one process, and so the whole end-to-end suite."""
    return FileScheduling(config, log)


class FileScheduling(LoadScopeScheduling):
    """Distributes files. The files in ONE_PROCESS count as one."""

    def _split_scope(self, nodeid: str) -> str:
        return ONE_PROCESS if nodeid.startswith(ONE_PROCESS) else nodeid.partition("::")[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the end-to-end suite start first, if several processes run the tests: it is the longest group."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(ONE_PROCESS))


@pytest.fixture(scope="session", autouse=True)
def short_tracebacks() -> None:
    """Log errors as services do, to standard error. structlog's default renders every local variable of every frame, which takes
    seconds, and writes to standard output, where lines of other tests' workers would be among the output of a command."""
    structlog.configure(
        processors=[*processors("tests"), structlog.dev.ConsoleRenderer(colors=False)],
        logger_factory=lambda *names: structlog.PrintLogger(sys.stderr),
    )


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[Postgres]:
    """A running PostgreSQL. A test that stops the server starts one of its own instead."""
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
    """The bootstrap address of a running Kafka. Tests share it, so each creates topics with unique names."""
    with tempfile.TemporaryDirectory(prefix="earshot-kafka-") as folder:
        base = free_port_base(2)
        server = Kafka(Path(folder) / "kafka", base, base + 1)
        await server.start()
        yield server.bootstrap
        await server.stop()
