"""One stack with 10 and then with 1,000 tenants: webhooks, queries, sealing, memory, and the cost while nothing arrives.

    python -m bench.tenants [--tenants 10 1000] [--rate 60] [--queries 15] [--seconds 30]

Every tenant has an API key, a connection for signed webhooks and an answer a day of the last 20 days, received as webhooks. Then
webhooks and queries are sent at fixed times, whether or not earlier ones have been answered, and time is measured from these.
The tenants take turns. With many tenants, a second measurement uses only as many of them as the first stack had: they share the
stack with all others.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from bench.__main__ import stack
from bench.fairness import admin_settings
from bench.gateway import share
from bench.idle import tree_seconds
from bench.posting import Poster, open_poster
from deploy.local.environment import read_environment
from services.gateway.admin import Admin, open_admin
from tests.signing import standard

DAYS = 20
CONNECTIONS = 32
AT_ONCE = 8
"""Tenants that are created at the same time."""
QUERIES = (
    ("nps", {"window": "24h"}),
    ("nps", {"window": "30d", "grain": "P1D"}),
    ("nps", {"window": "30d", "group_by": "region"}),
)
REST_SECONDS = 75.0
"""A span is sealed when it has not changed for a minute."""
PROCESSES = ("ingest", "sentiment", "metrics", "gateway", "postgres", "kafka")
SERVICES = PROCESSES[:4]


@dataclass(frozen=True)
class Tenant:
    """A tenant's API key, and the path and secret of its connection."""

    key: str
    path: str
    secret: str


