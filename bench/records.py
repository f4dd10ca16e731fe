"""Queries over millions of records, while 500 events a second arrive, beside the same over 100,000, and beside SQL over raw rows.

python -m bench.records [--records 1000000] [--small 100000] [--tickets 0.05] [--rate 500] [--rounds 30]
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import asyncpg
import httpx

from bench.metrics import servers
from bench.metrics_events import MODEL, Story
from bench.records_data import drop_indexes, fill, fill_template, make_indexes, print_sizes
from bench.records_queries import Endpoint, print_times, time_queries
from deploy import new_secrets
from deploy.local.servers import free_port
from services.gateway import migrate as gateway_migrate
from services.gateway.admin import issue_key
from services.gateway.domain.tenants import Tenant
from services.gateway.store.keys import Keys
from services.gateway.store.tenants import Tenants
from services.metrics import migrate
from services.metrics.sealer import Sealer
from shared.database import open_engine, open_pool
from shared.events import encode
from shared.kafka import Message, Producer, ensure_topics
from shared.migrations import upgrade
from shared.startup import tune_garbage_collector
from shared.telemetry import configure_logging
from shared.topics import EVENTS, subject_key

ROOT = Path(__file__).parents[1]
TOKEN = new_secrets.internal_token()
START_SECONDS = 60.0
KEEP_ALIVE = httpx.Limits(keepalive_expiry=2)
"""The services close connections that are idle for five seconds."""

SCANS = (
    "nps?window=30d&group_by=region,channel",
    "nps?window=365d&group_by=region,channel",
    "nps?window=30d&per=respondent",
    "nps?window=30d&tz=Asia/Kolkata&grain=P1D",
)

RAW = {
    "nps": "SELECT count(*) FILTER (WHERE bin >= 9) - count(*) FILTER (WHERE bin <= 6), count(*)",
    "first_reply_time": "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), count(*)",
}
RAW_FROM = """
    FROM contributions c JOIN measures m ON m.id = c.measure
    WHERE c.tenant = $1 AND m.tenant = $1 AND split_part(m.name, ':', 1) IN ($2, replace($2, '_time', '')) AND c.at >= $3
"""


# --- the stack ------------------------------------------------------------------------------------------------------------
@asynccontextmanager
async def service(name: str, port: int, environment: dict[str, str], log: Path) -> AsyncIterator[str]:
    """A service as a process. Yields its URL when it is ready."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"services.{name}", cwd=ROOT, env=os.environ | environment, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as http, asyncio.timeout(START_SECONDS):
            while True:
                if process.returncode is not None:
                    sys.exit(f"{name} ended: {log.read_text()[-2000:]}")  # noqa: ASYNC240
                with suppress(httpx.TransportError):
                    if (await http.get(f"{url}/livez")).is_success:
                        break
                await asyncio.sleep(0.2)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def send_events(producer: Producer, slug: str, rate: float) -> None:
    """Publish events of the last minutes at `rate` a second, until cancelled."""
    seed = 100
    while True:
        seed += 1
        events = Story(slug, seed, datetime.now(UTC), 1 / 48, more=True).events(int(rate * 20))
        for first in range(0, len(events), max(1, int(rate / 10))):
            due = asyncio.create_task(asyncio.sleep(0.1))
            part = events[first : first + max(1, int(rate / 10))]
            await producer.send_all(EVENTS, [Message(subject_key(one.tenant, one.subject), encode(one)) for one in part])
            await due


async def seal_all(pool: asyncpg.Pool, contributions: int) -> None:
    """Seal everything, and print the speed."""
    sealer = Sealer(pool, timedelta(0), 1.0)
    began, seals = time.perf_counter(), 0
    while made := await sealer.round():
        seals += made
    seconds = time.perf_counter() - began
    print(f"sealed {contributions:,} contributions in {seals:,} seals, {seconds:.0f} s: {contributions / seconds:,.0f} a second")


async def time_scans(http: httpx.AsyncClient) -> None:
    """Queries that no stored counts answer, three times each."""
    for path in SCANS:
        took, status = [], set()
        for _ in range(3):
            began = time.perf_counter()
            response = await http.get(f"/v1/kpis/{path}")
            took.append((time.perf_counter() - began) * 1000)
            status.add(response.status_code)
        print(f"scan {path:<48} {' '.join(map(str, status))} median {median(took):>8.1f} ms", flush=True)


