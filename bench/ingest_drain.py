"""Measure how fast ingest publishes what waited in the outbox while Kafka was down.

`python -m bench.ingest_drain [--count 50000]` starts PostgreSQL and Kafka in a temporary folder. No consumer has ever run, so the
windows of `services/ingest/domain/window.py` are open: with consumers, publishing follows their speed.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from bench.ingest import start
from bench.ingest_load import WORDS
from services.ingest.domain.connection import Connection
from services.ingest.domain.providers import read_settings
from services.ingest.domain.receive import receive_record
from services.ingest.inbox.writer import write
from services.ingest.relay import SWEEPERS, Relay
from shared.database import open_pool
from shared.kafka import Producer
from shared.telemetry import configure_logging

AIM = 20_000
BATCH = 250
TENANTS = 4


def tool(tenant: str) -> Connection:
    return Connection(
        id=f"con_{tenant}",
        tenant=tenant,
        provider="standard",
        name="bench",
        state="active",
        revision=1,
        mapping=read_settings("standard", {}),
        dimensions={},
        secrets=(),
        key=bytes(32),
    )


def batches(count: int) -> Iterator[range]:
    for first in range(0, count, BATCH):
        yield range(first, min(first + BATCH, count))


async def fill(pool: asyncpg.Pool, count: int) -> None:
    """Store `count` responses of TENANTS tenants, as the committer does. None is published."""
    now = datetime.now(UTC)
    tools = [tool(f"tenant-{number}") for number in range(TENANTS)]
    for numbers in batches(count):
        deliveries = []
        for number in numbers:
            record = {
                "type": "response",
                "id": f"r-{number}",
                "at": now.isoformat(),
                "answers": [
                    {"question": "recommend", "kind": "nps", "value": number % 11},
                    {"question": "why", "kind": "comment", "text": WORDS, "language": "en"},
                ],
            }
            deliveries.append(receive_record(tools[number % TENANTS], record, str(number), b"raw", now))
        async with pool.acquire() as db:
            await write(db, deliveries)
    await pool.execute("UPDATE unpublished SET due = now()")


async def drain(pool: asyncpg.Pool, bootstrap: str, count: int) -> None:
    async with Producer(bootstrap) as producer:
        relay = Relay(pool, producer)
        began, processor_began = time.perf_counter(), time.process_time()
        sweeping = asyncio.gather(*(relay.sweep() for _ in range(SWEEPERS)))
        while await pool.fetchval("SELECT EXISTS (SELECT FROM unpublished)"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        seconds, processor = time.perf_counter() - began, time.process_time() - processor_began
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
    print(f"published from the outbox: {count / seconds:,.0f} deliveries/s (aim: {AIM:,}), {count:,} in {seconds:.1f} s")
    each = processor / count * 1e6
    print(f"processor time of the relay: {each:.1f} µs each, which allows {1e6 / each:,.0f}/s on a processor of its own")


async def measure(folder: Path, count: int) -> None:
    postgres, kafka, url = await start(folder)
    try:
        async with open_pool(url, 6) as pool:
            await fill(pool, count)
            await drain(pool, kafka.bootstrap, count)
    finally:
        await kafka.stop()
        await postgres.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50_000)
    count: int = parser.parse_args().count
    configure_logging("bench", "WARNING", "console")
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
        Path(folder).chmod(0o755)
        asyncio.run(measure(Path(folder), count))


if __name__ == "__main__":
    main()
