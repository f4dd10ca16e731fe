"""How many events a second one replica of metrics applies, and two, while the same number of events waits in Kafka."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

from bench.horizontal.installation import REPLICAS, Installation
from bench.horizontal.tools import wait_until
from bench.metrics_events import Story
from shared.events import Event, encode
from shared.kafka import CommittedOffsets, OutgoingRecord, Producer
from shared.topics import EVENTS, METRICS_GROUP, subject_key

TENANT = "throughput"
ROUNDS = 3
PART = 2_000


async def measure(installation: Installation, count: int) -> None:
    """Print the events a second of one replica and of two, in turns, and the ratio.

    Stops sentiment, which reads the events too.
    """
    await installation.create_tenant(TENANT)
    for number in REPLICAS["sentiment"]:
        await installation.machines[number].do("stop", name="sentiment")
    story = Story(TENANT, 7, datetime.now(UTC), 90, tickets=0.0)
    rates: dict[int, list[float]] = {1: [], 2: []}
    async with Producer(installation.bootstrap) as producer:
        for _ in range(ROUNDS):
            for replicas, rate in rates.items():
                await run_replicas(installation, replicas)
                rate.append(await rate_of(installation, producer, story.events(count)))
    one, two = median(rates[1]), median(rates[2])
    texts = [", ".join(f"{rate:,.0f}" for rate in rates[replicas]) for replicas in rates]
    print(
        f"metrics, {count:,} events a round: one replica {texts[0]} events/s; two {texts[1]}; ratio {two / one:.2f}", flush=True
    )


async def run_replicas(installation: Installation, count: int) -> None:
    """Let this many replicas of metrics run, and wait until each has its partitions."""
    second = installation.machines[REPLICAS["metrics"][1]]
    await second.do("stop", name="metrics")
    if count > 1:
        await second.do("start", name="metrics")
    await asyncio.sleep(5)  # until the group has divided the partitions


async def rate_of(installation: Installation, producer: Producer, events: Sequence[Event]) -> float:
    """Events a second from the first one in Kafka until all are applied and their offsets committed."""
    messages = [OutgoingRecord(subject_key(event.tenant, event.subject), encode(event)) for event in events]
    used = await installation.processor_seconds("metrics")
    began = perf_counter()
    ends: dict[int, int] = {}
    for start in range(0, len(messages), PART):
        for position in await producer.send_all(EVENTS, messages[start : start + PART]):
            ends[position.partition] = max(ends.get(position.partition, 0), position.offset + 1)
    sent = perf_counter() - began
    async with CommittedOffsets(installation.bootstrap) as offsets:

        async def is_applied() -> bool:
            committed = await offsets.of(METRICS_GROUP, EVENTS, list(ends)) or {}
            return all(committed.get(partition, 0) >= end for partition, end in ends.items())

        await wait_until(is_applied, "all events are applied")
    seconds = perf_counter() - began
    used = await installation.processor_seconds("metrics") - used
    print(
        f"  {len(events)} events in {seconds:.1f} s, sent after {sent:.1f} s; metrics used {used:.1f} s of processor", flush=True
    )
    return len(events) / seconds
