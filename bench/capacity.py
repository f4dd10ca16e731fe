"""`python -m bench.capacity`: compute what a load needs in pods, cores, disk and partitions, from measured costs; and what silent
tenants cost.

The tables in docs/scale.md are printed by this module, and a test compares them. Each cost says how it was measured; when a
benchmark gives another figure, change it here and print the table again.
"""

from collections.abc import Sequence
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
LARGEST_DATABASE = 8_000.0
"""GB of one PostgreSQL cluster: about what can be restored from a backup within hours."""
PARTITIONS_EACH = 3
"""Partitions for each pod that consumes: so no pod gets much more than its share, and those of a lost one are divided."""
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


MEASURED = Costs(
    ingest=558e-6,
    ingest_database=85e-6,
    scoring=1 / 385,
    metrics=(271 + COMMENTS * 538) * 1e-6,
    metrics_database=(86 + COMMENTS * 72) * 1e-6,
    sealing=4.87 / 64_532,
    inbox_bytes=3_200,
    metrics_bytes=1_300,
    kafka_bytes=620,
)
"""docs/scale.md says how each was measured."""


SERVICES = ("ingest", "sentiment", "metrics", "gateway")
CACHES = 120
"""MB: the bound of the caches of metrics, which hold results of the tenants that are queried."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A stack with so many tenants that send nothing: % of a core and MB of each of SERVICES, and % of a core of PostgreSQL."""

    tenants: int
    cores: tuple[float, float, float, float]
    postgres: float
    memory: tuple[int, int, int, int]


FEW = Rest(10, (0.70, 0.50, 0.70, 0.45), 0.55, (127, 222, 129, 106))
MANY = Rest(1_000, (1.55, 0.60, 6.54, 0.55), 3.60, (130, 223, 236, 120))
"""By `python -m bench.tenants`, while the verifier works on new tenants, which it does for a fifth of the time at most."""
VERIFICATION = (0.0485, 0.0218)
"""Seconds of metrics and of PostgreSQL that the daily verification of a tenant takes, by `python -m bench.idle`."""


def rest(tenants: int) -> Rest:
    """The most that this many tenants use, by a line through the two measurements.

    The share of metrics doesn't follow it: the verifier takes no more of a second with more tenants, but more of the day.
    """
    cores = tuple(along(tenants, few, many) for few, many in zip(FEW.cores, MANY.cores, strict=True))
    memory = tuple(along(tenants, few, many) for few, many in zip(FEW.memory, MANY.memory, strict=True))
    return Rest(
        tenants,
        (cores[0], cores[1], MANY.cores[2], cores[3]),
        along(tenants, FEW.postgres, MANY.postgres),
        (round(memory[0]), round(memory[1]), round(min(memory[2], FEW.memory[2] + CACHES)), round(memory[3])),
    )


def along(tenants: int, few: float, many: float) -> float:
    """The value for this many tenants on the line through those for FEW and MANY."""
    return few + (many - few) * (tenants - FEW.tenants) / (MANY.tenants - FEW.tenants)


REST_HEADER = (
    "tenants",
    f"% of a core: {', '.join(SERVICES)}; PostgreSQL",
    f"MB: {', '.join(SERVICES)}",
    "verification, seconds of a core a day: metrics, PostgreSQL",
    "",
)


def rest_table() -> list[str]:
    """The lines of the table of tenants in docs/scale.md."""
    rows = [(FEW, "measured"), (MANY, "measured"), (rest(10_000), "computed, at most")]
    return [line(REST_HEADER), line(["---"] * len(REST_HEADER)), *(line(rest_cells(row, source)) for row, source in rows)]


def rest_cells(one: Rest, source: str) -> list[str]:
    """A row of the table of tenants."""
    cores = ", ".join(f"{value:.2g}" for value in one.cores)
    verification = ", ".join(short(one.tenants * seconds) for seconds in VERIFICATION)
    return [f"{one.tenants:,}", f"{cores}; {one.postgres:.2g}", ", ".join(map(str, one.memory)), verification, source]


@dataclass(frozen=True, slots=True)
class Need:
    """The need of one number of events a day. Disk is in GB for one year of events; Kafka's for its retention and all copies."""

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
    disk = tuple(events * 365 * size / 1e9 for size in (costs.inbox_bytes, costs.metrics_bytes))
    retention = (EVENTS.retention_ms + EVENTS.segment_ms) / HOUR_MS / 24
    return Need(
        events=events,
        peak=peak,
        ingest=ingest,
        sentiment=sentiment,
        metrics=metrics,
        database_cores=(peak * costs.ingest_database / BUSY, peak * (costs.metrics_database + costs.sealing) / BUSY),
        disk=(disk[0], disk[1]),
        kafka_disk=events * retention * costs.kafka_bytes * COPIES / 1e9,
        partitions=max(EVENTS.partitions, PARTITIONS_EACH * max(sentiment, metrics)),
        databases=max(1, ceil(max(disk) / LARGEST_DATABASE)),
    )


HEADER = (
    "events a day",
    "per second, at the peak",
    "pods: ingest, sentiment, metrics",
    "cores of PostgreSQL: ingest, metrics",
    "GB a year: ingest, metrics",
    "GB in Kafka",
    "partitions",
    "databases of each kind",
)


def table(costs: Costs) -> list[str]:
    """The lines of the table of needs in docs/scale.md."""
    return [line(HEADER), line(["---"] * len(HEADER)), *(line(cells(need(events, costs))) for events in VOLUMES)]


def cells(one: Need) -> list[str]:
    """A row of the table."""
    return [
        f"{one.events:,}",
        short(one.peak),
        f"{one.ingest}, {one.sentiment}, {one.metrics}",
        ", ".join(map(short, one.database_cores)),
        ", ".join(map(short, one.disk)),
        short(one.kafka_disk),
        str(one.partitions),
        str(one.databases),
    ]


def line(texts: Sequence[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(texts)} |"


def short(value: float) -> str:
    """A number with two significant digits: 0.018, 5.8, 58,000. Smaller ones than 0.01 have no digits."""
    return "< 0.01" if value < 0.01 else f"{float(f'{value:.2g}'):,.10g}"


if __name__ == "__main__":
    print("\n".join([*table(MEASURED), "", *rest_table()]))
