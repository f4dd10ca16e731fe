"""Queries over millions of records, while 500 events a second arrive, beside the same over 100,000, and beside SQL over raw rows.

python -m bench.records [--records 1000000] [--small 100000] [--wide 200000] [--tickets 0.05] [--rate 500] [--others 100]
    [--rounds 30] [--minutes 8] [--keep FOLDER | --reuse FOLDER]

`--keep` fills a database in a folder, which stays; `--reuse` queries it again without filling it. A third tenant has a dimension
of 100,000 values. The events belong to the large, the small and `--others` further tenants in equal parts
(`bench.records_traffic`).
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import asyncpg
import httpx

from bench.metrics import servers
from bench.metrics_events import MODEL
from bench.records_data import Filled, drop_indexes, fill, fill_template, make_indexes, print_sizes, widen
from bench.records_queries import Endpoint, print_times, time_queries
from deploy import new_secrets
from deploy.local.servers import Kafka, Postgres, free_port
from services.gateway import migrate as gateway_migrate
from services.gateway.admin import issue_key
from services.gateway.domain.tenants import Tenant
from services.gateway.store.keys import Keys
from services.gateway.store.tenants import Tenants
from services.metrics import migrate
from services.metrics.sealer import Sealer
from services.metrics.store.tenants import put_tenant
from shared.database import open_engine, open_pool
from shared.kafka import ensure_topics
from shared.migrations import upgrade
from shared.startup import tune_garbage_collector
from shared.telemetry import configure_logging
from shared.topics import EVENTS

ROOT = Path(__file__).parents[1]
TOKEN = new_secrets.internal_token()
START_SECONDS = 180.0
KEEP_ALIVE = httpx.Limits(keepalive_expiry=2)
"""The services close connections that are idle for five seconds."""

SCANS = (
    "nps?window=30d&group_by=region,channel",
    "nps?window=365d&group_by=region,channel",
    "nps?window=30d&per=respondent",
    "nps?window=30d&tz=Asia/Kolkata&grain=P1D",
)

WIDE_QUERIES = (
    "nps?window=365d",
    "nps?window=365d&group_by=team",
    "nps?window=365d&group_by=agent",
    "nps?window=30d&group_by=agent",
    "nps?window=24h&group_by=agent",
    "nps?window=365d&filter[agent]=wide-7",
)

FILLED = "filled.json"
"""A file that says which tenants a folder's database was filled with."""

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
async def service(name: str, port: int, environment: dict[str, str], log: Path) -> AsyncIterator[int]:
    """A service as a process. Yields the process id when it is ready."""
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
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def traffic(bootstrap: str, rate: float, slugs: Sequence[str]) -> AsyncIterator[None]:
    """Events of these tenants at `rate` a second, by a process of its own, so that it doesn't delay the queries of this one."""
    command = [sys.executable, "-m", "bench.records_traffic", bootstrap, f"{rate:g}", *slugs]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        yield
        if process.returncode is not None:
            sys.exit("the process that sends events ended")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def applied(pool: asyncpg.Pool) -> tuple[int, int]:
    """How many events were applied until now, and how many subjects there are."""
    events = await pool.fetchval("SELECT coalesce(sum(next_offset), 0)::bigint FROM progress WHERE topic = $1", EVENTS.name)
    return events, await pool.fetchval("SELECT count(*) FROM subjects")


async def seal_all(pool: asyncpg.Pool, contributions: int) -> None:
    """Seal everything, and print the speed."""
    sealer = Sealer(pool, timedelta(0), 1.0)
    began, seals = time.perf_counter(), 0
    while made := await sealer.round():
        seals += made
    seconds = time.perf_counter() - began
    print(f"sealed {contributions:,} contributions in {seals:,} seals, {seconds:.0f} s: {contributions / seconds:,.0f} a second")


async def time_paths(title: str, http: httpx.AsyncClient, paths: Sequence[str]) -> None:
    """Single queries that no stored counts answer, or that are refused, three times each."""
    for path in paths:
        took, results = [], set()
        for _ in range(3):
            began = time.perf_counter()
            response = await http.get(f"/v1/kpis/{path}")
            took.append((time.perf_counter() - began) * 1000)
            reason = "" if response.is_success else f" {response.json()['type'].rpartition(':')[2]}"
            results.add(f"{response.status_code}{reason}")
        print(f"{title} {path:<48} {', '.join(sorted(results))}: median {median(took):,.1f} ms", flush=True)


async def time_raw(pool: asyncpg.Pool, tenants: dict[str, int], now: datetime) -> None:
    """Print the time of the same queries as plain SQL over all rows: of the second run of each."""
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


@dataclass(frozen=True, slots=True)
class Databases:
    """The filled databases of metrics and of the gateway, and the tenants in them with their sizes."""

    metrics: str
    gateway: str
    tenants: dict[str, Filled]


async def fill_databases(postgres: Postgres, options: argparse.Namespace) -> Databases:
    """Create both databases, fill them, seal everything, and print sizes and speeds."""
    now = datetime.now(UTC)
    url, gateway_url = [await postgres.create_database(name) for name in ("metrics", "gateway")]
    await asyncio.to_thread(upgrade, url, migrate.SCRIPTS)
    await asyncio.to_thread(upgrade, gateway_url, gateway_migrate.SCRIPTS)
    sizes = {"small": options.small, "large": options.records} | ({"wide": options.wide} if options.wide else {})
    async with open_pool(url, 3, command_timeout=3600) as pool:
        await fill_template(pool, now, options.tickets)
        await drop_indexes(pool)
        filled = {slug: await fill(pool, slug, size, now, statements=slug == "small") for slug, size in sizes.items()}
        if "wide" in filled:
            await widen(pool, filled["wide"].tenant)
        await make_indexes(pool)
        await seal_all(pool, sum(tenant.contributions for tenant in filled.values()))
        await pool.execute("VACUUM ANALYZE histograms, seals", timeout=None)
        await print_sizes(pool, sum(tenant.records for tenant in filled.values()))
    databases = Databases(url, gateway_url, filled)
    contents = json.dumps({slug: [tenant.tenant, tenant.records, tenant.contributions] for slug, tenant in filled.items()})
    await asyncio.to_thread((postgres.folder / FILLED).write_text, contents)
    return databases


