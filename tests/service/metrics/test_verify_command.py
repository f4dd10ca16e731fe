"""The command as `make verify` and every chaos test run it: its exit status is the verdict."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from pydantic import AnyHttpUrl, SecretStr

from deploy.local.ports import free_port
from services.metrics.settings import Settings
from services.metrics.verify.__main__ import verify
from tests.service.metrics.database import TOKEN, MetricsDatabase, survey_response
from tests.service.metrics.verification import Inbox
from tests.unit.metrics.build import nps

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def listening(inbox: Inbox) -> AsyncIterator[str]:
    """Ingest, as verification sees it, on a port."""
    server = uvicorn.Server(uvicorn.Config(inbox.app(), port=(port := free_port()), lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def status_of(settings: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    """Exit status and last line of the command as a process."""
    command = (sys.executable, "-m", "services.metrics.verify", *arguments)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=os.environ | settings, stdout=pipe, stderr=pipe)
    output, _ = await process.communicate()
    return process.returncode, output.decode().splitlines()[-1]


async def test_the_exit_status_is_1_after_a_difference(metrics_db: MetricsDatabase) -> None:
    """Of a tenant without KPIs, so that nothing has to be asked of a running metrics."""
    inbox = Inbox([survey_response(1, nps(9), at=datetime.now(UTC), tenant="lost")])
    async with listening(inbox) as url:
        settings = Settings(database_url=SecretStr(metrics_db.url), ingest_url=AnyHttpUrl(url), internal_token=SecretStr(TOKEN))
        assert await verify(settings, "silent", 0) is True
        environment = {"METRICS_DATABASE_URL": metrics_db.url, "METRICS_INGEST_URL": url, "INTERNAL_TOKEN": TOKEN}
        assert await status_of(environment, "--tenant", "lost", "--patience", "0") == (1, "NOT EQUAL")
