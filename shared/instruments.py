"""Prometheus metrics that several services export. Labels never hold a tenant or content of customers.

A metric belongs to no registry by itself: each service lists its metrics in `services/<service>/instruments.py` as FAMILIES, and
`/metrics` exports those alone. docs/observability.md explains each.
"""

from collections.abc import Iterable

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call]  # a `_created` series beside each counter: nothing reads them

SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Buckets of durations, in seconds."""

REQUEST_SECONDS = Histogram(
    "earshot_http_request_seconds",
    "Time until the response to a request begins, by the route's template and the class of the status",
    ["method", "route", "status"],
    buckets=SECONDS,
    registry=None,
)
HTTP_REFUSED = Counter(
    "earshot_http_refused_total",
    "Requests and connections that the server refused, by the limit of shared/heads.py",
    ["limit"],
    registry=None,
)
CLIENTS_LEFT = Counter(
    "earshot_http_clients_left_total", "Clients that closed the connection before their request was complete", registry=None
)
REQUESTS_IN_PROGRESS = Gauge("earshot_http_requests_in_progress", "Requests in progress, live streams included", registry=None)
CONNECTIONS = Gauge("earshot_http_connections", "Open connections of clients", registry=None)

SENT = Counter("earshot_kafka_sent_total", "Messages acknowledged by the broker", ["topic"], registry=None)
SENDS_FAILED = Counter("earshot_kafka_sends_failed_total", "Sends that were not acknowledged in time", ["topic"], registry=None)

HANDLED = Counter("earshot_kafka_handled_total", "Records whose effects are durable", ["group", "topic"], registry=None)
PARKED = Counter("earshot_kafka_parked_total", "Records parked in a dead-letter topic", ["group", "topic"], registry=None)
REWOUND = Counter("earshot_kafka_rewound_total", "Batches that must be handled again", ["group"], registry=None)
COMMITS_LOST = Counter(
    "earshot_kafka_commits_lost_total", "Commits that failed because of a rebalance or an outage", ["group"], registry=None
)
OFFSETS_LOST = Counter(
    "earshot_kafka_offsets_lost_total",
    "Partitions whose offset was lost: a replay was requested",
    ["group"],
    registry=None,
)
REPLAYS_REFUSED = Counter(
    "earshot_kafka_replays_refused_total",
    "Requests for a replay of lost records that ingest did not accept",
    ["group"],
    registry=None,
)
REPLAYS_DONE = Counter(
    "earshot_kafka_replays_done_total",
    "Replays of lost records that this consumer requested and that ingest has done",
    ["group"],
    registry=None,
)
STALLS = Counter(
    "earshot_kafka_stalls_total", "Consumers that read nothing although the broker had records", ["group"], registry=None
)
LAG = Gauge(
    "earshot_kafka_lag_records", "Records that this consumer has yet to read", ["group", "topic", "partition"], registry=None
)
LAG_SECONDS = Gauge(
    "earshot_kafka_lag_seconds",
    "Age of the oldest record that this consumer has yet to handle; 0 if there is none",
    ["group", "topic", "partition"],
    registry=None,
)
DEAD_LETTERS = Gauge(
    "earshot_kafka_dead_letters", "Records in a dead-letter topic; NaN while Kafka does not answer", ["topic"], registry=None
)

DATABASE_CONNECTIONS = Gauge(
    "earshot_database_connections", "Open connections to the database, by pool and state", ["pool", "state"], registry=None
)
DATABASE_LIMIT = Gauge("earshot_database_connections_limit", "The most connections that a pool opens", ["pool"], registry=None)

HTTP = (REQUEST_SECONDS, HTTP_REFUSED, CLIENTS_LEFT, REQUESTS_IN_PROGRESS, CONNECTIONS)
PRODUCER = (SENT, SENDS_FAILED)
CONSUMER = (
    HANDLED,
    PARKED,
    REWOUND,
    COMMITS_LOST,
    OFFSETS_LOST,
    REPLAYS_REFUSED,
    REPLAYS_DONE,
    STALLS,
    LAG,
    LAG_SECONDS,
    DEAD_LETTERS,
)
DATABASE = (DATABASE_CONNECTIONS, DATABASE_LIMIT)


def registry_of(families: Iterable[Collector]) -> CollectorRegistry:
    """A registry with `families` and the metrics of the Python process."""
    registry = CollectorRegistry()
    for collector in (*families, PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(collector)
    return registry