async def time_raw(pool: asyncpg.Pool, tenants: dict[str, int], now: datetime) -> None:
    """The same questions as plain SQL over all rows, once after a first time."""
    for kpi, select in RAW.items():
        for days in (30, 365):
            for slug, tenant in tenants.items():
                for _ in range(2):
                    began = time.perf_counter()
                    row = await pool.fetchrow(select + RAW_FROM, tenant, kpi, now - timedelta(days=days), timeout=None)
                    seconds = time.perf_counter() - began
                print(f"SQL over rows: {kpi}, {days} days, {slug}: {seconds * 1000:,.0f} ms, {row[1]:,} rows", flush=True)


async def issue_keys(url: str, slugs: Sequence[str]) -> dict[str, str]:
    """Make the tenants known to the gateway, each with a key."""
    engine = open_engine(url)
    made = {}
    for slug in slugs:
        await Tenants(engine).add(Tenant(slug, slug.title(), "Europe/Berlin"))
        await Tenants(engine).mark_provisioned(slug)
        _, made[slug] = await issue_key(Keys(engine), slug, ["metrics:read"], "bench")
    await engine.dispose()
    return made


async def main(options: argparse.Namespace) -> None:
    configure_logging("bench", "WARNING", "console")
    tune_garbage_collector()
    now = datetime.now(UTC)
    sizes = {"small": options.small, "large": options.records}
    async with AsyncExitStack() as stack:
        postgres, kafka = await stack.enter_async_context(servers())
        url, gateway_url = [await postgres.create_database(name) for name in ("metrics", "gateway")]
        await asyncio.to_thread(upgrade, url, migrate.SCRIPTS)
        await asyncio.to_thread(upgrade, gateway_url, gateway_migrate.SCRIPTS)
        pool = await stack.enter_async_context(open_pool(url, 3, command_timeout=3600))
        await fill_template(pool, now, options.tickets)
        await drop_indexes(pool)
        filled = {slug: await fill(pool, slug, size, now, statements=slug == "small") for slug, size in sizes.items()}
        await make_indexes(pool)
        await seal_all(pool, sum(one.contributions for one in filled.values()))
        await pool.execute("VACUUM ANALYZE histograms, seals", timeout=None)
        await print_sizes(pool, sum(one.records for one in filled.values()))
        keys = await issue_keys(gateway_url, list(sizes))
        folder = Path(await asyncio.to_thread(stack.enter_context, tempfile.TemporaryDirectory(prefix="earshot-records-")))
        await ensure_topics(kafka.bootstrap)
        ports = [free_port() for _ in range(3)]
        common = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "INTERNAL_TOKEN": TOKEN,
            "METRICS_DATABASE_URL": url,
            "METRICS_SENTIMENT_MODEL": MODEL,
            "GATEWAY_DATABASE_URL": gateway_url,
            "GATEWAY_METRICS_URL": f"http://127.0.0.1:{ports[0]}",
        }
        queries = {**common, "METRICS_PORT": str(ports[0]), "METRICS_CONSUME": "false", "METRICS_SEAL": "false"}
        await stack.enter_async_context(service("metrics", ports[0], queries, folder / "queries.log"))
        consuming = {**common, "METRICS_PORT": str(ports[1])}
        await stack.enter_async_context(service("metrics", ports[1], consuming, folder / "consumer.log"))
        gateway = {**common, "GATEWAY_PORT": str(ports[2])}
        await stack.enter_async_context(service("gateway", ports[2], gateway, folder / "gateway.log"))
        producer = await stack.enter_async_context(Producer(kafka.bootstrap))
        sending = asyncio.create_task(send_events(producer, "large", options.rate))
        endpoints = []
        for slug in sizes:
            inside = {"Authorization": f"Bearer {TOKEN}", "X-Earshot-Tenant": slug}
            outside = {"Authorization": f"Bearer {keys[slug]}"}
            for name, port, headers in (("metrics", ports[0], inside), ("gateway", ports[2], outside)):
                client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, limits=KEEP_ALIVE)
                endpoints.append(Endpoint(f"{name}, {slug}", await stack.enter_async_context(client)))
        before = await pool.fetchval("SELECT count(*) FROM subjects")
        began = time.perf_counter()
        print_times(await time_queries(endpoints, options.rounds))
        seconds = time.perf_counter() - began
        added = await pool.fetchval("SELECT count(*) FROM subjects") - before
        print(f"meanwhile {added / seconds:,.0f} new subjects a second, of {options.rate:g} events a second")
        await time_scans(next(one.http for one in endpoints if one.name == "metrics, large"))
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await time_raw(pool, {slug: one.tenant for slug, one in filled.items()}, now)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--tickets", type=float, default=0.05, help="the share of tickets among the records")
    parser.add_argument("--rate", type=float, default=500.0, help="events a second that arrive meanwhile")
    parser.add_argument("--rounds", type=int, default=30, help="how often each query is measured")
    asyncio.run(main(parser.parse_args()))