@dataclass
class Stack:
    """The running stack, its demo.json, and the connections of a tool and of dashboards."""

    demo: dict[str, Any]
    admin: Admin
    http: httpx.AsyncClient
    poster: Poster | None = None
    """Connections to ingest, while webhooks are posted: ingest closes them when they are idle."""

    async def create(self, name: str) -> Tenant:
        """A new tenant."""
        await self.admin.create_tenant(name, "Europe/Berlin")
        _, key = await self.admin.create_key(name, ["metrics:read"])
        connection = await self.admin.create_connection(name, provider="standard", name="Surveys")
        return Tenant(key, urlsplit(connection["hook_url"]).path, connection["secret"])

    async def post(self, tenant: Tenant, at: datetime) -> None:
        """Post an answer of the time `at`. Raises SystemExit if it is not accepted."""
        record = {
            "type": "response",
            "id": uuid4().hex,
            "at": at.isoformat(),
            "answers": [{"question": "q1", "kind": "nps", "value": at.day % 11}],
            "dimensions": {"region": ("DE", "FR", "US")[at.day % 3]},
        }
        body = json.dumps({"type": "feedback", "timestamp": record["at"], "data": record}).encode()
        assert self.poster
        status = await self.poster.post(standard(tenant.secret, body), body, tenant.path)
        if status != httpx.codes.ACCEPTED:
            raise SystemExit(f"a webhook was answered with {status}")

    async def query(self, tenant: Tenant, number: int) -> int:
        """Send one of QUERIES. Returns the n of the result. Raises SystemExit if there is none."""
        kpi, parameters = QUERIES[number % len(QUERIES)]
        answer = await self.http.get(f"/v1/kpis/{kpi}", params=parameters, headers={"authorization": f"Bearer {tenant.key}"})
        if answer.status_code != httpx.codes.OK:
            raise SystemExit(f"a query was answered with {answer.status_code}: {answer.text}")
        return int(sum(row["n"] or 0 for row in answer.json()["rows"]))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """With connections to ingest."""
        async with open_poster(self.demo["ingest_url"], CONNECTIONS) as self.poster:
            yield

    def processor_seconds(self) -> dict[str, float]:
        """Processor time so far, by process."""
        return {name: tree_seconds(self.demo["pids"][name]) for name in PROCESSES}

    def memory(self) -> dict[str, int]:
        """Resident memory of each service in MB."""
        return {name: resident(self.demo["pids"][name]) for name in SERVICES}

    async def gauge(self, name: str) -> float:
        """A gauge of metrics."""
        lines = (await self.http.get(f"{self.demo['metrics_url']}/metrics")).text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def resident(pid: int) -> int:
    """Resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 // 1_000_000


async def add_tenants(running: Stack, first: int, end: int) -> list[Tenant]:
    """Tenants of the numbers from `first` to `end`, without it, with their history, all counted and sealed."""
    turns, began = asyncio.Semaphore(AT_ONCE), time.perf_counter()

    async def create(number: int) -> Tenant:
        async with turns:
            return await running.create(f"t{number}")

    tenants = await asyncio.gather(*(create(number) for number in range(first, end)))
    created, now = time.perf_counter(), datetime.now(UTC)
    async with running.connected():
        for day in range(DAYS):
            await asyncio.gather(*(running.post(tenant, now - timedelta(days=day, hours=2)) for tenant in tenants))
    posted = time.perf_counter()
    while any([await running.query(tenant, 1) < DAYS for tenant in (tenants[0], tenants[-1])]):  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    counted = time.perf_counter()
    print(
        f"{len(tenants):,} tenants created in {created - began:.1f} s; their {len(tenants) * DAYS:,} webhooks accepted after"
        f" {posted - created:.1f} s, counted {counted - posted:.1f} s later",
        flush=True,
    )
    await wait_until_sealed(running)
    return tenants


async def wait_until_sealed(running: Stack) -> None:
    """Wait until no tenant is due for the sealer, and print what that cost."""
    before, end, most, longest = running.processor_seconds(), time.monotonic() + REST_SECONDS, 0.0, 0.0
    while time.monotonic() < end or await running.gauge("earshot_metrics_sealing_tenants"):
        most = max(most, await running.gauge("earshot_metrics_sealing_tenants"))
        longest = max(longest, await running.gauge("earshot_metrics_sealing_seconds"))
        await asyncio.sleep(0.5)
    used = {name: after - before[name] for name, after in running.processor_seconds().items()}
    print(
        f"sealed: {most:.0f} tenants were due at a time, the first for up to {longest:.1f} s; processor time of metrics"
        f" {used['metrics']:.1f} s, of PostgreSQL {used['postgres']:.1f} s",
        flush=True,
    )


async def measure(running: Stack, title: str, tenants: Sequence[Tenant], load: argparse.Namespace) -> dict[str, list[float]]:
    """Send webhooks and queries at fixed times; print and return their milliseconds."""
    for number in range(len(QUERIES)):
        for tenant in tenants:
            await running.query(tenant, number)
    took: dict[str, list[float]] = {"webhooks": [], "queries": []}
    before, began = running.processor_seconds(), time.perf_counter() + 0.2

    async def send(name: str, rate: float, group: asyncio.TaskGroup) -> None:
        for number in range(int(rate * load.seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(timed(name, number, due))

    async def timed(name: str, number: int, due: float) -> None:
        tenant = tenants[number % len(tenants)]
        if name == "webhooks":
            await running.post(tenant, datetime.now(UTC))
        else:
            await running.query(tenant, number)
        took[name].append((time.perf_counter() - due) * 1000)

    async with running.connected(), asyncio.TaskGroup() as group:
        for name, rate in (("webhooks", load.rate), ("queries", load.queries)):
            group.create_task(send(name, rate, group))
    shares = {
        name: 100 * (after - before[name]) / (time.perf_counter() - began) for name, after in running.processor_seconds().items()
    }
    times = ", ".join(
        f"{name} p50 {share(values, 0.5):.1f} p99 {share(values, 0.99):.1f} ms (n {len(values):,})"
        for name, values in took.items()
    )
    print(f"{title}: {times}; % of a core: {', '.join(f'{name} {value:.1f}' for name, value in shares.items())}", flush=True)
    return took


async def measure_idle(running: Stack, title: str, seconds: float) -> None:
    """Print memory, and the shares of a core that each process uses while nothing arrives."""
    await asyncio.sleep(5)
    before, began = running.processor_seconds(), time.perf_counter()
    await asyncio.sleep(seconds)
    passed = time.perf_counter() - began
    shares = {name: 100 * (after - before[name]) / passed for name, after in running.processor_seconds().items()}
    print(f"{title}, idle: % of a core: {', '.join(f'{name} {value:.2f}' for name, value in shares.items())}", flush=True)
    print(f"{title}, MB: {', '.join(f'{name} {value}' for name, value in running.memory().items())}", flush=True)


def print_ratio(title: str, took: dict[str, list[float]], first: dict[str, list[float]]) -> None:
    """Print percentiles as multiples of those of the first measurement."""
    ratios = (
        f"{name} p50 {share(values, 0.5) / share(first[name], 0.5):.2f} p99 {share(values, 0.99) / share(first[name], 0.99):.2f}"
        for name, values in took.items()
    )
    print(f"{title}, ratio: {', '.join(ratios)}", flush=True)


async def run(folder: Path, load: argparse.Namespace) -> None:
    demo, environment = json.loads((folder / "demo.json").read_text()), read_environment(folder / "services.env")
    async with (
        open_admin(admin_settings(environment)) as admin,
        httpx.AsyncClient(base_url=demo["gateway_url"], timeout=30) as http,
    ):
        running, tenants, first = Stack(demo, admin, http), list[Tenant](), dict[str, list[float]]()
        for count in load.tenants:
            tenants += await add_tenants(running, len(tenants), count)
            for some in sorted({load.tenants[0], count}):
                title = f"{some:,} of {count:,} tenants"
                took = await measure(running, title, tenants[:some], load)
                first = first or took
                print_ratio(title, took, first)
            await wait_until_sealed(running)
            await measure_idle(running, f"{count:,} tenants", load.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, nargs="+", default=[10, 1000], help="ascending")
    parser.add_argument("--rate", type=float, default=60.0, help="webhooks a second")
    parser.add_argument("--queries", type=float, default=15.0, help="queries a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    load = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder, stack(Path(folder) / "data", demo=0):
        asyncio.run(run(Path(folder) / "data", load))


if __name__ == "__main__":
    main()
