"""Measure durable signed webhooks per second of ingest, beside a handler that stores nothing.

`python -m bench.ingest [--count 20000] [--connections 64 512] [--rounds 3] [--processes 1 2]` starts PostgreSQL and Kafka in a
temporary folder. Ingest and the handler have the same number of processes.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from bench.ingest_load import Run, post, requests
from deploy.local.servers import Kafka, Postgres, free_port, free_port_base
from services.ingest.migrate import SCRIPTS
from shared.database import dsn
from shared.kafka import ensure_topics
from shared.migrations import upgrade

TOKEN = "a-token-of-the-bench"
WARM = 2_000
"""Deliveries to each server before the measurement."""

UNAVAILABLE = 503

INSIDE = {"authorization": f"Bearer {TOKEN}", "x-earshot-tenant": "bench"}


@dataclass(frozen=True)
class Server:
    """A server process that the benchmark started."""

    port: int
    pid: int


@contextmanager
def process(module: str, port: int, **environment: str) -> Iterator[int]:
    """Run `python -m module`, which listens on `port`. Yields its pid. Its log is written and discarded."""
    command, variables = [sys.executable, "-m", module], os.environ | {"INTERNAL_TOKEN": TOKEN} | environment
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            wait_until_it_answers(port)
            yield running.pid
        finally:
            running.terminate()


def wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False).status_code != UNAVAILABLE:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"nothing answers on port {port}")


async def start(folder: Path) -> tuple[Postgres, Kafka, str]:
    base = free_port_base(2)
    postgres, kafka = Postgres(folder / "postgres", free_port()), Kafka(folder / "kafka", base, base + 1)
    await asyncio.gather(postgres.start(), kafka.start())
    url = await postgres.create_database("ingest")
    await ensure_topics(kafka.bootstrap)
    await asyncio.to_thread(upgrade, url, SCRIPTS)
    return postgres, kafka, url


def connect(port: int) -> tuple[str, str]:
    """(path, secret) of a new connection."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=INSIDE, trust_env=False) as http:
        http.put("/internal/tenants/bench", json={"name": "Bench", "zone": "UTC"}).raise_for_status()
        made = http.post("/v1/connections", json={"provider": "standard", "name": "load"}).raise_for_status().json()
    return f"/v1/hooks/{made['id']}", made["secret"]


async def stored(url: str) -> int:
    connection = await asyncpg.connect(dsn(url))
    count: int = await connection.fetchval("SELECT count(*) FROM inbox WHERE verdict = 'accepted'")
    await connection.close()
    return count


def wait_until_published(port: int) -> float:
    """Seconds until ingest has published everything."""
    begin = time.monotonic()
    while httpx.get(f"http://127.0.0.1:{port}/internal/head", headers=INSIDE, trust_env=False).json()["unpublished"]:
        time.sleep(0.05)
    return time.monotonic() - begin


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def group_seconds(pid: int) -> float:
    """Processor time that a process and those that it started, which still run, have used."""
    return processor_seconds(pid) + sum(map(group_seconds, children_of(pid)))


def timed(server: Server, prepared: list[bytes], connections: int) -> tuple[Run, float]:
    """The run, and microseconds of the server's processor time for each request. Other load disturbs that figure less."""
    before = group_seconds(server.pid)
    run = post(server.port, prepared, connections)
    return run, (group_seconds(server.pid) - before) / len(prepared) * 1e6


def line(name: str, run: Run, cost: float) -> str:
    waits = f"p50 {run.p50:>5.1f} ms   p99 {run.p99:>6.1f} ms"
    return f"{name:<9}{run.per_second:>8,.0f}/s   {waits}   refused {run.refused}   processor {cost:.0f} µs each"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 512])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder, asyncio.Runner() as runner:
        Path(folder).chmod(0o755)
        postgres, kafka, url = runner.run(start(Path(folder)))
        try:
            others = {"PostgreSQL": postgres.pid or 0, "Kafka": kafka.pid or 0}
            speeds = [measure(runner, url, kafka.bootstrap, others, arguments, number) for number in arguments.processes]
            print(f"the last number of processes is {speeds[-1] / speeds[0]:.2f} times as fast as the first")
        finally:
            runner.run(kafka.stop())
            runner.run(postgres.stop())


