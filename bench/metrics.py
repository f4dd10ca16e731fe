"""Metrics on its own PostgreSQL and Kafka: apply events, seal histograms, answer queries.

python -m bench.metrics [--events 20000] [--history 200000] [--rounds 10]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import uvloop

from bench.metrics_events import MODEL, Story, scores
from bench.metrics_queries import TENANT, query, seal_all
from deploy.local.servers import Kafka, Postgres, free_port, free_port_base
from services.metrics import migrate
from services.metrics.announcer import Announcer
from services.metrics.consumer import Intake
from services.metrics.store.tenants import put_tenant
from services.metrics.store.writer import Writer
from shared.database import open_pool
from shared.events import Event, ScoreEvent, encode
from shared.kafka import Consumer, IncomingRecord, OutgoingRecord, Producer, ensure_topics
from shared.migrations import upgrade
from shared.startup import tune_garbage_collector
from shared.telemetry import configure_logging
from shared.topics import EVENTS, SCORES, Topic, subject_key

BATCH = 500


class NoProducer:
    """A producer that discards messages."""

    async def send_all(self, topic: Topic, messages: list[OutgoingRecord]) -> None:
        return None


def records(items: Sequence[Event | ScoreEvent], topic: Topic) -> list[IncomingRecord]:
    return [
        IncomingRecord(topic.name, number % topic.partitions, number, subject_key(item.tenant, item.subject), encode(item), (), 0)
        for number, item in enumerate(items)
    ]


async def handle_all(intake: Intake, records: list[IncomingRecord]) -> float:
    """Records per second through the handler, in batches of the consumer's size."""
    began = time.perf_counter()
    for start in range(0, len(records), BATCH):
        await intake(records[start : start + BATCH])
    return len(records) / (time.perf_counter() - began)


