"""Durable signed webhooks per second at one ingest process, beside a bare handler that stores nothing, in one run.

`python -m bench.ingest [--count 20000] [--connections 64] [--rounds 3]`: real PostgreSQL, real Kafka, in a folder of their own.
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
INSIDE = {"authorization": f"Bearer {TOKEN}", "x-earshot-tenant": "bench"}


@contextmanager
def process(module: str, port: int, **environment: str) -> Iterator[None]:
    """`python -m module`, listening on `port`, until the end of the block."""
    with subprocess.Popen([sys.executable, "-m", module], env=os.environ | {"INTERNAL_TOKEN": TOKEN} | environment) as running:
        try:
            until_it_answers(port)
            yield
        finally:
            running.terminate()


def until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False)
            return
        except httpx.TransportError:
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


def until_published(port: int) -> float:
    """Seconds until nothing waits for Kafka any more."""
    begin = time.monotonic()
    while httpx.get(f"http://127.0.0.1:{port}/internal/head", headers=INSIDE, trust_env=False).json()["unpublished"]:
        time.sleep(0.05)
    return time.monotonic() - begin


def line(name: str, run: Run) -> str:
    return f"{name:<9}{run.per_second:>8,.0f}/s   p50 {run.p50:>6.1f} ms   p99 {run.p99:>6.1f} ms   refused {run.refused}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder, asyncio.Runner() as runner:
        Path(folder).chmod(0o755)
        postgres, kafka, url = runner.run(start(Path(folder)))
        try:
            measure(runner, url, kafka.bootstrap, asked)
        finally:
            runner.run(kafka.stop())
            runner.run(postgres.stop())


def measure(runner: asyncio.Runner, url: str, bootstrap: str, asked: argparse.Namespace) -> None:
    ingest = free_port_base(2)
    ceiling = ingest + 1
    key = urlsafe_b64encode(bytes(32)).decode()
    environment = {
        "INGEST_DATABASE_URL": url, "INGEST_SECRET_KEY": key, "INGEST_PORT": str(ingest), "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
    }  # fmt: skip
    shares: list[float] = []
    speeds: list[float] = []
    with process("services.ingest", ingest, **environment):
        path, secret = connect(ingest)
        post(ingest, requests(path, secret, 2_000, "warm"), asked.connections)
        with process("bench.ingest_ceiling", ceiling, BENCH_SECRET=secret, BENCH_PORT=str(ceiling)):
            post(ceiling, requests(path, secret, 2_000, "warm"), asked.connections)
            for number in range(asked.rounds):
                prepared = requests(path, secret, asked.count, f"round-{number}")
                bare = post(ceiling, prepared, asked.connections)
                durable = post(ingest, prepared, asked.connections)
                waited = until_published(ingest)
                ratio = durable.per_second / bare.per_second
                print(line("ceiling", bare))
                print(line("ingest", durable), f"  ratio {ratio:.2f}   all in Kafka {waited:.1f} s later", flush=True)
                speeds.append(durable.per_second)
                shares.append(ratio)
        found, sent = runner.run(stored(url)), 2_000 + asked.rounds * asked.count
        print(f"stored {found:,} of {sent:,} acknowledged")
    print(
        f"durable signed webhooks: {statistics.median(speeds):,.0f}/s, {statistics.median(shares):.2f} of the ceiling (medians)"
    )
    if found != sent:
        raise SystemExit("what was acknowledged is not what was stored")


if __name__ == "__main__":
    main()
