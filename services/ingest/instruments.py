"""The metrics that ingest exports."""

from prometheus_client import Counter, Gauge

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

FAMILIES = (*HTTP, *PRODUCER, *DATABASE, DELIVERIES, POSTPONED, OUTBOX_DELIVERIES, OUTBOX_SECONDS)
