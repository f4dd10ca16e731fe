"""`python -m bench.capacity`: what a number of events a day needs in cores, pods, disk and partitions, from measured costs.

The table in docs/scale.md is printed by this module, and a test compares them. Each cost says how it was measured; when a
benchmark gives another figure, change it here and print the table again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from shared.topics import EVENTS, HOUR_MS

DAY = 86_400
PEAK = 5.0
"""The busiest second of a day as a multiple of its mean second."""
BUSY = 0.6
"""The share of a core that may be used at the peak: the rest absorbs a lost replica, an update and a backlog."""
COMMENTS = 0.4
"""The share of events with a comment."""
REPLICAS = 2
"""Pods of each service at least."""
COPIES = 3
"""Copies of each record in Kafka."""
LARGEST_DATABASE = 8.0
"""TB of one PostgreSQL cluster: about what can be restored from a backup within hours."""
VOLUMES = (10**4, 10**6, 10**8, 10**9)


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of an event that is received as a signed webhook, in seconds of one core and in bytes on disk."""

    ingest: float
    ingest_database: float
    scoring: float
    """Of a comment."""
    metrics: float
    metrics_database: float
    sealing: float
    inbox_bytes: float
    metrics_bytes: float
    kafka_bytes: float
    """In both topics, after compression."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one number of events a day needs. Disk is in TB for one year of events; Kafka's for its retention and all copies."""

    events: int
    peak: float
    ingest: int
    sentiment: int
    metrics: int
    database_cores: tuple[float, float]
    disk: tuple[float, float]
    kafka_disk: float
    partitions: int
    databases: int


def need(events: int, costs: Costs) -> Need:
    """The need for this many events a day. Pods have one core each."""
    peak = events / DAY * PEAK
    ingest, sentiment, metrics = (
        max(REPLICAS, ceil(peak * cost / BUSY)) for cost in (costs.ingest, COMMENTS * costs.scoring, costs.metrics)
    )
    disk = tuple(events * 365 * size / 1e12 for size in (costs.inbox_bytes, costs.metrics_bytes))
    retention = (EVENTS.retention_ms + EVENTS.segment_ms) / HOUR_MS / 24
    return Need(
        events=events,
        peak=peak,
        ingest=ingest,
        sentiment=sentiment,
        metrics=metrics,
        database_cores=(peak * costs.ingest_database / BUSY, peak * (costs.metrics_database + costs.sealing) / BUSY),
        disk=(disk[0], disk[1]),
        kafka_disk=events * retention * costs.kafka_bytes * COPIES / 1e12,
        partitions=max(EVENTS.partitions, sentiment, metrics),
        databases=max(1, ceil(max(disk) / LARGEST_DATABASE)),
    )


def table(needs: Sequence[Need]) -> Iterator[str]:
    """The lines of the table in docs/scale.md."""
    yield "| events a day | per second, at the peak | pods: ingest, sentiment, metrics | cores: inbox, metrics' database | TB a year: inbox, metrics | TB in Kafka | partitions | databases of each kind |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for one in needs:
        yield (
            f"| {one.events:,} | {one.peak:,.3g} | {one.ingest}, {one.sentiment}, {one.metrics} "
            f"| {one.database_cores[0]:.2g}, {one.database_cores[1]:.2g} | {one.disk[0]:.2g}, {one.disk[1]:.2g} "
            f"| {one.kafka_disk:.2g} | {one.partitions} | {one.databases} |"
        )
