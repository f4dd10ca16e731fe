"""Processor time of metrics and of its database while nothing arrives, by the number of tenants.

python -m bench.idle [--tenants 2 150 1500] [--seconds 60]

Every tenant has an answer a day of the last 40 days, all of them sealed. The service consumes, seals and serves as in production,
without the daily verification. An hour that ends meanwhile is sealed meanwhile, so run it within an hour.
"""

import argparse
import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from bench.ingest import processor_seconds
from bench.metrics import servers
from bench.metrics_events import MODEL
from bench.metrics_queries import TOKEN
from bench.records import service
from deploy.local.servers import Kafka, Postgres, free_port
from services.metrics import migrate
from services.metrics.sealer import Sealer
from services.metrics.store.writer import Batch, Writer
from shared.database import open_pool
from shared.events import Answer, Event, Response
from shared.kafka import ensure_topics
from shared.migrations import upgrade
from shared.telemetry import configure_logging

DAYS = 40
SETTLE_SECONDS = 15.0
"""In which the service joins its consumer group, fills its caches and looks once at every tenant."""
TENANTS_AT_ONCE = 50


async def add_tenants(pool: asyncpg.Pool, first: int, end: int, now: datetime) -> None:
    """Tenants of the numbers from `first` to `end`, without it, with an answer a day; all that can be sealed is sealed."""
    writer = Writer(pool)
    for start in range(first, end, TENANTS_AT_ONCE):
        numbers = range(start, min(start + TENANTS_AT_ONCE, end))
        await writer.apply(Batch([answer(number, day, now) for number in numbers for day in range(DAYS)]))
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


async def measure(title: str, postgres: int, seconds: float, metrics: int | None = None) -> None:
    """Print the shares of a core that PostgreSQL and, if given, the process of metrics use during `seconds`."""
    pids = [postgres, *([metrics] if metrics else [])]
    before, began = [tree_seconds(pid) for pid in pids], time.monotonic()
    await asyncio.sleep(seconds)
    used = [100 * (tree_seconds(pid) - earlier) / (time.monotonic() - began) for pid, earlier in zip(pids, before, strict=True)]
    of_metrics = f"metrics {used[1]:.2f} % of a core, " if metrics else ""
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


async def main(counts: list[int], seconds: float) -> None:
    configure_logging("bench", "WARNING", "console")
    now = datetime.now(UTC)
    async with servers() as (postgres, kafka):
        url = await postgres.create_database("metrics")
        await asyncio.to_thread(upgrade, url, migrate.SCRIPTS)
        await ensure_topics(kafka.bootstrap)
        await measure("no service", postgres.pid or 0, seconds)
        for before, count in zip([0, *counts], counts, strict=False):
            async with open_pool(url, 3, command_timeout=600) as pool:
                await add_tenants(pool, before, count, now)
            await measure_service(postgres, kafka, url, count, seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, nargs="+", default=[2, 150, 1500], help="ascending")
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.tenants, arguments.seconds))
