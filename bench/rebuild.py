"""Rebuild a tenant beside what is served: the processor time of a subject, and how long both generations are compared.

python -m bench.rebuild [--subjects 100000]
"""

import argparse
import asyncio
import time
from datetime import UTC, datetime, timedelta

import uvloop

from bench.idle import tree_seconds
from bench.metrics import NoProducer, handle_all, postgres_server, records
from bench.metrics_events import MODEL, Story, scores
from services.metrics import migrate
from services.metrics.announcer import Announcer
from services.metrics.builder import Builder
from services.metrics.consumer import Intake
from services.metrics.store.rebuilds import read_state, request_rebuild
from services.metrics.store.tenants import put_tenant
from services.metrics.store.writer import Writer
from shared.database import open_pool
from shared.migrations import upgrade
from shared.startup import tune_garbage_collector
from shared.telemetry import configure_logging
from shared.topics import EVENTS, SCORES

TENANT = "large"
EVENTS_OF_SUBJECT = 1.7
"""On average, of a Story."""


async def main(subjects: int) -> None:
    configure_logging("bench", "WARNING", "console")
    tune_garbage_collector()  # as services.metrics does
    now = datetime.now(UTC)
    async with postgres_server() as postgres:
        url = await postgres.create_database("metrics")
        await asyncio.to_thread(upgrade, url, migrate.SCRIPTS)
        async with open_pool(url, 4, command_timeout=600) as pool:
            await put_tenant(pool, TENANT, "Large", "Europe/Berlin", MODEL, now)
            handler = Intake(Writer(pool), Announcer(NoProducer()))
            events = Story(TENANT, 4, now, 90).events(int(subjects * EVENTS_OF_SUBJECT))
            await handle_all(handler, records(events, EVENTS))
            await handle_all(handler, records(list(scores(events)), SCORES))
            await pool.execute("VACUUM ANALYZE contributions")
            tenant = await pool.fetchval("SELECT id FROM tenants WHERE slug = $1", TENANT)
            async with pool.acquire() as connection:
                await request_rebuild(connection, tenant)
            builder, writer = Builder(pool, seal_patience=timedelta(0)), Writer(pool)
            began, used, used_by_database = time.perf_counter(), time.process_time(), tree_seconds(postgres.pid or 0)
            await builder.step(writer)
            seconds, used = time.perf_counter() - began, time.process_time() - used
            used_by_database = tree_seconds(postgres.pid or 0) - used_by_database
            state = await read_state(pool, tenant)
            print(
                f"{state.done:,} subjects built in {seconds:.1f} s, pauses included; processor time of each:"
                f" {used / state.done * 1e6:.0f} µs of the service, {used_by_database / state.done * 1e6:.0f} µs of PostgreSQL"
                " (aim: 100 together)",
                flush=True,
            )
            began = time.perf_counter()
            await builder.step(writer)
            seconds = time.perf_counter() - began
            state = await read_state(pool, tenant)
            assert state.comparison, "contributions were exchanged without a comparison"
            compared = sum(one.before + one.after for one in state.comparison.measures)
            differing = sum(one.differs for one in state.comparison.measures)
            print(
                f"{compared:,} contributions of {len(state.comparison.measures)} measures compared and exchanged in {seconds:.1f}"
                f" s: {differing} measures differ, {len(state.comparison.not_compared)} were not compared for lack of time",
                flush=True,
            )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--subjects", type=int, default=100_000, help="about how many the tenant has")
    uvloop.run(main(arguments.parse_args().subjects))  # as the service