async def filled_databases(postgres: Postgres) -> Databases:
    """The databases that an earlier run filled. Ends the program if it did not finish."""
    file = postgres.folder / FILLED
    if not await asyncio.to_thread(file.exists):
        sys.exit(f"{postgres.folder.parent} holds no filled database: fill it by --keep")
    tenants = json.loads(await asyncio.to_thread(file.read_text))
    return Databases(
        postgres.url("metrics"), postgres.url("gateway"), {slug: Filled(*numbers) for slug, numbers in tenants.items()}
    )


async def query_databases(databases: Databases, kafka: Kafka, options: argparse.Namespace) -> None:
    """Start the services on filled databases, and time queries while events arrive."""
    now, tenants = datetime.now(UTC), databases.tenants
    keys = await issue_keys(databases.gateway, list(tenants))
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(databases.metrics, 3, command_timeout=3600))
        await pool.execute("DELETE FROM progress")  # Kafka is new: metrics would wait for ingest to publish what it had lost
        folder = Path(await asyncio.to_thread(stack.enter_context, tempfile.TemporaryDirectory(prefix="earshot-records-")))
        await ensure_topics(kafka.bootstrap)
        ports = [free_port() for _ in range(3)]
        common = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "INTERNAL_TOKEN": TOKEN,
            "METRICS_DATABASE_URL": databases.metrics,
            "METRICS_SENTIMENT_MODEL": MODEL,
            "GATEWAY_DATABASE_URL": databases.gateway,
            "GATEWAY_METRICS_URL": f"http://127.0.0.1:{ports[0]}",
        }
        queries = {**common, "METRICS_PORT": str(ports[0]), "METRICS_CONSUME": "false", "METRICS_SEAL": "false"}
        await stack.enter_async_context(service("metrics", ports[0], queries, folder / "queries.log"))
        consuming = {**common, "METRICS_PORT": str(ports[1])}
        await stack.enter_async_context(service("metrics", ports[1], consuming, folder / "consumer.log"))
        gateway = {**common, "GATEWAY_PORT": str(ports[2])}
        await stack.enter_async_context(service("gateway", ports[2], gateway, folder / "gateway.log"))
        print("services are ready", flush=True)
        endpoints = {}
        for slug in tenants:
            inside = {"Authorization": f"Bearer {TOKEN}", "X-Earshot-Tenant": slug}
            outside = {"Authorization": f"Bearer {keys[slug]}"}
            for name, port, headers in (("metrics", ports[0], inside), ("gateway", ports[2], outside)):
                client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, limits=KEEP_ALIVE)
                endpoints[name, slug] = Endpoint(f"{name}, {slug}", await stack.enter_async_context(client))
        others = [f"live-{number}" for number in range(1, options.others + 1)]
        for slug in others:
            await put_tenant(pool, slug, slug.title(), "Europe/Berlin", MODEL, now)
        async with traffic(kafka.bootstrap, options.rate, ["large", "small", *others]):
            before, began = await applied(pool), time.perf_counter()
            compared = [endpoint for (_, slug), endpoint in endpoints.items() if slug != "wide"]
            print_times(await time_queries(compared, options.rounds, options.minutes * 60))
            seconds = time.perf_counter() - began
            events, subjects = ((after - earlier) / seconds for after, earlier in zip(await applied(pool), before, strict=True))
            print(f"meanwhile {events:,.0f} events a second were applied, of {options.rate:g}, and {subjects:,.0f} new subjects")
            await time_paths("scan", endpoints["metrics", "large"].http, SCANS)
            if "wide" in tenants:
                await time_paths("100,000 agents:", endpoints["metrics", "wide"].http, WIDE_QUERIES)
        await time_raw(pool, {slug: tenant.tenant for slug, tenant in tenants.items()}, now)


async def main(options: argparse.Namespace) -> None:
    configure_logging("bench", "WARNING", "console")
    tune_garbage_collector()
    async with servers(options.keep or options.reuse) as (postgres, kafka):
        databases = await (filled_databases(postgres) if options.reuse else fill_databases(postgres, options))
        await query_databases(databases, kafka, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--wide", type=int, default=200_000, help="records of a tenant with 100,000 agents; 0: no such tenant")
    parser.add_argument("--tickets", type=float, default=0.05, help="the share of tickets among the records")
    parser.add_argument("--rate", type=float, default=500.0, help="events a second that arrive meanwhile, of all tenants")
    parser.add_argument("--others", type=int, default=100, help="tenants that have events beside the large and the small one")
    parser.add_argument("--rounds", type=int, default=30, help="how often each query is measured, at most")
    parser.add_argument("--minutes", type=float, default=8.0, help="how long queries are measured, at most")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the filled database in this folder")
    where.add_argument("--reuse", type=Path, metavar="FOLDER", help="query the database that an earlier run kept there")
    asyncio.run(main(parser.parse_args()))
