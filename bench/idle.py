"""Processor time of metrics and of its database while nothing arrives, by the number of tenants.

python -m bench.idle [--tenants 2 150 1500] [--days 40] [--seconds 60]

Every tenant has an answer a day, all of them sealed. The service consumes, seals and serves as in production, without the daily
verification. An hour that ends meanwhile is sealed meanwhile, so run it within an hour. Then the last VERIFIED tenants are
verified, against events that need no processor time of ingest: the cost of each, once a day.
"""

import argparse
import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import httpx

from bench.ingest import processor_seconds
from bench.metrics import servers
from bench.metrics_events import MODEL
from bench.metrics_queries import TOKEN
from bench.records import service
from deploy.local.servers import Kafka, Postgres, free_port
from services.metrics import migrate
from services.metrics.clients.ingest import Ingest
from services.metrics.sealer import Sealer
from services.metrics.store.writer import DecodedBatch, Writer
from services.metrics.verifier import Verifier
from shared.database import open_pool
from shared.events import Answer, Event, Response, encode
from shared.kafka import ensure_topics
from shared.migrations import upgrade
from shared.telemetry import configure_logging

DAYS = 40
VERIFIED = 100
SETTLE_SECONDS = 15.0
"""Seconds in which the service joins its consumer group, fills its caches and checks every tenant once."""
TENANTS_AT_ONCE = 50


async def add_tenants(pool: asyncpg.Pool, first: int, end: int, days: int, now: datetime) -> None:
    """Tenants of the numbers from `first` to `end`, without it, with an answer a day; all that can be sealed is sealed."""
    writer = Writer(pool)
    for start in range(first, end, TENANTS_AT_ONCE):
        numbers = range(start, min(start + TENANTS_AT_ONCE, end))
        await writer.apply(DecodedBatch([answer(number, day, now) for number in numbers for day in range(days)]))
    sealer = Sealer(pool, timedelta(0), 1.0)
    while await sealer.round():
        pass
    await pool.execute("VACUUM ANALYZE")


def answer(tenant: int, day: int, now: datetime) -> Event:
    at = now - timedelta(days=day, hours=2)
    body = Response(at=at, answers=(Answer(question="q1", kind="nps", value=(tenant + day) % 11, scale=(0, 10)),))
    return Event(
        tenant=f"t{tenant}",
        subject=f"c1/response/{day}",
        statement=f"d{day}",
        seq=day + 1,
        at=at,
        received_at=at,
        connection="c1",
        source="standard",
        body=body,
    )


def tree_seconds(pid: int) -> float:
    """Processor time of a process, of its living children, and of those whose ends it has seen."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ended = (int(own[13]) + int(own[14])) / os.sysconf("SC_CLK_TCK")
    return processor_seconds(pid) + ended + sum(processor_seconds(int(child)) for child in children)


def resident(pid: int) -> int:
    """The memory of a process in MB."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) // 1024


async def measure_verification(pool: asyncpg.Pool, postgres: int, count: int, days: int, now: datetime) -> None:
    """Print the processor time of verifying the last of `count` tenants, all others having been verified."""
    await pool.execute(
        "INSERT INTO verifications (tenant, share, started_at, finished_at, part, latest)"
        " SELECT id, 1, clock_timestamp(), clock_timestamp(), 'events', true FROM tenants WHERE id <= $1"
        " ON CONFLICT DO NOTHING",
        count - VERIFIED,
    )
    await pool.execute("VACUUM ANALYZE verifications")
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(partial(answer_as_ingest, days, now)), base_url="http://ingest"
    ) as http:
        verifier = Verifier(pool, Ingest(http), timedelta(days=1), pause_ratio=0)
        pids = [postgres, os.getpid()]
        before = [tree_seconds(pid) for pid in pids]
        while await verifier.step():
            pass
        database, own = (tree_seconds(pid) - earlier for pid, earlier in zip(pids, before, strict=True))
    verified, differing = await pool.fetchrow(
        "SELECT count(*), count(*) FILTER (WHERE differences > 0) FROM verifications WHERE subjects > 0 AND tenant > $1",
        count - VERIFIED,
    )
    print(
        f"{verified} tenants of {count:,} verified, {differing} differ; each: "
        f"{1000 * own / verified:.1f} ms of metrics, {1000 * database / verified:.1f} ms of PostgreSQL",
        flush=True,
    )


def answer_as_ingest(days: int, now: datetime, request: httpx.Request) -> httpx.Response:
    """Ingest's head, or a tenant's events in the range of the request."""
    if request.url.path == "/internal/head":
        return httpx.Response(200, json={"seq": days, "unpublished": 0})
    tenant, after, upto = (request.url.params[name] for name in ("tenant", "after", "upto"))
    events = [answer(int(tenant[1:]), day, now) for day in range(days)]
    lines = [encode(event) for event in events if int(after) < event.seq <= int(upto)]
    return httpx.Response(200, content=b"".join(line + b"\n" for line in lines))


async def measure(title: str, postgres: int, seconds: float, metrics: int | None = None) -> None:
    """Print the shares of a core that PostgreSQL and, if given, the process of metrics use during `seconds`."""
    pids = [postgres, *([metrics] if metrics else [])]
    before, began = [tree_seconds(pid) for pid in pids], time.monotonic()
    await asyncio.sleep(seconds)
    used = [100 * (tree_seconds(pid) - earlier) / (time.monotonic() - began) for pid, earlier in zip(pids, before, strict=True)]
    of_metrics = f"metrics {used[1]:.2f} % of a core and {resident(metrics)} MB, " if metrics else ""
    print(f"{title:<16} {of_metrics}PostgreSQL {used[0]:.2f} %", flush=True)


async def measure_service(postgres: Postgres, kafka: Kafka, url: str, count: int, seconds: float) -> None:
    """Start metrics, let it settle, and print what it costs."""
    port = free_port()
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "INTERNAL_TOKEN": TOKEN,
        "METRICS_DATABASE_URL": url,
        "METRICS_SENTIMENT_MODEL": MODEL,
        "METRICS_VERIFY_EVERY_HOURS": "0",
        "METRICS_PORT": str(port),
    }
    async with service("metrics", port, environment, postgres.folder.parent / "metrics.log") as pid:
        await asyncio.sleep(SETTLE_SECONDS)
        await measure(f"{count:,} tenants", postgres.pid or 0, seconds, pid)


async def main(counts: list[int], days: int, seconds: float) -> None:
    configure_logging("bench", "WARNING", "console")
    now = datetime.now(UTC)
    async with servers() as (postgres, kafka):
        url = await postgres.create_database("metrics")
        await asyncio.to_thread(upgrade, url, migrate.SCRIPTS)
        await ensure_topics(kafka.bootstrap)
        await measure("no service", postgres.pid or 0, seconds)
        for before, count in zip([0, *counts], counts, strict=False):
            async with open_pool(url, 3, command_timeout=600) as pool:
                await add_tenants(pool, before, count, days, now)
            await measure_service(postgres, kafka, url, count, seconds)
            if count > VERIFIED:
                async with open_pool(url, 3, command_timeout=600) as pool:
                    await measure_verification(pool, postgres.pid or 0, count, days, now)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, nargs="+", default=[2, 150, 1500], help="ascending")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.tenants, arguments.days, arguments.seconds))
