"""A container's life without a container: the image's files, its command and its environment, with PostgreSQL and Kafka away."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy import new_secrets
from deploy.local.servers import free_port
from deploy.settings_page import settings_of
from tests.unit.deploy.image import SERVICE, SERVICES, build

NOWHERE = "127.0.0.1:1"
"""Nothing listens there, so a connection is refused at once."""
GRACE = 45.0
"""Seconds that a pod is variables to end."""


def environment(service: str, port: int) -> dict[str, str]:
    """The required settings; nothing listens at the addresses of its servers."""
    prefix = service.upper()
    variables = {
        "KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
        "INTERNAL_TOKEN": new_secrets.internal_token(),
        "INGEST_SECRET_KEY": new_secrets.secret_key(),
        f"{prefix}_DATABASE_URL": f"postgresql://nobody:nothing@{NOWHERE}/none",
        "SHUTDOWN_PAUSE": "1",
        f"{prefix}_HOST": "127.0.0.1",
        f"{prefix}_PORT": str(port),
    }
    known = {setting.name for setting in settings_of(service)}
    return {name: value for name, value in variables.items() if name in known}


def image_environment(service: str) -> dict[str, str]:
    """The environment variables that the Dockerfile sets."""
    path = f"{Path(sys.executable).parent}:{os.defpath}"
    return {"SERVICE": service, "PATH": path, "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}


@asynccontextmanager
async def container(service: str, root: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """The service running as the image runs it, and a client of it."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", "exec python -m services.$SERVICE",
        cwd=build(service, root, *SERVICE),
        env=environment(service, port) | image_environment(service),
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        try:
            yield process, client
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def first_response(client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> httpx.Response:
    """The first answer of /livez; the startup probe gives it a minute."""
    async with asyncio.timeout(60):
        while True:
            assert process.returncode is None, "the service ended instead of starting"
            try:
                return await client.get("/livez")
            except httpx.ConnectError:
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("service", SERVICES)
async def test_without_its_servers_a_service_is_alive_not_ready_and_stops_cleanly(service: str, tmp_path: Path) -> None:
    async with container(service, tmp_path) as (process, client):
        assert (await first_response(client, process)).status_code == 200
        files = sorted(tmp_path.rglob("*"))

        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["missing"] not in ([], ["stopping"])

        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(GRACE):
            while (await client.get("/readyz")).json()["missing"] != ["stopping"]:  # noqa: ASYNC110 it is another process
                await asyncio.sleep(0.01)
            # uvicorn ends by the signal it got; for process 1 of a container that is an exit by 0.
            assert await process.wait() in (0, -signal.SIGTERM)
        assert sorted(tmp_path.rglob("*")) == files, "a container may not write beside its code"
