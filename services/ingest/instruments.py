"""The metrics that ingest exports."""

from prometheus_client import Counter, Gauge, Histogram

from shared.instruments import DATABASE, HTTP, PRODUCER

DELIVERIES = Counter(
    "earshot_ingest_deliveries_total", "Deliveries and refused requests, by outcome", ["provider", "outcome"], registry=None
)
POSTPONED = Counter(
    "earshot_ingest_comments_postponed_total", "Events whose comments waited in the outbox for sentiment", registry=None
)
OUTBOX_DELIVERIES = Gauge(
    "earshot_ingest_outbox_deliveries",
    "Deliveries whose events are not known to be in Kafka: exact up to 10,000, above that an estimate of PostgreSQL",
    registry=None,
)
OUTBOX_SECONDS = Gauge(
    "earshot_ingest_outbox_seconds", "Age of the oldest delivery in the outbox; 0 if it is empty", registry=None
)

API_CALL_SECONDS = Histogram(
    "earshot_ingest_api_call_seconds",
    "Seconds of a call to a tool's API, by outcome",
    ["provider", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
    registry=None,
)
FETCHED = Counter(
    "earshot_ingest_fetches_total", "Attempts to fetch the content of a thin event, by what became of it", ["provider", "result"],
    registry=None,
)  # fmt: skip
FETCHES_WAITING = Gauge(
    "earshot_ingest_fetches_waiting",
    "Things to fetch from tools' APIs: exact up to 10,000, above that an estimate",
    registry=None,
)
FETCHES_SECONDS = Gauge(
    "earshot_ingest_fetches_seconds",
    "Age of the oldest thing to fetch that may be fetched: its connection is active and its API not stopped; 0 if there is none",
    registry=None,
)

JOBS_RUNNING = Gauge(
    "earshot_ingest_jobs_running",
    "Rereads, retries and discards of stored deliveries, and back-fills, that are not done",
    registry=None,
)
JOBS_SECONDS = Gauge("earshot_ingest_jobs_seconds", "Age of the oldest such job; 0 if there is none", registry=None)

REPLAYS_RUNNING = Gauge("earshot_ingest_replays_running", "Replays of stored events that are not done", registry=None)
REPLAYS_SECONDS = Gauge(
    "earshot_ingest_replays_seconds",
    "Seconds since the latest step of the tenant's replays that wait longest; 0 if there is none",
    registry=None,
)

IMPORTS_RUNNING = Gauge("earshot_ingest_imports_running", "Imports that are started and not done", registry=None)
IMPORTS_SECONDS = Gauge(
    "earshot_ingest_imports_seconds",
    "Seconds since the latest step of the import that waits longest; 0 if there is none",
    registry=None,
)

ERASURES_RUNNING = Gauge("earshot_ingest_erasures_running", "Erasures whose search of stored bodies is not done", registry=None)
ERASURES_SECONDS = Gauge("earshot_ingest_erasures_seconds", "Age of the oldest such erasure; 0 if there is none", registry=None)
PLAIN_BODIES = Gauge(
    "earshot_ingest_plain_bodies",
    "Stored bodies that are not encrypted, or whose headers are not: exact up to 10,000, above that an estimate of PostgreSQL",
    registry=None,
)

FAMILIES = (
    *HTTP,
    *PRODUCER,
    *DATABASE,
    DELIVERIES,
    POSTPONED,
    OUTBOX_DELIVERIES,
    OUTBOX_SECONDS,
    API_CALL_SECONDS,
    FETCHED,
    FETCHES_WAITING,
    FETCHES_SECONDS,
    JOBS_RUNNING,
    JOBS_SECONDS,
    REPLAYS_RUNNING,
    REPLAYS_SECONDS,
    IMPORTS_RUNNING,
    IMPORTS_SECONDS,
    ERASURES_RUNNING,
    ERASURES_SECONDS,
    PLAIN_BODIES,
)