async def intake(pool: asyncpg.Pool, count: int, now: datetime) -> None:
    """Measure the handler on events of 90 days, then their scores, the same events again, and events of the last hour."""
    handler = Intake(Writer(pool), Announcer(NoProducer()))
    events = Story("acme", 1, now, 90).events(count)
    score_events = list(scores(events))
    print(f"handler, history:         {await handle_all(handler, records(events, EVENTS)):>9,.0f} events/s  (aim ≥ 5,000)")
    print(f"handler, their scores:    {await handle_all(handler, records(score_events, SCORES)):>9,.0f} scores/s", flush=True)
    print(f"handler, all once more:   {await handle_all(handler, records(events, EVENTS)):>9,.0f} events/s")
    live = Story("live", 2, now, 1 / 24).events(count // 2)
    print(f"handler, the last hour:   {await handle_all(handler, records(live, EVENTS)):>9,.0f} events/s", flush=True)


async def consume(pool: asyncpg.Pool, bootstrap: str, count: int, now: datetime) -> None:
    """Measure a consumer on waiting topics, announcements and offsets included."""
    await ensure_topics(bootstrap)
    events = Story("topic", 3, now, 90).events(count)
    score_events = list(scores(events))
    async with Producer(bootstrap) as producer:
        for topic, items in ((EVENTS, events), (SCORES, score_events)):
            for start in range(0, len(items), 2000):
                part = items[start : start + 2000]
                await producer.send_all(
                    topic, [OutgoingRecord(subject_key(event.tenant, event.subject), encode(event)) for event in part]
                )
        total, seen, done = len(events) + len(score_events), 0, asyncio.Event()
        handler = Intake(Writer(pool), Announcer(producer))
        began = 0.0

        async def handle(batch: Sequence[IncomingRecord]) -> None:
            nonlocal seen, began
            began = began or time.perf_counter()
            await handler(batch)
            seen += len(batch)
            if seen >= total:
                done.set()

        task = asyncio.create_task(Consumer(bootstrap=bootstrap, group="metrics", topics=(EVENTS, SCORES), handler=handle).run())
        await done.wait()
        seconds = time.perf_counter() - began
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    print(
        f"consumer, events, scores: {total / seconds:>9,.0f} records/s, of which {len(events) / seconds:,.0f} events/s",
        flush=True,
    )


async def seal(pool: asyncpg.Pool, count: int, now: datetime) -> None:
    """Write a larger history, then measure sealing it."""
    handler = Intake(Writer(pool), Announcer(NoProducer()))
    await put_tenant(pool, TENANT, "Large", "Europe/Berlin", MODEL, now)
    events = Story(TENANT, 4, now, 90).events(count)
    await handle_all(handler, records(events, EVENTS))
    await handle_all(handler, records(list(scores(events)), SCORES))
    await pool.execute("VACUUM ANALYZE contributions")
    contributions = await pool.fetchval(
        "SELECT count(*) FROM contributions c JOIN tenants t ON t.id = c.tenant WHERE t.slug = 'large'"
    )
    began = time.perf_counter()
    seals = await seal_all(pool)
    seconds = time.perf_counter() - began
    rate = contributions / seconds
    print(f"sealer: {contributions:,} contributions in {seals:,} seals, {seconds:.1f} s: {rate:,.0f} a second (aim ≥ 100,000)")
    sizes = await pool.fetch(
        "SELECT relname, pg_total_relation_size(oid) AS bytes FROM pg_class"
        " WHERE relname IN ('contributions', 'histograms', 'statements') ORDER BY 1"
    )
    rows = await pool.fetchval("SELECT count(*) FROM contributions")
    size_of = {row["relname"]: row["bytes"] for row in sizes}
    each = size_of["contributions"] / rows
    print(f"storage: {each:.0f} bytes a contribution with its indexes, histograms {size_of['histograms'] / 1e6:.1f} MB in all")


@asynccontextmanager
async def postgres_server(data: Path | None = None) -> AsyncIterator[Postgres]:
    """A PostgreSQL in a temporary folder; with `data` it is in that folder, which stays."""
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
        Path(folder).chmod(0o755)  # noqa: ASYNC240
        postgres = Postgres((data or Path(folder)) / "postgres", free_port())
        await postgres.start()
        try:
            yield postgres
        finally:
            await postgres.stop()


@asynccontextmanager
async def kafka_server() -> AsyncIterator[Kafka]:
    """A Kafka in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
        Path(folder).chmod(0o755)  # noqa: ASYNC240
        base = free_port_base(2)
        kafka = Kafka(Path(folder) / "kafka", base, base + 1)
        await kafka.start()
        try:
            yield kafka
        finally:
            await kafka.stop()


@asynccontextmanager
async def servers(data: Path | None = None) -> AsyncIterator[tuple[Postgres, Kafka]]:
    """Both; `data` is the folder of PostgreSQL."""
    async with postgres_server(data) as postgres, kafka_server() as kafka:
        yield postgres, kafka


async def main(count: int, history: int, rounds: int) -> None:
    configure_logging("bench", "WARNING", "console")
    tune_garbage_collector()  # as services.metrics does
    now = datetime.now(UTC)
    async with postgres_server() as postgres:
        urls = [await postgres.create_database(name) for name in ("intake", "topics", "sealing")]
        for url in urls:
            await asyncio.to_thread(upgrade, url, migrate.SCRIPTS)
        async with open_pool(urls[0], 3) as pool:
            await intake(pool, count, now)
        async with open_pool(urls[1], 3) as pool, kafka_server() as kafka:  # which is busy for a while when it has started
            await consume(pool, kafka.bootstrap, count, now)
        async with open_pool(urls[2], 3, command_timeout=600) as pool:
            await seal(pool, history, now)
            await query(urls[2], pool, rounds)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=20_000)
    arguments.add_argument("--history", type=int, default=200_000)
    arguments.add_argument("--rounds", type=int, default=10, help="how often queries are measured alone and beside the sealer")
    options = arguments.parse_args()
    uvloop.run(main(options.events, options.history, options.rounds))  # as the service
