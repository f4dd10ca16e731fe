"""Fill the disk under PostgreSQL while tools deliver, free it again, and compare the acknowledged with the stored deliveries.

`python -m bench.full_disk [--size 192] [--free 4] [--seconds 16]` needs Linux and root: PostgreSQL's folder is a file system in
memory of so many MiB, which only this command sees. A file fills it except for `--free` MiB, and deliveries fill the rest. Kafka
is down meanwhile.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import choices
from string import ascii_lowercase

import asyncpg
import httpx

from bench.ingest import connect, process
from deploy.local.processes import StartFailed
from deploy.local.servers import Postgres, free_port
from services.ingest.migrate import SCRIPTS
from shared.database import dsn
from shared.migrations import upgrade
from shared.service_client import KEEPALIVE_SECONDS
from tests.signing import standard

MIB = 1024 * 1024
SENDERS = 16
INSIDE = "--inside"


@dataclass
class Tools:
    """Senders to one hook. `acknowledged` are the ids that were answered 202; `refused` those that were not, yet."""

    url: str
    secret: str
    acknowledged: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)

    async def post(self, http: httpx.AsyncClient, name: str) -> bool:
        """Post one delivery. Returns whether it was acknowledged; any other answer must be a complete 503."""
        record = {"type": "response", "id": name, "at": "2026-11-20T10:00:00Z", "answers": [COMMENT]}
        content = json.dumps({"data": record}).encode()
        began = time.monotonic()
        try:
            answer = await http.post(self.url, content=content, headers=standard(self.secret, content, delivery=name))
        except httpx.TransportError as error:
            self.statuses[type(error).__name__] += 1
            self.refused.add(name)
            return False
        self.waits.append(time.monotonic() - began)
        accepted = answer.status_code == httpx.codes.ACCEPTED
        complete = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and "retry-after" in answer.headers
        if not accepted and not complete:
            raise SystemExit(f"the answer is neither 202 nor a complete 503: {answer.status_code} {answer.text}")
        self.statuses[str(answer.status_code)] += 1
        (self.acknowledged if accepted else self.refused).add(name)
        return accepted

    async def deliver(self, http: httpx.AsyncClient, phase: str, until: float) -> None:
        """Deliver with SENDERS until that time."""

        async def send(sender: int) -> None:
            number = 0
            while time.monotonic() < until:
                if not await self.post(http, f"{phase}-{sender}-{number}"):
                    await asyncio.sleep(0.05)
                number += 1

        self.statuses.clear()
        self.waits.clear()
        await asyncio.gather(*map(send, range(SENDERS)))
        counts = ", ".join(f"{status}: {count:,}" for status, count in sorted(self.statuses.items()))
        print(f"{phase:<12} {counts}; the slowest answer took {max(self.waits):.1f} s", flush=True)


COMMENT = {"question": "why", "kind": "comment", "text": "".join(choices(ascii_lowercase + " ", k=20_000))}
"""Long, and random, so that PostgreSQL can't compress it."""


async def restart(postgres: Postgres, ends: list[int]) -> None:
    """Start the server again whenever it has ended, as an orchestrator does. `ends`: its exit statuses."""
    while True:
        ends.append(await postgres.wait())
        while True:
            with suppress(StartFailed):
                await postgres.start()
                break
            await asyncio.sleep(0.5)


async def measure(folder: Path, seconds: float, free: int) -> None:
    postgres = Postgres(folder / "postgres", free_port(), log=folder.parent / "postgres.log")
    await postgres.start()
    url = await postgres.create_database("ingest")
    await asyncio.to_thread(upgrade, url, SCRIPTS)
    ends: list[int] = []
    restarting = asyncio.create_task(restart(postgres, ends))
    environment = {
        "INGEST_DATABASE_URL": url,
        "INGEST_SECRET_KEY": urlsafe_b64encode(bytes(32)).decode(),
        "INGEST_PORT": str(port := free_port()),
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
    }
    try:
        with process("services.ingest", port, **environment):
            path, secret = connect(port)
            tools = Tools(f"http://127.0.0.1:{port}{path}", secret)
            limits = httpx.Limits(keepalive_expiry=KEEPALIVE_SECONDS)
            async with httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as http:
                await fill_and_free(folder, tools, http, seconds, free)
            await compare(url, tools)
        print(f"PostgreSQL ended, and was started again, {len(ends)} times")
    finally:
        restarting.cancel()
        await postgres.stop()


async def fill_and_free(folder: Path, tools: Tools, http: httpx.AsyncClient, seconds: float, free: int) -> None:
    """Deliver before, while and after the disk is full, and finally everything that was refused."""
    await tools.deliver(http, "before", time.monotonic() + seconds / 2)
    ballast = folder / "ballast"
    with ballast.open("wb") as file, suppress(OSError):
        room = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        os.posix_fallocate(file.fileno(), 0, max(1, room - free * MIB))
    await tools.deliver(http, "full", time.monotonic() + seconds)
    if "503" not in tools.statuses:
        raise SystemExit("the disk did not become full: use a larger --seconds")
    ballast.unlink()
    freed = time.monotonic()
    while not await tools.post(http, "first"):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    print(f"accepted again {time.monotonic() - freed:.1f} s after room was made", flush=True)
    await tools.deliver(http, "after", time.monotonic() + seconds / 2)
    for name in sorted(tools.refused - tools.acknowledged):
        while not await tools.post(http, name):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def compare(url: str, tools: Tools) -> None:
    """Each acknowledged delivery is stored once."""
    database = await asyncpg.connect(dsn(url))
    stored = Counter([row[0] for row in await database.fetch("SELECT delivery FROM inbox")])
    await database.close()
    lost, twice = tools.acknowledged - stored.keys(), [name for name, count in stored.items() if count > 1]
    print(f"acknowledged {len(tools.acknowledged):,}, of these {len(lost)} lost; stored twice: {len(twice)}")
    if lost or twice:
        raise SystemExit("acknowledged deliveries are lost or stored twice")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--seconds", type=float, default=16)
    parser.add_argument("--free", type=int, default=4)
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:  # a mount namespace of its own: the file system disappears with the last process in it
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "bench.full_disk"]
        return subprocess.run([*command, *sys.argv[1:], INSIDE], check=False).returncode
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as outer:
        Path(outer).chmod(0o755)
        folder = Path(outer) / "disk"
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={arguments.size}m,mode=755", "none", folder], check=True)
        try:
            asyncio.run(measure(folder, arguments.seconds, arguments.free))
        finally:
            subprocess.run(["umount", "--lazy", folder], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
