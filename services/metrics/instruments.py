"""The metrics that the metrics service exports."""

from prometheus_client import Gauge, Histogram

from shared.instruments import CONSUMER, DATABASE, HTTP, PRODUCER

EVENT_SECONDS = Histogram(
    "earshot_metrics_event_seconds",
    "Time from the receipt of a live event until it is counted; live: received at most an hour after the time it is about",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400),
    registry=None,
)

SEALING_TENANTS = Gauge(
    "earshot_metrics_sealing_tenants", "Tenants that are due for the sealer, of all processes; at most 1,000", registry=None
)
SEALING_SECONDS = Gauge(
    "earshot_metrics_sealing_seconds", "Time for which the first of these tenants has been due; 0 if there is none", registry=None
)

VERIFIED_DIFFERING = Gauge(
    "earshot_metrics_verify_differing_tenants", "Tenants whose latest verification found a difference", registry=None
)
VERIFIED_SECONDS = Gauge(
    "earshot_metrics_verify_age_seconds",
    "Time since the latest verification of a tenant was started, of the tenant for which it is longest; 0 if there is none",
    registry=None,
)

AHEAD = Gauge(
    "earshot_metrics_ahead_of_ingest",
    "Sequence numbers by which counted events are ahead of ingest, whose database was restored to an earlier time; else 0",
    registry=None,
)

OUTDATED = Gauge(
    "earshot_metrics_outdated",
    "1 while processes with a newer version of the contributions write, so that this one does not; else 0",
    registry=None,
)

FAMILIES = (
    *HTTP,
    *PRODUCER,
    *CONSUMER,
    *DATABASE,
    EVENT_SECONDS,
    SEALING_TENANTS,
    SEALING_SECONDS,
    VERIFIED_DIFFERING,
    VERIFIED_SECONDS,
    AHEAD,
    OUTDATED,
)
