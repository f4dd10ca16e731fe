"""An earlier release of this repository: its code from the history of Git, and its services as processes."""

import asyncio
import io
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local.servers import free_port
from tests.e2e.stack import until

ROOT = Path(__file__).parents[2]
RELEASE = os.environ.get("FROM") or "2b39439"
"""A commit; by default that of version 0.1.0."""
SERVICES = ("ingest", "metrics", "sentiment")
START_SECONDS, STOP_SECONDS = 120.0, 60.0


def unpack(folder: Path, commit: str = RELEASE) -> None:
    """Write the code of the services at `commit` to `folder`. Raises CalledProcessError if the history does not have it."""
    done = subprocess.run(["git", "archive", commit, "services", "shared"], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


@dataclass
class Process:
    """A service of the earlier release, as a backend of a balancer."""

    service: str
    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        environment = self.environment | {f"{self.service.upper()}_PORT": str(self.port)}
        with (self.folder / f"{self.service}-{self.port}.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"services.{self.service}", cwd=self.folder, env=environment, stdout=log, stderr=log
            )
        async with httpx.AsyncClient() as http:
            await until(lambda: self._is_ready(http), START_SECONDS, f"{self.service} of the earlier release is ready")

    async def stop(self) -> None:
        """Stop it as Kubernetes does."""
        assert self._process
        self._process.terminate()
        await asyncio.wait_for(self._process.wait(), STOP_SECONDS)

    async def _is_ready(self, http: httpx.AsyncClient) -> bool:
        assert self._process
        assert self._process.returncode is None, f"{self.service} of the earlier release has ended: see {self.folder}"
        try:
            return (await http.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200
        except httpx.TransportError:
            return False


@dataclass
class FormerRelease:
    """Its code in `folder`, and the environment of its services."""

    folder: Path
    environment: dict[str, str]

    async def migrate(self) -> None:
        """Run its migrations."""
        for service in ("ingest", "metrics"):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"services.{service}.migrate", cwd=self.folder, env=self.environment
            )
            assert await process.wait() == 0

    def processes(self) -> dict[str, Process]:
        """New processes of its services, not started."""
        return {service: Process(service, self.folder, self.environment) for service in SERVICES}
