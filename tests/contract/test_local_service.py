"""A service under supervision: ready when it says so, and ended when it says that it is not well."""

import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import free_port
from deploy.local.processes import StartFailed
from deploy.local.service import Service

PROGRAM = """
import pathlib, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        bad = pathlib.Path(sys.argv[2], self.path.strip("/")).exists()
        self.send_response(503 if bad else 200)
        self.end_headers()

HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""


@pytest.fixture
async def folder() -> AsyncIterator[Path]:
    """A file `livez` or `readyz` in it makes the program answer 503 there."""
    with tempfile.TemporaryDirectory(prefix="earshot-") as name:
        yield Path(name)


@pytest.fixture
async def service(folder: Path) -> AsyncIterator[Service]:
    port = free_port()
    command = [sys.executable, "-c", PROGRAM, str(port), str(folder)]
    async with httpx.AsyncClient() as http:
        service = Service("health", command, f"http://127.0.0.1:{port}", {}, folder / "health.log", http, probe_interval=0.02)
        yield service
        await service.stop()


async def test_it_starts_although_it_cannot_serve_yet(service: Service, folder: Path) -> None:
    (folder / "readyz").touch()
    await service.start()
    (folder / "readyz").unlink()
    await service.wait_until_serving()


async def test_one_that_says_it_is_not_well_is_ended(service: Service, folder: Path) -> None:
    await service.start()
    (folder / "livez").touch()
    assert await service.wait() != 0


async def test_one_that_dies_while_starting_tells_why(folder: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('METRICS_DATABASE_URL is missing')"]
    async with httpx.AsyncClient() as http:
        service = Service("metrics", command, f"http://127.0.0.1:{free_port()}", {}, folder / "metrics.log", http)
        with pytest.raises(StartFailed, match="METRICS_DATABASE_URL is missing"):
            await service.start()
