"""Measure the memory of ingest while tools flood it, and how another tool is served meanwhile.

`python -m bench.ingest_flood [--seconds 20]` starts PostgreSQL, Kafka and ingest in a temporary folder. Three tools flood: one
with small deliveries, one with bodies of 1 MiB, one with wrong signatures. A quiet tool posts one delivery after the other.
"""

import argparse
import asyncio
import json
import tempfile
import time
from base64 import urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.ingest import Server, connect, process, start
from bench.ingest_load import WORDS
from bench.posting import Poster, open_poster
from deploy.local.servers import free_port
from tests.signing import standard

MIB = 1024 * 1024
CONNECTIONS = 100
"""Of each flooding tool."""
QUIET_PAUSE = 0.05
SAMPLE_SECONDS = 0.25


@dataclass
class Tool:
    """A tool that posts to its own hook. `secret` signs its deliveries."""

    name: str
    port: int
    path: str
    secret: str
    size: int = 0
    closed: int = 0
    """Connections that the server closed."""
    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)

    def request(self, number: int) -> tuple[dict[str, str], bytes]:
        record = {
            "type": "response",
            "id": f"{self.name}-{number}",
            "at": "2026-11-20T10:00:00Z",
            "answers": [{"question": "why", "kind": "comment", "text": WORDS}],
        }
        body = json.dumps({"data": record}).encode().ljust(self.size)
        return standard(self.secret, body, delivery=f"{self.name}-{number}"), body

    async def post(self, poster: Poster, until: float, pause: float = 0.0) -> None:
        """Post one delivery after the other until that time."""
        number = len(self.waits)
        while time.monotonic() < until:
            number += CONNECTIONS
            headers, body = self.request(number)
            began = time.monotonic()
            try:
                self.statuses[await poster.post(headers, body)] += 1
            except (ConnectionError, asyncio.IncompleteReadError):  # the server closed an idle connection
                self.closed += 1
                poster.add(*await asyncio.open_connection("127.0.0.1", self.port))
            self.waits.append(time.monotonic() - began)
            await asyncio.sleep(pause)


def resident(pid: int) -> float:
    """The resident memory of a process in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


async def sample(server: Server, until: float) -> list[float]:
    values = []
    while time.monotonic() < until:
        values.append(resident(server.pid))
        await asyncio.sleep(SAMPLE_SECONDS)
    return values


async def flood(server: Server, tools: list[Tool], quiet: Tool, seconds: float) -> list[float]:
    """The memory of the server in MiB, sampled."""
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        sampling = group.create_task(sample(server, until))
        for tool, connections, pause in [*((tool, CONNECTIONS, 0.0) for tool in tools), (quiet, 1, QUIET_PAUSE)]:
            group.create_task(post_all(server, tool, connections, until, pause))
    return sampling.result()


async def post_all(server: Server, tool: Tool, connections: int, until: float, pause: float) -> None:
    async with open_poster(f"http://127.0.0.1:{server.port}{tool.path}", connections) as poster:
        await asyncio.gather(*(tool.post(poster, until, pause) for _ in range(connections)))


def report(tools: list[Tool], memory: list[float]) -> None:
    for tool in tools:
        waits = sorted(1000 * wait for wait in tool.waits)
        if not waits:
            print(f"{tool.name:<8} no answer; closed {tool.closed}")
            continue
        shares = ", ".join(f"{status}: {count:,}" for status, count in sorted(tool.statuses.items()))
        p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
        print(f"{tool.name:<8} {shares}; closed {tool.closed}; p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    quarters = [memory[len(memory) * number // 4 : len(memory) * (number + 1) // 4] for number in range(4)]
    most = ", ".join(f"{max(quarter):.0f}" for quarter in quarters if quarter)
    print(f"resident memory: {memory[0]:.0f} MiB before; most in each quarter of the time: {most}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    seconds: float = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder, asyncio.Runner() as runner:
        Path(folder).chmod(0o755)
        postgres, kafka, url = runner.run(start(Path(folder)))
        try:
            environment = {
                "INGEST_DATABASE_URL": url,
                "INGEST_SECRET_KEY": urlsafe_b64encode(bytes(32)).decode(),
                "INGEST_PORT": str(port := free_port()),
                "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            }
            with process("services.ingest", port, **environment) as pid:
                small, large, wrong, quiet = (
                    Tool(name, port, *connect(port), size=size)
                    for name, size in (("small", 0), ("large", MIB), ("wrong", 0), ("quiet", 0))
                )
                wrong.secret = quiet.secret
                memory = runner.run(flood(Server(port, pid), [small, large, wrong], quiet, seconds))
                report([small, large, wrong, quiet], memory)
        finally:
            runner.run(kafka.stop())
            runner.run(postgres.stop())


if __name__ == "__main__":
    main()