def measure(
    runner: asyncio.Runner, url: str, bootstrap: str, others: dict[str, int], arguments: argparse.Namespace, processes: int
) -> float:
    """Print the figures of so many processes. Returns the deliveries per second at the last number of connections.

    `others` are the process ids of the servers that ingest uses, by name.
    """
    port = free_port_base(2)
    environment = {
        "INGEST_DATABASE_URL": url,
        "INGEST_SECRET_KEY": urlsafe_b64encode(bytes(32)).decode(),
        "INGEST_PORT": str(port),
        "INGEST_PROCESSES": str(processes),
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
    }
    bare = {"BENCH_PORT": str(port + 1), "BENCH_PROCESSES": str(processes)}
    before = runner.run(stored(url)) if processes != arguments.processes[0] else 0
    speed = 0.0
    with process("services.ingest", port, **environment) as pid:
        ingest = Server(port, pid)
        path, secret = connect(port)
        post(port, requests(path, secret, WARM, f"warm-{processes}"), arguments.connections[0])
        with process("bench.ingest_ceiling", port + 1, BENCH_SECRET=secret, **bare) as pid:
            ceiling = Server(port + 1, pid)
            post(ceiling.port, requests(path, secret, WARM, "warm"), arguments.connections[0])
            for connections in arguments.connections:
                print(f"processes: {processes}, connections: {connections}")
                rounds = [
                    in_turn(
                        ceiling, ingest, others, requests(path, secret, arguments.count, f"{connections}-{number}"), connections
                    )
                    for number in range(arguments.rounds)
                ]
                speed = report(rounds)
    added = runner.run(stored(url)) - before
    sent = WARM + len(arguments.connections) * arguments.rounds * arguments.count
    print(f"stored {added:,} of {sent:,} acknowledged")
    if added != sent:
        raise SystemExit("the number of stored deliveries differs from that of acknowledged ones")
    return speed


def report(rounds: list[tuple[float, float, float, float]]) -> float:
    """Print the medians of the rounds. Returns the deliveries per second."""
    medians: list[float] = [statistics.median(column) for column in zip(*rounds, strict=True)]
    speed, share, cheapness, cost = medians
    print(f"durable signed webhooks: {speed:,.0f}/s (aim: 5,000), {share:.2f} of the ceiling (aim: 0.9); medians")
    print(f"by the processor time of the two servers alone: {cheapness:.2f} of the ceiling, {cost:.0f} µs each (aim: 120)")
    return speed


def seconds_of_others(others: dict[str, int]) -> list[float]:
    """Processor time of these servers, and of this process, which makes the load."""
    return [*map(group_seconds, others.values()), processor_seconds(os.getpid())]


def in_turn(
    ceiling: Server, ingest: Server, others: dict[str, int], prepared: list[bytes], connections: int
) -> tuple[float, float, float, float]:
    """Ingest's deliveries per second, its share of the ceiling by speed and by processor time, and its processor time in µs."""
    bare, bare_cost = timed(ceiling, prepared, connections)
    before = seconds_of_others(others)
    durable, cost = timed(ingest, prepared, connections)
    waited = wait_until_published(ingest.port)
    spent = [(after - begin) / len(prepared) * 1e6 for after, begin in zip(seconds_of_others(others), before, strict=True)]
    print(line("ceiling", bare, bare_cost))
    print(line("ingest", durable, cost), f"  all in Kafka {waited:.1f} s later")
    beside = ", ".join(f"{name} {each:.0f}" for name, each in zip([*others, "load"], spent, strict=True))
    used = (cost + sum(spent)) * durable.per_second / 1e6
    print(f"         beside it: {beside} µs each; together {used:.2f} of {os.cpu_count()} cores", flush=True)
    return durable.per_second, durable.per_second / bare.per_second, bare_cost / cost, cost


if __name__ == "__main__":
    main()
