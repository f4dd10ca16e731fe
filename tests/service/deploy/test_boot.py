"""A service as its image runs it, without a container: its files, command and environment; PostgreSQL and Kafka are down."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import httpx
import pytest

from deploy import new_secrets
from deploy.local.servers import free_port
from deploy.settings_page import settings_of
from shared.startup import INVALID_SETTINGS
from tests.unit.deploy.image import SERVICE, SERVICES, build

NOWHERE = "127.0.0.1:1"
"""Nothing listens there, so a connection is refused at once."""
GRACE = 45.0
"""Seconds in which a pod must end."""
UNAVAILABLE: dict[str, dict[str, object]] = {
    "ingest": {"status": "failing", "missing": ["database"]},
    "sentiment": {"status": "ok", "missing": [], "degraded": ["kafka"]},
    "metrics": {"status": "failing", "missing": ["database"], "degraded": ["kafka"]},
    "gateway": {"status": "failing", "missing": ["database"]},
}
"""The response of `/readyz`. Sentiment needs neither a database nor Kafka to answer `/v1/score`."""

Images = Callable[[str], Path]


def environment(service: str, port: int) -> dict[str, str]:
    """The required settings; nothing listens at the addresses of its servers."""
    prefix = service.upper()
    variables = {
        "KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
        "INTERNAL_TOKEN": new_secrets.internal_token(),
        "INGEST_SECRET_KEY": new_secrets.secret_key(),
        f"{prefix}_DATABASE_URL": f"postgresql://nobody:nothing@{NOWHERE}/none",
        "SHUTDOWN_PAUSE": "1",
        "IDLE_TIMEOUT": "7",
        f"{prefix}_HOST": "127.0.0.1",
        f"{prefix}_PORT": str(port),
    }
    known = {setting.name for setting in settings_of(service)}
    return {name: value for name, value in variables.items() if name in known}


def image_environment(service: str) -> dict[str, str]:
    """The environment variables that the Dockerfile sets."""
    path = f"{Path(sys.executable).parent}:{os.defpath}"
    return {"SERVICE": service, "PATH": path, "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """`images("ingest")`: the working directory of that service's image, with its files laid out."""
    return cache(lambda service: build(service, tmp_path_factory.mktemp(service), *SERVICE, bytecode=True))


@asynccontextmanager
async def container(service: str, folder: Path, log: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """The service running as the image runs it, with its output in `log`, and a client of it."""
    port = free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", "exec python -m services.$SERVICE",
            cwd=folder,
            env=environment(service, port) | image_environment(service),
            stdout=output,
            stderr=output,
        )  # fmt: skip
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        try:
            yield process, client
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def run_in_image(folder: Path, command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end with the files of a service's image."""
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


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
async def test_without_its_servers_a_service_is_alive_names_them_and_stops_cleanly(
    service: str, images: Images, tmp_path: Path
) -> None:
    folder, log = images(service), tmp_path / f"{service}.log"
    files = sorted(folder.rglob("*"))
    async with container(service, folder, log) as (process, client):
        assert (await first_response(client, process)).status_code == 200

        ready = await client.get("/readyz")
        async with asyncio.timeout(60):
            while "themes" in ready.json()["missing"]:  # sentiment prepares them after its start
                await asyncio.sleep(0.1)
                ready = await client.get("/readyz")
        assert ready.json() == UNAVAILABLE[service]
        assert ready.status_code == (503 if ready.json()["missing"] else 200)

        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(GRACE):
            while (await client.get("/readyz")).json()["missing"] != ["stopping"]:  # noqa: ASYNC110 it is another process
                await asyncio.sleep(0.01)
            # uvicorn ends by the signal it got; for process 1 of a container that is an exit by 0.
            assert await process.wait() in (0, -signal.SIGTERM)
        assert sorted(folder.rglob("*")) == files, "a container may not write beside its code"
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert (events.count("service.started"), events[-1]) == (1, "service.stopped")


async def test_idle_connections_are_kept_for_the_time_that_is_set(images: Images, tmp_path: Path) -> None:
    """uvicorn's default, 5 seconds, is less than the time of common proxies."""
    async with container("gateway", images("gateway"), tmp_path / "log") as (process, client):
        await first_response(client, process)
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: earshot\r\n\r\n")
        await reader.readuntil(b"}")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 5.8)
        assert await asyncio.wait_for(reader.read(1), 10) == b""
        writer.close()


@pytest.mark.parametrize(
    ("service", "module"), [*((name, "") for name in SERVICES), ("ingest", ".migrate"), ("metrics", ".migrate")]
)
def test_a_missing_setting_is_one_line_that_names_it(service: str, module: str, images: Images) -> None:
    command = [sys.executable, "-m", f"services.{service}{module}"]
    process = run_in_image(images(service), command, image_environment(service))
    [line] = process.stderr.splitlines()
    assert process.returncode == INVALID_SETTINGS
    assert json.loads(line)["variables"] == {s.name: "it is required" for s in settings_of(service) if s.required}


def test_a_migration_without_a_database_is_one_json_line(images: Images) -> None:
    command = [sys.executable, "-m", "services.ingest.migrate"]
    variables = environment("ingest", 1) | image_environment("ingest")
    process = run_in_image(images("ingest"), command, variables)
    events = [json.loads(line) for line in process.stderr.splitlines()]
    assert [(event["event"], event["error"]) for event in events] == [("error.uncaught", "ConnectionRefusedError")]
    assert process.returncode == 1
