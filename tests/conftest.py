"""Fixtures for all tests: PostgreSQL, started once in each test process, and the configuration of logs.

`make test` runs several test processes (pytest-xdist). A file runs in one of them, and so do files that share a large fixture.
"""

import asyncio
import gc
import importlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import make_url
from xdist.scheduler import LoadScopeScheduling

from deploy.local import ports
from deploy.local.servers import Postgres, free_port
from shared.migrations import upgrade
from shared.telemetry import processors

# A shell may forbid compiled modules. The test processes and the services they start would compile every module again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Property tests are bounded in number, not in time: the machine may be busy.
settings.register_profile("tests", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

TESTS = Path(__file__).parent
SERVICES = TESTS.parent / "services"
NewDatabase = Callable[[str], Awaitable[str]]
SERVER_OF_TESTS = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
"""Commits survive the end of the server but not of the machine; hundreds of small databases are not visited in turn."""
TOGETHER = {
    "the stack": ("tests/e2e/",),
    "the broker": (
        "tests/contract/test_gateway_live.py",
        "tests/contract/test_ingest_fairness.py",
        "tests/contract/test_kafka_",
        "tests/contract/test_metrics_consuming.py",
        "tests/contract/test_metrics_promotion.py",
    ),
}
"""Files that run in one process, because they share a fixture that is expensive to start. They run before all others."""
EARLY = (
    "tests/e2e/test_erasure.py",
    "tests/e2e/test_readme.py",
    "tests/e2e/test_webhooks.py",
    "tests/unit/test_patterns.py",
)
"""Files that verify the whole stack, which takes longer the more tests have filled it; and a long one that would be the last."""


def pytest_configure(config: pytest.Config) -> None:
    """Give each test process free ports of its own, so that two of them never start servers on one port."""
    if worker := getattr(config, "workerinput", None):
        number, processes = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
        every = ports.BELOW_EPHEMERAL
        share = len(every) // processes
        ports.BELOW_EPHEMERAL = every[number * share : (number + 1) * share]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let each of several test processes import its share of all test modules first, and so compile them.

    Pytest rewrites and compiles modules of tests when they are imported. Without shares, all processes would compile the same
    module at the same time in a fresh checkout.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker and session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        number, processes = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
        for path in sorted(TESTS.rglob("test_*.py"))[number::processes]:
            with suppress(Exception):  # the collection reports it
                importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Run all tests of a file in one process, and so those of TOGETHER."""
    return FileScheduling(config, log)


class FileScheduling(LoadScopeScheduling):
    """Distributes files and the groups of TOGETHER."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid) or nodeid.partition("::")[0]


def group_of(nodeid: str) -> str | None:
    """The name of the group of TOGETHER that the test is in, if any."""
    return next((name for name, prefixes in TOGETHER.items() if nodeid.startswith(prefixes)), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the groups of TOGETHER start first, if several processes run the tests. EARLY is first in its group."""
    if hasattr(config, "workerinput"):
        order = [*TOGETHER, None]
        items.sort(key=lambda item: (order.index(group_of(item.nodeid)), not item.nodeid.startswith(EARLY)))


def pytest_collection_finish() -> None:
    """Leave the modules and the tests out of garbage collections from here on: they make them slow, and are never garbage."""
    gc.collect()
    gc.freeze()


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
    folder = Path(tempfile.mkdtemp(prefix="earshot-pg-"))
    folder.chmod(0o755)
    server = Postgres(folder / "postgres", free_port(), settings=SERVER_OF_TESTS)
    try:
        await server.start()
        yield server
        await server.stop()
    finally:
        start_to_delete(folder)


def start_to_delete(folder: Path) -> None:
    """Delete a folder in a process of its own, which may end after the tests: a server has a hundred thousand files."""
    os.posix_spawnp("rm", ("rm", "-rf", str(folder)), os.environ, setsid=True)


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
def empty_metrics_databases() -> list[str]:
    """The URLs of databases of metrics that earlier tests have used, emptied: that takes a tenth of the time of a new one."""
    return []


@pytest.fixture(scope="session")
def copy_database(postgres: Postgres) -> NewDatabase:
    """`await copy_database(url)`: the URL of a copy of that database, to which nobody may be connected."""
    numbers = count(1)

    async def copy(url: str) -> str:
        return await postgres.create_database(f"copy_{next(numbers)}", template=make_url(url).database)

    return copy
